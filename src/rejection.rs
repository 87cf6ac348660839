//! Why a request does not reach the app.

mod reason;

pub use reason::Reason;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The reason a request stops here. `answer` alone decides what the sender is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The proof is there, but does not hold or cannot be read.
    BadProof,
    /// The proof holds, but the access token is not one of ours for this client, or has ended.
    BadToken,
    /// The identity is known with other content.
    Conflict,
    /// Every connection is busy, or others hold bodies above the limit.
    Crowded,
    /// The process is shutting down.
    Draining,
    /// The notification was delivered before, and the policy is to refuse it.
    Duplicate,
    /// The sender expects something other than `100-continue`.
    Expectation,
    /// The sender's address is not allowed.
    Forbidden,
    /// The signed time lies further ahead than `max_skew`.
    Future,
    /// A genuine request for an access token, answered without the app.
    Granted(Grant),
    /// The first copy is still at the app; `wait` is the rest of its lease.
    InFlight {
        /// Until the lease ends.
        wait: Duration,
    },
    /// A fault of our own.
    Internal,
    /// Not HTTP as we accept it; the text names what is wrong, never what was sent.
    Malformed(&'static str),
    /// The method is not allowed on this route, which takes these.
    Method(Box<str>),
    /// The proof, or a part of what it covers, is absent or empty.
    MissingProof,
    /// The path has no route.
    NoRoute,
    /// The notification was delivered before: its stored answer is given again.
    Repeat(Stored),
    /// The ledger has no room.
    Saturated,
    /// The signed time lies before every limit.
    Stale,
    /// The ledger's store does not answer.
    StoreDown,
    /// A genuine test event of the gateway, acknowledged without the app.
    Test,
    /// The head or the body did not arrive in time.
    Timeout,
    /// The head or the body is larger than its limit.
    TooLarge(Part),
    /// No configured client has this id.
    UnknownClient,
    /// Older than `max_age`, and the ledger cannot prove that it was never delivered.
    Unproven,
    /// The app refuses connections or breaks off.
    UpstreamDown,
    /// The app does not answer in time.
    UpstreamTimeout,
}

/// An access token for one client.
#[derive(Clone, PartialEq, Eq)]
pub struct Grant {
    /// The client's id.
    pub client: Arc<str>,
    /// The token.
    pub token: Box<str>,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Grant({}, ..)", self.client)
    }
}

/// A part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The request line and the headers.
    Head,
    /// Everything after them.
    Body,
}

/// What a delivered notification was answered, for the gateway's next copy of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The status, always 2xx.
    pub status: u16,
    /// `Content-Type`, where there was one.
    pub content_type: Option<Box<str>>,
    /// The body; empty where it was larger than [`Stored::LARGEST`].
    pub body: Box<[u8]>,
}

impl Stored {
    /// The largest body that is kept, in bytes.
    pub const LARGEST: usize = 8 * 1024;
}

impl Rejection {
    /// The word for it; `None` where nothing was refused.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        Some(match self {
            Self::BadProof => Reason::BadProof,
            Self::BadToken => Reason::BadToken,
            Self::Conflict => Reason::Conflict,
            Self::Draining => Reason::Draining,
            Self::Duplicate | Self::Repeat(_) => Reason::Duplicate,
            Self::Forbidden => Reason::Forbidden,
            Self::Future => Reason::Future,
            Self::InFlight { .. } => Reason::InFlight,
            Self::Internal => Reason::Internal,
            Self::Expectation | Self::Malformed(_) => Reason::Malformed,
            Self::Method(_) => Reason::Method,
            Self::MissingProof => Reason::MissingProof,
            Self::NoRoute => Reason::NoRoute,
            Self::Granted(_) | Self::Test => return None,
            Self::Crowded | Self::Saturated => Reason::Saturated,
            Self::Stale => Reason::Stale,
            Self::StoreDown => Reason::StoreDown,
            Self::Timeout => Reason::Timeout,
            Self::TooLarge(_) => Reason::TooLarge,
            Self::UnknownClient => Reason::UnknownClient,
            Self::Unproven => Reason::Unproven,
            Self::UpstreamDown => Reason::UpstreamDown,
            Self::UpstreamTimeout => Reason::UpstreamTimeout,
        })
    }
}

impl fmt::Display for Rejection {
    /// The log's sentence. It holds nothing that the sender wrote.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadProof => "the proof does not hold",
            Self::BadToken => {
                "the access token has ended, or is not one that this gateway's token route gave this client"
            }
            Self::Conflict => "the identity is known with other content",
            Self::Crowded => "all of limits.connections are busy, or too many bodies above limits.body come at a time",
            Self::Draining => "shutting down",
            Self::Duplicate => "delivered before",
            Self::Expectation => "an expectation other than 100-continue",
            Self::Forbidden => "the address is not in allow_from",
            Self::Granted(_) => "an access token, given without the app",
            Self::Future => "signed further ahead than max_skew: compare the clocks",
            Self::InFlight { .. } => "its first copy is still at the app",
            Self::Internal => "a fault of our own",
            Self::Malformed(what) => what,
            Self::Method(_) => "the method is not allowed on this route",
            Self::MissingProof => {
                "the proof, or something else that the scheme demands, is missing"
            }
            Self::NoRoute => "no route has this path",
            Self::Repeat(_) => "delivered before, the stored answer is given again",
            Self::Saturated => "the ledger is full: raise replay.capacity, or the maxmemory of its store",
            Self::Stale => "signed longer ago than max_age and late allow",
            Self::StoreDown => "the ledger's store does not answer, or did not until now: see kawal_store_up and the log",
            Self::Test => "a test event, acknowledged without the app",
            Self::Timeout => "the request did not arrive in time",
            Self::TooLarge(Part::Head) => "the head is larger than limits.head",
            Self::TooLarge(Part::Body) => "the body is larger than limits.body",
            Self::UnknownClient => "no client of this gateway has this id",
            Self::Unproven => {
                "older than max_age, and signed before the ledger's memory begins: \
                 it may have been delivered before the last start, or before the store lost its data"
            }
            Self::UpstreamDown => "the app refuses connections or broke off",
            Self::UpstreamTimeout => "the app did not answer in time",
        })
    }
}
