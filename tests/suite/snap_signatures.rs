//! A SNAP BI signature has one spelling, and belongs to one client.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use serde_json::json;

use crate::harness::gateway::{BRN, MCH, MCH_NEW_SECRET};
use crate::harness::keys::{OTHER, bare, key_text};
use crate::harness::snap::{RSA_PAYMENT, SNAP_NEW_SECRET, SNAP_OLD_SECRET, SNAP_SECRET};
use crate::harness::{App, Config, Kawal, Snap, snap};
use crate::refusals::{Bench, LACKING};

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
