//! The log: one JSON line per decision, never a body, a query, a proof or a secret.

use crate::rejection::Rejection;
use crate::route::Known;
use crate::settle::Outcome;
use jiff::Timestamp;
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// What became of one notification.
#[derive(Debug)]
pub struct Decision<'a> {
    /// The gateway's name in the configuration.
    pub gateway: &'a str,
    /// The route's path in the configuration.
    pub route: &'a str,
    /// As far as the judgement came.
    pub known: &'a Known,
    /// What it has come to.
    pub outcome: Outcome,
    /// Why it did not reach the app, or why the app's answer did not reach the gateway.
    pub rejection: Option<&'a Rejection>,
    /// Bytes of the body.
    pub bytes: usize,
    /// What the gateway was answered.
    pub status: u16,
    /// What the app answered.
    pub app_status: Option<u16>,
    /// How often the app may have seen it, this time included.
    pub attempt: Option<u32>,
    /// When it was judged.
    pub now: Timestamp,
    /// Spent on the judgement.
    pub verify: Duration,
    /// Spent on the app.
    pub upstream: Option<Duration>,
    /// From the end of the head until the answer is known.
    pub total: Duration,
}

impl Decision<'_> {
    /// Writes the line.
    pub fn log(&self) {
        let client = self.known.client.as_deref();
        let id = self.known.key.map(|key| key.to_string());
        let age_s = self
            .known
            .at
            .map(|at| self.now.duration_since(at).as_secs());
        let reason = self.rejection.and_then(Rejection::reason);
        let why = reason.and(self.rejection).map(ToString::to_string);
        let (verify_us, total_us) = (micros(self.verify), micros(self.total));
        let upstream_us = self.upstream.map(micros);
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    gateway = self.gateway,
                    route = self.route,
                    client,
                    outcome = self.outcome.label(),
                    reason,
                    why,
                    id,
                    age_s,
                    attempt = self.attempt,
                    bytes = self.bytes,
                    status = self.status,
                    app_status = self.app_status,
                    verify_us,
                    upstream_us,
                    total_us,
                    "notification"
                )
            };
        }
        if self.outcome.is_usual() {
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
    // Pingora's own lines may hold what was sent, so only those of its accept loop are kept.
    let filter = EnvFilter::new(
        "info,pingora_core=off,pingora_pool=off,pingora_core::services::listening=error",
    );
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

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }
}
