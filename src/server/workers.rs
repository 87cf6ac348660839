//! The threads that serve the gateways. Each has a runtime of its own, since handing work from thread to
//! thread costs more than most of the work: a connection stays where it is, and so do those to the app that
//! it uses.

use super::Server;
use super::connection::Listener;
use super::listen::{Accepted, welcome};
use super::pool::Pool;
use std::io;
use std::sync::Arc;
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;

/// All of them. With this ends what they accept, and not what they have accepted.
pub(super) struct Workers(Vec<Worker>);

struct Worker {
    incoming: UnboundedSender<(Accepted, Presence)>,
    /// Every connection that was given to it has one too.
    presence: Presence,
}

type Presence = Arc<()>;

impl Workers {
    /// So many, which last until the sender of `ended` is gone.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub(super) fn start(
        server: &Arc<Server>,
        threads: usize,
        (shutdown, ended): (watch::Receiver<bool>, watch::Receiver<()>),
    ) -> io::Result<Self> {
        let worker = |nth| {
            let (incoming, accepted) = unbounded_channel();
            let (server, presence) = (Arc::clone(server), Presence::default());
            let (shutdown, mut ended) = (shutdown.clone(), ended.clone());
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let work = async move {
                serve(server, accepted, shutdown).await;
                // What was accepted is served to its end.
                let _ = ended.changed().await;
            };
            std::thread::Builder::new()
                .name(format!("worker-{nth}"))
                .spawn(move || runtime.block_on(work))?;
            Ok(Worker { incoming, presence })
        };
        (0..threads)
            .map(worker)
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Gives a connection to the one that has fewest.
    pub(super) fn take(&self, accepted: Accepted) {
        let fewest = |worker: &&Worker| Arc::strong_count(&worker.presence);
        // One that is gone has panicked.
        let lasting = self.0.iter().filter(|worker| !worker.incoming.is_closed());
        if let Some(worker) = lasting.min_by_key(fewest) {
            let presence = Arc::clone(&worker.presence);
            let _ = worker.incoming.send((accepted, presence));
        }
    }
}

async fn serve(
    server: Arc<Server>,
    mut accepted: UnboundedReceiver<(Accepted, Presence)>,
    shutdown: watch::Receiver<bool>,
) {
    let pool = Arc::new(Pool::new());
    while let Some((accepted, presence)) = accepted.recv().await {
        let (server, pool) = (Arc::clone(&server), Arc::clone(&pool));
        let shutdown = shutdown.clone();
        tokio::spawn(async move {
            welcome((&server, &pool), accepted, Listener::Public, shutdown).await;
            drop(presence);
        });
    }
}
