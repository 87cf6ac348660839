//! The address of the app, which only an admitted notification gets to know.

use super::{AppRequest, Observed, Outbound, Passage, RequestHead, Unmatched, Verdict};
use crate::ledger::Admitted;
use parking_lot::RwLock;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the app is. Nothing reads the address out of it: an [`Outbound`] carries it, and only
/// what was admitted becomes one.
///
/// ```compile_fail
/// # fn f(upstream: &kawal::forward::Upstream, payload: kawal::convert::Payload) {
/// upstream.address(payload, "doku", None);
/// # }
/// ```
///
/// ```
/// # fn f(upstream: &kawal::forward::Upstream, admitted: kawal::ledger::Admitted) {
/// upstream.address(admitted, "doku", None);
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
        if text.contains('@') {
            return Err(format!(
                "names a user, and the app is asked for none; {right}"
            ));
        }
        let address = if let Some(path) = text.strip_prefix("unix:") {
            if !path.starts_with('/') {
                return Err(format!("a unix socket needs an absolute path; {right}"));
            }
            Address::Fixed(Endpoint::Unix(PathBuf::from(path)))
        } else if let Some(authority) = text.strip_prefix("http://") {
            parse_authority(authority).ok_or_else(|| {
                // Not repeated, since it may hold a password.
                format!("has no host and port, or more than them; {right}, without a path")
            })?
        } else if text.starts_with("https://") {
            return Err(format!(
                "TLS is not spoken to the app, which stands in the same pod; {right}"
            ));
        } else {
            return Err(format!("is no address of an app; {right}"));
        };
        Ok(Self {
            text: text.into(),
            address,
        })
    }

    /// The only maker of an [`Outbound`]; in observe mode it is told the verdict.
    #[must_use]
    pub fn address(&self, admitted: Admitted, gateway: &str, verdict: Option<Verdict>) -> Outbound {
        let (payload, claim) = admitted.into_parts();
        let request = AppRequest {
            to: self.endpoints(),
            head: RequestHead::guarded(&payload, gateway, verdict, &claim),
            body: payload.message().body().clone(),
            is_verified: true,
        };
        Outbound { request, claim }
    }

    /// The only other maker of an [`AppRequest`].
    #[must_use]
    pub fn observe(&self, observed: Observed) -> AppRequest {
        AppRequest {
            to: self.endpoints(),
            head: observed.head,
            body: observed.body,
            is_verified: false,
        }
    }

    /// The only maker of a [`Passage`].
    #[must_use]
    pub fn pass(&self, unmatched: Unmatched) -> Passage {
        Passage {
            to: self.endpoints(),
            head: unmatched.0,
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

    /// Takes over what the same name resolved to before: a name server that is down is no reason to lose the
    /// app.
    pub fn inherit(&self, before: &Self) {
        let (
            Address::Named { resolved, .. },
            Address::Named {
                resolved: known, ..
            },
        ) = (&self.address, &before.address)
        else {
            return;
        };
        if self.text == before.text {
            resolved.write().clone_from(&known.read());
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

    /// Whether it is what listens on this address.
    #[must_use]
    pub fn is_at(&self, listen: SocketAddr) -> bool {
        let Address::Fixed(Endpoint::Tcp(address)) = &self.address else {
            return false;
        };
        let here = listen.ip().is_unspecified() && self.is_local();
        address.port() == listen.port() && (here || address.ip() == listen.ip())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_name_inherits_what_is_known_of_it() {
        let known = Upstream::parse("http://app:80").unwrap();
        known.resolved(&["10.0.0.1:80".parse().unwrap()]);
        for (text, inherits) in [
            ("http://app:80", true),
            ("http://app:81", false),
            ("http://other:80", false),
            ("http://127.0.0.1:80", false),
        ] {
            let upstream = Upstream::parse(text).unwrap();
            upstream.inherit(&known);
            assert_eq!(
                upstream.endpoints() == known.endpoints(),
                inherits,
                "{text}"
            );
        }
    }

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
            ("http://user:word@app:80", "names a user"),
            ("http://app:99999", "no host and port"),
            ("unix:app.sock", "absolute"),
            ("app:80", "http://HOST:PORT"),
        ] {
            let why = Upstream::parse(text).unwrap_err();
            assert!(why.contains(word), "{text}: {why}");
        }
    }
}
