//! Known answers, through the running binary and against the suite's own signers.

use serde::Deserialize;
use serde_json::json;

use crate::harness::gateway::digest;
use crate::harness::{App, Config, Doku, Kawal, Pairs, Qris, Request, vector, vectors};

type Vector = vector::Vector<Expected>;

#[derive(Deserialize)]
struct Expected {
    digest: Option<String>,
    component: Option<String>,
    signature: Option<String>,
    words: Option<String>,
    admit: Option<bool>,
    admit_after_delivery_of_full_query: Option<bool>,
    json: Option<Pairs>,
}

impl Vector {
    fn doku(&self) -> Doku {
        Doku::new(self.input("body"))
            .client(self.input("client_id"), self.input("secret"))
            .id(self.input("request_id"))
            .at(self.input("timestamp"))
            .target(self.input("target"))
    }

    /// The parameters that it names; the documented example for the rest.
    fn qris(&self) -> Qris {
        let mut notification = Qris::new();
        notification.secret = self.input("secret").to_owned();
        for name in ["ISSUERID", "TXNDATE", "MERCHANTPAN", "INVOICE"] {
            notification = notification.set(name, self.input(name));
        }
        notification
    }

    fn qris_request(&self) -> Request {
        match self.inputs["query"].as_str() {
            Some(query) => Request::post(&format!("/payments/qris?{query}"), ""),
            None => self.qris().sign(),
        }
    }
}

fn patient(app: &App) -> Config {
    Config::new(app).patient("doku").patient("doku-qris")
}

/// A secret of fewer than 8 bytes is refused, and HMAC fills a short key up with zeros anyway.
fn filled(secret: &str) -> Vec<u8> {
    let mut bytes = secret.as_bytes().to_vec();
    bytes.resize(bytes.len().max(8), 0);
    bytes
}

fn admits_doku(vector: &Vector) {
    let app = App::start();
    let config = patient(&app);
    let secret = config.secret("vector", filled(vector.input("secret")));
    let client = json!([{"id": vector.input("client_id"), "secrets": [secret]}]);
    let route = json!([{"path": vector.input("target"), "gateway": "doku"}]);
    let config = config
        .set("gateways.doku.clients", client)
        .set("routes", route);
    let kawal = Kawal::start(config);

    let request = vector.doku().sign();
    assert_eq!(
        request.value("Signature"),
        vector.expected.signature.as_deref().unwrap()
    );
    assert_eq!(kawal.send(&request).status, 200, "{}", vector.name);
    let seen = app.only();
    assert_eq!(seen.text(), vector.input("body"), "{}", vector.name);
    assert_eq!(seen.all("x-kawal-client"), [vector.input("client_id")]);
}

#[test]
fn doku_signatures_are_those_of_the_vendor_libraries() {
    let mut through_the_binary = 0;
    for vector in vectors::<Expected>("doku.json", 8) {
        let name = &vector.name;
        let expected = &vector.expected;
        if let Some(expected) = &expected.digest {
            assert_eq!(digest(vector.input("body").as_bytes()), *expected, "{name}");
        }
        match vector.scheme.as_str() {
            "doku-nonsnap-hmac-sha256" => {
                let component = vector.doku().component();
                assert_eq!(Some(component), expected.component, "{name}");
                admits_doku(&vector);
                through_the_binary += 1;
            }
            // The body behind the published text is not published: the signer is checked up to its digest.
            "doku-nonsnap-component-string" => {
                let expected = expected.component.as_ref().unwrap();
                let signer = Doku::new("")
                    .client(vector.input("client_id"), "unused-here")
                    .id(vector.input("request_id"))
                    .at(vector.input("timestamp"))
                    .target(vector.input("target"));
                let ours = signer.component();
                let ours = ours.replace(&digest(b""), vector.input("digest"));
                assert_eq!(ours, *expected, "{name}");
            }
            "doku-nonsnap-digest" => assert!(expected.digest.is_some(), "{name}"),
            other => panic!("{name} has an unknown scheme: {other}"),
        }
    }
    assert!(through_the_binary >= 5, "{through_the_binary} went through");
}

fn judging_qris(vector: &Vector, app: &App) -> Kawal {
    let config = patient(app);
    let secret = config.secret("vector", vector.input("secret"));
    let id = crate::harness::gateway::PAN;
    let client = json!([{"id": id, "secrets": [secret]}]);
    Kawal::start(config.set("gateways.doku-qris.clients", client))
}

#[test]
fn qris_words_are_judged_as_listed() {
    let mut admitted = 0;
    let mut refused = 0;
    for vector in vectors::<Expected>("qris.json", 9) {
        let name = &vector.name;
        assert_eq!(vector.scheme, "doku-qris-words-sha1", "{name}");
        if vector.inputs["query"].is_null() {
            assert_eq!(Some(vector.qris().words()), vector.expected.words, "{name}");
        }
        let app = App::start();
        let kawal = judging_qris(&vector, &app);
        let answer = kawal.send(&vector.qris_request());
        if vector.expected.admit.unwrap_or(true) {
            admitted += 1;
            assert_eq!(
                (answer.status, answer.text().as_str()),
                (200, "SUCCESS"),
                "{name}"
            );
            let seen = app.only();
            assert_eq!(seen.target, "/payments/qris", "{name}");
            if let Some(expected) = &vector.expected.json {
                let query = &vector.inputs["query"];
                assert!(query.is_string(), "{name} has no query to convert");
                assert_eq!(Pairs::read(&seen.body), *expected, "{name}");
            }
        } else {
            refused += 1;
            // A shape that is wrong is malformed or unproven by the reader's taste; it never passes.
            assert!([400, 401].contains(&answer.status), "{name}: {answer:?}");
            assert_eq!(app.count(), 0, "{name} reached the app");
        }
    }
    assert!(admitted >= 5, "only {admitted} were admitted");
    assert!(refused >= 4, "only {refused} were refused");
}

#[test]
fn fields_that_nobody_signed_cannot_change_after_delivery() {
    let table = vectors::<Expected>("qris.json", 9);
    let genuine = table.iter().find(|v| v.expected.json.is_some()).unwrap();
    let altered = |v: &&Vector| v.expected.admit_after_delivery_of_full_query == Some(false);
    let altered: Vec<_> = table.iter().filter(altered).collect();
    assert!(!altered.is_empty(), "no vector alters an unsigned field");

    let app = App::start();
    let kawal = judging_qris(genuine, &app);
    assert_eq!(kawal.send(&genuine.qris_request()).status, 200);
    for (nth, vector) in altered.iter().enumerate() {
        let answer = kawal.send(&vector.qris_request());
        assert_eq!(answer.status, 409, "{}", vector.name);
        assert_eq!(kawal.reason(nth + 2), "conflict", "{}", vector.name);
    }
    assert_eq!(app.count(), 1, "an altered notification reached the app");
}

#[test]
fn a_space_may_be_written_in_two_ways() {
    let table = vectors::<Expected>("qris.json", 9);
    let converted = table.iter().filter_map(|v| v.expected.json.as_ref());
    let converted: Vec<_> = converted.collect();
    assert!(converted.len() >= 2, "plus and percent both have a vector");
    assert!(converted.windows(2).all(|pair| pair[0] == pair[1]));
}
