//! Sends one request to a plain HTTP/1.1 server and reads its answer.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// The status and the whole answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) text: String,
}

impl Answer {
    /// What follows the head.
    pub(super) fn body(&self) -> &str {
        self.text
            .split_once("\r\n\r\n")
            .map_or("", |(_, body)| body)
    }
}

/// Longer answers are cut off, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;
/// No sidecar takes longer, unless it is told to.
const PATIENCE: Duration = Duration::from_secs(120);

/// Sends `request`, which says `Connection: close`.
pub(super) async fn send(authority: &str, request: &[u8]) -> io::Result<Answer> {
    let exchange = async {
        let mut stream = TcpStream::connect(authority).await?;
        stream.write_all(request).await?;
        let mut bytes = Vec::new();
        stream.take(LONGEST).read_to_end(&mut bytes).await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let status = text
            .strip_prefix("HTTP/1.")
            .and_then(|rest| rest.get(2..5)?.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("not an HTTP answer"))?;
        Ok(Answer { status, text })
    };
    tokio::time::timeout(PATIENCE, exchange)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
