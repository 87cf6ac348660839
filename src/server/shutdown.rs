//! Requests in flight, and the way the process ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

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

/// Takes SIGHUP for what it is elsewhere, a wish to reload, so that it ends nothing.
///
/// # Errors
/// Where the system gives no signal handlers.
pub(super) fn outlive_hangups() -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::warn!("SIGHUP reloads nothing: restart to take over a new configuration");
        }
    });
    Ok(())
}

/// Comes back with the name of the first signal that asks to end.
///
/// # Errors
/// Where the system gives no signal handlers.
pub async fn asked_to_end() -> std::io::Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}
