//! How a gateway proves its notifications, and the only maker of [`Authentic`].

mod border;
mod compile;
mod declaration;
mod explain;
mod json;
mod place;
mod preset;
mod proof;
mod sign;
mod signed;
mod template;
mod time;
mod verify;

pub use compile::SchemeFault;
pub use declaration::{Acknowledgement, AnswerForm, Confidence, Declaration, Freshness, ProofKind};
pub use explain::{Expectation, Trial};
pub use place::{Place, Scope, bearer_token};
pub use preset::Preset;
pub use sign::{Draft, Maker, Signing, Unsigned};
pub use signed::{Coverage, Identity, ProvenBy, Signed};

use crate::intake::Received;
use crate::secret::{KeyFormat, KeyKind};
use jiff::Timestamp;
use proof::{Algorithm, Encoding, Hash};
use regex::Regex;
use std::sync::Arc;
use std::time::Duration;
use template::{Source, Template};
pub use template::{hex, visible};
use time::TimeFormat;

/// A compiled scheme.
#[derive(Debug)]
pub struct Scheme {
    name: Box<str>,
    /// Of its declaration.
    digest: [u8; 32],
    title: Box<str>,
    confidence: Confidence,
    algorithm: Algorithm,
    key: KeyFormat,
    /// The list whose items bear proofs, as a pointer into the body.
    each: Option<Box<str>>,
    at: Place,
    separator: Option<Box<str>>,
    prefix: Box<str>,
    encoding: Encoding,
    messages: Vec<Template>,
    client: Option<ClientRule>,
    time: Option<(Place, TimeFormat)>,
    identity: Option<Template>,
    /// Headers that are part of an identity which is the content.
    beside: Vec<Place>,
    shapes: Vec<Shape>,
    reference: Option<Place>,
    answers: AnswerForm,
    test: Option<(Place, Regex)>,
    covers: Arc<Coverage>,
    /// Values whose borders the messages do not tell.
    joined: Vec<String>,
    /// Whether white space outside JSON strings may be left out of what the proof covers.
    minifies: bool,
    freshness: Option<Freshness>,
    remember: Duration,
    acknowledgement: Acknowledgement,
}

#[derive(Debug)]
struct ClientRule {
    /// `None` where no notification names the client.
    at: Option<Place>,
    optional: bool,
    /// Whether the proof covers it, with its borders.
    covered: bool,
}

/// What a whole value looks like.
#[derive(Debug)]
struct Shape {
    at: Place,
    pattern: Regex,
    /// Whether the messages can do without the value.
    may_lack: bool,
}

/// A notification whose proof holds.
#[derive(Debug)]
pub struct Authentic {
    received: Received,
    signed: Signed,
}

impl Authentic {
    /// What the proof says.
    #[must_use]
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    pub(crate) fn into_parts(self) -> (Received, Signed) {
        (self.received, self.signed)
    }
}

impl Scheme {
    /// What people trace a notification by, where it has the shape to be logged. Not believed.
    #[must_use]
    pub fn reference(&self, received: &Received) -> Option<Box<str>> {
        let place = self.reference.as_ref()?;
        let value = place.read(Scope::whole(received)).ok().flatten()?;
        let mut shapes = self.shapes.iter().filter(|shape| shape.at == *place);
        shapes
            .all(|shape| shape.pattern.is_match(&value))
            .then(|| value.as_ref().into())
    }

    /// Writes a time as the scheme does; `None` where it signs none.
    #[must_use]
    pub fn print_time(&self, at: Timestamp) -> Option<String> {
        self.time.as_ref().map(|(_, format)| format.print(at))
    }

    /// Its name in the configuration.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Of all that was declared of it.
    #[must_use]
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// What it is called, for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// How sure it is that the gateway signs so.
    #[must_use]
    pub fn confidence(&self) -> Confidence {
        self.confidence
    }

    /// How its keys are written in their files.
    #[must_use]
    pub fn key(&self) -> &KeyFormat {
        &self.key
    }

    /// Its algorithm, for people.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.algorithm {
            Algorithm::Hmac(Hash::Sha512) => "HMAC-SHA512",
            Algorithm::Hmac(Hash::Sha256 | Hash::Sha1 | Hash::Md5) => "HMAC-SHA256",
            Algorithm::Digest(Hash::Md5) => "MD5 with the secret",
            Algorithm::Digest(Hash::Sha1) => "SHA-1 with the secret",
            Algorithm::Digest(Hash::Sha256) => "SHA-256 with the secret",
            Algorithm::Digest(Hash::Sha512) => "SHA-512 with the secret",
            Algorithm::RsaSha256 => "RSA-SHA256",
            Algorithm::Ed25519 => "Ed25519",
            Algorithm::Static => "the key itself",
        }
    }

    /// Values that its messages join without a mark between them, each run as a list of names.
    #[must_use]
    pub fn joined(&self) -> &[String] {
        &self.joined
    }

    /// What its proof covers.
    #[must_use]
    pub fn covers(&self) -> &Coverage {
        &self.covers
    }

    /// Default limits for the signed time; `None` where no time is signed.
    #[must_use]
    pub fn freshness(&self) -> Option<Freshness> {
        self.freshness
    }

    /// Default time for which a delivered notification stays known.
    #[must_use]
    pub fn remember(&self) -> Duration {
        self.remember
    }

    /// What the gateway takes for "received".
    #[must_use]
    pub fn acknowledgement(&self) -> &Acknowledgement {
        &self.acknowledgement
    }

    /// The form of answers that are not the app's.
    #[must_use]
    pub fn answers(&self) -> AnswerForm {
        self.answers
    }

    /// Whether its public keys are Ed25519, not RSA.
    #[must_use]
    pub fn is_ed25519(&self) -> bool {
        self.algorithm == Algorithm::Ed25519
    }

    /// What it verifies with.
    #[must_use]
    pub fn key_kind(&self) -> KeyKind {
        match self.algorithm {
            Algorithm::RsaSha256 | Algorithm::Ed25519 => KeyKind::PublicKey,
            Algorithm::Hmac(_) | Algorithm::Digest(_) | Algorithm::Static => KeyKind::Secret,
        }
    }

    /// Whether a configured client must have an id; `None` where it can have none.
    #[must_use]
    pub fn needs_client_id(&self) -> Option<bool> {
        self.client.as_ref().map(|rule| !rule.optional)
    }

    /// Whether it reads parameters, so that they can be converted for the app.
    #[must_use]
    pub fn reads_parameters(&self) -> bool {
        matches!(self.at, Place::Query(_) | Place::Form(_) | Place::Param(_))
    }

    /// Whether it reads parameters that a query may hold.
    #[must_use]
    pub fn reads_query(&self) -> bool {
        matches!(self.at, Place::Query(_) | Place::Param(_))
    }

    /// Whether a header holds the proof.
    #[must_use]
    pub fn proves_in_header(&self) -> bool {
        matches!(self.at, Place::Header(_) | Place::Entry(..))
    }

    /// Whether the proof tells which client is meant. Where values are joined without a mark, the end of an
    /// id may be the beginning of its neighbour.
    #[must_use]
    pub fn proves_client(&self) -> bool {
        self.client.as_ref().is_some_and(|rule| rule.covered)
    }

    /// Whether the content stands for the identity, since the proof covers nothing that names one.
    #[must_use]
    pub fn is_known_by_content(&self) -> bool {
        self.identity.is_none()
    }

    /// Whether the path is part of what is proven.
    #[must_use]
    pub fn covers_path(&self) -> bool {
        let is_path = |source: &&Source| matches!(source, Source::Path | Source::Target);
        let signs_path = |message: &Template| message.sources().iter().any(is_path);
        !self.messages.is_empty() && self.messages.iter().all(signs_path)
    }

    /// What is weak in the way the secret is hashed with what it signs.
    #[must_use]
    pub fn weakness(&self) -> Option<&'static str> {
        match self.algorithm {
            Algorithm::Digest(Hash::Md5) => Some(
                "the gateway signs with MD5 and a joined secret: MD5 is broken, and whoever can choose what \
                 is signed can make two notifications with one proof",
            ),
            Algorithm::Digest(Hash::Sha1) => Some(
                "the gateway signs with SHA-1 and a joined secret: SHA-1 is broken, and whoever can choose \
                 what is signed can make two notifications with one proof",
            ),
            Algorithm::Digest(Hash::Sha256 | Hash::Sha512)
            | Algorithm::Hmac(_)
            | Algorithm::RsaSha256
            | Algorithm::Ed25519
            | Algorithm::Static => None,
        }
    }
}

#[cfg(test)]
mod tests;
