//! The judgement of a proof.

use super::place::Scope;
use super::proof::Algorithm;
use super::template::{Reading, Template};
use super::{Authentic, Identity, Place, ProvenBy, Scheme, Signed, json};
use crate::intake::Received;
use crate::rejection::Rejection;
use crate::secret::{Client, KeyRing};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// More proofs than this in one list are refused: each costs a comparison with every key.
const MOST_PROOFS: usize = 16;
/// More items than this in one batch are refused.
pub(super) const MOST_ITEMS: usize = 64;

impl Scheme {
    /// Checks the proof of a notification sent to `gateway`. `public_path` stands in for the path
    /// where an ingress rewrites it; where it has a query, the notification must have the same.
    ///
    /// # Errors
    /// [`Rejection::MissingProof`], [`Rejection::UnknownClient`], [`Rejection::BadProof`], and
    /// [`Rejection::Malformed`] where parameters have no single reading or a batch holds an item twice.
    pub fn authenticate(
        &self,
        received: Received,
        gateway: &str,
        ring: &KeyRing,
        public_path: Option<&str>,
    ) -> Result<Authentic, Rejection> {
        let request = Request {
            gateway,
            ring,
            public_path,
        };
        let signed = match &self.each {
            None => self.judge(Scope::whole(&received), request)?,
            Some(pointer) => self.judge_each(&received, pointer, request)?,
        };
        Ok(Authentic { received, signed })
    }

    /// Judges every item of a batch: all proofs hold, for the same client.
    fn judge_each(
        &self,
        received: &Received,
        pointer: &str,
        request: Request<'_>,
    ) -> Result<Signed, Rejection> {
        let items = json::items(received.body(), pointer)?.unwrap_or_default();
        if items.len() > MOST_ITEMS {
            return Err(Rejection::Malformed("a batch of more than 64 items"));
        }
        let mut batch: Option<Signed> = None;
        let mut identities = Vec::new();
        for item in items {
            let item = Some(item);
            let signed = self.judge(Scope { received, item }, request)?;
            if let Identity::Values(identity) = signed.identity {
                if identities.contains(&identity) {
                    return Err(Rejection::Malformed("a batch that holds an item twice"));
                }
                identities.push(identity);
            }
            let (test, by) = match &batch {
                Some(before) if before.client != signed.client => return Err(Rejection::BadProof),
                Some(before) => (before.test && signed.test, older(before.by, signed.by)),
                None => (signed.test, signed.by),
            };
            batch = Some(Signed { test, by, ..signed });
        }
        let mut signed = batch.ok_or(Rejection::MissingProof)?;
        if identities.len() > 1 {
            signed.identity = Identity::Batch(identities.into());
        }
        Ok(signed)
    }

    fn judge(&self, scope: Scope<'_>, request: Request<'_>) -> Result<Signed, Rejection> {
        let ring = request.ring;
        let given = self.at.read(scope)?.ok_or(Rejection::MissingProof)?;
        let found = self.find_clients(scope, ring)?;
        let (first, candidates) = found.unwrap_or((0, std::slice::from_ref(ring.decoy())));
        let matched = self.verify(scope, &given, candidates, request.public_path)?;
        // Looked at only now, so that an unknown client costs what a known one costs.
        let (by, client) = match (found, matched) {
            (None, _) => return Err(Rejection::UnknownClient),
            (Some(_), None) => return Err(Rejection::BadProof),
            (Some(_), Some(found)) => found,
        };
        let by = ProvenBy {
            client: first + by.client,
            ..by
        };
        Ok(Signed {
            client: client.id.clone(),
            at: self.signed_at(scope)?,
            identity: self.identify(scope, request, self.proven(ring, client), client)?,
            minified: self.minifies,
            covers: Arc::clone(&self.covers),
            secret_header: self.secret_header(),
            test: self.is_test(scope),
            by,
        })
    }

    /// The clients whose secrets may have made the proof, and the place of the first in the ring; `None`
    /// where the id is unknown.
    pub(super) fn find_clients<'k>(
        &self,
        scope: Scope<'_>,
        ring: &'k KeyRing,
    ) -> Result<Option<(usize, &'k [Client])>, Rejection> {
        let Some(place) = self.client.as_ref().and_then(|rule| rule.at.as_ref()) else {
            return Ok(Some((0, ring.clients())));
        };
        let id = place.read(scope)?.ok_or(Rejection::MissingProof)?;
        let found = ring.find(&id);
        Ok(found.map(|(at, client)| (at, std::slice::from_ref(client))))
    }

    /// The first client one of whose keys made the proof, and its place among these. Every key of every client
    /// is tried, so that the time taken does not tell which one matched.
    fn verify<'k>(
        &self,
        scope: Scope<'_>,
        given: &str,
        clients: &'k [Client],
        public_path: Option<&str>,
    ) -> Result<Option<(ProvenBy, &'k Client)>, Rejection> {
        self.check_shapes(scope)?;
        let by = |client, position| ProvenBy { client, position };
        let mut matched = None;
        if self.algorithm == Algorithm::Static {
            let mut texts = self.texts(given);
            let (Some(text), None) = (texts.next(), texts.next()) else {
                return Err(Rejection::BadProof);
            };
            for (at, client) in clients.iter().enumerate() {
                for (position, secret) in client.secrets.iter().enumerate() {
                    if Algorithm::is_secret(text, secret.bytes()) {
                        matched = matched.or(Some((by(at, position), client)));
                    }
                }
            }
            return Ok(matched);
        }
        let proofs = self.proofs(given)?;
        let messages = self.messages_for(scope, public_path)?;
        for (at, client) in clients.iter().enumerate() {
            let reading = Reading {
                scope,
                public_path,
                client: client.id.as_deref().unwrap_or_default(),
                secret: b"",
            };
            let algorithm = self.algorithm;
            if let Some(position) = algorithm.is_made_by(client, &messages, reading, &proofs)? {
                matched = matched.or(Some((by(at, position), client)));
            }
        }
        Ok(matched)
    }

    pub(super) fn check_shapes(&self, scope: Scope<'_>) -> Result<(), Rejection> {
        for shape in &self.shapes {
            match shape.at.read(scope)? {
                None if shape.may_lack => {}
                None => return Err(Rejection::MissingProof),
                Some(value) if shape.pattern.is_match(&value) => {}
                Some(_) => return Err(Rejection::BadProof),
            }
        }
        Ok(())
    }

    /// The texts of all proofs given, without their prefix.
    pub(super) fn texts<'t>(&'t self, given: &'t str) -> impl Iterator<Item = &'t str> {
        let pieces = self.separator.as_deref().map(|mark| given.split(mark));
        let whole = pieces.is_none().then_some(given);
        let pieces = pieces
            .into_iter()
            .flatten()
            .map(|piece| piece.trim_matches(' '));
        let texts = pieces.chain(whole);
        texts.filter_map(|text| text.strip_prefix(&*self.prefix))
    }

    /// What is compared with every key: a list may hold proofs of other kinds, which are passed over.
    fn proofs(&self, given: &str) -> Result<Vec<Vec<u8>>, Rejection> {
        let texts = self.texts(given);
        let proofs = texts.filter_map(|text| self.encoding.decode(text));
        let proofs: Vec<_> = proofs.take(MOST_PROOFS + 1).collect();
        match proofs.len() {
            1..=MOST_PROOFS => Ok(proofs),
            _ => Err(Rejection::BadProof),
        }
    }

    /// The messages that leave nothing open: a query beside the path is signed, pinned, or absent.
    pub(super) fn messages_for(
        &self,
        scope: Scope<'_>,
        public_path: Option<&str>,
    ) -> Result<Vec<&Template>, Rejection> {
        let query = scope.received.head().query();
        let pinned = public_path.and_then(|path| path.split_once('?'));
        let is_pinned = pinned.is_some_and(|(_, pinned)| Some(pinned) == query);
        if pinned.is_some() && !is_pinned {
            return Err(Rejection::BadProof);
        }
        let covers_query =
            |message: &&Template| query.is_none() || is_pinned || !message.leaves_out_query();
        Ok(self.messages.iter().filter(covers_query).collect())
    }

    pub(super) fn signed_at(&self, scope: Scope<'_>) -> Result<Option<Timestamp>, Rejection> {
        let Some((place, format)) = &self.time else {
            return Ok(None);
        };
        let text = place.read(scope)?.ok_or(Rejection::MissingProof)?;
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
        scope: Scope<'_>,
        request: Request<'_>,
        client: Option<&str>,
        found: &Client,
    ) -> Result<Identity, Rejection> {
        let Some(template) = &self.identity else {
            return self.beside_content(scope, client);
        };
        let id = client.unwrap_or_default();
        let mut hash = Sha256::new();
        // Lengths keep one field from running into the next.
        for field in ["kawal identity 1", request.gateway, id] {
            hash.update(field.len().to_be_bytes());
            hash.update(field);
        }
        let reading = Reading {
            scope,
            public_path: request.public_path,
            client: found.id.as_deref().unwrap_or_default(),
            secret: b"",
        };
        template.feed(reading, &mut |piece| hash.update(piece))?;
        Ok(Identity::Values(hash.finalize().into()))
    }

    fn beside_content(
        &self,
        scope: Scope<'_>,
        client: Option<&str>,
    ) -> Result<Identity, Rejection> {
        if self.beside.is_empty() && client.is_none() {
            return Ok(Identity::Content);
        }
        let id = client.unwrap_or_default();
        let mut hash = Sha256::new();
        hash.update(id.len().to_be_bytes());
        hash.update(id);
        for place in &self.beside {
            let value = place.read(scope)?.unwrap_or_default();
            hash.update(value.len().to_be_bytes());
            hash.update(value.as_bytes());
        }
        Ok(Identity::ContentAnd(hash.finalize().into()))
    }

    /// What cannot be read in one way is no test: the app shall see it.
    fn is_test(&self, scope: Scope<'_>) -> bool {
        let Some((place, shape)) = &self.test else {
            return false;
        };
        let event = place.read(scope).ok().flatten();
        event.is_some_and(|event| shape.is_match(&event))
    }

    /// The header that carries the secret itself, which the app must not see.
    #[must_use]
    pub fn secret_header(&self) -> Option<Box<str>> {
        match (self.algorithm, &self.at) {
            (Algorithm::Static, Place::Header(name) | Place::Entry(name, _)) => Some(name.clone()),
            _ => None,
        }
    }
}

fn older(one: ProvenBy, other: ProvenBy) -> ProvenBy {
    match one.position < other.position {
        true => other,
        false => one,
    }
}

/// What a request is judged for.
#[derive(Clone, Copy)]
struct Request<'a> {
    gateway: &'a str,
    ring: &'a KeyRing,
    public_path: Option<&'a str>,
}
