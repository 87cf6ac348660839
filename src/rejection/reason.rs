//! The words for reasons, as logs and metrics have them, and what can be done.

use super::{Part, Rejection};

/// Why something was refused, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The proof does not hold.
    BadProof,
    /// The access token is not good.
    BadToken,
    /// Known with other content.
    Conflict,
    /// Shutting down.
    Draining,
    /// Delivered before.
    Duplicate,
    /// The address is not allowed.
    Forbidden,
    /// Signed too far ahead.
    Future,
    /// The first copy is still at the app.
    InFlight,
    /// A fault of our own.
    Internal,
    /// Not HTTP as we accept it.
    Malformed,
    /// The method is not allowed.
    Method,
    /// There is no proof.
    MissingProof,
    /// The path has no route.
    NoRoute,
    /// There is no room.
    Saturated,
    /// Signed too long ago.
    Stale,
    /// The store does not answer.
    StoreDown,
    /// It did not arrive in time.
    Timeout,
    /// It is too large.
    TooLarge,
    /// No such client.
    UnknownClient,
    /// Late, and perhaps delivered before.
    Unproven,
    /// The app is away.
    UpstreamDown,
    /// The app is slow.
    UpstreamTimeout,
}

impl Reason {
    /// All of them, each at the place of its number.
    pub const ALL: [Self; 22] = [
        Self::BadProof,
        Self::BadToken,
        Self::Conflict,
        Self::Draining,
        Self::Duplicate,
        Self::Forbidden,
        Self::Future,
        Self::InFlight,
        Self::Internal,
        Self::Malformed,
        Self::Method,
        Self::MissingProof,
        Self::NoRoute,
        Self::Saturated,
        Self::Stale,
        Self::StoreDown,
        Self::Timeout,
        Self::TooLarge,
        Self::UnknownClient,
        Self::Unproven,
        Self::UpstreamDown,
        Self::UpstreamTimeout,
    ];

    /// The label in logs and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::BadProof => "bad_proof",
            Self::BadToken => "bad_token",
            Self::Conflict => "conflict",
            Self::Draining => "draining",
            Self::Duplicate => "duplicate",
            Self::Forbidden => "forbidden",
            Self::Future => "future",
            Self::InFlight => "in_flight",
            Self::Internal => "internal",
            Self::Malformed => "malformed",
            Self::Method => "method",
            Self::MissingProof => "missing_proof",
            Self::NoRoute => "no_route",
            Self::Saturated => "saturated",
            Self::Stale => "stale",
            Self::StoreDown => "store_down",
            Self::Timeout => "timeout",
            Self::TooLarge => "too_large",
            Self::UnknownClient => "unknown_client",
            Self::Unproven => "unproven",
            Self::UpstreamDown => "upstream_down",
            Self::UpstreamTimeout => "upstream_timeout",
        }
    }
}

impl Rejection {
    /// What can be done about it, for the log; `None` where nothing can, or need be.
    #[must_use]
    pub fn advice(&self) -> Option<&'static str> {
        Some(match self {
            Self::BadProof => {
                "if it is genuine, let `kawal verify` judge the captured request: it tells the usual mistakes apart"
            }
            Self::BadToken => {
                "the gateway has to ask this gateway's own token route for its tokens, and use them for 15 minutes at most"
            }
            Self::Conflict => {
                "compare it with the delivered one of the same id: whoever replays can change what the proof does not cover"
            }
            Self::Crowded => "raise limits.connections; for large bodies, limits.body",
            Self::Forbidden => {
                "if `from` is the gateway, add it to allow_from; if it is a proxy of yours, to trusted_proxies"
            }
            Self::Future | Self::Stale => {
                "compare the clock of this host with the right time: kawal_clock_drift_seconds; \
                 if the gateway retries for longer, raise freshness.late and remember"
            }
            Self::Internal => "please report it with the line before, `a fault of our own`",
            Self::Method(_) => "if the gateway uses this method, name it in the route's methods",
            Self::MissingProof => {
                "look where `kawal schemes NAME` expects the proof, and whether a proxy on the way drops it"
            }
            Self::NoRoute => {
                "if it is the gateway's, add a route; for the app's own paths, unmatched: forward"
            }
            Self::Saturated => {
                "raise replay.capacity (it needs no restart), or the memory of the store"
            }
            Self::StoreDown => {
                "bring the store back; replay.unavailable: forward lets fresh ones pass without it, and copies too"
            }
            Self::Timeout => "if the gateway is that slow, raise timeouts.header and timeouts.body",
            Self::TooLarge(Part::Head) => "raise limits.head",
            Self::TooLarge(Part::Body) => "raise limits.body",
            Self::UnknownClient => "if the client is yours, add it to the gateway's clients",
            Self::Unproven => {
                "ask the gateway for the payment's status; replay.store: redis remembers over restarts; \
                 a longer freshness.max_age lets it pass, and for as long after a restart replays too"
            }
            Self::UpstreamDown => "see whether the app runs, and listens at upstream",
            Self::UpstreamTimeout => "see what the app waits for, or raise timeouts.upstream",
            Self::Draining
            | Self::Duplicate
            | Self::Expectation
            | Self::Granted(_)
            | Self::InFlight { .. }
            | Self::Malformed(_)
            | Self::Repeat(_)
            | Self::Test => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_stands_at_its_number() {
        for (place, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, place);
        }
    }
}
