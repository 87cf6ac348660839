//! Sockets that listen, and what becomes of each connection.

use super::Server;
use super::connection::{self, Listener};
use super::limit::Full;
use super::pool::Pool;
use crate::config::Config;
use async_trait::async_trait;
use parking_lot::Mutex;
use pingora_core::apps::ServerApp;
use pingora_core::listeners::{L4BufferSettings, ListenerConfig, Listeners};
use pingora_core::protocols::Stream;
use pingora_core::server::{Fds, ShutdownWatch};
use pingora_core::services::Service as _;
use pingora_core::services::listening::Service;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::IntoRawFd as _;
use std::sync::Arc;
use tokio::net::TcpSocket;
use tokio::runtime::Builder;
use tokio::sync::watch;

const BACKLOG: u32 = 4096;

/// A listener's application: each connection gets a slot, or 503.
struct App {
    server: Arc<Server>,
    /// What is accepted here stays in its thread, and so do its connections to the app.
    pool: Pool,
    listener: Listener,
}

/// `ServerApp` and not `HttpServerApp`: the latter hands out a session that already reads heads
/// without a bound on their size or time.
#[async_trait]
impl ServerApp for App {
    async fn process_new(
        self: &Arc<Self>,
        stream: Stream,
        shutdown: &ShutdownWatch,
    ) -> Option<Stream> {
        let limit = match self.listener {
            Listener::Public => &self.server.connections,
            Listener::Admin => &self.server.admin_connections,
        };
        let since = connection::accepted(&stream);
        match limit.acquire(since) {
            Ok(slot) => {
                let (here, shutdown) = ((&*self.server, &self.pool), shutdown.clone());
                connection::serve(here, stream, (since, slot), self.listener, shutdown).await;
            }
            Err(Full::Busy) => {
                if let Ok(mut slot) = self.server.turned_away.acquire(since) {
                    connection::turn_away(&self.server, stream, &mut slot, self.listener).await;
                }
            }
            Err(Full::Outwaited) => {}
        }
        None
    }
}

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

/// Serves what comes in, until told to end; says where that is. To be called inside a tokio runtime.
pub(super) fn serve(
    server: &Arc<Server>,
    socket: TcpListener,
    listener: Listener,
    shutdown: ShutdownWatch,
) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?;
    tokio::spawn(accept(
        Arc::clone(server),
        socket,
        address,
        listener,
        shutdown,
    ));
    Ok(address)
}

/// As [`serve`], in so many threads, which last until the sender of `ended` is gone. Each has a runtime of its
/// own: handing work from thread to thread costs more than most of the work.
pub(super) fn serve_in_threads(
    server: &Arc<Server>,
    socket: &TcpListener,
    threads: usize,
    (shutdown, ended): (ShutdownWatch, watch::Receiver<()>),
) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?;
    for nth in 0..threads {
        let (server, socket) = (Arc::clone(server), socket.try_clone()?);
        let (shutdown, mut ended) = (shutdown.clone(), ended.clone());
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let served = async move {
            accept(server, socket, address, Listener::Public, shutdown).await;
            // What was accepted is served to its end.
            let _ = ended.changed().await;
        };
        std::thread::Builder::new()
            .name(format!("worker-{nth}"))
            .spawn(move || runtime.block_on(served))?;
    }
    Ok(address)
}

async fn accept(
    server: Arc<Server>,
    socket: TcpListener,
    address: SocketAddr,
    listener: Listener,
    shutdown: ShutdownWatch,
) {
    // Pingora adopts a bound socket by its address; binding by itself it would try for 30 s.
    let mut sockets = Fds::new();
    sockets.add(address.to_string(), socket.into_raw_fd());
    let mut listeners = Listeners::new();
    // What leaves, leaves in one piece already.
    let unbuffered = L4BufferSettings::unbuffered();
    listeners.add_listener(ListenerConfig::tcp(address.to_string()).l4_buffer(unbuffered));
    let app = App {
        server,
        pool: Pool::new(),
        listener,
    };
    let mut service = Service::with_listeners(format!("{listener:?}"), listeners, app);
    let sockets = Some(Arc::new(Mutex::new(sockets)));
    service.start_service(sockets, shutdown, 1).await;
}
