//! Everything that is counted. Labels come from the configuration only.

use super::families::Families;
use super::gateway::GatewayMetrics;
use super::writer::LostLines;
use crate::ledger::Ledger;
use crate::rejection::{Reason, Rejection};
use crate::route::Gateway;
use jiff::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// What a reload was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReloadOf {
    /// The configuration, or whatever SIGHUP asks for.
    Config,
    /// Files of secrets and keys alone.
    Keys,
}

impl ReloadOf {
    /// The label in logs and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Keys => "keys",
        }
    }
}

/// What is read at the time of asking.
#[derive(Clone, Copy, Debug)]
pub struct Readings {
    /// Requests in flight.
    pub in_flight: usize,
    /// Connections from gateways.
    pub connections: usize,
    /// Entries of a ledger in memory, and how many it may hold.
    pub ledger: Option<(usize, usize)>,
}

/// The counters of a process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    families: Families,
    unrouted: Vec<Counter>,
    reloads: [[Counter; 2]; 2],
    reload_failed: Gauge,
    in_flight: Gauge,
    connections: Gauge,
    ledger_entries: Gauge,
    ledger_capacity: Gauge,
    lost_lines: Counter,
    log: LostLines,
}

type Labels = [(&'static str, &'static str); 2];

impl Metrics {
    /// All counters, at zero.
    #[must_use]
    pub fn new(ledger: &Ledger, log: LostLines, started: Timestamp) -> Self {
        let mut registry = Registry::default();
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("kawal_build", "What runs here", build);
        let start: Gauge<f64, AtomicU64> = Gauge::default();
        start.set(started.as_duration().as_secs_f64());
        registry.register(
            "kawal_start_time_seconds",
            "When the process started, in seconds since 1970",
            start,
        );
        let families = Families::new(&mut registry);
        let unrouted = families.reasons("");
        let reloads = Family::<Labels, Counter>::default();
        registry.register(
            "kawal_reloads",
            "Configurations and keys taken over, or refused",
            reloads.clone(),
        );
        let counted = |of: ReloadOf| {
            ["failure", "success"].map(|result| {
                reloads.get_or_create_owned(&[("what", of.label()), ("result", result)])
            })
        };
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let in_memory = ledger.filled().is_some();
        Self {
            reload_failed: gauge("kawal_reload_failed", "Whether the last reload was refused"),
            in_flight: gauge("kawal_in_flight", "Requests without an answer yet"),
            connections: gauge("kawal_connections", "Connections from gateways"),
            ledger_entries: match in_memory {
                true => gauge(
                    "kawal_ledger_entries",
                    "Notifications in flight or delivered",
                ),
                false => Gauge::default(),
            },
            ledger_capacity: match in_memory {
                true => gauge("kawal_ledger_capacity", "Entries that the ledger may hold"),
                false => Gauge::default(),
            },
            lost_lines: {
                let lost = Counter::default();
                registry.register(
                    "kawal_log_lines_dropped",
                    "Lines of the log that a full pipe did not take",
                    lost.clone(),
                );
                lost
            },
            reloads: [counted(ReloadOf::Config), counted(ReloadOf::Keys)],
            unrouted,
            families,
            log,
            registry: {
                ledger.register(&mut registry);
                registry
            },
        }
    }

    /// The counters of all gateways, in their order, found once: counting looks nothing up. Those of one that
    /// was there before go on.
    #[must_use]
    pub fn of(&self, gateways: &[Arc<Gateway>]) -> Vec<GatewayMetrics> {
        self.families.forget_all_but(gateways);
        gateways
            .iter()
            .map(|gateway| self.families.resolve(gateway))
            .collect()
    }

    /// Counts and logs a request from this address that came to no route; without a status it got no answer.
    pub fn refused(&self, rejection: &Rejection, status: Option<u16>, from: Option<IpAddr>) {
        let reason = rejection.reason();
        if let Some(counter) = reason.and_then(|reason| self.unrouted.get(reason as usize)) {
            counter.inc();
        }
        tracing::info!(
            reason = reason.map(Reason::label),
            why = %rejection,
            from = from.map(|from| from.to_string()),
            advice = rejection.advice(),
            status,
            "refused"
        );
    }

    /// Counts a reload.
    pub fn reloaded(&self, of: ReloadOf, succeeded: bool) {
        let [config, keys] = &self.reloads;
        let [failure, success] = match of {
            ReloadOf::Config => config,
            ReloadOf::Keys => keys,
        };
        match succeeded {
            true => success.inc(),
            false => failure.inc(),
        };
        self.reload_failed.set(i64::from(!succeeded));
    }

    /// How often a reload succeeded, and failed.
    #[must_use]
    pub fn reloads(&self) -> (u64, u64) {
        let of = |place: usize| {
            self.reloads
                .iter()
                .filter_map(|each| each.get(place))
                .map(Counter::get)
                .sum()
        };
        (of(1), of(0))
    }

    /// Takes over what is read at the time of asking.
    pub(super) fn read(&self, now: Readings) -> &Registry {
        let whole = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        self.in_flight.set(whole(now.in_flight));
        self.connections.set(whole(now.connections));
        if let Some((entries, capacity)) = now.ledger {
            self.ledger_entries.set(whole(entries));
            self.ledger_capacity.set(whole(capacity));
        }
        self.lost_lines
            .inner()
            .store(self.log.count(), Ordering::Relaxed);
        &self.registry
    }
}
