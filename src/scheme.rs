//! How a gateway proves its notifications, and the only maker of [`Authentic`].

mod compile;
mod declaration;
mod json;
mod place;
mod preset;
mod proof;
mod signed;
mod template;
mod time;

pub use compile::SchemeFault;
pub use declaration::{Acknowledgement, AnswerForm, Declaration, Freshness, ProofKind};
pub use place::{Place, bearer_token};
pub use preset::Preset;
pub use signed::{Coverage, Identity, Signed};

use crate::intake::Received;
use crate::rejection::Rejection;
use crate::secret::{Client, KeyKind, KeyRing};
use jiff::Timestamp;
use proof::{Algorithm, Encoding};
use regex::Regex;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use template::{Reading, Template};
use time::TimeFormat;

/// A compiled scheme.
#[derive(Debug)]
pub struct Scheme {
    name: Box<str>,
    title: Box<str>,
    algorithm: Algorithm,
    at: Place,
    prefix: Box<str>,
    encoding: Encoding,
    messages: Vec<Template>,
    client: Option<ClientRule>,
    time: Option<(Place, TimeFormat)>,
    identity: Option<Template>,
    shapes: Vec<(Place, Regex)>,
    reference: Option<Place>,
    answers: AnswerForm,
    test: Option<(Place, Regex)>,
    covers: Arc<Coverage>,
    /// Whether white space outside JSON strings may be left out of what the proof covers.
    minifies: bool,
    freshness: Option<Freshness>,
    remember: Duration,
    acknowledgement: Acknowledgement,
}

#[derive(Debug)]
struct ClientRule {
    at: Place,
    optional: bool,
    /// Whether the proof covers it.
    covered: bool,
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
    /// Checks the proof of a notification sent to `gateway`. `public_path` stands in for the path
    /// where an ingress rewrites it; where it has a query, the notification must have the same.
    ///
    /// # Errors
    /// [`Rejection::MissingProof`], [`Rejection::UnknownClient`], [`Rejection::BadProof`], and
    /// [`Rejection::Malformed`] where parameters have no single reading.
    pub fn authenticate(
        &self,
        received: Received,
        gateway: &str,
        ring: &KeyRing,
        public_path: Option<&str>,
    ) -> Result<Authentic, Rejection> {
        let given = self.at.read(&received)?.ok_or(Rejection::MissingProof)?;
        let found = self.find_clients(&received, ring)?;
        let candidates = found.unwrap_or(std::slice::from_ref(ring.decoy()));
        let matched = self.verify(&received, &given, candidates, public_path)?;
        // Looked at only now, so that an unknown client costs what a known one costs.
        let client = match (found, matched) {
            (None, _) => return Err(Rejection::UnknownClient),
            (Some(_), None) => return Err(Rejection::BadProof),
            (Some(_), Some(client)) => client,
        };
        let signed = Signed {
            client: client.id.clone(),
            at: self.signed_at(&received)?,
            identity: self.identify(&received, gateway, self.proven(ring, client), public_path)?,
            minified: self.minifies,
            covers: Arc::clone(&self.covers),
            secret_header: self.secret_header(),
            test: self.is_test(&received),
        };
        drop(given);
        Ok(Authentic { received, signed })
    }

    /// The clients whose secrets may have made the proof, `None` where the id is unknown.
    fn find_clients<'k>(
        &self,
        received: &Received,
        ring: &'k KeyRing,
    ) -> Result<Option<&'k [Client]>, Rejection> {
        let Some(rule) = &self.client else {
            return Ok(Some(ring.clients()));
        };
        let id = rule.at.read(received)?.ok_or(Rejection::MissingProof)?;
        Ok(ring.find(&id).map(std::slice::from_ref))
    }

    /// The first client one of whose keys made the proof. Every key of every client is tried, so
    /// that the time taken does not tell which one matched.
    fn verify<'k>(
        &self,
        received: &Received,
        given: &str,
        clients: &'k [Client],
        public_path: Option<&str>,
    ) -> Result<Option<&'k Client>, Rejection> {
        for (place, shape) in &self.shapes {
            let value = place.read(received)?.ok_or(Rejection::MissingProof)?;
            if !shape.is_match(&value) {
                return Err(Rejection::BadProof);
            }
        }
        let text = given
            .strip_prefix(&*self.prefix)
            .ok_or(Rejection::BadProof)?;
        let mut matched = None;
        if self.algorithm == Algorithm::Static {
            for client in clients {
                for secret in &client.secrets {
                    if Algorithm::is_secret(text, secret.bytes()) {
                        matched = matched.or(Some(client));
                    }
                }
            }
            return Ok(matched);
        }
        let proof = self.encoding.decode(text).ok_or(Rejection::BadProof)?;
        let query = received.head().query();
        let pinned = public_path.and_then(|path| path.split_once('?'));
        let is_pinned = pinned.is_some_and(|(_, pinned)| Some(pinned) == query);
        if pinned.is_some() && !is_pinned {
            return Err(Rejection::BadProof);
        }
        let covers_query =
            |message: &&Template| query.is_none() || is_pinned || !message.leaves_out_query();
        let messages: Vec<&Template> = self.messages.iter().filter(covers_query).collect();
        for client in clients {
            let reading = Reading {
                received,
                public_path,
                client: client.id.as_deref().unwrap_or_default(),
                secret: b"",
            };
            let algorithm = self.algorithm;
            if algorithm.is_made_by(client, &messages, reading, &proof)? {
                matched = matched.or(Some(client));
            }
        }
        Ok(matched)
    }

    fn signed_at(&self, received: &Received) -> Result<Option<Timestamp>, Rejection> {
        let Some((place, format)) = &self.time else {
            return Ok(None);
        };
        let text = place.read(received)?.ok_or(Rejection::MissingProof)?;
        format.parse(&text).ok_or(Rejection::BadProof).map(Some)
    }

    /// The id of the client as far as it is proven: where the proof leaves it open, whoever replays could
    /// name another client that has the same key.
    fn proven<'k>(&self, ring: &'k KeyRing, client: &'k Client) -> Option<&'k str> {
        let proven = match self.proves_client() {
            true => Some(client),
            false => ring.proven(client, self.key_kind()),
        };
        proven?.id.as_deref()
    }

    fn identify(
        &self,
        received: &Received,
        gateway: &str,
        client: Option<&str>,
        public_path: Option<&str>,
    ) -> Result<Identity, Rejection> {
        let Some(template) = &self.identity else {
            return Ok(Identity::Content);
        };
        let id = client.unwrap_or_default();
        let mut hash = Sha256::new();
        // Lengths keep one field from running into the next.
        for field in ["kawal identity 1", gateway, id] {
            hash.update(field.len().to_be_bytes());
            hash.update(field);
        }
        let reading = Reading {
            received,
            public_path,
            client: id,
            secret: b"",
        };
        template.feed(reading, &mut |piece| hash.update(piece))?;
        Ok(Identity::Values(hash.finalize().into()))
    }

    /// What cannot be read in one way is no test: the app shall see it.
    fn is_test(&self, received: &Received) -> bool {
        let Some((place, shape)) = &self.test else {
            return false;
        };
        let event = place.read(received).ok().flatten();
        event.is_some_and(|event| shape.is_match(&event))
    }

    /// What people trace a notification by, where it has the shape to be logged. Not believed.
    #[must_use]
    pub fn reference(&self, received: &Received) -> Option<Box<str>> {
        let place = self.reference.as_ref()?;
        let value = place.read(received).ok().flatten()?;
        let mut shapes = self.shapes.iter().filter(|(shaped, _)| shaped == place);
        shapes
            .all(|(_, shape)| shape.is_match(&value))
            .then(|| value.as_ref().into())
    }

    fn secret_header(&self) -> Option<Box<str>> {
        match (self.algorithm, &self.at) {
            (Algorithm::Static, Place::Header(name)) => Some(name.clone()),
            _ => None,
        }
    }

    /// The text of a proof for a notification that bears none yet, as the gateway would write it.
    ///
    /// # Errors
    /// As [`Self::authenticate`], where a covered value is missing; [`Rejection::Internal`] where only
    /// the gateway can sign.
    pub fn prove(
        &self,
        received: &Received,
        client: &Client,
        public_path: Option<&str>,
    ) -> Result<String, Rejection> {
        let secret = client.secrets.first().ok_or(Rejection::Internal)?;
        let text = match self.messages.first() {
            None => String::from_utf8_lossy(secret.bytes()).into_owned(),
            Some(message) => {
                let message = message.fill(Reading {
                    received,
                    public_path,
                    client: client.id.as_deref().unwrap_or_default(),
                    secret: secret.bytes(),
                })?;
                let proof = self.algorithm.prove(secret, &message);
                self.encoding.encode(&proof.ok_or(Rejection::Internal)?)
            }
        };
        Ok(format!("{}{text}", self.prefix))
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

    /// What it is called, for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
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

    /// What it verifies with.
    #[must_use]
    pub fn key_kind(&self) -> KeyKind {
        match self.algorithm {
            Algorithm::RsaSha256 => KeyKind::PublicKey,
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

    /// Whether the proof tells which client is meant. A digest joins its values without a border, so
    /// that the end of an id may be the beginning of its neighbour.
    #[must_use]
    pub fn proves_client(&self) -> bool {
        let is_covered = self.client.as_ref().is_some_and(|rule| rule.covered);
        is_covered && !matches!(self.algorithm, Algorithm::Digest(_))
    }

    /// Whether the path is part of what is proven.
    #[must_use]
    pub fn covers_path(&self) -> bool {
        use template::Source;
        let signs_path = |message: &Template| {
            message
                .sources()
                .iter()
                .any(|s| matches!(s, Source::Path | Source::Target))
        };
        !self.messages.is_empty() && self.messages.iter().all(signs_path)
    }

    /// Whether the secret is hashed with what it signs by a hash that is broken for this.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.algorithm == Algorithm::Digest(proof::Hash::Sha1)
    }
}

#[cfg(test)]
mod tests;
