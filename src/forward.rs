//! What the app sees, and the only way to its address.

mod upstream;

pub use upstream::{Endpoint, Upstream};

use crate::intake::Head;
use crate::ledger::Claim;
use bytes::Bytes;
use std::sync::Arc;

/// Says that the path of a request has no route, and that such requests are forwarded. Made by
/// `route` only.
#[derive(Debug)]
pub struct Unmatched(RequestHead);

impl Unmatched {
    pub(crate) fn new(head: &Head) -> Self {
        Self(RequestHead::plain(head))
    }
}

/// A verified notification on its way to the app.
#[derive(Debug)]
pub struct Outbound {
    to: Arc<[Endpoint]>,
    head: RequestHead,
    body: Bytes,
    claim: Claim,
}

impl Outbound {
    /// Opens it for the server: where to, what, and the claim to settle.
    pub fn open(self) -> (Arc<[Endpoint]>, RequestHead, Bytes, Claim) {
        (self.to, self.head, self.body, self.claim)
    }
}

/// An unverified request on its way to the app, marked by nothing.
#[derive(Debug)]
pub struct Passage {
    to: Arc<[Endpoint]>,
    head: RequestHead,
}

impl Passage {
    /// Opens it for the server.
    #[must_use]
    pub fn open(self) -> (Arc<[Endpoint]>, RequestHead) {
        (self.to, self.head)
    }
}

/// The request line and headers towards the app, without their framing.
#[derive(Debug)]
pub struct RequestHead {
    /// The method.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Headers in their case and order.
    pub headers: Vec<(String, String)>,
}

impl RequestHead {
    fn guarded(payload: &crate::convert::Payload, gateway: &str, claim: &Claim) -> Self {
        let signed = payload.signed();
        let dropped = |name: &str| {
            let secret = signed.secret_header.as_deref();
            secret.is_some_and(|secret| name.eq_ignore_ascii_case(secret))
                || (payload.is_converted() && name.eq_ignore_ascii_case("content-type"))
        };
        let mut headers = end_to_end(|| payload.headers(), dropped);
        let mut add = |name: &str, value: String| headers.push((name.to_owned(), value));
        if payload.is_converted() {
            add("Content-Type", "application/json".to_owned());
        }
        add("X-Kawal-Gateway", gateway.to_owned());
        if let Some(client) = &signed.client {
            add("X-Kawal-Client", client.to_string());
        }
        add("X-Kawal-Notification-Id", claim.key().to_string());
        if let Some(at) = signed.at {
            add("X-Kawal-Signed-At", at.to_string());
        }
        add("X-Kawal-Covers", signed.covers.to_string());
        add("X-Kawal-Attempt", claim.attempt().to_string());
        Self {
            method: payload.method().to_owned(),
            target: payload.target().to_owned(),
            headers,
        }
    }

    fn plain(head: &Head) -> Self {
        Self {
            method: head.method().to_owned(),
            target: head.target().to_owned(),
            headers: end_to_end(|| head.headers(), names_another_target),
        }
    }
}

/// The headers that go on to the app: not those of this connection (RFC 9110 §7.6.1), not those
/// that many apps read as another name, and none in our own namespace.
fn end_to_end<'a, I: Iterator<Item = (&'a str, &'a str)>>(
    headers: impl Fn() -> I,
    dropped: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let nominated: Vec<&str> = headers()
        .filter(|(name, _)| name.eq_ignore_ascii_case("connection"))
        .flat_map(|(_, value)| value.split(','))
        .map(str::trim)
        .collect();
    let goes_on = |name: &str| {
        !is_of_the_connection(name)
            && !is_ours(name)
            && has_one_spelling(name)
            && !dropped(name)
            && !nominated
                .iter()
                .any(|other| other.eq_ignore_ascii_case(name))
    };
    headers()
        .filter(|(name, _)| goes_on(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Headers by which some frameworks let a sender replace the path: it could name a route's.
fn names_another_target(name: &str) -> bool {
    ["x-original-url", "x-rewrite-url"]
        .iter()
        .any(|other| name.eq_ignore_ascii_case(other))
}

/// Whether a name is made of letters, digits and hyphens. Apps that get headers as variables (PHP,
/// CGI, WSGI) read `X_A`, `X.A` and `X-A` as one name, so a sender could speak for another header.
fn has_one_spelling(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether a header belongs to one connection only, or to its framing.
#[must_use]
pub fn is_of_the_connection(name: &str) -> bool {
    const NAMES: [&str; 10] = [
        "connection",
        "content-length",
        "expect",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.iter().any(|other| name.eq_ignore_ascii_case(other))
}

/// Whether a header is in the namespace that nobody but Kawal may set.
#[must_use]
pub fn is_ours(name: &str) -> bool {
    name.get(..8)
        .is_some_and(|start| start.eq_ignore_ascii_case("x-kawal-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_end_to_end_headers_go_on() {
        let headers = [
            ("Host", "h"),
            ("Connection", "close, X-Hop"),
            ("X-Hop", "1"),
            ("x-KAWAL-gateway", "forged"),
            ("X_Kawal_Gateway", "forged"),
            ("X.Kawal.Gateway", "forged"),
            ("X~A", "odd"),
            ("Transfer-Encoding", "chunked"),
            ("Client-Id", "M"),
            ("X-Api-Key", "secret"),
        ];
        let kept = end_to_end(
            || headers.into_iter(),
            |name| name.eq_ignore_ascii_case("X-API-Key"),
        );
        assert_eq!(
            kept,
            [
                ("Host".into(), "h".into()),
                ("Client-Id".into(), "M".into())
            ]
        );
    }
}
