//! Known answers for the other gateways, computed by none of our code, through the running binary.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use crate::harness::hashes::{
    base64, hex, hmac_sha256, md5_hex, sha1_hex, sha512_hex, unbase64, unhex,
};
use crate::harness::keys::key_text;
use crate::harness::{App, Config, Kawal, Request, kind, vector, vectors};

type Vector = vector::Vector<Expected>;

#[derive(Deserialize)]
struct Expected {
    string_to_sign: Option<String>,
    proof: Option<String>,
    covers: Option<String>,
    signed_at: Option<String>,
    client: Option<String>,
}

fn table() -> Vec<Vector> {
    vectors("gateways.json", 26)
}

impl Vector {
    fn request(&self) -> Request {
        let headers = self.inputs["headers"].as_array().unwrap();
        let request = Request::post(self.input("path"), self.input("body"));
        headers.iter().fold(request, |request, line| {
            request.header(line[0].as_str().unwrap(), line[1].as_str().unwrap())
        })
    }

    /// A gateway of the vector's scheme that has its key only, with time enough for its age.
    fn gateway(&self, config: Config) -> Config {
        let (list, text) = match self.inputs["secret"].as_str() {
            Some(secret) => ("secrets", secret.to_owned()),
            None => {
                let file = self.inputs["public_key_file"].as_str();
                let text = file.map(key_text);
                let text = text.or_else(|| Some(self.input("public_key").to_owned()));
                ("public_keys", text.unwrap())
            }
        };
        let key = config.secret("vector", text);
        let mut client = json!({ list: [key] });
        if let Some(id) = self.inputs["client"].as_str() {
            client["id"] = id.into();
        }
        let gateway = json!({"scheme": self.scheme, "clients": [client]});
        let config = config
            .gateway("vector", gateway)
            .route(json!({"path": self.input("path"), "gateway": "vector"}));
        match self.expected.signed_at {
            Some(_) => config.patient("vector"),
            None => config,
        }
    }
}

#[test]
fn known_notifications_are_admitted_and_a_letter_off_is_not() {
    let mut schemes = BTreeSet::new();
    for vector in table().iter().filter(|v| v.scheme != "declared") {
        let name = &vector.name;
        schemes.insert(vector.scheme.clone());
        let app = App::start();
        let kawal = Kawal::start(vector.gateway(Config::new(&app)));
        let genuine = vector.request();

        let proof = vector.expected.proof.as_deref().unwrap();
        let other = if proof.starts_with('1') { "2" } else { "1" };
        let other = format!("{other}{}", &proof[1..]);
        let mut forged = genuine.clone();
        forged.body = swap(&forged.body, proof, &other);
        for (_, value) in &mut forged.headers {
            *value = swap(value, proof, &other);
        }
        assert_ne!(forged.bytes(), genuine.bytes(), "{name} bears no proof");
        assert_eq!(kawal.send(&forged).status, 401, "{name}");
        assert_eq!(kawal.reason(1), "bad_proof", "{name}");
        assert_eq!(app.count(), 0, "{name}: a forgery reached the app");

        let answer = kawal.send(&genuine);
        assert_eq!(answer.status, 200, "{name}: {}", kawal.output());
        let seen = app.only();
        assert_eq!(seen.text(), vector.input("body"), "{name}");
        assert_eq!(
            seen.header("X-Kawal-Covers"),
            vector.expected.covers,
            "{name}"
        );
        assert_eq!(
            seen.header("X-Kawal-Signed-At"),
            vector.expected.signed_at,
            "{name}"
        );
        assert_eq!(
            seen.header("X-Kawal-Client"),
            vector.expected.client,
            "{name}"
        );
        assert_eq!(kind(&vector.scheme).scheme, vector.scheme);
    }
    assert_eq!(
        schemes.len(),
        14,
        "a scheme has no known answer: {schemes:?}"
    );
}

fn swap(bytes: &[u8], old: &str, new: &str) -> Vec<u8> {
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    text.replace(old, new).into_bytes()
}

/// The suite signs with hashes of its own: they are right as well.
#[test]
fn the_suites_own_signers_come_to_the_known_answers() {
    let mut compared = 0;
    for vector in table().iter().filter(|v| v.scheme != "declared") {
        let Some(text) = &vector.expected.string_to_sign else {
            continue;
        };
        let proof = vector.expected.proof.as_deref().unwrap();
        let secret = vector.inputs["secret"].as_str().unwrap_or_default();
        let plain = || hmac_sha256(secret.as_bytes(), text.as_bytes());
        let ours = match vector.scheme.as_str() {
            "standard-webhooks" | "svix" => {
                let key = unbase64(secret.trim_start_matches("whsec_"));
                base64(&hmac_sha256(&key, text.as_bytes()))
            }
            "adyen" => base64(&hmac_sha256(&unhex(secret), text.as_bytes())),
            "stripe" | "github" | "tripay" | "razorpay" => hex(&plain()),
            "midtrans" => sha512_hex(text),
            "duitku" => md5_hex(text),
            "faspay" => sha1_hex(&md5_hex(text)),
            _ => continue,
        };
        assert_eq!(ours, proof, "{}", vector.name);
        compared += 1;
    }
    assert!(compared >= 12, "{compared} were compared");
}
