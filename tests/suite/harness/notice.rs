//! A notification of any of the other gateways, and the keys that they sign with.

use jiff::Timestamp;
use rsa::RsaPrivateKey;

use super::Request;
use super::gateway::number;
use super::hashes::{base64, ed25519_public, ed25519_signature, hmac_sha256, unbase64, unhex};
use super::keys::{key_text, rsa_signature};
use super::kinds::Kind;

/// What a gateway signs with.
#[derive(Clone)]
pub enum Key {
    /// Used as it is written.
    Text(String),
    /// Bytes that the merchant has as `whsec_` and base64.
    Whsec(String),
    /// Bytes that the merchant has in hex.
    Hex(String),
    Ed25519([u8; 32]),
    /// The private half, and the file with the public one.
    Rsa(&'static RsaPrivateKey, &'static str),
}

impl Key {
    /// What the merchant's file holds.
    pub fn file(&self) -> String {
        match self {
            Self::Text(text) | Self::Hex(text) => text.clone(),
            Self::Whsec(text) => format!("whsec_{text}"),
            Self::Ed25519(seed) => format!("whpk_{}", base64(&ed25519_public(seed))),
            Self::Rsa(_, file) => key_text(file),
        }
    }

    /// Where the file is listed.
    pub fn list(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Whsec(_) | Self::Hex(_) => "secrets",
            Self::Ed25519(_) | Self::Rsa(..) => "public_keys",
        }
    }

    /// The bytes of a shared key.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.as_bytes().to_vec(),
            Self::Whsec(text) => unbase64(text),
            Self::Hex(text) => unhex(text),
            Self::Ed25519(_) | Self::Rsa(..) => panic!("not shared"),
        }
    }

    /// HMAC-SHA256 or a signature, whichever this is a key of.
    pub fn sign(&self, text: &str) -> Vec<u8> {
        let text = text.as_bytes();
        match self {
            Self::Text(_) | Self::Whsec(_) | Self::Hex(_) => hmac_sha256(&self.bytes(), text),
            Self::Ed25519(seed) => unbase64(&ed25519_signature(seed, text)),
            Self::Rsa(key, _) => unbase64(&rsa_signature(key, text)),
        }
    }
}

/// One notification under way to its proof.
#[derive(Clone)]
pub struct Notice {
    pub kind: &'static Kind,
    pub key: Key,
    pub client: String,
    pub at: Timestamp,
    pub id: String,
    pub path: String,
    /// `@PROOF@` stands where a proof in the body belongs.
    pub body: String,
}

impl Notice {
    /// Of the first client with its newest key, now, with an id of its own.
    pub fn new(kind: &'static Kind) -> Self {
        let id = format!("N{}x{}", std::process::id(), number());
        let [key, _, _] = (kind.keys)();
        let now = Timestamp::now().as_second();
        Self {
            kind,
            key,
            client: kind.client.unwrap_or_default().to_owned(),
            at: Timestamp::from_second(now).unwrap(),
            path: kind.path(),
            body: kind.body.replace("@ID@", &id),
            id,
        }
    }

    pub fn key(mut self, key: Key) -> Self {
        self.key = key;
        self
    }

    pub fn client(mut self, client: &str) -> Self {
        self.client = client.to_owned();
        self
    }

    /// So many seconds from now.
    pub fn later(mut self, seconds: i64) -> Self {
        let at = Timestamp::now().as_second() + seconds;
        self.at = Timestamp::from_second(at).unwrap();
        self
    }

    pub fn path(mut self, path: &str) -> Self {
        self.path = path.to_owned();
        self
    }

    pub fn body(mut self, body: &str) -> Self {
        self.body = body.to_owned();
        self
    }

    /// Other words in the body, before it is signed.
    pub fn with(mut self, old: &str, new: &str) -> Self {
        assert!(self.body.contains(old), "{old} is not in {}", self.body);
        self.body = self.body.replace(old, new);
        self
    }

    /// The proof alone, as its gateway writes it.
    pub fn proof(&self) -> String {
        (self.kind.prove)(self, &(self.kind.text)(self))
    }

    /// The same with the literal text before it.
    pub fn marked(&self) -> String {
        format!("{}{}", self.kind.mark, self.proof())
    }

    pub fn sign(&self) -> Request {
        self.bearing(&self.marked())
    }

    /// With whatever stands in the proof's place.
    pub fn bearing(&self, proof: &str) -> Request {
        (self.kind.dress)(self, proof)
    }

    /// A member of a JSON body, or a field of a form, as it is written.
    pub fn field(&self, name: &str) -> String {
        match serde_json::from_str::<serde_json::Value>(&self.body) {
            Ok(json) => match json.pointer(name) {
                Some(serde_json::Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            },
            Err(_) => self.form_field(name).to_owned(),
        }
    }

    fn form_field(&self, name: &str) -> &str {
        let pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(n, _)| *n == name);
        found.next().map_or("", |(_, value)| value)
    }
}
