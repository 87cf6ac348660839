//! What the admin listener says: health, metrics, and a page for whoever looks.

mod status;

use crate::answer::Answer;
use crate::intake::Head;
use crate::ledger::Ledger;
use crate::route::Gateway;
use crate::telemetry::{self, Format, GatewayMetrics, Metrics, Picture, Readings, Recent};
use bytes::Bytes;
use jiff::Timestamp;
use std::sync::Arc;

/// What can be told of a running sidecar.
#[derive(Clone, Debug)]
pub struct Inside<'a> {
    /// Now.
    pub now: Timestamp,
    /// When the process started.
    pub started: Timestamp,
    /// Whether it is shutting down.
    pub draining: bool,
    /// What is read at the time of asking.
    pub readings: Readings,
    /// The configuration that is served.
    pub loaded: Loaded,
    /// The ledger.
    pub ledger: &'a Ledger,
    /// Everything that is counted.
    pub metrics: &'a Metrics,
    /// All gateways, each with its counters.
    pub gateways: &'a [(Arc<Gateway>, GatewayMetrics)],
    /// The last minutes.
    pub picture: &'a Picture,
    /// The last decisions.
    pub recent: &'a Recent,
}

/// When the configuration that is served was taken over, and why a later one was not.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// When.
    pub at: Timestamp,
    /// What is wrong with the one that was refused, in one line.
    pub fault: Option<String>,
}

/// Whether it is a probe, which waits for nobody.
#[must_use]
pub fn is_probe(head: &Head) -> bool {
    matches!(head.path(), "/livez" | "/readyz")
}

/// Answers a request to the admin listener.
#[must_use]
pub fn answer(head: &Head, inside: &Inside<'_>) -> Answer {
    let known = [
        "/livez",
        "/readyz",
        "/metrics",
        "/status",
        "/status.json",
        "/",
    ];
    match (head.method(), head.path()) {
        ("GET" | "HEAD", "/livez") => text(200, "ok\n"),
        ("GET" | "HEAD", "/readyz") if inside.draining => text(503, "draining\n"),
        ("GET" | "HEAD", "/readyz") => text(200, "ok\n"),
        ("GET" | "HEAD", "/metrics") => {
            let accept = head.sole("accept").ok().flatten();
            telemetry::page(inside.metrics, inside.readings, Format::accepted(accept))
        }
        ("GET" | "HEAD", "/status") => status::page(),
        ("GET" | "HEAD", "/status.json") => status::json(inside),
        ("GET" | "HEAD", "/") => redirect("/status"),
        (_, path) if known.contains(&path) => {
            let mut answer = text(405, "method not allowed\n");
            answer
                .headers
                .push(("Allow".to_owned(), b"GET, HEAD".to_vec()));
            answer
        }
        _ => text(404, "not found\n"),
    }
}

fn text(status: u16, text: &'static str) -> Answer {
    let plain = b"text/plain; charset=utf-8".to_vec();
    Answer {
        status,
        headers: vec![("Content-Type".to_owned(), plain)],
        body: Bytes::from_static(text.as_bytes()),
    }
}

fn redirect(to: &str) -> Answer {
    let mut answer = text(302, "see /status\n");
    answer.headers.push(("Location".to_owned(), to.into()));
    answer
}
