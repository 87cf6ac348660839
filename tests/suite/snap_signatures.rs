//! A SNAP BI signature has one spelling and one algorithm, and belongs to one client.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use hmac::{Hmac, Mac};
use rsa::Pkcs1v15Sign;
use serde_json::json;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::harness::gateway::{BRN, MCH, MCH_NEW_SECRET};
use crate::harness::keys::{GATEWAY, OTHER, key_text, rsa_signature, rsa_signature_as};
use crate::harness::snap::{
    B2B_PAYMENT, B2B_RSA_PAYMENT, B2B_RSA_TOKEN, B2B_TOKEN, RSA_PAYMENT, SNAP_NEW_SECRET,
    SNAP_OLD_SECRET, SNAP_SECRET, hmac_sha512,
};
use crate::harness::tokens::access_token;
use crate::harness::{Config, Snap, TokenRequest, snap};
use crate::refusals::{Bench, LACKING, WRONG};

/// Every spelling that is near the right one.
fn misspelt(code: &str) -> Vec<(&'static str, String)> {
    let bytes = STANDARD.decode(code).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let encoded = |bytes: &[u8]| STANDARD.encode(bytes);
    vec![
        ("the URL alphabet", URL_SAFE.encode(&bytes)),
        ("no padding", STANDARD_NO_PAD.encode(&bytes)),
        ("more padding", format!("{code}=")),
        ("hexadecimal", hex.clone()),
        ("upper hexadecimal", hex.to_uppercase()),
        ("hexadecimal in base64", encoded(hex.as_bytes())),
        ("base64 twice", encoded(code.as_bytes())),
        ("lower case", code.to_lowercase()),
        ("upper case", code.to_uppercase()),
        ("trailing bits", trailing_bits(code)),
        ("the algorithm before it", format!("HMACSHA512={code}")),
        ("a comma and itself", format!("{code},{code}")),
        (
            "a space inside",
            code.replacen(&code[..4], &format!("{} ", &code[..4]), 1),
        ),
        ("a quoted one", format!("\"{code}\"")),
        ("an escaped newline", format!("{code}\\n")),
        ("a byte short", encoded(&bytes[..bytes.len() - 1])),
        ("a byte long", encoded(&[&bytes[..], b"x"].concat())),
        ("a zero before", encoded(&[b"\0", &bytes[..]].concat())),
        ("half of it", encoded(&bytes[..bytes.len() / 2])),
        ("zeros", encoded(&vec![0; bytes.len()])),
        ("ones", encoded(&vec![255; bytes.len()])),
        ("very long", "A".repeat(8000)),
        ("a word", "none".to_owned()),
        ("nothing but padding", "====".to_owned()),
    ]
}

/// The same bytes to a careless reader: the last letter before the padding has bits to spare.
fn trailing_bits(code: &str) -> String {
    let letters = code.trim_end_matches('=');
    let (start, last) = letters.split_at(letters.len() - 1);
    let next = char::from(last.as_bytes()[0] + 1);
    format!("{start}{next}{}", &code[letters.len()..])
}

#[test]
fn a_symmetric_signature_has_one_spelling() {
    let mut bench = Bench::with(Config::with_snap);
    let genuine = telling(Snap::signature);
    for (name, value) in misspelt(&genuine.signature()) {
        assert_ne!(value, genuine.signature(), "{name} changes nothing");
        let request = genuine.with_signature(&value);
        bench.unauthorized_snap("25", name, &request, LACKING);
    }
    bench.admits(&genuine.sign());
}

#[test]
fn an_asymmetric_signature_has_one_spelling() {
    let mut bench = Bench::with(Config::with_snap);
    let genuine = telling(|signed| signed.clone().target(RSA_PAYMENT).rsa_signature());
    let genuine = genuine.target(RSA_PAYMENT);
    for (name, value) in misspelt(&genuine.rsa_signature()) {
        assert_ne!(value, genuine.rsa_signature(), "{name} changes nothing");
        let request = genuine.with_signature(&value);
        bench.unauthorized_snap("25", name, &request, LACKING);
    }
    bench.admits(&genuine.sign_rsa());
}

/// One whose signature looks different in either alphabet.
fn telling(signature: impl Fn(&Snap) -> String) -> Snap {
    let all = (0..).map(|n| Snap::new(format!("{{\"n\":{n}}}")));
    let mut telling = all.filter(|signed| signature(signed).contains(['+', '/']));
    telling.next().unwrap()
}

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

#[test]
fn a_client_speaks_for_itself_alone() {
    let mut bench = Bench::with(Config::with_snap);
    let rows = [
        ("another's id", MCH, SNAP_SECRET, "bad_proof"),
        ("another's secret", BRN, SNAP_NEW_SECRET, "bad_proof"),
        ("another's old secret", BRN, SNAP_OLD_SECRET, "bad_proof"),
        (
            "the secret of another gateway",
            MCH,
            MCH_NEW_SECRET,
            "bad_proof",
        ),
        ("a stranger", "BRN-9999-1", SNAP_SECRET, "unknown_client"),
        (
            "a stranger with nothing",
            "BRN-9999-1",
            "",
            "unknown_client",
        ),
        (
            "the id in lower case",
            &BRN.to_lowercase(),
            SNAP_SECRET,
            "unknown_client",
        ),
        ("an id cut short", &BRN[..9], SNAP_SECRET, "unknown_client"),
        (
            "two ids",
            &format!("{BRN},{MCH}"),
            SNAP_SECRET,
            "unknown_client",
        ),
    ];
    for (name, id, secret, reason) in rows {
        let request = Snap::new("{}").client(id, secret).sign();
        bench.unauthorized_snap("25", name, &request, &[reason]);
    }
    let stranger = Snap::new("{}")
        .target(RSA_PAYMENT)
        .client("BRN-9999-1", "unused-here");
    bench.unauthorized_snap(
        "25",
        "a stranger",
        &stranger.sign_rsa(),
        &["unknown_client"],
    );
    bench.admits(&snap("{}"));
}

#[test]
fn every_public_key_of_a_rotation_is_accepted_in_every_form() {
    use crate::harness::keys::bare;
    use crate::harness::{App, Kawal};
    let other = key_text("other-public.pem");
    let forms = [
        key_text("gateway-public.pem"),
        key_text("gateway-public-pkcs1.pem"),
        bare(&key_text("gateway-public.pem")),
        bare(&key_text("gateway-public-pkcs1.pem")),
        key_text("gateway-public.pem").replace('\n', "\r\n"),
    ];
    for (nth, form) in forms.iter().enumerate() {
        let app = App::start();
        let config = Config::snap(&app);
        let keys = [
            config.secret("new.pem", &other),
            config.secret("old.pem", form),
        ];
        let clients = json!([{"id": BRN, "public_keys": keys}]);
        let kawal = Kawal::start(config.set("gateways.doku-rsa.clients", clients));
        let signed = Snap::new("{}").target(RSA_PAYMENT);
        assert_eq!(kawal.send(&signed.sign_rsa()).status, 200, "form {nth}");
        let signed = Snap::new("{\"n\":2}").target(RSA_PAYMENT);
        assert_eq!(
            kawal.send(&signed.sign_rsa_with(&OTHER)).status,
            200,
            "form {nth}"
        );
        assert_eq!(app.count(), 2, "form {nth}");
    }
}
