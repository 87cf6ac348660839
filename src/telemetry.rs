//! The log: one JSON line per decision, never a body, a query, a proof or a secret.

use crate::rejection::Rejection;
use crate::route::Known;
use jiff::Timestamp;
use std::time::Duration;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::EnvFilter;

/// What became of one notification.
#[derive(Debug)]
pub struct Decision<'a> {
    /// The gateway's name in the configuration.
    pub gateway: &'a str,
    /// The route's path in the configuration.
    pub route: &'a str,
    /// As far as the judgement came.
    pub known: &'a Known,
    /// The label of interface and metrics.
    pub outcome: &'a str,
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
    /// From the first byte to the last.
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
                    outcome = self.outcome,
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
        match self.outcome {
            "delivered" | "duplicate" | "test" => line!(info),
            _ => line!(warn),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Writes the line of a request that came to no route.
pub fn log_refused(rejection: &Rejection, status: u16) {
    tracing::info!(reason = rejection.reason(), why = %rejection, status, "refused");
}

/// Starts the log on stdout. It never blocks: lines that a full pipe cannot take are dropped.
/// It ends when the guard is dropped.
#[must_use]
pub fn start() -> WorkerGuard {
    let (writer, guard) = tracing_appender::non_blocking(std::io::stdout());
    // Pingora's own lines may hold what was sent, so only those of its accept loop are kept.
    let filter = EnvFilter::new(
        "info,pingora_core=off,pingora_pool=off,pingora_core::services::listening=error",
    );
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_target(false)
        .with_current_span(false)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(writer)
        .with_timer(Clock)
        .init();
    std::panic::set_hook(Box::new(|panic| {
        // The message may hold what was sent; the place does not.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a fault of our own");
    }));
    guard
}

struct Clock;

impl tracing_subscriber::fmt::time::FormatTime for Clock {
    fn format_time(
        &self,
        writer: &mut tracing_subscriber::fmt::format::Writer<'_>,
    ) -> std::fmt::Result {
        write!(writer, "{:.3}", Timestamp::now())
    }
}
