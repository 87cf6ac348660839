//! What is counted of the store.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// A step that is taken in the store.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Claim,
    Settle,
    Release,
    Keep,
    Check,
}

impl Operation {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Settle => "settle",
            Self::Release => "release",
            Self::Keep => "keep",
            Self::Check => "check",
        }
    }
}

type Labels = [(&'static str, &'static str); 1];

/// The store's counters.
pub(super) struct Figures {
    pub(super) up: Gauge,
    pub(super) clock_offset: Gauge<f64, AtomicU64>,
    pub(super) bypassed: Counter,
    pub(super) unsettled: Gauge,
    pub(super) lost: Counter,
    seconds: Family<Labels, Histogram>,
    errors: Family<Labels, Counter>,
    claim: Step,
    settle: Step,
    release: Step,
    keep: Step,
    check: Step,
}

/// One operation's counters, found once: counting looks nothing up.
struct Step {
    seconds: Histogram,
    errors: Counter,
}

/// From a socket in the same pod to a store that hardly answers, in seconds.
const BUCKETS: [f64; 12] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0,
];

impl Figures {
    pub(super) fn new() -> Self {
        let seconds = Family::new_with_constructor((|| Histogram::new(BUCKETS)) as fn() -> _);
        let errors = Family::default();
        let step = |operation: Operation| {
            let labels = [("operation", operation.label())];
            Step {
                seconds: Family::get_or_create_owned(&seconds, &labels),
                errors: Family::get_or_create_owned(&errors, &labels),
            }
        };
        Self {
            up: Gauge::default(),
            clock_offset: Gauge::default(),
            bypassed: Counter::default(),
            unsettled: Gauge::default(),
            lost: Counter::default(),
            claim: step(Operation::Claim),
            settle: step(Operation::Settle),
            release: step(Operation::Release),
            keep: step(Operation::Keep),
            check: step(Operation::Check),
            seconds,
            errors,
        }
    }

    pub(super) fn observe(&self, operation: Operation, took: Option<Duration>, succeeded: bool) {
        let step = match operation {
            Operation::Claim => &self.claim,
            Operation::Settle => &self.settle,
            Operation::Release => &self.release,
            Operation::Keep => &self.keep,
            Operation::Check => &self.check,
        };
        if let Some(took) = took {
            step.seconds.observe(took.as_secs_f64());
        }
        if !succeeded {
            step.errors.inc();
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "kawal_store_up",
            "Whether the ledger's store can be claimed in",
            self.up.clone(),
        );
        registry.register(
            "kawal_store_seconds",
            "Time that steps in the store take",
            self.seconds.clone(),
        );
        registry.register(
            "kawal_store_errors",
            "Steps in the store that failed",
            self.errors.clone(),
        );
        registry.register(
            "kawal_store_clock_offset_seconds",
            "The store's clock minus our own",
            self.clock_offset.clone(),
        );
        registry.register(
            "kawal_store_bypassed",
            "Notifications forwarded without the ledger",
            self.bypassed.clone(),
        );
        registry.register(
            "kawal_store_unsettled",
            "Deliveries that the store does not know of yet",
            self.unsettled.clone(),
        );
        registry.register(
            "kawal_store_lost_outcomes",
            "Deliveries that came to the store after their claim had ended, or never",
            self.lost.clone(),
        );
    }
}
