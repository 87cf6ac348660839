//! RSA by another library than the one under test, with throw-away keys that belong to nobody.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use sha2::{Digest, Sha256};

use super::tests_folder;

/// The gateway's key, whose public half the merchant has.
pub static GATEWAY: LazyLock<RsaPrivateKey> = LazyLock::new(|| private("gateway-private.pem"));
/// A key that is just as good, and nobody's.
pub static OTHER: LazyLock<RsaPrivateKey> = LazyLock::new(|| private("other-private.pem"));

/// One more of that sort.
pub static INTEROP: LazyLock<RsaPrivateKey> = LazyLock::new(|| private("interop-private.pem"));

/// PKCS#1 v1.5 with SHA-256, in base64.
pub fn rsa_signature(key: &RsaPrivateKey, text: &[u8]) -> String {
    let padding = Pkcs1v15Sign::new::<Sha256>();
    rsa_signature_as(key, padding, &Sha256::digest(text))
}

/// The same with another hash, or with none.
pub fn rsa_signature_as(key: &RsaPrivateKey, padding: Pkcs1v15Sign, digest: &[u8]) -> String {
    STANDARD.encode(key.sign(padding, digest).unwrap())
}

/// The text of a key file.
pub fn key_text(name: &str) -> String {
    std::fs::read_to_string(tests_folder().join("keys").join(name)).unwrap()
}

/// PEM without its armour and line ends, as dashboards show a key.
pub fn bare(pem: &str) -> String {
    let lines = pem.lines().filter(|line| !line.starts_with("-----"));
    lines.collect()
}

/// Public keys, and what people take for one. The bad ones are numbered: their names must not tell the fault.
pub fn key_files() -> [(&'static str, String); 13] {
    let (spki, pkcs1) = (
        key_text("gateway-public.pem"),
        key_text("gateway-public-pkcs1.pem"),
    );
    let (whole, cut) = (bare(&spki), spki[..200].to_owned());
    let both = format!("{spki}{}", key_text("other-public.pem"));
    [
        ("bare", whole),
        ("bare-pkcs1", bare(&pkcs1)),
        ("rsa", spki),
        ("pkcs1", pkcs1),
        ("first", key_text("gateway-private.pem")),
        ("second", key_text("certificate.pem")),
        ("third", key_text("elliptic-public.pem")),
        ("fourth", key_text("short-public.pem")),
        ("fifth", key_text("long-public.pem")),
        ("sixth", "the key that we were sent\n".to_owned()),
        ("seventh", cut),
        ("eighth", "bm8ga2V5IGF0IGFsbA==\n".to_owned()),
        ("tenth", both),
    ]
}

/// Keys as the gateways of webhooks show them. They come with other files, so they are named for no fault.
pub fn hook_keys() -> [(&'static str, String); 3] {
    let whsec = super::hashes::base64(b"canary-of-a-webhook-0123");
    let public = super::hashes::ed25519_public(&[1; 32]);
    let edwards = super::hashes::base64(&public);
    [
        ("whsec", format!("whsec_{whsec}\n")),
        ("digits", format!("{}\n", "A1".repeat(32))),
        ("edwards", format!("whpk_{edwards}\n")),
    ]
}

fn private(name: &str) -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs8_pem(&key_text(name)).unwrap()
}
