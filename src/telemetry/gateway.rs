//! What is counted of one gateway.

use super::drift::Drift;
use super::histogram::Histogram;
use crate::rejection::Reason;
use crate::route::Purpose;
use crate::scheme::ProvenBy;
use crate::secret::KeyKind;
use crate::settle::Outcome;
use jiff::{SignedDuration, Timestamp};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// A gauge of seconds.
pub(super) type Seconds = Gauge<f64, AtomicU64>;

/// The counters of one gateway.
#[derive(Debug)]
pub struct GatewayMetrics {
    /// The gateway.
    pub name: Arc<str>,
    pub(super) outcomes: [Counter; Outcome::LABELS.len()],
    pub(super) observed: [Counter; Outcome::LABELS.len()],
    pub(super) reasons: Vec<Counter>,
    pub(super) exchange: Histogram,
    pub(super) verify: Histogram,
    pub(super) verify_token_request: Option<Histogram>,
    pub(super) upstream: Histogram,
    pub(super) skew: Histogram,
    pub(super) secrets: Vec<Vec<Counter>>,
    pub(super) public_keys: Vec<Vec<Counter>>,
    pub(super) by: KeyKind,
    pub(super) drift: Drift,
    pub(super) drift_seconds: Seconds,
    pub(super) last: Seconds,
}

impl GatewayMetrics {
    pub(super) fn count(&self, outcome: Outcome, reason: Option<Reason>) {
        if let Some(counter) = self.outcomes.get(outcome.place()) {
            counter.inc();
        }
        if let Some(counter) = reason.and_then(|reason| self.reasons.get(reason as usize)) {
            counter.inc();
        }
    }

    pub(super) fn count_observed(&self, outcome: Outcome) {
        if let Some(counter) = self.observed.get(outcome.place()) {
            counter.inc();
        }
    }

    pub(super) fn count_key(&self, purpose: Purpose, by: ProvenBy) {
        let keys = match (purpose, self.by) {
            (Purpose::Notify, KeyKind::Secret) => &self.secrets,
            (Purpose::Notify, KeyKind::PublicKey) | (Purpose::Token, _) => &self.public_keys,
        };
        if let Some(counter) = keys.get(by.client).and_then(|keys| keys.get(by.position)) {
            counter.inc();
        }
    }

    pub(super) fn took(
        &self,
        purpose: Purpose,
        exchange: Duration,
        verify: Option<Duration>,
        upstream: Option<Duration>,
    ) {
        let nanos = |took: Duration| i64::try_from(took.as_nanos()).unwrap_or(i64::MAX);
        self.exchange.observe(nanos(exchange));
        let judgements = match purpose {
            Purpose::Notify => Some(&self.verify),
            Purpose::Token => self.verify_token_request.as_ref(),
        };
        if let Some((judgements, verify)) = judgements.zip(verify) {
            judgements.observe(nanos(verify));
        }
        if let Some(upstream) = upstream {
            self.upstream.observe(nanos(upstream));
        }
    }

    /// A genuine one came.
    pub(super) fn genuine(&self, at: Timestamp) {
        self.last.set(at.as_duration().as_secs_f64());
    }

    /// One was accepted that was signed so many microseconds ago.
    pub(super) fn accepted(&self, age_micros: i64) {
        self.skew.observe(age_micros);
        self.drift.add(age_micros);
    }

    /// The median of the ages of the last accepted ones, in seconds; `None` before there are enough.
    #[must_use]
    pub fn drift(&self) -> Option<f64> {
        self.drift.median()
    }

    /// Brings the gauge up to date; the drift, where it has just become too large.
    #[must_use]
    pub fn look_at_drift(&self) -> Option<f64> {
        let median = self.drift.median()?;
        self.drift_seconds.set(median);
        self.drift.turns_bad(median).then_some(median)
    }

    /// How often each outcome was, in the order of [`Outcome::LABELS`].
    #[must_use]
    pub fn outcomes(&self) -> [u64; Outcome::LABELS.len()] {
        self.outcomes.each_ref().map(Counter::get)
    }

    /// Every reason that there was, and how often.
    pub fn reasons(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counted = Reason::ALL.into_iter().zip(&self.reasons);
        let counted = counted.map(|(reason, counter)| (reason.label(), counter.get()));
        counted.filter(|(_, count)| *count > 0)
    }

    /// When the last genuine one came.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        let since = SignedDuration::try_from_secs_f64(self.last.get()).ok()?;
        let last = Timestamp::from_duration(since).ok();
        last.filter(|last| *last != Timestamp::UNIX_EPOCH)
    }
}
