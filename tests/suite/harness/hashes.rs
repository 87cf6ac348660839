//! What other gateways make their proofs of, by other libraries than the one under test.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

pub fn hmac_sha256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

pub fn hmac_sha512(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

pub fn md5_hex(text: &str) -> String {
    hex(&Md5::digest(text))
}

pub fn sha1_hex(text: &str) -> String {
    hex(&Sha1::digest(text))
}

pub fn sha256_hex(text: &str) -> String {
    hex(&Sha256::digest(text))
}

pub fn sha512_hex(text: &str) -> String {
    hex(&Sha512::digest(text))
}

/// Lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(text: &str) -> Vec<u8> {
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub fn unbase64(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

/// RFC 8032, in base64.
pub fn ed25519_signature(seed: &[u8; 32], text: &[u8]) -> String {
    base64(&SigningKey::from_bytes(seed).sign(text).to_bytes())
}

/// The 32 bytes that the merchant gets.
pub fn ed25519_public(seed: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(seed).verifying_key().to_bytes()
}
