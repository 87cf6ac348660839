//! What the app sees, and the only way to its address.

mod upstream;

pub use upstream::{Endpoint, Upstream};

use crate::convert::{Message, Payload};
use crate::intake::Head;
use crate::ledger::{Claim, Key};
use crate::rejection::Rejection;
use bytes::Bytes;
use schemars::JsonSchema;
use serde::Deserialize;
use std::fmt::{self, Write as _};
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

/// Whether a gateway's notifications are refused where the judgement says so.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They are.
    #[default]
    Enforce,
    /// They are forwarded, and marked.
    Observe,
}

/// What `X-Kawal-Verdict` says in observe mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It would have passed.
    Accepted,
    /// It would have been refused, for this reason.
    WouldReject(&'static str),
}

impl Verdict {
    /// What is said of one that would have been refused for this, or of one that would have passed.
    #[must_use]
    pub fn of(refused: Option<&Rejection>) -> Self {
        let reason = refused.and_then(Rejection::reason);
        reason.map_or(Self::Accepted, |reason| Self::WouldReject(reason.label()))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted => f.write_str("accepted"),
            Self::WouldReject(reason) => write!(f, "would-reject:{reason}"),
        }
    }
}

/// Says that a request would have been refused, and that its gateway is observed only. Made by `route`
/// only. It holds no claim: whatever the app makes of it, the ledger does not learn.
#[derive(Debug)]
pub struct Observed {
    head: RequestHead,
    body: Bytes,
}

/// What is proven of an observed request.
#[derive(Debug, Default)]
pub(crate) struct Proven<'a> {
    pub(crate) client: Option<&'a str>,
    pub(crate) key: Option<Key>,
}

impl Observed {
    /// `None` where nothing was refused.
    pub(crate) fn new(
        message: &Message,
        why: &Rejection,
        gateway: &str,
        secret: Option<&str>,
        proven: &Proven<'_>,
    ) -> Option<Self> {
        let verdict = Verdict::WouldReject(why.reason()?.label());
        let mut head = RequestHead::routed(message, secret, names_another_target);
        head.add("X-Kawal-Gateway", gateway);
        head.add_some("X-Kawal-Client", proven.client);
        head.add_some("X-Kawal-Notification-Id", proven.key);
        head.add("X-Kawal-Verdict", verdict);
        let body = message.body().clone();
        Some(Self { head, body })
    }
}

/// A request on its way to the app.
#[derive(Debug)]
pub struct AppRequest {
    to: Arc<[Endpoint]>,
    head: RequestHead,
    body: Bytes,
    is_verified: bool,
}

impl AppRequest {
    /// Opens it for the server: where to, and what.
    #[must_use]
    pub fn open(self) -> (Arc<[Endpoint]>, RequestHead, Bytes) {
        (self.to, self.head, self.body)
    }

    /// Whether it was admitted.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.is_verified
    }

    /// Whether it is the last on its connection: an app that does not read a body takes it for the next
    /// request, and what nobody verified could name any gateway there.
    #[must_use]
    pub fn ends_connection(&self) -> bool {
        !self.is_verified && !self.body.is_empty()
    }
}

/// A verified notification on its way to the app.
#[derive(Debug)]
pub struct Outbound {
    request: AppRequest,
    claim: Claim,
}

impl Outbound {
    /// Opens it for the server: the request, and the claim to settle.
    pub fn open(self) -> (AppRequest, Claim) {
        (self.request, self.claim)
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
    lines: String,
    /// Whether every header stays in its line.
    is_sound: bool,
}

impl RequestHead {
    fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            lines: String::with_capacity(USUAL_LINES),
            is_sound: true,
        }
    }

    fn guarded(payload: &Payload, gateway: &str, verdict: Option<Verdict>, claim: &Claim) -> Self {
        let signed = payload.signed();
        let secret = signed.secret_header.as_deref();
        let mut head = Self::routed(payload.message(), secret, |_| false);
        head.add("X-Kawal-Gateway", gateway);
        head.add_some("X-Kawal-Client", signed.client.as_deref());
        head.add("X-Kawal-Notification-Id", claim.key());
        head.add_some("X-Kawal-Signed-At", signed.at);
        head.add("X-Kawal-Covers", &signed.covers);
        head.add("X-Kawal-Attempt", claim.attempt());
        head.add_some("X-Kawal-Verdict", verdict);
        head
    }

    /// A request that has a route, before anything is said of it; without the header that is the secret
    /// itself, and those that are dropped.
    fn routed(message: &Message, secret: Option<&str>, dropped: impl Fn(&str) -> bool) -> Self {
        let dropped = |name: &str| {
            secret.is_some_and(|secret| name.eq_ignore_ascii_case(secret))
                || (message.is_converted() && name.eq_ignore_ascii_case("content-type"))
                || dropped(name)
        };
        let mut head = Self::new(message.method(), message.target());
        head.add_end_to_end(|| message.headers(), dropped);
        if message.is_converted() {
            head.add("Content-Type", "application/json");
        }
        head
    }

    fn plain(received: &Head) -> Self {
        let mut head = Self::new(received.method(), received.target());
        head.add_end_to_end(|| received.headers(), names_another_target);
        head
    }

    /// The headers in their case and order, each with the end of its line; `None` where one would not stay in
    /// its line.
    #[must_use]
    pub fn lines(&self) -> Option<&str> {
        self.is_sound.then_some(&self.lines)
    }

    fn add(&mut self, name: &str, value: impl fmt::Display) {
        self.lines.push_str(name);
        self.lines.push_str(": ");
        let start = self.lines.len();
        // A string takes whatever is written to it.
        let _ = write!(self.lines, "{value}");
        let value = self.lines.as_bytes().get(start..).unwrap_or_default();
        self.is_sound &= memchr::memchr3(b'\r', b'\n', 0, value).is_none();
        self.lines.push_str("\r\n");
    }

    fn add_some(&mut self, name: &str, value: Option<impl fmt::Display>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    /// The headers that go on to the app: not those of this connection (RFC 9110 §7.6.1), not those
    /// that many apps read as another name, and none in our own namespace.
    fn add_end_to_end<'a, I: Iterator<Item = (&'a str, &'a str)>>(
        &mut self,
        headers: impl Fn() -> I,
        dropped: impl Fn(&str) -> bool,
    ) {
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
        // What was read as a line stays in it.
        for (name, value) in headers().filter(|(name, _)| goes_on(name)) {
            for part in [name, ": ", value, "\r\n"] {
                self.lines.push_str(part);
            }
        }
    }
}

/// Room for the headers of a usual request, in bytes.
const USUAL_LINES: usize = 1024;

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
        let mut head = RequestHead::new("POST", "/");
        let is_dropped = |name: &str| name.eq_ignore_ascii_case("X-API-Key");
        head.add_end_to_end(|| headers.into_iter(), is_dropped);
        assert_eq!(head.lines(), Some("Host: h\r\nClient-Id: M\r\n"));
    }

    #[test]
    fn a_value_that_would_begin_a_line_of_its_own_makes_no_head() {
        for value in ["M\r\nX-Kawal-Client: N", "M\nN", "M\rN", "M\0"] {
            let mut head = RequestHead::new("POST", "/");
            head.add("X-Kawal-Client", value);
            head.add("X-Kawal-Attempt", 1);
            assert_eq!(head.lines(), None, "{value:?}");
        }
    }
}
