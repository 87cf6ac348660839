//! From a path to its policy, and the order of judgement.

use crate::answer::Respond;
use crate::clock::Moment;
use crate::convert::{Convert, Payload};
use crate::forward::Unmatched;
use crate::freshness::Window;
use crate::intake::{Head, Received};
use crate::ledger::{Admitted, Key, Ledger, Terms};
use crate::rejection::Rejection;
use crate::scheme::Scheme;
use crate::secret::KeyRing;
use ipnet::IpNet;
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// One sender: its scheme, its clients and its policy.
#[derive(Debug)]
pub struct Gateway {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// How it proves its notifications.
    pub scheme: Scheme,
    /// Its clients.
    pub ring: KeyRing,
    /// The limits for its signed times.
    pub window: Window,
    /// How long a delivered notification stays known.
    pub remember: Duration,
    /// The addresses it may come from; empty for any.
    pub allow_from: Vec<IpNet>,
}

/// One path and its policy.
#[derive(Debug)]
pub struct Route {
    /// The path, exactly.
    pub path: Box<str>,
    /// The methods it takes.
    pub methods: Vec<Box<str>>,
    /// Whose notifications come here.
    pub gateway: Arc<Gateway>,
    /// The path as registered at the gateway, where an ingress rewrites it.
    pub public_path: Option<Box<str>>,
    /// Whether the app gets JSON.
    pub convert: Convert,
    /// Who answers.
    pub respond: Respond,
    /// What becomes of a delivered notification that comes again.
    pub duplicate: Duplicate,
    /// The largest body, in bytes.
    pub body_limit: u64,
    /// The whole exchange with the app.
    pub upstream_timeout: Duration,
}

/// What becomes of a delivered notification that comes again.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Duplicate {
    /// It gets the stored answer.
    #[default]
    Acknowledge,
    /// It gets 409.
    Reject,
}

/// What is known of a notification so far, for the log.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The configured id of its client.
    pub client: Option<Arc<str>>,
    /// Its key in the ledger.
    pub key: Option<Key>,
    /// When it was signed.
    pub at: Option<Timestamp>,
}

/// Added to the deadline of the app's answer, so that a lease outlives every exchange.
pub const LEASE_MARGIN: Duration = Duration::from_secs(15);

impl Route {
    /// What can be refused before the body is read.
    ///
    /// # Errors
    /// [`Rejection::Method`] or [`Rejection::Forbidden`].
    pub fn accept(&self, head: &Head, peer: Option<IpAddr>) -> Result<(), Rejection> {
        if !self.methods.iter().any(|method| **method == *head.method()) {
            return Err(Rejection::Method);
        }
        let allowed = &self.gateway.allow_from;
        // An IPv4 client of a dual-stack listener has a mapped address.
        let peer = peer.map(|peer| peer.to_canonical());
        if allowed.is_empty()
            || peer.is_some_and(|peer| allowed.iter().any(|net| net.contains(&peer)))
        {
            return Ok(());
        }
        Err(Rejection::Forbidden)
    }

    /// The whole judgement, in order. Each step consumes what the step before proved.
    ///
    /// # Errors
    /// The first reason not to forward. `known` is filled as far as the judgement came.
    pub fn admit(
        &self,
        received: Received,
        ledger: &Arc<Ledger>,
        now: Moment,
        known: &mut Known,
    ) -> Result<Admitted, Rejection> {
        let gateway = &self.gateway;
        let public_path = self.public_path.as_deref();
        let authentic =
            gateway
                .scheme
                .authenticate(received, &gateway.name, &gateway.ring, public_path)?;
        let signed = authentic.signed();
        (known.client, known.at) = (signed.client.clone(), signed.at);
        let test = signed.test;
        let fresh = gateway
            .window
            .check(authentic, now.wall, ledger.complete_since())?;
        if test {
            return Err(Rejection::Test);
        }
        let payload = Payload::prepare(fresh, self.convert)?;
        known.key = Some(Ledger::key(&payload, &payload.content()));
        ledger
            .claim(payload, self.terms(), now.steady)
            .map_err(|rejection| match rejection {
                Rejection::Repeat(_) if self.duplicate == Duplicate::Reject => Rejection::Duplicate,
                other => other,
            })
    }

    fn terms(&self) -> Terms {
        Terms {
            lease: self.upstream_timeout + LEASE_MARGIN,
            remember: self.gateway.remember,
        }
    }
}

/// All routes, and what becomes of everything else.
#[derive(Debug)]
pub struct Routes {
    exact: HashMap<Box<str>, Arc<Route>>,
    folded: HashSet<String>,
    unmatched: Policy,
}

/// What becomes of a path without a route.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// 404.
    #[default]
    Reject,
    /// Streamed to the app, never verified.
    Forward,
}

/// Where a request goes.
#[derive(Debug)]
pub enum Found {
    /// To judgement.
    Route(Arc<Route>, Head),
    /// To the app, unverified.
    Unmatched(Unmatched),
}

impl Routes {
    /// These routes, whose paths differ.
    #[must_use]
    pub fn new(routes: Vec<Route>, unmatched: Policy) -> Self {
        Self {
            folded: routes.iter().map(|route| fold(&route.path)).collect(),
            exact: routes
                .into_iter()
                .map(|route| (route.path.clone(), Arc::new(route)))
                .collect(),
            unmatched,
        }
    }

    /// Finds the route of a request by its path, byte for byte.
    ///
    /// # Errors
    /// [`Rejection::NoRoute`], and [`Rejection::Malformed`] for a path that an app may take for a
    /// route's although it is another: it would get around the judgement.
    pub fn find(&self, head: Head) -> Result<Found, Rejection> {
        if let Some(route) = self.exact.get(head.path()) {
            return Ok(Found::Route(Arc::clone(route), head));
        }
        if self.folded.contains(&fold(head.path())) {
            return Err(Rejection::Malformed(
                "a path that becomes a route's only when normalised",
            ));
        }
        match self.unmatched {
            Policy::Reject => Err(Rejection::NoRoute),
            Policy::Forward => Ok(Found::Unmatched(Unmatched(head))),
        }
    }

    /// All routes, by path.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        let mut routes: Vec<_> = self.exact.values().map(Arc::as_ref).collect();
        routes.sort_by(|a, b| a.path.cmp(&b.path));
        routes.into_iter()
    }

    /// What becomes of a path without a route.
    #[must_use]
    pub fn unmatched(&self) -> Policy {
        self.unmatched
    }
}

/// A path as the most lenient app may read it: percent-decoded until nothing changes, backslashes
/// as slashes, path parameters, NUL and all after it dropped, dot segments resolved, slashes
/// collapsed, letters lower-case.
fn fold(path: &str) -> String {
    let mut bytes = path.as_bytes().to_vec();
    loop {
        let decoded = percent_decode(&bytes);
        if decoded == bytes {
            break;
        }
        bytes = decoded;
    }
    bytes.make_ascii_lowercase();
    let text = String::from_utf8_lossy(&bytes).replace('\\', "/");
    let text = text.split('\0').next().unwrap_or_default();
    let mut segments: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        match segment.split(';').next().unwrap_or_default().trim() {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            plain => segments.push(plain),
        }
    }
    segments.join("/")
}

fn percent_decode(bytes: &[u8]) -> Vec<u8> {
    let digit = |at: Option<&u8>| {
        char::from(*at?)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%'
            && let (Some(high), Some(low)) = (digit(after.first()), digit(after.get(1)))
        {
            decoded.push(high << 4 | low);
            rest = after.get(2..).unwrap_or_default();
        } else {
            decoded.push(*first);
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn folds_every_disguise_onto_the_plain_path() {
        let plain = fold("/payments/notifications");
        for disguise in [
            "//payments/notifications",
            "/./payments/notifications",
            "/x/../payments/notifications",
            "/payments%2Fnotifications",
            "/payments/notifications/",
            "/payments/notifications;a=b",
            "/payments;a/notifications",
            "/payments\\notifications",
            "/Payments/NOTIFICATIONS",
            "/%70ayments/notifications",
            "/%2570ayments/notifications",
            "/%252570ayments/notifications",
            "/payments/notifications%00",
            "/payments/notifications%00.png",
            "/payments/%2e%2E/payments/notifications",
            "/payments/notifications%20",
        ] {
            assert_eq!(fold(disguise), plain, "{disguise}");
        }
        for other in [
            "/payments",
            "/payments/notifications/x",
            "/payment/notifications",
            "/%zz",
        ] {
            assert_ne!(fold(other), plain, "{other}");
        }
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(path in "/[a-zA-Z./%;\\\\0-9]{0,40}") {
            let once = fold(&path);
            prop_assert_eq!(fold(&once), once);
        }
    }
}
