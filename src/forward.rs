//! What the app sees, and the only way to its address.

use crate::intake::Head;
use crate::ledger::{Admitted, Claim};
use bytes::Bytes;
use parking_lot::RwLock;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the app is. Nothing reads the address out of it: an [`Outbound`] carries it, and only
/// what was admitted becomes one.
///
/// ```compile_fail
/// # fn f(upstream: &kawal::forward::Upstream, payload: kawal::convert::Payload) {
/// upstream.address(payload, "doku");
/// # }
/// ```
///
/// ```
/// # fn f(upstream: &kawal::forward::Upstream, admitted: kawal::ledger::Admitted) {
/// upstream.address(admitted, "doku");
/// # }
/// ```
#[derive(Debug)]
pub struct Upstream {
    text: Box<str>,
    address: Address,
}

#[derive(Debug)]
enum Address {
    Fixed(Endpoint),
    Named {
        host: Box<str>,
        port: u16,
        resolved: RwLock<Arc<[Endpoint]>>,
    },
}

/// One address of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// TCP.
    Tcp(SocketAddr),
    /// A unix socket.
    Unix(PathBuf),
}

impl Upstream {
    /// Reads `http://HOST:PORT` or `unix:/PATH`.
    ///
    /// # Errors
    /// A sentence that says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let right = "right is http://HOST:PORT or unix:/PATH";
        let address = if let Some(path) = text.strip_prefix("unix:") {
            if !path.starts_with('/') {
                return Err(format!("a unix socket needs an absolute path; {right}"));
            }
            Address::Fixed(Endpoint::Unix(PathBuf::from(path)))
        } else if let Some(authority) = text.strip_prefix("http://") {
            parse_authority(authority)
                .ok_or_else(|| format!("`{text}` has no host and port; {right}, without a path"))?
        } else if text.starts_with("https://") {
            return Err(format!(
                "TLS is not spoken to the app, which stands in the same pod; {right}"
            ));
        } else {
            return Err(format!("`{text}` is no address of an app; {right}"));
        };
        Ok(Self {
            text: text.into(),
            address,
        })
    }

    /// The only maker of an [`Outbound`].
    #[must_use]
    pub fn address(&self, admitted: Admitted, gateway: &str) -> Outbound {
        let (payload, claim) = admitted.into_parts();
        let head = RequestHead::guarded(&payload, gateway, &claim);
        Outbound {
            to: self.endpoints(),
            head,
            body: payload.body().clone(),
            claim,
        }
    }

    /// The only maker of a [`Passage`].
    #[must_use]
    pub fn pass(&self, unmatched: &Unmatched) -> Passage {
        Passage {
            to: self.endpoints(),
            head: RequestHead::plain(&unmatched.0),
        }
    }

    /// The host name and port to resolve in the background, `None` where the address is fixed.
    #[must_use]
    pub fn name(&self) -> Option<(&str, u16)> {
        match &self.address {
            Address::Fixed(_) => None,
            Address::Named { host, port, .. } => Some((host, *port)),
        }
    }

    /// Takes over what the name resolved to.
    pub fn resolved(&self, to: &[SocketAddr]) {
        if let Address::Named { resolved, .. } = &self.address {
            *resolved.write() = to.iter().copied().map(Endpoint::Tcp).collect();
        }
    }

    /// Whether only this host can reach the app by this address.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match &self.address {
            Address::Fixed(Endpoint::Unix(_)) => true,
            Address::Fixed(Endpoint::Tcp(address)) => address.ip().is_loopback(),
            Address::Named { host, .. } => &**host == "localhost",
        }
    }

    /// As it stands in the configuration.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    fn endpoints(&self) -> Arc<[Endpoint]> {
        match &self.address {
            Address::Fixed(endpoint) => Arc::new([endpoint.clone()]),
            Address::Named { resolved, .. } => Arc::clone(&resolved.read()),
        }
    }
}

fn parse_authority(authority: &str) -> Option<Address> {
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    if let Ok(address) = authority.parse() {
        return Some(Address::Fixed(Endpoint::Tcp(address)));
    }
    let (host, port) = authority.rsplit_once(':')?;
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if host.is_empty() || !host.chars().all(named) {
        return None;
    }
    let resolved = RwLock::new(Arc::from([]));
    Some(Address::Named {
        host: host.into(),
        port: port.parse().ok()?,
        resolved,
    })
}

/// A request whose path has no route, where the configuration forwards such. Made by `route` only.
#[derive(Debug)]
pub struct Unmatched(pub(crate) Head);

impl Unmatched {
    /// The head of the request.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.0
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
    #[must_use]
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
            let bearer = signed.bearer.as_deref();
            bearer.is_some_and(|bearer| name.eq_ignore_ascii_case(bearer))
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
            headers: end_to_end(|| head.headers(), |_| false),
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
            && !name.contains('_')
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
    fn reads_addresses_and_says_what_would_be_right() {
        for (text, local) in [
            ("http://127.0.0.1:3000", true),
            ("http://[::1]:3000", true),
            ("http://localhost:3000/", true),
            ("http://app:80", false),
            ("http://10.0.0.1:80", false),
            ("unix:/run/app.sock", true),
        ] {
            assert_eq!(Upstream::parse(text).unwrap().is_local(), local, "{text}");
        }
        for (text, word) in [
            ("https://app:443", "TLS"),
            ("http://app", "no host and port"),
            ("http://app:80/path", "without a path"),
            ("http://app:99999", "no host and port"),
            ("unix:app.sock", "absolute"),
            ("app:80", "http://HOST:PORT"),
        ] {
            let why = Upstream::parse(text).unwrap_err();
            assert!(why.contains(word), "{text}: {why}");
        }
    }

    #[test]
    fn only_end_to_end_headers_go_on() {
        let headers = [
            ("Host", "h"),
            ("Connection", "close, X-Hop"),
            ("X-Hop", "1"),
            ("x-KAWAL-gateway", "forged"),
            ("X_Kawal_Gateway", "forged"),
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
