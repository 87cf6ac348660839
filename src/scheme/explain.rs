//! What a proof should have been, and whether a slip would explain it. For `kawal verify` only: to whoever
//! sends requests, this would be an oracle.

mod attempt;

use super::place::Scope;
use super::proof::Algorithm;
use super::template::{Reading, Template};
use super::verify::MOST_ITEMS;
use super::{Place, Scheme, json};
use crate::intake::Received;
use crate::secret::Client;
use std::sync::Arc;

/// A request, and the keys that may have made its proof.
#[derive(Clone, Copy, Debug)]
pub struct Trial<'a> {
    /// The request.
    pub received: &'a Received,
    /// The clients whose keys are tried.
    pub clients: &'a [Client],
    /// The path as registered at the gateway.
    pub public_path: Option<&'a str>,
}

/// What a key would have made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// The client whose key it is.
    pub client: Option<Arc<str>>,
    /// The signed string, control characters made visible, the secret left out.
    pub message: String,
    /// The text of the proof, without the literal text before it; `None` where only the gateway can make it.
    pub proof: Option<String>,
}

impl Scheme {
    /// Where its proof stands.
    #[must_use]
    pub fn proof_place(&self) -> &Place {
        &self.at
    }

    /// Where the signed time stands.
    #[must_use]
    pub fn time_place(&self) -> Option<&Place> {
        self.time.as_ref().map(|(place, _)| place)
    }

    /// The proof that a request bears; of a batch, that of its first item.
    #[must_use]
    pub fn given(&self, received: &Received) -> Option<String> {
        let scope = *self.scopes(received).first()?;
        let given = self.at.read(scope).ok().flatten()?;
        Some(given.into_owned())
    }

    /// The same without the literal text before it; of a list, what may be proofs of this scheme.
    #[must_use]
    pub fn given_bare(&self, received: &Received) -> Option<String> {
        let given = self.given(received)?;
        let texts: Vec<&str> = self.texts(&given).collect();
        match texts.is_empty() {
            true => Some(given),
            false => Some(texts.join(" ")),
        }
    }

    /// Whether the proof is the key itself.
    #[must_use]
    pub fn is_static(&self) -> bool {
        self.algorithm == Algorithm::Static
    }

    /// The id of the client that a request names.
    #[must_use]
    pub fn named_client(&self, received: &Received) -> Option<String> {
        let place = self.client.as_ref()?.at.as_ref()?;
        let id = place.read(Scope::whole(received)).ok().flatten()?;
        Some(id.into_owned())
    }

    /// The first place whose value has not the shape that the scheme demands.
    #[must_use]
    pub fn misshapen(&self, received: &Received) -> Option<&Place> {
        let scopes = self.scopes(received);
        let wrong = |place: &Place, is_match: &dyn Fn(&str) -> bool| {
            scopes.iter().any(|scope| {
                let value = place.read(*scope).ok().flatten();
                value.is_some_and(|value| !is_match(&value))
            })
        };
        let mut shapes = self.shapes.iter();
        let shape = shapes.find(|shape| wrong(&shape.at, &|value| shape.pattern.is_match(value)));
        shape.map(|shape| &shape.at)
    }

    /// What each client's newest key would have made, for every message that the scheme knows.
    #[must_use]
    pub fn expectations(&self, trial: Trial<'_>) -> Vec<Expectation> {
        let mut expected: Vec<Expectation> = Vec::new();
        for scope in self.scopes(trial.received) {
            for client in trial.clients {
                for message in &self.messages {
                    let reading = reading(scope, trial, client, b"");
                    let Ok(shown) = message.show(reading) else {
                        continue;
                    };
                    let new = Expectation {
                        client: client.id.clone(),
                        message: shown,
                        proof: self.expected(message, scope, trial, client),
                    };
                    if !expected.contains(&new) {
                        expected.push(new);
                    }
                }
            }
        }
        expected
    }

    fn expected(
        &self,
        message: &Template,
        scope: Scope<'_>,
        trial: Trial<'_>,
        client: &Client,
    ) -> Option<String> {
        let secret = client.secrets.first()?;
        let filled = message
            .fill(reading(scope, trial, client, secret.bytes()))
            .ok()?;
        let proof = self.algorithm.prove(secret, &filled)?;
        Some(self.encoding.encode(&proof))
    }

    /// The request as a whole, or the items of its batch, of which no more than may pass are looked at.
    fn scopes<'a>(&self, received: &'a Received) -> Vec<Scope<'a>> {
        let Some(pointer) = &self.each else {
            return vec![Scope::whole(received)];
        };
        let items = json::items(received.body(), pointer).ok().flatten();
        let scope = |item| Scope {
            received,
            item: Some(item),
        };
        let items = items.unwrap_or_default().into_iter();
        items.take(MOST_ITEMS).map(scope).collect()
    }
}

fn reading<'a>(
    scope: Scope<'a>,
    trial: Trial<'a>,
    client: &'a Client,
    secret: &'a [u8],
) -> Reading<'a> {
    Reading {
        scope,
        public_path: trial.public_path,
        client: client.id.as_deref().unwrap_or_default(),
        secret,
    }
}
