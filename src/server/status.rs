//! What is told of the work besides its own lines: to the admin listener, and to the log.

use super::Server;
use super::live::Live;
use crate::admin::Inside;
use crate::telemetry::{self, Readings};
use std::time::{Duration, Instant};

impl Server {
    /// A configuration was taken over, or refused for a fault.
    pub(super) fn loaded(&self, fault: Option<String>) {
        let mut loaded = self.loaded.lock();
        if fault.is_none() {
            loaded.at = self.now().wall;
        }
        loaded.fault = fault;
    }

    fn readings(&self) -> Readings {
        Readings {
            in_flight: self.in_flight.count(),
            connections: self.connections.taken(),
            ledger: self.ledger.filled(),
        }
    }

    /// What the admin listener tells of.
    pub(super) fn inside<'a>(&'a self, live: &'a Live) -> Inside<'a> {
        Inside {
            now: self.now().wall,
            started: self.clock.started(),
            draining: self.is_draining(),
            readings: self.readings(),
            loaded: self.loaded.lock().clone(),
            ledger: &self.ledger,
            metrics: &self.metrics,
            gateways: live.gateways(),
            picture: &self.picture,
            recent: &self.recent,
        }
    }

    /// Looks at what nobody has to look at for every request; never comes back.
    pub(super) async fn watch(&self) {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        let mut next_bar = Instant::now() + telemetry::EVERY;
        loop {
            let now = ticks.tick().await.into_std();
            self.ledger.forget(now);
            let live = self.live.load_full();
            for (gateway, metrics) in live.gateways() {
                if let Some(drift) = metrics.look_at_drift() {
                    tracing::warn!(
                        gateway = &*gateway.name,
                        drift_s = drift.round(),
                        advice = "set the clock of this host: the usual cause of everything being stale; if other \
                                  gateways do not drift, it is this gateway's clock, or it delivers old ones",
                        "clock drift"
                    );
                }
            }
            if now >= next_bar {
                next_bar = now + telemetry::EVERY;
                self.picture
                    .advance(live.gateways().iter().map(|(_, metrics)| metrics));
            }
        }
    }
}
