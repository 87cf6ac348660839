//! How keys are written in their files.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// How a key is written in its file.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeyFormat {
    /// `text`, `base64` or `hex`.
    pub encoding: KeyEncoding,
    /// What gateways put before their keys; it may be missing in the file.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

/// What the text of a key stands for.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyEncoding {
    /// Itself.
    #[default]
    Text,
    /// Bytes in base64, standard alphabet. Source: RFC 4648 §4.
    Base64,
    /// Bytes in hex, in either case.
    Hex,
}

impl KeyFormat {
    /// Whether the file holds the key as it is.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// The text without the prefix.
    pub(super) fn without_prefix<'a>(&self, text: &'a [u8]) -> &'a [u8] {
        text.strip_prefix(self.prefix.as_bytes()).unwrap_or(text)
    }

    /// The key that a text stands for.
    ///
    /// # Errors
    /// A sentence for the user, without the text.
    pub(super) fn decode(&self, text: &[u8]) -> Result<Zeroizing<Vec<u8>>, String> {
        let text = self.without_prefix(text);
        let decoded = match self.encoding {
            KeyEncoding::Text => Some(text.to_vec()),
            KeyEncoding::Base64 => PADDED_OR_NOT.decode(text).ok(),
            KeyEncoding::Hex => unhex(text),
        };
        decoded.map(Zeroizing::new).ok_or_else(|| {
            let (encoding, prefix) = (self.encoding.name(), &self.prefix);
            let after = match prefix.as_str() {
                "" => String::new(),
                prefix => format!(" after `{prefix}`"),
            };
            format!("is not {encoding}{after}, as keys of this scheme are; copy the key as the gateway shows it")
        })
    }
}

impl KeyEncoding {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Base64 => "base64",
            Self::Hex => "hex",
        }
    }
}

/// Dashboards show keys with their padding and without it.
const PADDED_OR_NOT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes that hex stands for, in either case.
#[must_use]
pub fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_keys_as_gateways_show_them() {
        let format = |encoding, prefix: &str| KeyFormat {
            encoding,
            prefix: prefix.into(),
        };
        for (format, text, key) in [
            (format(KeyEncoding::Text, ""), "whsec_ab", &b"whsec_ab"[..]),
            (
                format(KeyEncoding::Base64, "whsec_"),
                "whsec_AAEC",
                &[0, 1, 2],
            ),
            (format(KeyEncoding::Base64, "whsec_"), "AAEC", &[0, 1, 2]),
            (format(KeyEncoding::Base64, ""), "AAECAw==", &[0, 1, 2, 3]),
            (format(KeyEncoding::Base64, ""), "AAECAw", &[0, 1, 2, 3]),
            (format(KeyEncoding::Hex, ""), "00aBfF", &[0, 0xab, 0xff]),
        ] {
            assert_eq!(&**format.decode(text.as_bytes()).unwrap(), key, "{text}");
        }
        for (format, text) in [
            (format(KeyEncoding::Base64, "whsec_"), "whsec_%canary%"),
            (format(KeyEncoding::Hex, ""), "canary"),
            (format(KeyEncoding::Hex, ""), "abc"),
        ] {
            let why = format.decode(text.as_bytes()).unwrap_err();
            assert!(why.contains("is not") && !why.contains("canary"), "{why}");
        }
    }
}
