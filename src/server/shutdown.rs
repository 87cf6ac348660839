//! Requests in flight, and the way the process ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Counts requests from their first byte to their answer.
#[derive(Debug, Default)]
pub(super) struct InFlight {
    count: AtomicUsize,
    changed: Notify,
}

/// One request in flight.
#[derive(Debug)]
pub(super) struct InFlightGuard(Arc<InFlight>);

impl InFlight {
    pub(super) fn begin(self: &Arc<Self>) -> InFlightGuard {
        self.count.fetch_add(1, Ordering::SeqCst);
        InFlightGuard(Arc::clone(self))
    }

    /// Comes back when nothing is in flight.
    pub(super) async fn finished(&self) {
        loop {
            let changed = self.changed.notified();
            if self.count.load(Ordering::SeqCst) == 0 {
                return;
            }
            changed.await;
        }
    }

    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.changed.notify_waiters();
        }
    }
}

/// From here on, SIGHUP ends nothing, whether somebody reloads yet or not.
pub fn outlive_hangups() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build();
    // Whoever listens once is listened for as long as the process runs; without a runtime, it does not start.
    if let Ok(runtime) = runtime {
        let _ = runtime.block_on(async { hangups() });
    }
}

/// SIGHUP, heard from now on: a wish to reload, which ends nothing.
///
/// # Errors
/// Where the system gives no signal handlers.
pub(super) fn hangups() -> std::io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// SIGUSR1, heard from now on: the end will come, and those who send are to look elsewhere.
///
/// # Errors
/// Where the system gives no signal handlers.
pub(super) fn announcements() -> std::io::Result<Signal> {
    signal(SignalKind::user_defined1())
}

/// The signals that ask to end, heard from its making on, by a thread of its own: a process that is the first
/// of its container would never end by one that came before somebody listens.
#[derive(Debug)]
pub struct EndSignals(UnboundedReceiver<&'static str>);

impl EndSignals {
    /// Begins to listen.
    ///
    /// # Errors
    /// Where the system gives no signal handlers or no thread.
    pub fn listen() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let listening = {
            let _inside = runtime.enter();
            (
                signal(SignalKind::terminate())?,
                signal(SignalKind::interrupt())?,
            )
        };
        let (heard, signals) = unbounded_channel();
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || runtime.block_on(pass_on(listening, heard)))?;
        Ok(Self(signals))
    }

    /// Comes back with the name of the next one.
    pub async fn next(&mut self) -> &'static str {
        match self.0.recv().await {
            Some(name) => name,
            None => std::future::pending().await,
        }
    }
}

/// Until nobody wants to know any more.
async fn pass_on(listening: (Signal, Signal), heard: UnboundedSender<&'static str>) {
    let (mut terminate, mut interrupt) = listening;
    loop {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        if heard.send(name).is_err() {
            return;
        }
    }
}
