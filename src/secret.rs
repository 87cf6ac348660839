//! Keys from a file or the environment. Shared secrets are never printed, and wiped when dropped.

mod public_key;

pub use public_key::PublicKey;

use aws_lc_rs::hmac;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use zeroize::Zeroizing;

/// A key. Its bytes are compared and hashed, and go nowhere else.
#[derive(Clone)]
pub struct Secret(Arc<Kept>);

struct Kept {
    bytes: Zeroizing<Vec<u8>>,
    /// The key as HMAC wants it, made once. The library wipes it too.
    hmac_sha256: OnceLock<hmac::Key>,
    hmac_sha512: OnceLock<hmac::Key>,
}

impl Secret {
    /// Fewer bytes than this are refused.
    pub const SHORTEST: usize = 8;

    /// Takes the bytes of a file or variable: one trailing newline is dropped.
    ///
    /// # Errors
    /// A sentence for the user, without the bytes: empty, too short, or a PEM key.
    pub fn new(bytes: Vec<u8>) -> Result<Self, String> {
        let mut bytes = Zeroizing::new(bytes);
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        if bytes.is_empty() {
            return Err("is empty; put the gateway's secret key into it".into());
        }
        let is_pem = bytes.windows(10).any(|window| window == b"-----BEGIN");
        if is_pem || PublicKey::parse(&bytes).is_ok() {
            return Err("holds a PEM or public key where a shared secret belongs; \
                        a public key would let everybody sign"
                .into());
        }
        if bytes.len() < Self::SHORTEST {
            return Err(format!(
                "is shorter than {} bytes; a genuine secret key is longer",
                Self::SHORTEST
            ));
        }
        Ok(Self::of(bytes))
    }

    fn of(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(Arc::new(Kept {
            bytes,
            hmac_sha256: OnceLock::new(),
            hmac_sha512: OnceLock::new(),
        }))
    }

    /// The key's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// HMAC-SHA256 of a message under this key. Source: RFC 2104.
    #[must_use]
    pub fn hmac_sha256(&self, message: &[u8]) -> hmac::Tag {
        let new = || hmac::Key::new(hmac::HMAC_SHA256, self.bytes());
        hmac::sign(self.0.hmac_sha256.get_or_init(new), message)
    }

    /// HMAC-SHA512 of a message under this key. Source: RFC 2104.
    #[must_use]
    pub fn hmac_sha512(&self, message: &[u8]) -> hmac::Tag {
        let new = || hmac::Key::new(hmac::HMAC_SHA512, self.bytes());
        hmac::sign(self.0.hmac_sha512.get_or_init(new), message)
    }

    /// Whether it is shorter than the 16 bytes that a careful gateway hands out.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.bytes().len() < 16
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Where a key is kept: `file:PATH` or `env:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A file that holds the key and nothing else.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(PathBuf::from(path))),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Env(name.to_owned())),
            // The text may be the secret itself, so it is not repeated.
            _ => Err("is not a reference: keys are never written here, \
                      they are named as file:PATH or env:NAME"
                .into()),
        }
    }
}

impl Reference {
    /// Reads the key by `parse`; a relative path starts in `base`.
    ///
    /// # Errors
    /// A sentence that names the file or variable, never its content.
    pub fn load<K>(
        &self,
        base: &Path,
        parse: impl FnOnce(Vec<u8>) -> Result<K, String>,
    ) -> Result<K, String> {
        match self {
            Self::File(path) => {
                let path = base.join(path);
                let bytes = std::fs::read(&path)
                    .map_err(|error| format!("file {} cannot be read: {error}", path.display()))?;
                parse(bytes).map_err(|why| format!("file {} {why}", path.display()))
            }
            Self::Env(name) => {
                let value = std::env::var_os(name)
                    .ok_or_else(|| format!("environment variable {name} is missing"))?;
                parse(value.into_encoded_bytes())
                    .map_err(|why| format!("environment variable {name} {why}"))
            }
        }
    }
}

/// One merchant identity at a gateway, with its keys, newest first.
#[derive(Clone, Debug)]
pub struct Client {
    /// `None` matches whatever id the sender names.
    pub id: Option<Arc<str>>,
    /// What both sides know; at least one where the scheme verifies with them.
    pub secrets: Vec<Secret>,
    /// What only the gateway can sign for; at least one where the scheme verifies with them.
    pub public_keys: Vec<PublicKey>,
}

impl Client {
    fn fingerprints(&self) -> impl Iterator<Item = [u8; 32]> {
        let secrets = self.secrets.iter().map(Secret::bytes);
        let keys = secrets.chain(self.public_keys.iter().map(PublicKey::der));
        keys.map(|key| Sha256::digest(key).into())
    }
}

/// The clients of one gateway, and a decoy that makes unknown ones cost as much as known ones.
#[derive(Clone, Debug)]
pub struct KeyRing {
    clients: Vec<Client>,
    /// For each client, the place of the first that has a key in common with it.
    kin: Vec<usize>,
    decoy: Client,
}

impl KeyRing {
    /// A ring of these clients.
    #[must_use]
    pub fn new(clients: Vec<Client>) -> Self {
        let most = clients.iter().map(|c| c.secrets.len()).max().unwrap_or(1);
        let nobody = Secret::of(Zeroizing::new(vec![0; 32]));
        // Public keys of somebody: whatever they verify, the client stays unknown.
        let somebody = clients.iter().max_by_key(|client| client.public_keys.len());
        let decoy = Client {
            id: None,
            secrets: vec![nobody; most],
            public_keys: somebody.map_or_else(Vec::new, |client| client.public_keys.clone()),
        };
        Self {
            kin: kin(&clients),
            clients,
            decoy,
        }
    }

    /// The client whose id stands for all that a key of this one proves: the first of those who have
    /// a key in common with it, directly or through others. Mostly the client itself.
    #[must_use]
    pub fn proven(&self, client: &Client) -> Option<&Client> {
        let mut clients = self.clients.iter();
        let at = clients.position(|other| other.id == client.id)?;
        self.clients.get(*self.kin.get(at)?)
    }

    /// All clients.
    #[must_use]
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// The client with this id, else the one without an id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Client> {
        let named = |client: &&Client| client.id.as_deref() == Some(id);
        let anyone = |client: &&Client| client.id.is_none();
        self.clients
            .iter()
            .find(named)
            .or_else(|| self.clients.iter().find(anyone))
    }

    /// Whether two clients have a key in common.
    #[must_use]
    pub fn shares_keys(&self) -> bool {
        self.kin.iter().enumerate().any(|(at, kin)| at != *kin)
    }

    /// Verifies nothing; stands in where no client is found.
    #[must_use]
    pub fn decoy(&self) -> &Client {
        &self.decoy
    }
}

/// Lowers the place of each client to that of the first who shares a key, until nothing changes.
fn kin(clients: &[Client]) -> Vec<usize> {
    let mut kin: Vec<usize> = (0..clients.len()).collect();
    let mut holders: HashMap<[u8; 32], usize> = HashMap::new();
    loop {
        let mut changed = false;
        for (client, place) in clients.iter().zip(&mut kin) {
            for key in client.fingerprints() {
                let first = holders.entry(key).or_insert(*place);
                let lower = (*first).min(*place);
                changed |= lower != *first || lower != *place;
                (*first, *place) = (lower, lower);
            }
        }
        if !changed {
            return kin;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_one_newline_and_keeps_the_rest() {
        for (file, key) in [
            ("SK-a&b=c", "SK-a&b=c"),
            ("SK-a&b=c\n", "SK-a&b=c"),
            ("SK-a&b=c\r\n", "SK-a&b=c"),
            ("SK-a&b=c\n\n", "SK-a&b=c\n"),
            (" SK-a&b=c ", " SK-a&b=c "),
        ] {
            assert_eq!(Secret::new(file.into()).unwrap().bytes(), key.as_bytes());
        }
    }

    #[test]
    fn clients_with_a_key_in_common_are_proven_as_one() {
        let client = |id: &str, keys: &[&str]| Client {
            id: Some(id.into()),
            secrets: keys
                .iter()
                .map(|key| Secret::new(format!("{key}-secret-key").into()).unwrap())
                .collect(),
            public_keys: Vec::new(),
        };
        let ring = KeyRing::new(vec![
            client("A", &["1"]),
            client("B", &["2"]),
            client("C", &["3", "4"]),
            client("D", &["4", "1"]),
            client("E", &["5"]),
        ]);
        let proven: Vec<_> = ring.clients().iter().map(|c| ring.proven(c)).collect();
        let ids: Vec<_> = proven
            .iter()
            .map(|c| c.unwrap().id.as_deref().unwrap())
            .collect();
        assert_eq!(ids, ["A", "B", "A", "A", "E"]);
    }

    #[test]
    fn refuses_what_is_no_shared_secret_without_showing_it() {
        for file in ["", "\n", "1234567\n", "-----BEGIN PUBLIC KEY-----\nMIIB\n"] {
            let why = Secret::new(file.into()).unwrap_err();
            assert!(!why.contains("1234567") && !why.contains("MIIB"), "{why}");
        }
        let why = "SK-in-the-config".parse::<Reference>().unwrap_err();
        assert!(why.contains("file:PATH") && !why.contains("SK-in"), "{why}");
        assert_eq!(
            format!("{:?}", Secret::new("SK-a&b=c".into()).unwrap()),
            "Secret(..)"
        );
    }
}
