//! Sockets that listen, and what becomes of each connection.

use super::Server;
use super::connection::{self, Listener};
use super::downstream::Downstream;
use super::limit::Full;
use super::pool::Pool;
use super::workers::Workers;
use crate::config::Config;
use pingora_core::protocols::l4::stream::Stream;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::watch;

const BACKLOG: u32 = 4096;
/// Where the system has no descriptor left, so long until it is asked again.
const NO_ROOM: Duration = Duration::from_secs(1);

/// Binds the listeners of a configuration.
///
/// # Errors
/// A sentence that names the address.
pub fn bind(config: &Config) -> Result<Bound, String> {
    let bind = |address: SocketAddr| {
        listen(address).map_err(|error| format!("cannot listen on {address}: {error}"))
    };
    Ok(Bound {
        listen: bind(config.listen)?,
        admin: config.admin.map(bind).transpose()?,
    })
}

/// Listeners that are bound and not yet served.
#[derive(Debug)]
pub struct Bound {
    pub(super) listen: TcpListener,
    pub(super) admin: Option<TcpListener>,
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Serves what comes in here, until told to end; says where that is. To be called inside a tokio runtime.
pub(super) fn serve(
    server: &Arc<Server>,
    socket: TcpListener,
    shutdown: watch::Receiver<bool>,
) -> io::Result<SocketAddr> {
    let (server, pool) = (Arc::clone(server), Arc::new(Pool::new()));
    let ending = shutdown.clone();
    accept(socket, shutdown, move |accepted| {
        let (server, pool, ending) = (Arc::clone(&server), Arc::clone(&pool), ending.clone());
        tokio::spawn(async move {
            welcome((&server, &pool), accepted, Listener::Admin, ending).await;
        });
    })
}

/// As [`serve`], by threads.
pub(super) fn serve_by(
    workers: Workers,
    socket: TcpListener,
    shutdown: watch::Receiver<bool>,
) -> io::Result<SocketAddr> {
    accept(socket, shutdown, move |accepted| workers.take(accepted))
}

/// A connection that was just accepted.
#[derive(Debug)]
pub(super) struct Accepted {
    stream: std::net::TcpStream,
    peer: IpAddr,
    since: Instant,
}

fn accept(
    socket: TcpListener,
    mut shutdown: watch::Receiver<bool>,
    take: impl Fn(Accepted) + Send + Sync + 'static,
) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?;
    let socket = tokio::net::TcpListener::from_std(socket)?;
    tokio::spawn(async move {
        tokio::select! {
            biased;
            _ = shutdown.wait_for(|ending| *ending) => {}
            () = accept_all(&socket, take) => {}
        }
    });
    Ok(address)
}

async fn accept_all(socket: &tokio::net::TcpListener, take: impl Fn(Accepted)) {
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => {
                let since = Instant::now();
                // Nothing waits for more to send: whatever leaves is whole.
                let nodelay = stream.set_nodelay(true);
                if let Ok(stream) = nodelay.and_then(|()| stream.into_std()) {
                    let peer = peer.ip();
                    take(Accepted {
                        stream,
                        peer,
                        since,
                    });
                }
            }
            // It left before it was served.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                tokio::time::sleep(NO_ROOM).await;
            }
        }
    }
}

/// Gives a connection a slot, or 503. To be called in the thread that serves it, to its end.
pub(super) async fn welcome(
    (server, pool): (&Server, &Pool),
    Accepted {
        stream,
        peer,
        since,
    }: Accepted,
    listener: Listener,
    shutdown: watch::Receiver<bool>,
) {
    let Ok(stream) = TcpStream::from_std(stream) else {
        return;
    };
    let downstream = Downstream::new(Box::new(Stream::from(stream)), peer);
    let limit = match listener {
        Listener::Public => &server.connections,
        Listener::Admin => &server.admin_connections,
    };
    match limit.acquire(since) {
        Ok(slot) => {
            let here = (server, pool);
            connection::serve(here, downstream, (since, slot), listener, shutdown).await;
        }
        Err(Full::Busy) => {
            if let Ok(mut slot) = server.turned_away.acquire(since) {
                connection::turn_away(server, downstream, &mut slot, listener).await;
            }
        }
        Err(Full::Outwaited) => {}
    }
}
