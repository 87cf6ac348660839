//! Whether a store that does not answer would do so with TLS, or without it.

use super::address::{Address, Target};
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a store has to say its first byte.
const FIRST: Duration = Duration::from_millis(500);
/// What a server that speaks TLS begins with. Source: RFC 8446, section 5.1
const HANDSHAKE: u8 = 22;

/// How the store is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Tls,
    Plain,
}

impl Address {
    /// How the first node that it names answers, where it names it otherwise.
    pub(super) async fn misnamed(&self) -> Option<Channel> {
        let (host, port) = match &self.target {
            Target::Node(node) => node,
            Target::Sentinel { nodes, .. } | Target::Cluster(nodes) => nodes.first()?,
            Target::Socket(_) => return None,
        };
        let (hello, channel) = match self.tls {
            true => (b"PING\r\n".to_vec(), Channel::Plain),
            false => (hello(host)?, Channel::Tls),
        };
        let ask = async {
            let mut stream = TcpStream::connect((&**host, *port)).await?;
            stream.write_all(&hello).await?;
            stream.read_u8().await
        };
        let first = timeout(FIRST, ask).await.ok()?.ok()?;
        let answers = match channel {
            Channel::Plain => matches!(first, b'+' | b'-'),
            Channel::Tls => first == HANDSHAKE,
        };
        answers.then_some(channel)
    }
}

/// How a client of TLS begins.
fn hello(host: &str) -> Option<Vec<u8>> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let mut connection = ClientConnection::new(Arc::new(config), name).ok()?;
    let mut hello = Vec::new();
    connection.write_tls(&mut hello).ok()?;
    Some(hello)
}
