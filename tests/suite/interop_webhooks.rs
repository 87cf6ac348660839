//! The libraries that Standard Webhooks, Svix and Stripe publish, in both directions: what they sign
//! the real binary judges, and what `kawal sign` makes they judge. Both also get copies with one
//! character changed, and refuse every one. The scripts in `tests/interop` say which function does what.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::harness::keys::key_text;
use crate::harness::webhooks::{PATH, kawal_signs, languages, library_signs, tampered, verdicts};
use crate::harness::{App, Config, Kawal, Request, unique};

/// Scheme, the key as a dashboard shows it, and the header that bears the proof.
const SCHEMES: [(&str, &str, &str); 3] = [
    ("standard-webhooks", SHARED_KEY, "webhook-signature"),
    ("svix", SHARED_KEY, "svix-signature"),
    (
        "stripe",
        "whsec_interop-canary-of-stripe",
        "stripe-signature",
    ),
];

/// Base64 of 25 bytes: with padding.
const SHARED_KEY: &str = "whsec_aW50ZXJvcC1jYW5hcnktd2ViaG9va3MtMQ==";

const ASYMMETRIC: &str = "standard-webhooks-asymmetric";
/// The public half of `interop-ed25519-private.pem`.
const PUBLIC_KEY: &str = "whpk_Yo7ZepbfTZ3HdUgO7w1QOKdfLub3/sEmVcpJ2a7oxxw=";

#[test]
fn what_the_libraries_sign_is_understood() {
    for library in languages() {
        for (scheme, secret, _) in SCHEMES {
            let now = Timestamp::now();
            let genuine = library_signs(&library, scheme, secret, now, &event());
            judge(scheme, secret, &genuine);
        }
    }
}

#[test]
fn the_libraries_understand_what_kawal_signs() {
    for (scheme, secret, _) in SCHEMES {
        let (_app, kawal) = start(scheme, secret);
        let body = event();
        let own = kawal_signs(&kawal, "webhooks", Timestamp::now(), Some(&body));
        assert_eq!(own.body, body.as_bytes(), "{scheme}");
        judge(scheme, secret, &own);
        let sample = kawal_signs(&kawal, "webhooks", Timestamp::now(), None);
        judge(scheme, secret, &sample);
    }
}

/// The libraries take what is up to 5 minutes old. So does Kawal, since it has not run for longer.
#[test]
fn an_old_one_is_refused_by_both() {
    for (scheme, secret, _) in SCHEMES {
        let (app, kawal) = start(scheme, secret);
        let then = Timestamp::now() - SignedDuration::from_secs(330);
        let old = kawal_signs(&kawal, "webhooks", then, None);
        for library in languages() {
            assert_eq!(verdicts(&library, scheme, secret, [&old]), [false]);
        }
        assert_eq!(kawal.send(&old).status, 401, "{scheme}");
        assert_eq!(kawal.reason(1), "unproven", "{scheme}");
        assert_eq!(app.connections(), 0);
    }
}

/// A list of proofs, one of which holds, is what comes while a key rotates.
#[test]
fn lists_of_proofs_are_read_alike() {
    let [node, python] = languages();
    for (scheme, secret, header) in SCHEMES {
        let (app, kawal) = start(scheme, secret);
        let mut accepted = 0;
        for make in 0..6 {
            let genuine = library_signs(&node, scheme, secret, Timestamp::now(), &event());
            let (list, holds) = lists(scheme, &genuine.value(header)).remove(make);
            let sent = genuine.replace(header, &list);
            for library in [&node, &python] {
                let verdicts = verdicts(library, scheme, secret, [&sent]);
                assert_eq!(verdicts, [holds], "{scheme}: {list}");
            }
            let status = if holds { 200 } else { 401 };
            assert_eq!(kawal.send(&sent).status, status, "{scheme}: {list}");
            accepted += usize::from(holds);
            assert_eq!(app.count(), accepted, "{scheme}: {list}");
        }
        assert!((3..6).contains(&accepted), "{scheme}: {accepted} accepted");
    }
}

/// Neither library knows the other kind of proof of Standard Webhooks: Node's own cryptography, and a
/// library for Python, sign the same message.
#[test]
fn ed25519_of_both_languages_is_understood() {
    for library in languages() {
        let (now, key) = (Timestamp::now(), key_text("interop-ed25519-private.pem"));
        let genuine = library_signs(&library, ASYMMETRIC, &key, now, &event());
        let (app, kawal) = start(ASYMMETRIC, PUBLIC_KEY);
        refuses(&kawal, &app, &tampered(&genuine));
        accepts(&kawal, &app, &genuine);
    }
}

/// The libraries of both languages and the real binary accept it, and refuse every changed copy.
fn judge(scheme: &str, secret: &str, genuine: &Request) {
    let tampered = tampered(genuine);
    let copies = tampered.len();
    assert!(copies > 150, "{scheme}: only {copies} copies");
    for library in languages() {
        let all = tampered.iter().chain([genuine]);
        let mut verdicts = verdicts(&library, scheme, secret, all);
        assert_eq!(verdicts.pop(), Some(true), "{scheme}: {genuine:?}");
        assert_eq!(verdicts, vec![false; copies], "{scheme}");
    }
    let (app, kawal) = start(scheme, secret);
    refuses(&kawal, &app, &tampered);
    accepts(&kawal, &app, genuine);
}

fn refuses(kawal: &Kawal, app: &App, tampered: &[Request]) {
    for request in tampered {
        let answer = kawal.send(request);
        assert_eq!(answer.status, 401, "{request:?}");
        assert_eq!(answer.json(), json!({"error": "unauthorized"}));
    }
    assert_eq!(app.connections(), 0, "a tampered one reached the app");
    for line in kawal.notifications(tampered.len()) {
        let reason = line["reason"].as_str().unwrap();
        assert!(["bad_proof", "missing_proof"].contains(&reason), "{line}");
    }
}

fn accepts(kawal: &Kawal, app: &App, genuine: &Request) {
    let answer = kawal.send(genuine);
    assert_eq!(answer.status, 200, "{genuine:?} {}", kawal.output());
    let seen = app.only();
    assert_eq!(seen.body, genuine.body);
    for (name, _) in &genuine.headers {
        let same = seen.header(name) == Some(genuine.value(name));
        assert!(same || name == "Host", "{name}");
    }
}

/// Lists made of a genuine proof and others, each with whether it is to hold.
fn lists(scheme: &str, proof: &str) -> Vec<(String, bool)> {
    if scheme == "stripe" {
        let wrong = format!("v1={}", "0".repeat(64));
        let (time, proof) = proof.split_once(',').unwrap();
        let older = proof.replace("v1=", "v0=");
        return vec![
            (format!("{time},{wrong},{proof}"), true),
            (format!("{time},{proof},{wrong}"), true),
            (format!("{time},{older},{proof}"), true),
            (format!("{proof},{time}"), true),
            (format!("{time},{older}"), false),
            (format!("{time},{wrong}"), false),
        ];
    }
    let wrong = format!("v1,{}=", "A".repeat(43));
    let asymmetric = format!("v1a,{}==", "A".repeat(86));
    vec![
        (format!("{wrong} {proof}"), true),
        (format!("{proof} {wrong}"), true),
        (format!("{asymmetric} {proof}"), true),
        (proof.replace("v1,", "v2,"), false),
        (proof.replace("v1,", "v1a,"), false),
        (format!("{wrong} {asymmetric}"), false),
    ]
}

/// With blanks, a number that loses its text when it is read, and a letter that takes two bytes.
fn event() -> String {
    let id = unique("evt").replace('-', "_");
    format!(
        r#"{{"id": "{id}", "object": "event", "type": "paid", "amount": 11500.00, "name": "Añi"}}"#
    )
}

fn start(scheme: &str, key: &str) -> (App, Kawal) {
    let app = App::start();
    let config = Config::new(&app);
    let file = config.secret("webhooks", format!("{key}\n"));
    let client = match scheme {
        ASYMMETRIC => json!({"public_keys": [file]}),
        _ => json!({"secrets": [file]}),
    };
    let gateway = json!({"scheme": scheme, "clients": [client]});
    let config = config
        .set("gateways.webhooks", gateway)
        .route(json!({"path": PATH, "gateway": "webhooks"}));
    (app, Kawal::start(config))
}
