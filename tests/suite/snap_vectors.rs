//! Known answers of SNAP BI, through the running binary and against the suite's own signers.

use rsa::RsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::harness::keys::rsa_signature;
use crate::harness::snap::{PAYMENT, Snap, minify, sha256_hex};
use crate::harness::tokens::{Jwt, access_token, token_key};
use crate::harness::{App, Config, Kawal, TokenRequest, vector, vectors};

type Vector = vector::Vector<Expected>;

#[derive(Deserialize)]
struct Expected {
    minified: Option<String>,
    sha256_hex: Option<String>,
    raw_sha256_hex: Option<String>,
    string_to_sign: Option<String>,
    signature: Option<String>,
}

impl Vector {
    fn expected<'a>(&'a self, value: &'a Option<String>) -> &'a str {
        let value = value.as_deref();
        value.unwrap_or_else(|| panic!("{}: nothing to expect", self.name))
    }

    fn signature(&self) -> &str {
        self.expected(&self.expected.signature)
    }

    fn symmetric(&self) -> Snap {
        Snap::new(self.input("body"))
            .client("BRN-VECTOR", self.input("secret"))
            .method(self.input("method"))
            .target(self.input("path"))
            .token(self.input("token"))
            .at(self.input("timestamp"))
    }

    /// The body's digest, by the suite's own hands.
    fn check_digest(&self) {
        let body = self.input("body").as_bytes();
        let minified = minify(body);
        let name = &self.name;
        let expected = self.expected(&self.expected.minified);
        assert_eq!(String::from_utf8_lossy(&minified), expected, "{name}");
        let expected = self.expected(&self.expected.sha256_hex);
        assert_eq!(sha256_hex(&minified), expected, "{name}");
        if let Some(raw) = &self.expected.raw_sha256_hex {
            assert_eq!(sha256_hex(body), *raw, "{name}");
        }
    }
}

fn vectors_of(scheme: &str, at_least: usize) -> Vec<Vector> {
    let mut table: Vec<Vector> = vectors("snap.json", 1);
    table.retain(|vector| vector.scheme == scheme);
    assert!(table.len() >= at_least, "{} for {scheme}", table.len());
    table
}

fn patient(config: Config, gateway: &str, client: Value) -> Config {
    let clients = format!("gateways.{gateway}.clients");
    config.patient(gateway).set(&clients, json!([client]))
}

fn judging(vector: &Vector, app: &App) -> Kawal {
    assert_eq!(vector.input("path"), PAYMENT, "{}", vector.name);
    let config = Config::snap(app);
    let secret = config.secret("vector", vector.input("secret"));
    let client = json!({"id": "BRN-VECTOR", "secrets": [secret]});
    Kawal::start(patient(config, "doku-snap", client))
}

#[test]
fn every_vector_is_of_a_kind_that_is_tested() {
    let kinds = [
        ("snap-symmetric-hmac-sha512", 20),
        ("snap-minify-sha256", 1),
        ("snap-asymmetric-token-rsa-sha256", 1),
        ("snap-asymmetric-notification-rsa-sha256", 1),
    ];
    let rows: usize = kinds
        .map(|(kind, least)| vectors_of(kind, least).len())
        .iter()
        .sum();
    let table: Vec<Vector> = vectors("snap.json", 1);
    assert_eq!(rows, table.len(), "a row that no test looks at");
}

#[test]
fn symmetric_signatures_are_those_of_the_vendor_libraries() {
    for vector in vectors_of("snap-symmetric-hmac-sha512", 20) {
        let name = &vector.name;
        vector.check_digest();
        let signed = vector.symmetric();
        let expected = &vector.expected;
        assert_eq!(Some(signed.text()), expected.string_to_sign, "{name}");
        assert_eq!(signed.signature(), vector.signature(), "{name}");

        let app = App::start();
        let kawal = judging(&vector, &app);
        let request = signed.with_signature(vector.signature());
        let answer = kawal.send(&request);
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        assert_eq!(app.only().text(), vector.input("body"), "{name}");
    }
}

/// Some of the vendor's libraries sign the body as it is.
#[test]
fn a_signature_over_the_raw_body_is_accepted_too() {
    let mut rows = 0;
    for vector in vectors_of("snap-symmetric-hmac-sha512", 20) {
        let Some(raw) = &vector.expected.raw_sha256_hex else {
            continue;
        };
        if Some(raw) == vector.expected.sha256_hex.as_ref() {
            continue;
        }
        rows += 1;
        let app = App::start();
        let kawal = judging(&vector, &app);
        let signed = vector.symmetric().hashing_raw();
        assert_eq!(signed.digest(), *raw, "{}", vector.name);
        assert_ne!(signed.signature(), vector.signature(), "{}", vector.name);
        assert_eq!(kawal.send(&signed.sign()).status, 200, "{}", vector.name);
        assert_eq!(app.only().text(), vector.input("body"), "{}", vector.name);
    }
    assert!(rows >= 2, "{rows} bodies with white space");
}

/// Only the digest is published: the signature around it is ours.
#[test]
fn the_official_digest_keeps_the_spaces_inside_strings() {
    for vector in vectors_of("snap-minify-sha256", 1) {
        vector.check_digest();
        let body = vector.input("body");
        assert!(body.contains("\"  088899\""), "{}", vector.name);
        let app = App::start();
        let kawal = Kawal::start(Config::snap(&app));
        let published = vector.expected(&vector.expected.sha256_hex).to_owned();
        let signed = Snap::new(body);
        assert_eq!(signed.digest(), published);
        // Spread over lines, it comes to the same digest; without the inner spaces, to another.
        let spread = body.replace(",\"", " ,\r\n\t\"").replace(":{", " : {");
        let spread = Snap::new(spread);
        assert_eq!(spread.digest(), published);
        let stripped = body.replace(' ', "");
        let stripped = Snap::new(body).hashing(stripped).sign();
        assert_eq!(kawal.send(&stripped).status, 401);
        assert_eq!(app.count(), 0);
        assert_eq!(kawal.send(&spread.sign()).status, 200);
        assert_eq!(app.only().body, spread.body);
    }
}

#[test]
fn an_asymmetric_notification_is_verified_with_the_key_of_the_vector() {
    for vector in vectors_of("snap-asymmetric-notification-rsa-sha256", 1) {
        vector.check_digest();
        let signed = Snap::new(vector.input("body"))
            .client("BRN-VECTOR", "unused-here")
            .method(vector.input("method"))
            .target(vector.input("path"))
            .at(vector.input("timestamp"))
            .without_token();
        let text = vector.expected(&vector.expected.string_to_sign);
        assert_eq!(signed.rsa_text(), text);
        let request = signed.with_signature(vector.signature());

        let app = App::start();
        let config = Config::snap(&app).on_route(PAYMENT, "gateway", "doku-rsa");
        let key = config.secret("vector.pem", vector.input("public_key"));
        let client = json!({"id": "BRN-VECTOR", "public_keys": [key]});
        let kawal = Kawal::start(patient(config, "doku-rsa", client));
        assert_eq!(kawal.send(&request).status, 200, "{}", vector.name);
        assert_eq!(app.only().text(), vector.input("body"), "{}", vector.name);
    }
}

/// The vector has none: it is not part of the request.
const SECRET: &str = "SK-of-the-vector-0001";

#[test]
fn a_token_request_is_verified_with_the_key_of_the_vector() {
    for vector in vectors_of("snap-asymmetric-token-rsa-sha256", 1) {
        let id = vector.input("client_id");
        let signed = TokenRequest::new().client(id).at(vector.input("timestamp"));
        let text = vector.expected(&vector.expected.string_to_sign);
        assert_eq!(signed.text(), text);
        assert_eq!(our_signature(&vector, text), vector.signature());
        let request = signed.with_signature(vector.signature());

        let app = App::start();
        let config = Config::snap(&app);
        let key = config.secret("vector.pem", vector.input("public_key"));
        let secret = config.secret("vector", SECRET);
        let client = json!({"id": id, "public_keys": [key], "secrets": [secret]});
        let kawal = Kawal::start(patient(config, "doku-b2b", client));
        let token = access_token(&kawal.send(&request));
        let key = token_key(SECRET, "doku-b2b", id);
        let (_, claims, holds) = Jwt::read(&token, &key);
        assert!(holds, "{}", vector.name);
        assert_eq!(claims["sub"], id, "{}", vector.name);
        assert_eq!(app.connections(), 0, "{}", vector.name);
    }
}

/// PKCS#1 v1.5 has one signature for each text, so the suite's signer is checked as well.
fn our_signature(vector: &Vector, text: &str) -> String {
    let key = RsaPrivateKey::from_pkcs8_pem(vector.input("private_key")).unwrap();
    rsa_signature(&key, text.as_bytes())
}
