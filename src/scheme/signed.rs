//! What a proof says.

use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;

/// The facts that the proof covers. Nothing later reads them from anywhere else.
#[derive(Clone, Debug)]
pub struct Signed {
    /// The configured id of the client, where it has one.
    pub client: Option<Arc<str>>,
    /// When the gateway signed, where the scheme signs a time.
    pub at: Option<Timestamp>,
    /// What makes two deliveries the same notification.
    pub identity: Identity,
    /// What the proof covers.
    pub covers: Arc<Coverage>,
    /// Whether white space outside JSON strings is not covered, so that it makes no other content.
    pub minified: bool,
    /// The header that carries the secret itself, which the app must not see.
    pub secret_header: Option<Box<str>>,
    /// Whether it is a test event of the gateway.
    pub test: bool,
    /// Whose key proves it; of a batch, the oldest that any item needs.
    pub by: ProvenBy,
}

/// A key of a ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProvenBy {
    /// The place of its client in the ring.
    pub client: usize,
    /// Its place among the keys of that client: 0 is the newest.
    pub position: usize,
}

/// What makes two deliveries the same notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// SHA-256 of gateway, client as far as it is proven, and signed values.
    Values([u8; 32]),
    /// Those of the items of a batch, in their order; no two are equal.
    Batch(Box<[[u8; 32]]>),
    /// The content itself, since the proof covers nothing that could name it.
    Content,
    /// The content, and SHA-256 of the client as far as it is proven, and of headers that the proof covers.
    ContentAnd([u8; 32]),
}

/// What a proof covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// The whole body.
    Body,
    /// These values only; everything else can be changed by whoever saw one notification.
    Fields(Vec<Box<str>>),
    /// Nothing: the sender knows the secret, and that is all.
    Nothing,
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str("body"),
            Self::Fields(fields) => write!(f, "fields:{}", fields.join(",")),
            Self::Nothing => f.write_str("nothing"),
        }
    }
}
