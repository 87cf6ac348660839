//! Keys from a file or the environment. Shared secrets are never printed, and wiped when dropped.

mod format;
mod public_key;
mod ring;
mod unreadable;

pub use format::{KeyEncoding, KeyFormat, unhex};
pub use public_key::PublicKey;
pub use ring::{Client, KeyKind, KeyRing};
pub use unreadable::unreadable;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use zeroize::Zeroizing;

/// A key. Its bytes are compared and hashed, and go nowhere else.
#[derive(Clone)]
pub struct Secret(Arc<Kept>);

struct Kept {
    bytes: Zeroizing<Vec<u8>>,
    /// The key as HMAC wants it, made once: 0.7 KB each. The library wipes it too.
    hmac_sha256: OnceLock<Box<hmac::Key>>,
    hmac_sha512: OnceLock<Box<hmac::Key>>,
}

impl Secret {
    /// Fewer bytes than this are refused.
    pub const SHORTEST: usize = 8;

    /// Takes the bytes of a file or variable: one trailing newline is dropped.
    ///
    /// # Errors
    /// A sentence for the user, without the bytes: empty, too short, or a PEM key.
    pub fn new(bytes: Vec<u8>) -> Result<Self, String> {
        Self::read(bytes, &KeyFormat::default())
    }

    /// The same for a key that is written in `format`.
    ///
    /// # Errors
    /// Those of [`Self::new`], and where the text is not of this format.
    pub fn read(bytes: Vec<u8>, format: &KeyFormat) -> Result<Self, String> {
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
        if is_key_file(&bytes) {
            return Err("holds a PEM or public key where a shared secret belongs; \
                        a public key would let everybody sign"
                .into());
        }
        let bytes = format.decode(&bytes)?;
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
        let new = || Box::new(hmac::Key::new(hmac::HMAC_SHA256, self.bytes()));
        hmac::sign(self.0.hmac_sha256.get_or_init(new), message)
    }

    /// HMAC-SHA512 of a message under this key. Source: RFC 2104.
    #[must_use]
    pub fn hmac_sha512(&self, message: &[u8]) -> hmac::Tag {
        let new = || Box::new(hmac::Key::new(hmac::HMAC_SHA512, self.bytes()));
        hmac::sign(self.0.hmac_sha512.get_or_init(new), message)
    }

    /// The same for keys that HMAC takes for one: a key, and the same with zeros after it.
    fn kin(&self) -> hmac::Tag {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, self.bytes()), b"kin")
    }

    /// Whether it is shorter than the 16 bytes that a careful gateway hands out.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.bytes().len() < 16
    }
}

/// Whether this is PEM, or base64 of one whole DER sequence, as keys of any kind are (X.690 §8.1).
fn is_key_file(bytes: &[u8]) -> bool {
    let holds = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    let bare: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_graphic).collect();
    let der = Zeroizing::new(STANDARD.decode(Zeroizing::new(bare)).unwrap_or_default());
    let is_sequence = match &**der {
        [0x30, 0x82, high, low, rest @ ..] => {
            rest.len() == usize::from(u16::from_be_bytes([*high, *low]))
        }
        [0x30, 0x81, length, rest @ ..] => rest.len() == usize::from(*length),
        [0x30, length @ 16..=0x7f, rest @ ..] => rest.len() == usize::from(*length),
        _ => false,
    };
    holds(b"-----BEGIN") || holds(b" KEY-----") || is_sequence
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
        self.load_by(base, |path| std::fs::read(path), parse)
    }

    /// The same, where something else reads files.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_by<K>(
        &self,
        base: &Path,
        read: impl FnOnce(&Path) -> io::Result<Vec<u8>>,
        parse: impl FnOnce(Vec<u8>) -> Result<K, String>,
    ) -> Result<K, String> {
        match self {
            Self::File(path) => {
                let path = base.join(path);
                let bytes = read(&path).map_err(|error| match may_be_key(self) {
                    true => format!("names a file that cannot be read: {error}; {KEY_ITSELF}"),
                    false => {
                        let why = unreadable(&path, &error);
                        format!("file {} cannot be read: {why}", path.display())
                    }
                })?;
                parse(bytes).map_err(|why| format!("file {} {why}", path.display()))
            }
            Self::Env(name) => {
                let value = std::env::var_os(name).ok_or_else(|| match may_be_key(self) {
                    true => format!("names a variable that is missing; {KEY_ITSELF}"),
                    false => format!("environment variable {name} is missing"),
                })?;
                parse(value.into_encoded_bytes())
                    .map_err(|why| format!("environment variable {name} {why}"))
            }
        }
    }
}

/// Keys are written in the place of their names, and what is said is logged.
const KEY_ITSELF: &str = "its name is not repeated, in case it is the key itself";

/// Whether a missing file's name looks like no path.
fn may_be_key(reference: &Reference) -> bool {
    match reference {
        Reference::File(path) => !path.to_string_lossy().contains(['/', '.']),
        Reference::Env(name) => !is_name(name),
    }
}

/// Whether a variable could have this name, as shells write them.
fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = bytes.next();
    first.is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
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
    fn refuses_what_is_no_shared_secret_without_showing_it() {
        let key = include_str!("../tests/keys/elliptic-public.pem");
        let bare: String = key.lines().filter(|line| !line.starts_with('-')).collect();
        for file in [
            "",
            "\n",
            "1234567\n",
            key,
            key.trim_start_matches('-'),
            &format!("the key:\n{key}"),
            &bare,
            &format!(" {bare}\n"),
        ] {
            let why = Secret::new(file.into()).unwrap_err();
            assert!(!why.contains("1234567") && !why.contains(&bare), "{why}");
        }
        let why = "SK-in-the-config".parse::<Reference>().unwrap_err();
        assert!(why.contains("file:PATH") && !why.contains("SK-in"), "{why}");
        assert_eq!(
            format!("{:?}", Secret::new("SK-a&b=c".into()).unwrap()),
            "Secret(..)"
        );
    }
}
