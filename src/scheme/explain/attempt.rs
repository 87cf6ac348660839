//! Whether a slip would explain a proof that does not hold.

use super::{Trial, reading};
use crate::scheme::Scheme;
use crate::scheme::place::Scope;
use crate::scheme::proof::{Algorithm, Encoding, Hash};
use crate::secret::Secret;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

type Change<'a> = &'a dyn Fn(Vec<u8>) -> Vec<u8>;
type Decode<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

impl Scheme {
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
            let holds = pieces.any(|piece| self.is_proof(trial, piece));
            return holds.then(|| format!("every proof in the list has to begin with `{prefix}`"));
        }
        let holds = |text: &str| self.is_proof(trial, text);
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

    /// Whether this text, without anything before it, is the proof.
    fn is_proof(&self, trial: Trial<'_>, text: &str) -> bool {
        let proof: Vec<Vec<u8>> = self.decode(text).into_iter().collect();
        let mut scopes = self.scopes(trial.received).into_iter();
        scopes.all(|scope| self.is_among(&proof, scope, trial, self.algorithm, &|message| message))
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
