//! The metrics, in the form that Prometheus reads.

use crate::answer::Answer;
use crate::ledger::Ledger;
use prometheus_client::encoding::text;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

/// Everything that is counted.
#[must_use]
pub fn registry(ledger: &Ledger) -> Registry {
    let mut registry = Registry::default();
    let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("kawal_build", "What runs here", build);
    ledger.register(&mut registry);
    registry
}

/// All of it, in OpenMetrics text. Source:
/// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
#[must_use]
pub fn page(registry: &Registry) -> Answer {
    let mut body = String::new();
    // Writing to memory does not fail.
    let _ = text::encode(&mut body, registry);
    let form = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Answer {
        status: 200,
        headers: vec![("Content-Type".to_owned(), form.into())],
        body: body.into(),
    }
}
