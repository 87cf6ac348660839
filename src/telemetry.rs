//! The log: one JSON line per decision, never a body, a query, a proof or a secret. And the metrics.

mod metrics;

pub use metrics::{page, registry};

use crate::rejection::Rejection;
use crate::route::{Known, Route};
use crate::settle::Outcome;
use jiff::Timestamp;
use serde_json::Value;
use std::fmt;
use std::time::{Duration, Instant};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What is learnt of one notification, for its line.
#[derive(Debug)]
pub struct Decision<'a> {
    gateway: &'a str,
    route: &'a str,
    begun: Instant,
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
    /// Spent on the judgement.
    pub verify: Duration,
    /// Spent on the app.
    pub upstream: Option<Duration>,
    /// What the app answered.
    pub app_status: Option<u16>,
}

impl<'a> Decision<'a> {
    /// Begins with a request that has a route; its time runs from here.
    #[must_use]
    pub fn begin(route: &'a Route) -> Self {
        Self {
            gateway: &route.gateway.name,
            route: &route.path,
            begun: Instant::now(),
            known: Known::default(),
            judged: None,
            bytes: 0,
            is_known: true,
            attempt: None,
            verify: Duration::ZERO,
            upstream: None,
            app_status: None,
        }
    }

    /// Writes the line: what it has come to, why the app's own answer is not the gateway's, and
    /// what the gateway is answered.
    pub fn log(&self, outcome: Outcome, rejection: Option<&Rejection>, status: u16) {
        let client = self.known.client.as_deref();
        let reference = self.known.reference.as_deref();
        let id = self.known.key.map(|key| key.to_string());
        let signed = self.judged.zip(self.known.at);
        let age_s = signed.map(|(now, at)| now.duration_since(at).as_secs());
        let unknown = (!self.is_known).then_some(&Rejection::StoreDown);
        let rejection = rejection.or(unknown);
        let reason = rejection.and_then(Rejection::reason);
        let why = reason.and(rejection).map(ToString::to_string);
        let (verify_us, total_us) = (micros(self.verify), micros(self.begun.elapsed()));
        let upstream_us = self.upstream.map(micros);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    gateway = self.gateway,
                    route = self.route,
                    client,
                    outcome = outcome.label(),
                    reason,
                    why,
                    id,
                    reference,
                    age_s,
                    attempt = self.attempt,
                    bytes = self.bytes,
                    bypassed = unknown.map(|_| true),
                    status,
                    app_status = self.app_status,
                    verify_us,
                    upstream_us,
                    total_us,
                    "notification"
                )
            };
        }
        if !self.is_known {
            line!(error);
        } else if outcome.is_usual() {
            line!(info);
        } else {
            line!(warn);
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Writes the line of a request that came to no decision; without a status it got no answer.
pub fn log_refused(rejection: &Rejection, status: Option<u16>) {
    tracing::info!(reason = rejection.reason(), why = %rejection, status, "refused");
}

/// Starts the log on stdout. It never blocks: lines that a full pipe cannot take are dropped.
/// It ends when the guard is dropped.
pub fn start() -> WorkerGuard {
    let (writer, guard) = tracing_appender::non_blocking(std::io::stdout());
    // Lines of others may hold what was sent, and there may be any number of them; only those of the
    // accept loop are kept.
    let filter = EnvFilter::new("off,kawal=info,pingora_core::services::listening=error");
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Line)
        .with_writer(writer);
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .init();
    std::panic::set_hook(Box::new(|panic| {
        // The message may hold what was sent; the place does not.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a fault of our own");
    }));
    guard
}

/// One JSON object per event: time, level, then the event's fields in their order.
struct Line;

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = event.metadata().level().as_str().to_ascii_lowercase();
        let mut line = format!(
            "{{\"time\":\"{:.3}\",\"level\":\"{level}\"",
            Timestamp::now()
        );
        event.record(&mut Members(&mut line));
        writeln!(writer, "{line}}}")
    }
}

/// Appends fields as JSON members.
struct Members<'a>(&'a mut String);

impl Members<'_> {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        let (name, value) = (Value::from(field.name()), value.into());
        self.0.push_str(&format!(",{name}:{value}"));
    }
}

impl Visit for Members<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }
}
