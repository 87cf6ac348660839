//! What the admin listener says: health, and nothing else.

use crate::answer::Answer;
use crate::intake::Head;
use bytes::Bytes;

/// Answers a request to the admin listener.
#[must_use]
pub fn answer(head: &Head, draining: bool) -> Answer {
    let (status, text) = match (head.method(), head.path()) {
        ("GET" | "HEAD", "/livez") => (200, "ok\n"),
        ("GET" | "HEAD", "/readyz") if draining => (503, "draining\n"),
        ("GET" | "HEAD", "/readyz") => (200, "ok\n"),
        (_, "/livez" | "/readyz") => (405, "method not allowed\n"),
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
