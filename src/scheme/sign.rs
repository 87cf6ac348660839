//! Signs a notification as the gateway would, with the key that both sides know.

mod draft;

pub use draft::{Draft, Unsigned};

use super::place::{Place, Scope};
use super::template::{Reading, Source, Template};
use super::{Scheme, json};
use crate::intake::Received;
use crate::rejection::Rejection;
use crate::secret::{Client, Secret};
use jiff::Timestamp;
use zeroize::Zeroizing;

/// Who signs, when, and which notification.
#[derive(Clone, Copy, Debug)]
pub struct Signing<'a> {
    /// The client with its keys, newest first.
    pub client: &'a Client,
    /// The signed time.
    pub at: Timestamp,
    /// Stands in every header that the scheme wants and the draft lacks.
    pub id: &'a str,
    /// The access token, where the scheme wants one.
    pub token: &'a str,
    /// The path as registered at the gateway, where an ingress rewrites it.
    pub public_path: Option<&'a str>,
}

/// Makes the bytes of a proof from a message; `None` where it cannot.
pub type Maker<'a> = &'a dyn Fn(&[u8]) -> Option<Vec<u8>>;

impl Scheme {
    /// The draft with everything that the scheme signs, and its proof, made with the client's first
    /// secret.
    ///
    /// # Errors
    /// [`Unsigned`].
    pub fn sign(&self, draft: Draft, signing: Signing<'_>) -> Result<Draft, Unsigned> {
        let secret = signing.client.secrets.first();
        let secret = secret.ok_or(Unsigned::GatewayOnly)?;
        let make = |message: &[u8]| self.algorithm.prove(secret, message);
        self.sign_with(draft, signing, &make)
    }

    /// The same with a key that `make` has: from a message to the bytes of its proof.
    ///
    /// # Errors
    /// [`Unsigned`].
    pub fn sign_with(
        &self,
        mut draft: Draft,
        signing: Signing<'_>,
        make: Maker<'_>,
    ) -> Result<Draft, Unsigned> {
        for place in self.wanted() {
            self.supply(&mut draft, &place, signing)?;
        }
        let message = self.messages.first();
        if message.is_some_and(|message| message.sources().contains(&&Source::Token)) {
            draft.set_header("Authorization", format!("Bearer {}", signing.token));
        }
        let received = draft.received()?;
        let Some(pointer) = &self.each else {
            let scope = Scope::whole(&received);
            let proof = self.proof_text(scope, signing.client, signing.public_path, make);
            let proof = proof.map_err(lacks)?.ok_or(Unsigned::GatewayOnly)?;
            return self.put(draft, &proof);
        };
        let items = json::items(received.body(), pointer).ok().flatten();
        let mut body = draft.body.clone();
        for (index, item) in items.unwrap_or_default().iter().enumerate() {
            let scope = Scope {
                received: &received,
                item: Some(item),
            };
            let proof = self.proof_text(scope, signing.client, signing.public_path, make);
            let proof = proof.map_err(lacks)?.ok_or(Unsigned::GatewayOnly)?;
            let Place::Item(inside) = &self.at else {
                return self.put(draft, &proof);
            };
            let now = json::items(body.as_bytes(), pointer).ok().flatten();
            let signed = now.as_ref().and_then(|items| {
                let item = items.get(index)?;
                json::replace(&body, item, &json::put(item, inside, &proof)?)
            });
            body = signed.ok_or_else(|| self.no_room())?;
        }
        draft.body = body;
        Ok(draft)
    }

    /// The text of a proof for a notification that bears none yet, as the gateway would write it;
    /// `None` where only the gateway can sign.
    ///
    /// # Errors
    /// As [`Self::authenticate`], where a covered value is missing.
    pub fn prove(
        &self,
        received: &Received,
        client: &Client,
        public_path: Option<&str>,
    ) -> Result<Option<String>, Rejection> {
        let Some(secret) = client.secrets.first() else {
            return Ok(None);
        };
        let make = |message: &[u8]| self.algorithm.prove(secret, message);
        self.proof_text(Scope::whole(received), client, public_path, &make)
    }

    fn proof_text(
        &self,
        scope: Scope<'_>,
        client: &Client,
        public_path: Option<&str>,
        make: Maker<'_>,
    ) -> Result<Option<String>, Rejection> {
        let secret = client.secrets.first();
        let secret = secret.map(Secret::bytes).unwrap_or_default();
        let text = match self.messages.first() {
            None => Some(String::from_utf8_lossy(secret).into_owned()),
            Some(message) => {
                let message = Zeroizing::new(message.fill(Reading {
                    scope,
                    public_path,
                    client: client.id.as_deref().unwrap_or_default(),
                    secret,
                })?);
                make(&message).map(|proof| self.encoding.encode(&proof))
            }
        };
        Ok(text.map(|text| format!("{}{text}", self.prefix)))
    }

    /// The places that have to hold something, but for the proof itself.
    fn wanted(&self) -> Vec<Place> {
        let mut wanted: Vec<Place> = Vec::new();
        let client = self.client.as_ref().and_then(|rule| rule.at.as_ref());
        let time = self.time.as_ref().map(|(place, _)| place);
        let message = self.messages.first();
        let signed = message.into_iter().chain(&self.identity);
        let in_message = signed.flat_map(Template::sources).filter_map(Source::place);
        let shaped = self.shapes.iter().map(|shape| &shape.at);
        let lacking = |place: &&Place| !message.is_some_and(|message| message.may_lack(place));
        let all = client
            .into_iter()
            .chain(time)
            .chain(in_message)
            .chain(shaped);
        for place in all.filter(lacking).filter(|place| **place != self.at) {
            if !wanted.contains(place) {
                wanted.push(place.clone());
            }
        }
        wanted
    }

    /// Gives the draft a value for a place, where it has none.
    fn supply(
        &self,
        draft: &mut Draft,
        place: &Place,
        signing: Signing<'_>,
    ) -> Result<(), Unsigned> {
        // Items are the body's, which is given.
        if place.is_item() {
            return Ok(());
        }
        let received = draft.received()?;
        let there = place.read(Scope::whole(&received)).map_err(lacks)?;
        if there.is_some() {
            return Ok(());
        }
        let is_client = |rule: &super::ClientRule| rule.at.as_ref() == Some(place);
        let value = match &self.time {
            Some((at, format)) if at == place => format.print(signing.at),
            _ if self.client.as_ref().is_some_and(is_client) => signing
                .client
                .id
                .as_deref()
                .unwrap_or(signing.id)
                .to_owned(),
            _ => signing.id.to_owned(),
        };
        let mut shapes = self.shapes.iter();
        if let Some(shape) =
            shapes.find(|shape| shape.at == *place && !shape.pattern.is_match(&value))
        {
            return Err(Unsigned::Lacks(format!(
                "nothing is known that could stand at {place}, which has to match {}",
                shape.pattern
            )));
        }
        match place {
            Place::Header(name) => draft.set_header(name, value),
            Place::Entry(name, key) => {
                let list = draft.header(name).map(|list| format!("{list},"));
                let list = list.unwrap_or_default();
                draft.set_header(name, format!("{list}{key}={value}"));
            }
            Place::Query(name) => draft.add_parameter(false, name, &value),
            Place::Form(name) => draft.add_parameter(true, name, &value),
            Place::Param(name) => draft.add_parameter(draft.is_form(), name, &value),
            Place::Json(_) | Place::Item(_) => {
                return Err(Unsigned::Lacks(format!(
                    "the body has nothing at {place}, which scheme {} signs",
                    self.name
                )));
            }
        }
        Ok(())
    }

    fn put(&self, mut draft: Draft, proof: &str) -> Result<Draft, Unsigned> {
        match &self.at {
            Place::Header(name) => {
                let before = draft.header(name).zip(self.separator.as_deref());
                let before = before.map(|(list, mark)| format!("{list}{mark}"));
                draft.set_header(name, format!("{}{proof}", before.unwrap_or_default()));
            }
            Place::Entry(name, key) => {
                let list = draft.header(name).map(|list| format!("{list},"));
                let list = list.unwrap_or_default();
                draft.set_header(name, format!("{list}{key}={proof}"));
            }
            Place::Query(name) => draft.add_parameter(false, name, proof),
            Place::Form(name) => draft.add_parameter(true, name, proof),
            Place::Param(name) => draft.add_parameter(draft.is_form(), name, proof),
            Place::Json(pointer) => {
                let signed = json::put(&draft.body, pointer, proof);
                draft.body = signed.ok_or_else(|| self.no_room())?;
            }
            Place::Item(_) => return Err(self.no_room()),
        }
        Ok(draft)
    }

    fn no_room(&self) -> Unsigned {
        let (name, at) = (&self.name, &self.at);
        Unsigned::Lacks(format!(
            "the body has no room for the proof of scheme {name} at {at}"
        ))
    }
}

fn lacks(why: Rejection) -> Unsigned {
    Unsigned::Lacks(format!("the notification cannot be signed: {why}"))
}
