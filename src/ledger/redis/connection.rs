//! The way into the store.

use super::address::{Address, Node, Password, Target};
use ::redis::aio::{ConnectionLike, MultiplexedConnection};
use ::redis::cluster::ClusterClient;
use ::redis::cluster_async::ClusterConnection;
use ::redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use ::redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, IntoConnectionInfo as _, Pipeline,
    RedisConnectionInfo, RedisError, RedisFuture, RedisResult, TlsMode, Value,
};
use std::fmt;
use std::time::Duration;

impl Address {
    /// Connects.
    pub(super) async fn connect(&self, longest: Duration) -> Result<Connection, Refused> {
        let password = self.password.as_ref().map(Password::read).transpose();
        let password = password.map_err(Refused::Password)?;
        let inside = self.inside(password.as_deref().map(String::as_str));
        match &self.target {
            Target::Node((host, port)) => open(self.at(host, *port), inside, longest).await,
            Target::Socket(path) => open(ConnectionAddr::Unix(path.clone()), inside, longest).await,
            Target::Sentinel { nodes, master } => {
                let password = password.as_deref().map(String::as_str);
                match self.ask(nodes, master, None, &inside).await {
                    // Sentinels often have the password of their stores.
                    Err(error) if error.code() == Some("NOAUTH") => {
                        self.ask(nodes, master, password, &inside).await
                    }
                    answer => answer,
                }
                .map(Connection::Single)
            }
            Target::Cluster(nodes) => {
                let password = password.as_deref().map(String::as_str);
                self.join(nodes, password, longest).await
            }
        }
        .map_err(Refused::Error)
    }

    fn inside(&self, password: Option<&str>) -> RedisConnectionInfo {
        // What the library says of itself would be one more permission to give.
        let inside = RedisConnectionInfo::default()
            .set_skip_set_lib_name()
            .set_db(self.database);
        let inside = match &self.user {
            Some(user) => inside.set_username(user),
            None => inside,
        };
        match password {
            Some(password) => inside.set_password(password),
            None => inside,
        }
    }

    fn at(&self, host: &str, port: u16) -> ConnectionAddr {
        match self.tls {
            false => ConnectionAddr::Tcp(host.to_owned(), port),
            true => ConnectionAddr::TcpTls {
                host: host.to_owned(),
                port,
                insecure: false,
                tls_params: None,
            },
        }
    }

    /// Asks the Sentinels for the primary, and connects to it.
    async fn ask(
        &self,
        nodes: &[Node],
        master: &str,
        sentinels: Option<&str>,
        inside: &RedisConnectionInfo,
    ) -> RedisResult<MultiplexedConnection> {
        let addresses = nodes.iter().map(|(host, port)| self.at(host, *port));
        let mut builder =
            SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)?
                .set_client_to_redis_db(self.database);
        if let Some(user) = inside.username() {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = inside.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if let Some(password) = sentinels {
            builder = builder.set_client_to_sentinel_password(password);
        }
        if self.tls {
            builder = builder
                .set_client_to_redis_tls_mode(TlsMode::Secure)
                .set_client_to_sentinel_tls_mode(TlsMode::Secure);
        }
        let mut client = builder.build()?;
        client
            .get_async_connection_with_config(&patient(None))
            .await
    }

    async fn join(
        &self,
        nodes: &[Node],
        password: Option<&str>,
        longest: Duration,
    ) -> RedisResult<Connection> {
        let addresses = nodes.iter().map(|(host, port)| self.at(host, *port));
        let mut builder = ClusterClient::builder(addresses).connection_timeout(longest);
        if let Some(user) = &self.user {
            builder = builder.username(user);
        }
        if let Some(password) = password {
            builder = builder.password(password);
        }
        let client = builder.build()?;
        client.get_async_connection().await.map(Connection::Cluster)
    }
}

/// Answers are awaited by whoever asks.
fn patient(longest: Option<Duration>) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(longest)
        .set_response_timeout(None)
}

async fn open(
    at: ConnectionAddr,
    inside: RedisConnectionInfo,
    longest: Duration,
) -> RedisResult<Connection> {
    let info = at.into_connection_info()?.set_redis_settings(inside);
    let client = Client::open(info)?;
    client
        .get_multiplexed_async_connection_with_config(&patient(Some(longest)))
        .await
        .map(Connection::Single)
}

/// Why there is no connection.
pub(super) enum Refused {
    /// The password cannot be read.
    Password(String),
    /// The store, or the way to it.
    Error(RedisError),
}

impl Refused {
    /// Whether nothing was said that has a meaning.
    pub(super) fn is_mute(&self) -> bool {
        matches!(self, Self::Error(error) if error.is_io_error())
    }
}

impl From<RedisError> for Refused {
    fn from(error: RedisError) -> Self {
        Self::Error(error)
    }
}

/// A connection that many use at once.
#[derive(Clone)]
pub(super) enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connection(..)")
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(command),
            Self::Cluster(connection) => connection.req_packed_command(command),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(pipeline, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
