//! What is counted of all gateways, and where it is registered.

use super::drift::Drift;
use super::gateway::{GatewayMetrics, Seconds};
use super::histogram::Histogram;
use crate::forward::Mode;
use crate::rejection::Reason;
use crate::route::Gateway;
use crate::scheme::Scheme;
use crate::secret::{Client, KeyKind};
use crate::settle::Outcome;
use crate::token::Issuer;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::HashMap;
use std::sync::Arc;

type Labels<const N: usize> = [(&'static str, String); N];

const NANOS: i64 = 1_000_000_000;
const MICROS: i64 = 1_000_000;

/// From an app in the same pod to the longest patience, in seconds.
const EXCHANGES: [f64; 15] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
];
/// From one hash to a large body, in seconds.
const JUDGEMENTS: [f64; 10] = [
    0.000_001, 0.000_002, 0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5,
    0.001,
];
/// From a clock ahead of ours to the last retry, in seconds.
const SKEWS: [f64; 20] = [
    -300.0, -60.0, -30.0, -10.0, -5.0, -2.0, -1.0, 0.0, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0,
    900.0, 3600.0, 21600.0, 43200.0, 86400.0,
];

/// It may be negative.
pub(super) const SKEW: &str = "kawal_signed_skew_seconds";

/// The counters of all gateways.
#[derive(Debug)]
pub(super) struct Families {
    notifications: Family<Labels<2>, Counter>,
    observed: Family<Labels<2>, Counter>,
    rejections: Family<Labels<2>, Counter>,
    keys: Family<Labels<4>, Counter>,
    exchange: Family<Labels<1>, Histogram, fn() -> Histogram>,
    verify: Family<Labels<1>, Histogram, fn() -> Histogram>,
    upstream: Family<Labels<1>, Histogram, fn() -> Histogram>,
    skew: Family<Labels<1>, Histogram, fn() -> Histogram>,
    drift: Family<Labels<1>, Seconds>,
    observing: Family<Labels<1>, Gauge>,
    last: Family<Labels<1>, Seconds>,
    /// What is known of clocks outlives a configuration.
    drifts: Mutex<HashMap<Arc<str>, Drift>>,
}

impl Families {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let exchange = || Histogram::new(NANOS, &EXCHANGES);
        let all = Self {
            notifications: Family::default(),
            observed: Family::default(),
            rejections: Family::default(),
            keys: Family::default(),
            exchange: Family::new_with_constructor(exchange as fn() -> _),
            verify: Family::new_with_constructor(|| Histogram::new(NANOS, &JUDGEMENTS)),
            upstream: Family::new_with_constructor(exchange),
            skew: Family::new_with_constructor(|| Histogram::new(MICROS, &SKEWS)),
            drift: Family::default(),
            observing: Family::default(),
            last: Family::default(),
            drifts: Mutex::default(),
        };
        all.register(registry);
        all
    }

    fn register(&self, registry: &mut Registry) {
        registry.register(
            "kawal_notifications",
            "Notifications, by what came of them",
            self.notifications.clone(),
        );
        registry.register(
            "kawal_observed",
            "Those forwarded in observe mode that would have been refused, by what the app made of them",
            self.observed.clone(),
        );
        registry.register(
            "kawal_rejections",
            "Requests that were refused, or would have been, by reason",
            self.rejections.clone(),
        );
        registry.register(
            "kawal_key_verifications",
            "Proofs that held, by the place of the key: 0 is the newest",
            self.keys.clone(),
        );
        registry.register(
            "kawal_exchange_seconds",
            "From a request's head to its answer",
            self.exchange.clone(),
        );
        registry.register(
            "kawal_verify_seconds",
            "Judgements, without the ledger",
            self.verify.clone(),
        );
        registry.register(
            "kawal_upstream_seconds",
            "Exchanges with the app",
            self.upstream.clone(),
        );
        registry.register(
            SKEW,
            "Now minus the signed time of accepted notifications",
            self.skew.clone(),
        );
        registry.register(
            "kawal_clock_drift_seconds",
            "Median of now minus the signed time, over the last accepted notifications",
            self.drift.clone(),
        );
        registry.register(
            "kawal_observing",
            "Whether a gateway is in observe mode",
            self.observing.clone(),
        );
        registry.register(
            "kawal_last_notification_timestamp_seconds",
            "When the last genuine notification came, in seconds since 1970; 0 before the first",
            self.last.clone(),
        );
    }

    /// A counter for every reason, at its number.
    pub(super) fn reasons(&self, gateway: &str) -> Vec<Counter> {
        let counter = |reason: Reason| {
            let labels = [
                ("gateway", gateway.to_owned()),
                ("reason", reason.label().to_owned()),
            ];
            self.rejections.get_or_create_owned(&labels)
        };
        Reason::ALL.into_iter().map(counter).collect()
    }

    pub(super) fn resolve(&self, gateway: &Gateway) -> GatewayMetrics {
        let name = || [("gateway", gateway.name.to_string())];
        let verify = |scheme: &Scheme| {
            let labels = [("scheme", scheme.name().to_owned())];
            self.verify.get_or_create_owned(&labels)
        };
        let issuer = gateway.issuer.as_ref().map(Issuer::request_scheme);
        let by_outcome = |family: &Family<Labels<2>, Counter>| {
            let counter = |label: &'static str| {
                let labels = [
                    ("gateway", gateway.name.to_string()),
                    ("outcome", label.to_owned()),
                ];
                family.get_or_create_owned(&labels)
            };
            Outcome::LABELS.map(counter)
        };
        let observing = self.observing.get_or_create_owned(&name());
        observing.set(i64::from(gateway.mode == Mode::Observe));
        GatewayMetrics {
            name: Arc::clone(&gateway.name),
            outcomes: by_outcome(&self.notifications),
            observed: by_outcome(&self.observed),
            reasons: self.reasons(&gateway.name),
            exchange: self.exchange.get_or_create_owned(&name()),
            verify: verify(&gateway.scheme),
            verify_token_request: issuer.map(verify),
            upstream: self.upstream.get_or_create_owned(&name()),
            skew: self.skew.get_or_create_owned(&name()),
            secrets: self.keys(gateway, KeyKind::Secret),
            public_keys: self.keys(gateway, KeyKind::PublicKey),
            by: gateway.scheme.key_kind(),
            drift: self.drift_of(&gateway.name),
            drift_seconds: self.drift.get_or_create_owned(&name()),
            last: self.last.get_or_create_owned(&name()),
        }
    }

    fn drift_of(&self, name: &Arc<str>) -> Drift {
        let mut drifts = self.drifts.lock();
        drifts
            .entry(Arc::clone(name))
            .or_insert_with(Drift::new)
            .clone()
    }

    /// Takes away what says how a gateway is doing, of those that are no longer there. What was counted stays.
    pub(super) fn forget_all_but(&self, gateways: &[Arc<Gateway>]) {
        let is_there = |name: &Arc<str>| gateways.iter().any(|gateway| gateway.name == *name);
        self.drifts.lock().retain(|name, _| {
            let labels = [("gateway", name.to_string())];
            let stays = is_there(name);
            if !stays {
                self.drift.remove(&labels);
                self.observing.remove(&labels);
                self.last.remove(&labels);
            }
            stays
        });
    }

    /// A counter for every key of every client, both in their order.
    fn keys(&self, gateway: &Gateway, kind: KeyKind) -> Vec<Vec<Counter>> {
        let (word, count): (_, fn(&Client) -> usize) = match kind {
            KeyKind::Secret => ("secret", |client| client.secrets.len()),
            KeyKind::PublicKey => ("public_key", |client| client.public_keys.len()),
        };
        let unnamed = gateway
            .ring
            .clients()
            .iter()
            .filter(|client| client.id.is_none());
        let are_many = unnamed.count() > 1;
        let of_client = |(place, client): (usize, &Client)| {
            let id = match &client.id {
                Some(id) => id.to_string(),
                None if are_many => format!("#{place}"),
                None => String::new(),
            };
            let counter = |position: usize| {
                self.keys.get_or_create_owned(&[
                    ("gateway", gateway.name.to_string()),
                    ("client", id.clone()),
                    ("kind", word.to_owned()),
                    ("position", position.to_string()),
                ])
            };
            (0..count(client)).map(counter).collect()
        };
        gateway
            .ring
            .clients()
            .iter()
            .enumerate()
            .map(of_client)
            .collect()
    }
}
