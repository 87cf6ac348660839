//! What is made of a value before it takes its place in a message.

use crate::intake::minify;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scheme) enum Filter {
    Base64,
    Crc32,
    Hex,
    Lower,
    Md5,
    Minify,
    Sha1,
    Sha256,
    Sha512,
    Upper,
}

/// The value after all filters, in their order.
pub(super) fn filtered<'a>(value: Cow<'a, [u8]>, filters: &[Filter]) -> Cow<'a, [u8]> {
    filters
        .iter()
        .fold(value, |value, filter| Cow::Owned(filter.apply(&value)))
}

impl Filter {
    const ALL: [(&'static str, Self); 10] = [
        ("base64", Self::Base64),
        ("crc32", Self::Crc32),
        ("hex", Self::Hex),
        ("lower", Self::Lower),
        ("md5", Self::Md5),
        ("minify", Self::Minify),
        ("sha1", Self::Sha1),
        ("sha256", Self::Sha256),
        ("sha512", Self::Sha512),
        ("upper", Self::Upper),
    ];

    /// Whether two different values can come out the same.
    pub(in crate::scheme) fn is_lossy(self) -> bool {
        matches!(self, Self::Crc32 | Self::Lower | Self::Minify | Self::Upper)
    }

    /// Whether a hash comes out, of which nothing tells the value.
    pub(in crate::scheme) fn is_digest(self) -> bool {
        matches!(self, Self::Md5 | Self::Sha1 | Self::Sha256 | Self::Sha512)
    }

    /// Its name in templates.
    pub(super) fn name(self) -> &'static str {
        let own = Self::ALL.iter().find(|(_, filter)| *filter == self);
        own.map_or("", |(name, _)| name)
    }

    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|(name, _)| *name == text);
        known.map(|(_, filter)| *filter).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(|(name, _)| *name).collect();
            format!("unknown filter `{text}`; right are {}", names.join(", "))
        })
    }

    fn apply(self, value: &[u8]) -> Vec<u8> {
        match self {
            Self::Base64 => STANDARD.encode(value).into_bytes(),
            Self::Crc32 => crc32fast::hash(value).to_string().into_bytes(),
            Self::Hex => hex(value).into_bytes(),
            Self::Lower => value.to_ascii_lowercase(),
            Self::Md5 => Md5::digest(value).to_vec(),
            Self::Minify => minify(value).into_owned(),
            Self::Sha1 => Sha1::digest(value).to_vec(),
            Self::Sha256 => Sha256::digest(value).to_vec(),
            Self::Sha512 => Sha512::digest(value).to_vec(),
            Self::Upper => value.to_ascii_uppercase(),
        }
    }
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(half + if half < 10 { b'0' } else { b'a' - 10 });
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}
