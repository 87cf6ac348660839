//! What the admin listener says: health and metrics.

use crate::answer::Answer;
use crate::intake::Head;
use crate::telemetry;
use bytes::Bytes;
use prometheus_client::registry::Registry;

/// Answers a request to the admin listener.
#[must_use]
pub fn answer(head: &Head, draining: bool, metrics: &Registry) -> Answer {
    if matches!(head.method(), "GET" | "HEAD") && head.path() == "/metrics" {
        return telemetry::page(metrics);
    }
    let (status, text) = match (head.method(), head.path()) {
        ("GET" | "HEAD", "/livez") => (200, "ok\n"),
        ("GET" | "HEAD", "/readyz") if draining => (503, "draining\n"),
        ("GET" | "HEAD", "/readyz") => (200, "ok\n"),
        (_, "/livez" | "/readyz" | "/metrics") => (405, "method not allowed\n"),
        _ => (404, "not found\n"),
    };
    Answer {
        status,
        headers: vec![(
            "Content-Type".to_owned(),
            b"text/plain; charset=utf-8".to_vec(),
        )],
        body: Bytes::from_static(text.as_bytes()),
    }
}
