//! A SNAP BI signature has the algorithm and the text of its scheme, and no message can ask for another.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use rsa::Pkcs1v15Sign;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::harness::gateway::BRN;
use crate::harness::keys::{GATEWAY, OTHER, key_text, rsa_signature, rsa_signature_as};
use crate::harness::snap::{
    B2B_PAYMENT, B2B_RSA_PAYMENT, B2B_RSA_TOKEN, B2B_TOKEN, RSA_PAYMENT, SNAP_SECRET, hmac_sha512,
};
use crate::harness::tokens::access_token;
use crate::harness::{Config, Snap, TokenRequest};
use crate::refusals::{Bench, WRONG};

#[test]
fn no_other_hash_will_do() {
    let mut bench = Bench::with(Config::with_snap);
    let genuine = Snap::new("{}");
    let (text, secret) = (genuine.text(), SNAP_SECRET.as_bytes());
    let mut short = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    short.update(text.as_bytes());
    let joined = format!("{text}{SNAP_SECRET}");
    let rows = [
        (
            "HMAC-SHA256",
            STANDARD.encode(short.finalize().into_bytes()),
        ),
        (
            "a hash without a key",
            STANDARD.encode(Sha512::digest(&text)),
        ),
        (
            "a hash with the key behind",
            STANDARD.encode(Sha512::digest(joined)),
        ),
        ("an empty key", hmac_sha512(b"", &text)),
        (
            "the key in upper case",
            hmac_sha512(SNAP_SECRET.to_uppercase().as_bytes(), &text),
        ),
        (
            "the key with its newline",
            hmac_sha512(format!("{SNAP_SECRET}\n").as_bytes(), &text),
        ),
        ("the secret itself", STANDARD.encode(secret)),
        (
            "the text without a token",
            hmac_sha512(secret, &genuine.rsa_text()),
        ),
        (
            "the text and a newline",
            hmac_sha512(secret, &format!("{text}\n")),
        ),
        (
            "the digest in upper case",
            hmac_sha512(
                secret,
                &text.replace(&genuine.digest(), &genuine.digest().to_uppercase()),
            ),
        ),
        (
            "a token request's text",
            hmac_sha512(secret, &format!("{BRN}|{}", genuine.timestamp)),
        ),
    ];
    for (name, value) in rows {
        bench.unauthorized_snap("25", name, &genuine.with_signature(&value), WRONG);
    }
    bench.admits(&genuine.sign());
}

#[test]
fn no_other_key_padding_or_text_will_do() {
    let mut bench = Bench::with(Config::with_snap);
    let genuine = Snap::new("{}").target(RSA_PAYMENT);
    let text = genuine.rsa_text();
    let own = |padding, digest: &[u8]| rsa_signature_as(&GATEWAY, padding, digest);
    let rows = [
        ("another key", rsa_signature(&OTHER, text.as_bytes())),
        (
            "SHA-512",
            own(Pkcs1v15Sign::new::<Sha512>(), &Sha512::digest(&text)),
        ),
        (
            "SHA-384",
            own(Pkcs1v15Sign::new::<Sha384>(), &Sha384::digest(&text)),
        ),
        (
            "no name of the hash",
            own(Pkcs1v15Sign::new_unprefixed(), &Sha256::digest(&text)),
        ),
        (
            "the hash of the hash",
            rsa_signature(&GATEWAY, &Sha256::digest(&text)),
        ),
        (
            "the text with a token",
            rsa_signature(&GATEWAY, genuine.text().as_bytes()),
        ),
        (
            "the text and a newline",
            rsa_signature(&GATEWAY, format!("{text}\n").as_bytes()),
        ),
        (
            "a token request's text",
            rsa_signature(&GATEWAY, format!("{BRN}|{}", genuine.timestamp).as_bytes()),
        ),
    ];
    for (name, value) in rows {
        bench.unauthorized_snap("25", name, &genuine.with_signature(&value), WRONG);
    }
    bench.admits(&genuine.sign_rsa());
}

/// The gateway's configuration chooses the algorithm, never the message, not even where it has both keys.
#[test]
fn one_kind_of_signature_is_never_taken_for_the_other() {
    let mut bench = Bench::with(Config::with_snap);
    let symmetric = Snap::new("{}");
    bench.unauthorized_snap("25", "asymmetric", &symmetric.sign_rsa(), WRONG);
    let asymmetric = Snap::new("{}").target(RSA_PAYMENT);
    bench.unauthorized_snap("25", "symmetric", &asymmetric.sign(), WRONG);
    let public = key_text("gateway-public.pem");
    for key in [public.as_str(), public.trim_end(), SNAP_SECRET] {
        for text in [asymmetric.text(), asymmetric.rsa_text()] {
            let value = hmac_sha512(key.as_bytes(), &text);
            let request = asymmetric.with_signature(&value);
            bench.unauthorized_snap("25", "the public key as a secret", &request, WRONG);
        }
    }
    let rows = [
        (B2B_TOKEN, B2B_PAYMENT, false),
        (B2B_RSA_TOKEN, B2B_RSA_PAYMENT, true),
    ];
    for (endpoint, target, asymmetric) in rows {
        let granted = bench
            .kawal
            .send(&TokenRequest::new().target(endpoint).sign());
        let signed = Snap::new("{}")
            .target(target)
            .token(&access_token(&granted));
        let wrong = if asymmetric {
            signed.sign()
        } else {
            signed.sign_rsa()
        };
        bench.unauthorized_snap("25", target, &wrong, WRONG);
        let text = rsa_signature(&GATEWAY, signed.text().as_bytes());
        bench.unauthorized_snap("25", target, &signed.with_signature(&text), WRONG);
    }
    bench.admits(&symmetric.sign());
}
