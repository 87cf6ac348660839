//! The status of a running sidecar, as a page and as JSON.

use super::Inside;
use crate::answer::Answer;
use crate::forward::Mode;
use crate::route::Gateway;
use crate::settle::Outcome;
use crate::telemetry::{EVERY, GatewayMetrics, Picture, RecentDecision};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::sync::LazyLock;

const STYLE: &str = include_str!("status.css");
const SCRIPT: &str = include_str!("status.js");

/// The page, whole: style and script stand in it.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    include_str!("status.html")
        .replace("/*style*/", STYLE)
        .replace("/*script*/", SCRIPT)
});

/// Nothing but what stands in the page runs there, and it asks nobody but us. Source:
/// <https://www.w3.org/TR/CSP3/>
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

/// The page, which asks for the JSON.
pub(super) fn page() -> Answer {
    let mut answer = answer("text/html; charset=utf-8", PAGE.clone());
    let policy = ("Content-Security-Policy".to_owned(), POLICY.clone().into());
    answer.headers.push(policy);
    answer
}

/// What the page shows.
pub(super) fn json(inside: &Inside<'_>) -> Answer {
    answer("application/json", status(inside).to_string())
}

fn answer(form: &str, body: String) -> Answer {
    let header = |name: &str, value: &str| (name.to_owned(), value.into());
    Answer {
        status: 200,
        headers: vec![
            header("Content-Type", form),
            header("Cache-Control", "no-store"),
            header("X-Content-Type-Options", "nosniff"),
            header("Referrer-Policy", "no-referrer"),
        ],
        body: body.into(),
    }
}

fn status(inside: &Inside<'_>) -> Value {
    let (success, failure) = inside.metrics.reloads();
    let filled = inside.readings.ledger;
    let gateways = inside.gateways.iter();
    let gateways = gateways.map(|(gateway, metrics)| of_gateway(gateway, metrics, inside.picture));
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "now": time(inside.now),
        "started": time(inside.started),
        "draining": inside.draining,
        "in_flight": inside.readings.in_flight,
        "connections": inside.readings.connections,
        "configuration": {
            "loaded": time(inside.loaded.at),
            "reloads": {"success": success, "failure": failure},
            "fault": inside.loaded.fault,
        },
        "ledger": {
            "store": if filled.is_some() { "memory" } else { "redis" },
            "up": inside.ledger.is_up(),
            "entries": filled.map(|(entries, _)| entries),
            "capacity": filled.map(|(_, capacity)| capacity),
        },
        "gateways": gateways.collect::<Vec<_>>(),
        "decisions": inside.recent.all().iter().map(of_decision).collect::<Vec<_>>(),
    })
}

fn of_gateway(gateway: &Gateway, metrics: &GatewayMetrics, picture: &Picture) -> Value {
    let reasons = metrics.reasons();
    let reasons = reasons.map(|(name, count)| (name.to_owned(), count.into()));
    let bars = picture.of(metrics).into_iter().map(by_outcome);
    json!({
        "name": &*gateway.name,
        "scheme": gateway.scheme.name(),
        "mode": match gateway.mode {
            Mode::Enforce => "enforce",
            Mode::Observe => "observe",
        },
        "skew_s": metrics.drift(),
        "last": metrics.last().map(time),
        "outcomes": by_outcome(metrics.outcomes()),
        "reasons": reasons.collect::<Map<_, _>>(),
        "picture": {"every_s": EVERY.as_secs(), "counts": bars.collect::<Vec<_>>()},
    })
}

fn of_decision(decision: &RecentDecision) -> Value {
    json!({
        "time": time(decision.time),
        "gateway": &*decision.gateway,
        "route": &*decision.route,
        "client": decision.client.as_deref(),
        "outcome": decision.outcome,
        "reason": decision.reason,
        "verdict": decision.verdict.map(|verdict| verdict.to_string()),
        "id": decision.id.map(|id| id.to_string()),
        "attempt": decision.attempt,
        "age_s": decision.age_s,
        "status": decision.status,
        "app_status": decision.app_status,
        "total_us": decision.total_us,
    })
}

fn by_outcome(counts: [u64; Outcome::LABELS.len()]) -> Value {
    let named = Outcome::LABELS.into_iter().zip(counts);
    Value::Object(
        named
            .map(|(name, count)| (name.to_owned(), count.into()))
            .collect(),
    )
}

fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}
