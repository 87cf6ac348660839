//! One notification: counted, logged, and kept for whoever looks.

use super::{GatewayMetrics, Recent, RecentDecision};
use crate::forward::{Mode, Verdict};
use crate::rejection::{Reason, Rejection};
use crate::route::{Known, Route};
use crate::settle::Outcome;
use jiff::Timestamp;
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is learnt of one notification.
#[derive(Debug)]
pub struct Decision<'a> {
    route: &'a Route,
    metrics: &'a GatewayMetrics,
    begun: Instant,
    /// Who sent it.
    pub from: Option<IpAddr>,
    /// As far as the judgement came.
    pub known: Known,
    /// When it was judged.
    pub judged: Option<Timestamp>,
    /// Bytes of the body.
    pub bytes: usize,
    /// Whether the ledger knows of it, or its store did not answer.
    pub is_known: bool,
    /// How often the app may have seen it, this time included.
    pub attempt: Option<u32>,
    /// Spent on the judgement, without the ledger.
    pub verify: Option<Duration>,
    /// Spent on the app.
    pub upstream: Option<Duration>,
    /// What the app answered.
    pub app_status: Option<u16>,
    /// In observe mode, what the app made of one that would have been refused.
    pub observed: Option<Outcome>,
}

/// How a decision ends.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// What it has come to, or would have.
    pub outcome: Outcome,
    /// Why the app's own answer is not the gateway's, or would not have been.
    pub rejection: Option<&'a Rejection>,
    /// What the gateway is answered; `None` where it had to make way.
    pub status: Option<u16>,
}

/// A reference is as long as whoever sent it pleases.
const LONGEST_REFERENCE: usize = 256;

impl<'a> Decision<'a> {
    /// Begins with a request that has a route; its time runs from here.
    #[must_use]
    pub fn begin(route: &'a Route, metrics: &'a GatewayMetrics, from: Option<IpAddr>) -> Self {
        Self {
            route,
            metrics,
            begun: Instant::now(),
            from,
            known: Known::default(),
            judged: None,
            bytes: 0,
            is_known: true,
            attempt: None,
            verify: None,
            upstream: None,
            app_status: None,
            observed: None,
        }
    }

    /// Counts it, writes its line, and keeps it.
    pub fn end(&self, end: End<'_>, recent: &Recent) {
        let took = self.begun.elapsed();
        self.count(end, took);
        let verdict = self.verdict(end);
        self.log(end, took, verdict);
        recent.add(RecentDecision {
            time: Timestamp::now(),
            gateway: Arc::clone(&self.route.gateway.name),
            route: Arc::clone(&self.route.path),
            client: self.known.client.clone(),
            outcome: end.outcome.label(),
            reason: end.rejection.and_then(Rejection::reason).map(Reason::label),
            verdict,
            id: self.known.key,
            attempt: self.attempt,
            age_s: self.age().map(|micros| micros / 1_000_000),
            status: end.status,
            app_status: self.app_status,
            total_us: micros(took),
        });
    }

    fn count(&self, end: End<'_>, took: Duration) {
        let reason = end.rejection.and_then(Rejection::reason);
        self.metrics.count(end.outcome, reason);
        let (verify, upstream) = (self.verify, self.upstream);
        self.metrics
            .took(self.route.purpose, took, verify, upstream);
        if let Some(by) = self.known.by {
            self.metrics.count_key(self.route.purpose, by);
        }
        if let Some(outcome) = self.observed {
            self.metrics.count_observed(outcome);
        }
        // Whoever has seen one can send copies of it for ever.
        if end.outcome.is_genuine() && end.outcome != Outcome::Duplicate {
            let at = self.judged.unwrap_or_else(Timestamp::now);
            self.metrics.genuine(at);
        }
        // Of those that reach the app for the first time: a copy is older, and tells nothing of clocks.
        let is_accepted = self.attempt == Some(1) && self.observed.is_none();
        if let Some(age) = self.age().filter(|_| is_accepted) {
            self.metrics.accepted(age);
        }
    }

    /// Microseconds since it was signed.
    fn age(&self) -> Option<i64> {
        let (now, at) = self.judged.zip(self.known.at)?;
        Some(now.as_microsecond() - at.as_microsecond())
    }

    fn verdict(&self, end: End<'_>) -> Option<Verdict> {
        if self.route.gateway.mode == Mode::Enforce {
            return None;
        }
        let refused = end.rejection.filter(|_| self.observed.is_some());
        let is_forwarded = refused.is_some() || self.attempt.is_some();
        is_forwarded.then(|| Verdict::of(refused))
    }

    fn log(&self, end: End<'_>, took: Duration, verdict: Option<Verdict>) {
        let bypassed = (!self.is_known).then_some(&Rejection::StoreDown);
        let rejection = end.rejection.or(bypassed);
        let reason = rejection.and_then(Rejection::reason).map(Reason::label);
        let reference = self.known.reference.as_deref().map(shortened);
        let why = reason.and(rejection);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    gateway = &*self.route.gateway.name,
                    route = &*self.route.path,
                    from = self.from.map(display),
                    client = self.known.client.as_deref(),
                    outcome = end.outcome.label(),
                    reason,
                    why = why.map(display),
                    advice = rejection.and_then(Rejection::advice),
                    verdict = verdict.map(display),
                    id = self.known.key.map(display),
                    reference = reference.as_deref(),
                    age_s = self.age().map(|micros| micros / 1_000_000),
                    attempt = self.attempt,
                    bytes = self.bytes,
                    bypassed = bypassed.map(|_| true),
                    status = end.status,
                    app_status = self.app_status,
                    verify_us = micros(self.verify.unwrap_or_default()),
                    upstream_us = self.upstream.map(micros),
                    total_us = micros(took),
                    "notification"
                )
            };
        }
        if !self.is_known {
            line!(error);
        } else if end.outcome.is_usual() {
            line!(info);
        } else {
            line!(warn);
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

fn shortened(reference: &str) -> Cow<'_, str> {
    match reference.char_indices().nth(LONGEST_REFERENCE) {
        None => Cow::Borrowed(reference),
        Some((end, _)) => Cow::Owned(format!("{}…", reference.get(..end).unwrap_or_default())),
    }
}
