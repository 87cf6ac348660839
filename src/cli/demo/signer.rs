//! The private keys of the demo's gateways: made for the occasion.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A key pair.
pub(super) enum Signer {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Signer {
    pub(super) fn rsa() -> Result<Self, String> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048);
        pair.map(Self::Rsa)
            .map_err(|_| "no RSA key could be made".to_owned())
    }

    pub(super) fn ed25519() -> Result<Self, String> {
        let pair = Ed25519KeyPair::generate();
        pair.map(Self::Ed25519)
            .map_err(|_| "no Ed25519 key could be made".to_owned())
    }

    /// Its public half, as a dashboard would show it.
    pub(super) fn public_key(&self) -> Result<String, String> {
        let failed = |_| "a public key cannot be written".to_owned();
        Ok(match self {
            Self::Rsa(pair) => {
                STANDARD.encode(pair.public_key().as_der().map_err(failed)?.as_ref())
            }
            Self::Ed25519(pair) => STANDARD.encode(pair.public_key().as_ref()),
        })
    }

    /// The bytes of a signature.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let pair = match self {
            Self::Ed25519(pair) => return Some(pair.sign(message).as_ref().to_vec()),
            Self::Rsa(pair) => pair,
        };
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = SystemRandom::new();
        pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
            .ok()?;
        Some(signature)
    }
}
