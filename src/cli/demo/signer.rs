//! The key with which the demo's gateway asks for access tokens: made for the occasion.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// An RSA key pair.
pub(super) struct Signer {
    pair: RsaKeyPair,
    public_key: String,
}

impl Signer {
    pub(super) fn new() -> Result<Self, String> {
        let failed = |_| "no RSA key could be made".to_owned();
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let public_key = pair.public_key().as_der().map_err(failed)?;
        Ok(Self {
            public_key: STANDARD.encode(public_key.as_ref()),
            pair,
        })
    }

    /// Its public half, as a dashboard would show it.
    pub(super) fn public_key(&self) -> &str {
        &self.public_key
    }

    pub(super) fn sign(&self, message: &str) -> Result<String, String> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let (random, message) = (SystemRandom::new(), message.as_bytes());
        let signed = self
            .pair
            .sign(&RSA_PKCS1_SHA256, &random, message, &mut signature);
        signed.map_err(|_| "a signature could not be made".to_owned())?;
        Ok(STANDARD.encode(signature))
    }
}
