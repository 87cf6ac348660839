//! What a proof should have been, and whether a slip would explain it. For `kawal verify` only: to whoever
//! sends requests, this would be an oracle.

use super::place::Scope;
use super::proof::{Algorithm, Encoding, Hash};
use super::template::{Reading, Template, hex};
use super::{Place, Scheme, json};
use crate::intake::Received;
use crate::secret::{Client, Secret};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
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

type Change<'a> = &'a dyn Fn(Vec<u8>) -> Vec<u8>;
type Decode<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

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

    /// Whether a key made the proof of any of the messages, whatever stands beside them.
    #[must_use]
    pub fn holds(&self, trial: Trial<'_>) -> bool {
        self.holds_for(trial, &|message| message)
    }

    /// The same for messages that were changed before they were signed.
    #[must_use]
    pub fn holds_for(&self, trial: Trial<'_>, change: Change<'_>) -> bool {
        self.holds_as(trial, self.algorithm, &|text| self.decode(text), change)
    }

    /// The other hash with which the proof holds.
    #[must_use]
    pub fn other_hash(&self, trial: Trial<'_>) -> Option<&'static str> {
        let all = [
            ("MD5", Hash::Md5),
            ("SHA-1", Hash::Sha1),
            ("SHA-256", Hash::Sha256),
            ("SHA-512", Hash::Sha512),
        ];
        let mut others = all.into_iter().filter(|(_, hash)| {
            let other = match self.algorithm {
                Algorithm::Hmac(_) => Algorithm::Hmac(*hash),
                Algorithm::Digest(_) => Algorithm::Digest(*hash),
                Algorithm::RsaSha256 | Algorithm::Ed25519 | Algorithm::Static => return false,
            };
            other != self.algorithm
                && self.holds_as(trial, other, &|text| self.decode(text), &|message| message)
        });
        others.next().map(|(name, _)| name)
    }

    /// The other way to write its bytes in which the proof holds.
    #[must_use]
    pub fn other_encoding(&self, trial: Trial<'_>) -> Option<&'static str> {
        let standard = |text: &str| STANDARD.decode(text).ok();
        let ways: [(&'static str, Decode<'_>); 7] = [
            ("lower-case hex", &|text| Encoding::Hex.decode(text)),
            ("upper-case hex", &|text| Encoding::UpperHex.decode(text)),
            ("base64", &standard),
            ("base64 without padding", &|text| {
                STANDARD_NO_PAD.decode(text).ok()
            }),
            ("base64url without padding", &|text| {
                URL_SAFE_NO_PAD.decode(text).ok()
            }),
            ("base64url with padding", &|text| URL_SAFE.decode(text).ok()),
            ("base64 of hex", &|text| {
                let hex = String::from_utf8(standard(text)?).ok()?;
                Encoding::Hex.decode(&hex.to_ascii_lowercase())
            }),
        ];
        let bare = |text: &str| text.trim().to_owned();
        let mut ways = ways.into_iter().filter(|(_, decode)| {
            self.holds_as(
                trial,
                self.algorithm,
                &|text| decode(&bare(text)),
                &|message| message,
            )
        });
        ways.next().map(|(name, _)| name)
    }

    /// What is wrong with the literal text before the proof, if the proof holds without that fault.
    #[must_use]
    pub fn other_prefix(&self, trial: Trial<'_>) -> Option<String> {
        let prefix = &*self.prefix;
        let given = self.given(trial.received)?;
        if prefix.is_empty() {
            return None;
        }
        if let Some(mark) = &self.separator {
            let mut pieces = given.split(&**mark).map(|piece| piece.trim_matches(' '));
            let decode = |piece: &str| self.decode(piece);
            let holds = pieces.any(|piece| self.holds_as_given(trial, &|_| decode(piece)));
            return holds.then(|| format!("every proof in the list has to begin with `{prefix}`"));
        }
        let proof = |text: &str| self.decode(text);
        let holds = |text: &str| {
            let decode = |_: &str| proof(text);
            self.holds_as_given(trial, &decode)
        };
        let in_other_case = given
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix) && start != prefix);
        if in_other_case && holds(given.get(prefix.len()..)?) {
            return Some(format!(
                "the proof has to begin with `{prefix}`, in that letter case"
            ));
        }
        let rest = given.strip_prefix(prefix);
        match rest {
            None if holds(&given) => Some(format!("the proof has to begin with `{prefix}`")),
            Some(rest) => {
                let rest = rest.strip_prefix(prefix)?;
                holds(rest).then(|| format!("`{prefix}` stands twice before the proof"))
            }
            None => None,
        }
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

    /// The request as a whole, or every item of its batch.
    fn scopes<'a>(&self, received: &'a Received) -> Vec<Scope<'a>> {
        let Some(pointer) = &self.each else {
            return vec![Scope::whole(received)];
        };
        let items = json::items(received.body(), pointer).ok().flatten();
        let scope = |item| Scope {
            received,
            item: Some(item),
        };
        items.unwrap_or_default().into_iter().map(scope).collect()
    }

    fn decode(&self, text: &str) -> Option<Vec<u8>> {
        self.encoding.decode(text)
    }

    fn holds_as(
        &self,
        trial: Trial<'_>,
        algorithm: Algorithm,
        decode: Decode<'_>,
        change: Change<'_>,
    ) -> bool {
        let scopes = self.scopes(trial.received);
        !scopes.is_empty()
            && scopes.into_iter().all(|scope| {
                let Some(given) = self.at.read(scope).ok().flatten() else {
                    return false;
                };
                if algorithm == Algorithm::Static {
                    let secrets = trial.clients.iter().flat_map(|client| &client.secrets);
                    let mut texts = self.texts(&given);
                    return texts.next().is_some_and(|text| {
                        secrets
                            .into_iter()
                            .any(|secret| Algorithm::is_secret(text, secret.bytes()))
                    });
                }
                let proofs: Vec<Vec<u8>> = self.texts(&given).filter_map(decode).collect();
                self.is_among(&proofs, scope, trial, algorithm, change)
            })
    }

    /// The same where the whole of what is given stands for the proof.
    fn holds_as_given(&self, trial: Trial<'_>, decode: Decode<'_>) -> bool {
        let mut scopes = self.scopes(trial.received).into_iter();
        scopes.all(|scope| {
            let proof = decode("").into_iter().collect::<Vec<_>>();
            self.is_among(&proof, scope, trial, self.algorithm, &|message| message)
        })
    }

    fn is_among(
        &self,
        proofs: &[Vec<u8>],
        scope: Scope<'_>,
        trial: Trial<'_>,
        algorithm: Algorithm,
        change: Change<'_>,
    ) -> bool {
        if proofs.is_empty() {
            return false;
        }
        trial.clients.iter().any(|client| {
            self.messages.iter().any(|message| {
                let changed = |secret: &[u8]| {
                    let filled = message.fill(reading(scope, trial, client, secret));
                    filled.ok().map(change)
                };
                let by_secret = |secret: &Secret| {
                    let made = changed(secret.bytes()).and_then(|m| made(algorithm, secret, &m));
                    made.is_some_and(|made| proofs.contains(&made))
                };
                let signed = changed(b"");
                let by_key_pair = client.public_keys.iter().any(|key| {
                    let signed = signed.as_deref().unwrap_or_default();
                    proofs.iter().any(|proof| key.has_signed(signed, proof))
                });
                match algorithm {
                    Algorithm::RsaSha256 | Algorithm::Ed25519 => signed.is_some() && by_key_pair,
                    Algorithm::Hmac(_) | Algorithm::Digest(_) | Algorithm::Static => {
                        client.secrets.iter().any(by_secret)
                    }
                }
            })
        })
    }
}

fn made(algorithm: Algorithm, secret: &Secret, message: &[u8]) -> Option<Vec<u8>> {
    if algorithm == Algorithm::Hmac(Hash::Sha1) {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.bytes());
        return Some(hmac::sign(&key, message).as_ref().to_vec());
    }
    algorithm.prove(secret, message)
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

/// Bytes as text: backslashes, what is not UTF-8, and characters that a terminal would obey or not show are
/// written out.
#[must_use]
pub fn visible(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' | '"' => shown.push(c),
                // Also what would turn the text around, or show nothing.
                c => shown.extend(c.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{}", hex(&[*byte])));
        }
    }
    shown
}
