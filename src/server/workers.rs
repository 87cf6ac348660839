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
    incoming: UnboundedSender<Accepted>,
    /// Every connection here has one too.
    presence: Arc<()>,
}

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
            let presence = Arc::new(());
            let (server, here) = (Arc::clone(server), Arc::clone(&presence));
            let (shutdown, mut ended) = (shutdown.clone(), ended.clone());
            let runtime = Builder::new_current_thread().enable_all().build()?;
            let work = async move {
                serve(server, accepted, here, shutdown).await;
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
        if let Some(worker) = self.0.iter().min_by_key(fewest) {
            // A worker that is gone has panicked, and the connection is closed.
            let _ = worker.incoming.send(accepted);
        }
    }
}

async fn serve(
    server: Arc<Server>,
    mut accepted: UnboundedReceiver<Accepted>,
    here: Arc<()>,
    shutdown: watch::Receiver<bool>,
) {
    let pool = Arc::new(Pool::new());
    while let Some(accepted) = accepted.recv().await {
        let (server, pool) = (Arc::clone(&server), Arc::clone(&pool));
        let (here, shutdown) = (Arc::clone(&here), shutdown.clone());
        tokio::spawn(async move {
            welcome((&server, &pool), accepted, Listener::Public, shutdown).await;
            drop(here);
        });
    }
}
