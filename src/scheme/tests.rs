//! The built-in schemes and the language, called with plain values.

mod borders;
mod declarations;
mod snap;

use super::*;
use crate::intake::Head;
use crate::rejection::Rejection;
use crate::secret::{Client, KeyRing, Secret};
use bytes::Bytes;

fn received(target: &str, headers: &str, body: &str) -> Received {
    let head = format!("POST {target} HTTP/1.1\r\nHost: h\r\n{headers}\r\n");
    Received::new(
        Head::parse(head.as_bytes()).unwrap(),
        Bytes::from(body.to_owned()),
    )
}

fn client(id: Option<&str>, secrets: &[&str]) -> Client {
    let secrets = secrets
        .iter()
        .map(|text| Secret::new(text.as_bytes().to_vec()).unwrap());
    Client {
        id: id.map(Into::into),
        secrets: secrets.collect(),
        public_keys: Vec::new(),
    }
}

fn preset(name: &str) -> Scheme {
    Preset::find(name).unwrap().scheme().unwrap()
}

fn declared(yaml: &str) -> Result<Scheme, String> {
    let declaration: Declaration = serde_yaml::from_str(yaml).map_err(|e| e.to_string())?;
    Scheme::compile("declared", declaration).map_err(|fault| fault.to_string())
}

const DOKU_HEADERS: &str = "Client-Id: MCH-0001-10791114622547\r\n\
    Request-Id: 479b663f-5c9d-400d-8e80-3e548a8f7639\r\n\
    Request-Timestamp: 2020-08-11T08:45:42Z\r\n";

#[test]
fn every_preset_compiles_and_says_what_it_covers() {
    assert!(!Preset::ALL.is_empty());
    let covers: Vec<_> = Preset::ALL
        .iter()
        .map(|preset| (preset.name, preset.scheme().unwrap().covers().to_string()))
        .collect();
    let fields = |names: &str| format!("fields:{names}");
    let body = || "body".to_owned();
    let nothing = || "nothing".to_owned();
    assert_eq!(
        covers,
        [
            (
                "adyen",
                fields(
                    "pspReference,originalReference,merchantAccountCode,merchantReference,value,currency,eventCode,success"
                )
            ),
            ("doku", body()),
            ("doku-qris", fields("ISSUERID,TXNDATE,MERCHANTPAN,INVOICE")),
            ("duitku", fields("merchantCode,amount,merchantOrderId")),
            ("durianpay-snap", body()),
            ("faspay", fields("bill_no,payment_status_code")),
            ("github", body()),
            ("midtrans", fields("order_id,status_code,gross_amount")),
            ("nicepay-snap", fields("X-CLIENT-KEY,X-TIMESTAMP")),
            ("pivot", nothing()),
            ("razorpay", body()),
            ("snap", body()),
            ("snap-asymmetric", body()),
            ("standard-webhooks", body()),
            ("standard-webhooks-asymmetric", body()),
            ("stripe", body()),
            ("svix", body()),
            ("tripay", body()),
            ("xendit", nothing()),
        ]
    );
}

#[test]
fn doku_holds_for_every_secret_and_for_either_reading_of_the_query() {
    let scheme = preset("doku");
    let ring = KeyRing::new(vec![client(
        Some("MCH-0001-10791114622547"),
        &["SK-newer-secret", "SK-test-secret"],
    )]);
    let old = client(Some("MCH-0001-10791114622547"), &["SK-test-secret"]);
    for (signed_target, sent_target, public_path, holds) in [
        ("/n", "/n", None, true),
        ("/n?shop=1", "/n?shop=1", None, true),
        ("/n", "/m", None, false),
        ("/n?shop=1", "/n?shop=2", None, false),
        // Nothing covers this query, unless the configuration says that it belongs there.
        ("/n", "/n?shop=1", None, false),
        ("/n", "/n?shop=1", Some("/n"), false),
        ("/n", "/n?shop=1", Some("/n?shop=1"), true),
        ("/n", "/n?shop=2", Some("/n?shop=1"), false),
        ("/n", "/n", Some("/n?shop=1"), false),
        ("/n?shop=1", "/n?shop=1", Some("/n?shop=1"), true),
        ("/n?shop=1", "/n?shop=2", Some("/n?shop=1"), false),
        ("/n?shop=1", "/n", Some("/n?shop=1"), false),
        ("/shop/n", "/n", Some("/shop/n"), true),
        ("/shop/n?a=1", "/n?a=1", Some("/shop/n"), true),
    ] {
        let message = "Client-Id:{header:Client-Id}\\nRequest-Id:{header:Request-Id}\\nRequest-Timestamp:{header:Request-Timestamp}\\nRequest-Target:{target}\\nDigest:{body|sha256|base64}";
        let signer = Preset::find("doku")
            .unwrap()
            .yaml
            .replace("{path}", "{target}");
        assert!(signer.contains(message));
        let signer = declared(&signer).unwrap();
        let proof = signer
            .prove(&received(signed_target, DOKU_HEADERS, "{}"), &old, None)
            .unwrap()
            .unwrap();
        let headers = format!("{DOKU_HEADERS}Signature: {proof}\r\n");
        let outcome = scheme.authenticate(
            received(sent_target, &headers, "{}"),
            "g",
            &ring,
            public_path,
        );
        assert_eq!(
            outcome.is_ok(),
            holds,
            "{signed_target} {sent_target} {public_path:?}"
        );
    }
}

#[test]
fn an_unknown_client_is_told_from_a_wrong_secret_only_by_the_reason() {
    let scheme = preset("doku");
    let signer = client(Some("MCH-0001-10791114622547"), &["SK-test-secret"]);
    let plain = received("/n", DOKU_HEADERS, "{}");
    let proof = scheme.prove(&plain, &signer, None).unwrap().unwrap();
    let headers = format!("{DOKU_HEADERS}Signature: {proof}\r\n");
    for (ring, reason) in [
        (
            client(Some("MCH-2"), &["SK-test-secret"]),
            Rejection::UnknownClient,
        ),
        (
            client(Some("MCH-0001-10791114622547"), &["SK-other-secret"]),
            Rejection::BadProof,
        ),
    ] {
        let outcome = scheme.authenticate(
            received("/n", &headers, "{}"),
            "g",
            &KeyRing::new(vec![ring]),
            None,
        );
        assert_eq!(outcome.unwrap_err(), reason);
    }
}

#[test]
fn qris_keeps_one_identity_when_a_digit_moves_over_a_border() {
    let scheme = preset("doku-qris");
    let anyone = client(None, &["SK-test-secret"]);
    // Neither does the digit make it one of another client with the same key.
    let ring = KeyRing::new(vec![
        client(Some("936008990000047435"), &["SK-test-secret"]),
        anyone.clone(),
    ]);
    let mut identities = Vec::new();
    for (pan, invoice) in [
        ("936008990000047435", "10093868"),
        ("9360089900000474351", "0093868"),
    ] {
        let query = format!(
            "/q?ISSUERID=93600501&TXNDATE=20241107195933&MERCHANTPAN={pan}&INVOICE={invoice}"
        );
        let words = scheme
            .prove(&received(&query, "", ""), &anyone, None)
            .unwrap()
            .unwrap();
        let sent = received(&format!("{query}&WORDS={words}"), "", "");
        let authentic = scheme.authenticate(sent, "g", &ring, None).unwrap();
        identities.push(authentic.signed().identity.clone());
    }
    assert_eq!(identities[0], identities[1]);
}

#[test]
fn pivot_compares_the_key_and_knows_its_test_events() {
    let scheme = preset("pivot");
    let ring = KeyRing::new(vec![
        client(None, &["cb_key_0001"]),
        client(None, &["cb_key_0002"]),
    ]);
    for (key, event, expected) in [
        ("cb_key_0001", "PAYMENT.PAID", Ok(false)),
        ("cb_key_0002", "PAYMENT.TEST", Ok(true)),
        ("cb_key_000", "PAYMENT.PAID", Err(Rejection::BadProof)),
        ("", "PAYMENT.PAID", Err(Rejection::MissingProof)),
    ] {
        let sent = received(
            "/p",
            &format!("X-API-Key: {key}\r\n"),
            &format!("{{\"event\":\"{event}\"}}"),
        );
        let outcome = scheme
            .authenticate(sent, "g", &ring, None)
            .map(|a| a.signed().test);
        assert_eq!(outcome, expected, "{key}");
    }
}

#[test]
fn a_declaration_that_cannot_be_safe_is_refused_with_its_place() {
    let doku = Preset::find("doku").unwrap().yaml;
    let qris = Preset::find("doku-qris").unwrap().yaml;
    let snap = Preset::find("snap").unwrap().yaml;
    let asymmetric = Preset::find("snap-asymmetric").unwrap().yaml;
    for preset in Preset::ALL {
        assert!(declared(preset.yaml).is_ok(), "{}", preset.name);
    }
    for (yaml, from, to, place) in [
        (
            doku,
            "at: header:Request-Timestamp",
            "at: header:Date",
            "time.at: header:Date is not covered",
        ),
        (
            doku,
            "identity: \"{header:Request-Id}\"",
            "identity: \"{header:X-Id}\"",
            "identity: header:X-Id is not covered",
        ),
        (
            doku,
            "{body|sha256|base64}",
            "{body|sha257|base64}",
            "proof.messages[0]: at character",
        ),
        (
            doku,
            "hash: sha256",
            "hash: sha1",
            "proof.hash: kind hmac takes",
        ),
        (
            doku,
            "encoding: base64",
            "encoding: base32",
            "unknown variant `base32`",
        ),
        (
            doku,
            "format: rfc3339",
            "format: rfc1123",
            "time.format: unknown format `rfc1123`",
        ),
        (
            doku,
            "at: header:Signature",
            "at: heather:Signature",
            "proof.at: unknown place",
        ),
        (
            snap,
            "  header:X-EXTERNAL-ID:",
            "  header:X-OTHER-ID:",
            "reference: header:X-EXTERNAL-ID is logged, so it needs a shape",
        ),
        (
            snap,
            "identity: \"{path}",
            "identity: \"{header:X-EXTERNAL-ID}{path}",
            "identity: header:X-EXTERNAL-ID is not covered",
        ),
        (
            snap,
            "identity: \"{path}",
            "identity: \"{client}{path}",
            "identity: holds something that the proof does not cover",
        ),
        (
            snap,
            "{path} {body|minify|sha256|hex}",
            "{path} {body|sha256|hex}",
            "identity: body tells more than the proof",
        ),
        (
            asymmetric,
            "kind: rsa-sha256",
            "kind: rsa-sha256\n  hash: sha256",
            "proof.hash: kind rsa-sha256 names its hash",
        ),
        (
            asymmetric,
            "{method}",
            "{secret}",
            "proof.messages[0]: a signature is verified with a public key",
        ),
        (qris, "{secret}", "", "proof.messages[0]: without {secret}"),
        (
            qris,
            "zone: \"+07:00\"",
            "zone: WIB",
            "time.zone: `WIB` is no offset",
        ),
        (
            qris,
            "[0-9]{14}",
            "[0-9",
            "shapes.param:TXNDATE: `[0-9` is no regular",
        ),
        (qris, "status: 200", "status: 500", "acknowledgement.status"),
        (
            qris,
            "optional: true",
            "optionl: true",
            "unknown field `optionl`",
        ),
    ] {
        let changed = yaml.replace(from, to);
        assert_ne!(changed, yaml, "{from}");
        let fault = declared(&changed).unwrap_err();
        assert!(fault.contains(place), "{fault}");
    }
}
