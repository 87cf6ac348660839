//! The only rooms that know Pingora: sockets, messages, connections to the app, signals.

mod app;
mod body;
mod connection;
mod downstream;
mod exchange;
mod head;
mod limit;
mod listen;
mod live;
mod pool;
mod relay;
mod reload;
mod shutdown;
mod size;
mod status;
mod upstream;
mod wire;
mod workers;

pub use listen::{Bound, bind};
pub use shutdown::{EndSignals, outlive_hangups};

use crate::admin::Loaded;
use crate::clock::{Clock, Moment};
use crate::config::{Config, Files};
use crate::ledger::{Complaint, Key, Ledger};
use crate::rejection::Rejection;
use crate::telemetry::{LostLines, Metrics, Picture, Recent};
use arc_swap::ArcSwap;
use limit::ConnectionLimit;
use listen::{serve, serve_by};
use live::Live;
use parking_lot::Mutex;
use reload::Reload;
use shutdown::InFlight;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use workers::Workers;

/// Everything that requests share.
struct Server {
    live: ArcSwap<Live>,
    ledger: Arc<Ledger>,
    clock: Arc<Clock>,
    connections: Arc<ConnectionLimit>,
    admin_connections: Arc<ConnectionLimit>,
    /// One page is written at a time: that leaves the other threads to notifications.
    admin_page: tokio::sync::Mutex<()>,
    /// The turns of bodies that are held only while observing.
    large_bodies: Arc<Semaphore>,
    /// For those that are told that there is no slot.
    turned_away: Arc<ConnectionLimit>,
    in_flight: Arc<InFlight>,
    metrics: Metrics,
    recent: Recent,
    picture: Picture,
    loaded: Mutex<Loaded>,
    /// Whether the process was asked to end, or will be.
    draining: AtomicBool,
    /// Whether nothing new is taken in any more.
    closed: AtomicBool,
}

impl Server {
    fn now(&self) -> Moment {
        let now = self.clock.now();
        if now.fell_behind {
            tracing::warn!(
                "the wall clock was set back and is not believed: if it is right now and \
                 notifications are refused as stale, restart"
            );
        }
        now
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    /// Why the app cannot be reached: when the pod ends, it may have gone first, as it should.
    fn unreachable(&self, rejection: Rejection) -> Rejection {
        match rejection == Rejection::UpstreamDown && self.is_draining() {
            true => Rejection::Draining,
            false => rejection,
        }
    }
}

/// Probes are few; a flood of them takes no slot from the gateways.
const ADMIN_CONNECTIONS: usize = 64;
/// Beyond this many at a time, connections without a slot are closed without a word.
const TURNED_AWAY: usize = 64;

/// A sidecar at work.
pub struct Running {
    /// Where gateways come in.
    pub listen: SocketAddr,
    /// Where probes come in.
    pub admin: Option<SocketAddr>,
    server: Arc<Server>,
    public: watch::Sender<bool>,
    /// Ends with this only: probes are answered while requests finish.
    _admin: watch::Sender<bool>,
    /// With it end the threads that serve.
    _threads: watch::Sender<()>,
}

/// Serves a configuration on its bound listeners. To be called inside a tokio runtime.
///
/// # Errors
/// Where the system does not tell a listener's address.
pub fn start(
    config: Config,
    ledger: Arc<Ledger>,
    bound: Bound,
    clock: Arc<Clock>,
) -> io::Result<Running> {
    start_with(config, ledger, bound, clock, LostLines::default())
}

fn start_with(
    config: Config,
    ledger: Arc<Ledger>,
    bound: Bound,
    clock: Arc<Clock>,
    lost: LostLines,
) -> io::Result<Running> {
    let metrics = Metrics::new(&ledger, lost, clock.started());
    let threads = config.threads;
    let server = Arc::new(Server {
        ledger,
        connections: ConnectionLimit::new(config.limits.connections),
        admin_connections: ConnectionLimit::new(ADMIN_CONNECTIONS),
        admin_page: tokio::sync::Mutex::default(),
        turned_away: ConnectionLimit::new(TURNED_AWAY),
        large_bodies: Arc::new(Semaphore::new(size::LARGE_AT_A_TIME)),
        in_flight: Arc::default(),
        draining: AtomicBool::new(false),
        closed: AtomicBool::new(false),
        live: ArcSwap::from_pointee(Live::new(config, &metrics)),
        metrics,
        recent: Recent::default(),
        picture: Picture::default(),
        loaded: Mutex::new(Loaded {
            at: clock.now().wall,
            fault: None,
        }),
        clock,
    });
    tokio::spawn(keep_connected(Arc::clone(&server.ledger)));
    let watching = Arc::clone(&server);
    tokio::spawn(async move { watching.watch().await });
    let (public, watch) = watch::channel(false);
    let (threads_end, ended) = watch::channel(());
    let workers = Workers::start(&server, threads, (watch.clone(), ended))?;
    let listen = serve_by(workers, bound.listen, watch)?;
    let (admin_end, watch) = watch::channel(false);
    let admin = bound.admin.map(|socket| serve(&server, socket, watch));
    Ok(Running {
        listen,
        admin: admin.transpose()?,
        server,
        public,
        _admin: admin_end,
        _threads: threads_end,
    })
}

/// Whatever happens to whoever keeps the connection to the ledger's store, there is another.
async fn keep_connected(ledger: Arc<Ledger>) {
    loop {
        let ledger = Arc::clone(&ledger);
        let kept = tokio::spawn(async move { ledger.keep_connected().await });
        if kept.await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// What was not finished at the end.
#[derive(Debug)]
pub struct Unfinished {
    /// Requests without an answer.
    pub requests: usize,
    /// Deliveries that the ledger's store does not know of.
    pub deliveries: Vec<Key>,
}

impl Unfinished {
    fn log(&self) {
        for id in &self.deliveries {
            tracing::error!(
                %id,
                "the process ends before a delivery could be recorded: a copy reaches the app again"
            );
        }
        let (requests, deliveries) = (self.requests, self.deliveries.len());
        match requests + deliveries {
            0 => tracing::info!("ended"),
            _ => tracing::warn!(requests, deliveries, "ended before all was finished"),
        }
    }
}

impl Running {
    /// The end will come: `/readyz` says 503, and each connection closes with its next answer. All else goes on.
    pub fn announce(&self) {
        self.server.draining.store(true, Ordering::SeqCst);
        tracing::info!("the end is announced");
    }

    /// Ends: `/readyz` says 503, and each connection closes with its next answer. After
    /// `timeouts.drain_delay`, in which those who send learn that this one is leaving, listeners and idle
    /// connections close, and requests in flight have until `timeouts.drain`, as have deliveries that the
    /// ledger's store does not know of yet. Comes back with what did not finish.
    pub async fn drain(&self) -> Unfinished {
        let delay = self.server.live.load().timeouts.drain_delay;
        // A delay of nothing is none: not a request more, once anybody can know.
        self.server.closed.store(delay.is_zero(), Ordering::SeqCst);
        self.server.draining.store(true, Ordering::SeqCst);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        self.server.closed.store(true, Ordering::SeqCst);
        self.public.send_replace(true);
        let finished = async {
            self.server.in_flight.finished().await;
            self.server.ledger.settled().await;
        };
        let longest = self.server.live.load().timeouts.drain;
        let _ = tokio::time::timeout(longest, finished).await;
        self.unfinished()
    }

    fn unfinished(&self) -> Unfinished {
        Unfinished {
            requests: self.server.in_flight.count(),
            deliveries: self.server.ledger.unsettled(),
        }
    }
}

/// Why a sidecar does not start.
#[derive(Debug)]
pub enum Failed {
    /// The ledger's store cannot be used as it is configured.
    Configuration(Complaint),
    /// A sentence for the user: an address in use, or a system that gives no runtime.
    System(String),
}

/// Where a configuration comes from.
#[derive(Debug)]
pub struct Source {
    /// Its file.
    pub file: PathBuf,
    /// All files that it was made of.
    pub files: Files,
}

/// Serves until the process is asked to end, then drains. Takes over what changes in the source meanwhile.
///
/// # Errors
/// What keeps it from starting.
pub fn run(
    config: Config,
    source: Source,
    lost: LostLines,
    mut signals: EndSignals,
) -> Result<(), Failed> {
    let failed = |error: io::Error| Failed::System(format!("cannot start: {error}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        // For everything but the notifications: whatever one of them is at, the other waits for events.
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(failed)?;
    let ended = runtime.block_on(async {
        let bound = bind(&config).map_err(Failed::System)?;
        let hangups = shutdown::hangups().map_err(failed)?;
        let mut announcements = shutdown::announcements().map_err(failed)?;
        let warnings = config.warnings.clone();
        let clock = Arc::new(Clock::start());
        let ledger = Arc::new(Ledger::new(&config.store, &config.bases, clock.started()));
        // So that the first notification already finds the app; it waits for no name server.
        let app = upstream::resolve(&config.upstream);
        let app = tokio::time::timeout(config.timeouts.connect, app);
        let (_, connected) = tokio::select! {
            looked = async { tokio::join!(app, ledger.connect()) } => looked,
            _ = signals.next() => return Ok(None),
        };
        // What may pass is looked at again and again, and nothing is claimed until then.
        if let Err(complaint) = connected
            && complaint.key.is_some()
        {
            return Err(Failed::Configuration(complaint));
        }
        let reload = Reload::new(source.file, source.files, &config);
        let running = start_with(config, ledger, bound, clock, lost).map_err(failed)?;
        tokio::spawn(reload.keep(Arc::clone(&running.server), hangups));
        for warning in warnings {
            tracing::warn!(warning, "configuration");
        }
        let admin = running.admin.map(|address| address.to_string());
        tracing::info!(
            version = env!("CARGO_PKG_VERSION"),
            listen = %running.listen,
            admin,
            "listening"
        );
        let signal = loop {
            tokio::select! {
                signal = signals.next() => break signal,
                _ = announcements.recv() => running.announce(),
            }
        };
        tracing::info!(signal, "draining");
        let unfinished = tokio::select! {
            unfinished = running.drain() => unfinished,
            // Whoever asks twice means now.
            _ = signals.next() => running.unfinished(),
        };
        unfinished.log();
        Ok(Some(running))
    });
    runtime.shutdown_timeout(Duration::ZERO);
    ended.map(drop)
}
