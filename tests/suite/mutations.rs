//! Whatever is changed in a DOKU notification, it no longer passes, and the sender learns nothing from it.

use serde_json::json;

use crate::harness::{Doku, doku, now};
use crate::refusals::{Bench, LACKING, MISSING, WRONG, one_bit_off};

const PROOF: [&str; 4] = ["Client-Id", "Request-Id", "Request-Timestamp", "Signature"];

#[test]
fn no_part_of_the_proof_may_be_missing() {
    let mut bench = Bench::new();
    let genuine = doku("{}");
    for name in PROOF {
        bench.unauthorized(name, &genuine.clone().without(name), MISSING);
    }
    let nothing = PROOF
        .iter()
        .fold(genuine.clone(), |r, name| r.without(name));
    bench.unauthorized("all of it", &nothing, MISSING);
    bench.admits(&genuine);
}

#[test]
fn no_part_of_the_proof_may_be_empty() {
    let mut bench = Bench::new();
    let genuine = doku("{}");
    for name in PROOF {
        let reasons = ["missing_proof", "bad_proof", "unknown_client"];
        bench.unauthorized(name, &genuine.clone().blank(name), &reasons);
        let spaces = genuine.clone().replace(name, "   ");
        bench.unauthorized(name, &spaces, &reasons);
    }
    // Signed over the empty value, so that nothing but its emptiness speaks against it.
    let signed = Doku::new("{}").id("").sign();
    bench.unauthorized("an empty id, signed", &signed, LACKING);
    let signed = Doku::new("{}").at("").sign();
    bench.unauthorized("an empty time, signed", &signed, LACKING);
    bench.admits(&genuine);
}

#[test]
fn no_part_of_the_proof_may_be_there_twice() {
    let mut bench = Bench::new();
    let genuine = doku("{}");
    for name in PROOF {
        let right = genuine.value(name);
        let wrong = one_bit_off(&right, right.len() / 2);
        for value in [right.as_bytes(), &wrong, b""] {
            let before = genuine.clone().double_before(name, value);
            bench.unauthorized(name, &before, WRONG);
            let after = genuine.clone().double_after(name, value);
            bench.unauthorized(name, &after, WRONG);
            let elsewhere = genuine.clone().header(&name.to_lowercase(), value);
            bench.unauthorized(name, &elsewhere, WRONG);
        }
    }
    bench.admits(&genuine);
}

#[test]
fn one_bit_of_a_proof_header_decides() {
    let mut bench = Bench::new();
    let genuine = doku("{}");
    let mut rows = 0;
    for name in PROOF {
        let value = genuine.value(name);
        for at in (0..value.len()).step_by(5).chain([value.len() - 1]) {
            let altered = one_bit_off(&value, at);
            // The bit makes some letters into bytes that may not stand in a header line.
            if altered[at].is_ascii_graphic() {
                let reasons = [
                    "bad_proof",
                    "missing_proof",
                    "unknown_client",
                    "stale",
                    "future",
                    "unproven",
                ];
                let request = genuine.clone().replace(name, &altered);
                bench.unauthorized(&format!("{name} at {at}"), &request, &reasons);
                rows += 1;
            }
        }
    }
    assert!(rows > 20, "the table is thinner than it was");
    bench.admits(&genuine);
}

#[test]
fn one_bit_of_the_body_decides() {
    let mut bench = Bench::new();
    let body = r#"{"order":{"invoice_number":"INV-1","amount":150000},"x":[]}"#;
    let genuine = doku(body);
    for at in 0..body.len() {
        let request = genuine.clone().body(one_bit_off(body, at));
        bench.unauthorized(&format!("at {at}"), &request, WRONG);
    }
    let others = [
        ("a newline more", format!("{body}\n")),
        ("a space before", format!(" {body}")),
        ("a byte order mark", format!("\u{feff}{body}")),
        ("written otherwise", body.replace(':', ": ")),
        ("cut short", body[..body.len() - 1].to_owned()),
        ("nothing", String::new()),
    ];
    for (name, other) in others {
        bench.unauthorized(name, &genuine.clone().body(other), WRONG);
    }
    bench.admits(&genuine);
}

#[test]
fn a_signature_counts_for_one_path() {
    let other = json!({"path": "/payments/other", "gateway": "doku"});
    let mut bench = Bench::with(|config| config.route(other));
    let genuine = doku("{}");
    let elsewhere = genuine.clone().target("/payments/other");
    bench.unauthorized("another route of the same gateway", &elsewhere, WRONG);
    let rows = [
        "/",
        "",
        "/payments/notifications/",
        "/PAYMENTS/NOTIFICATIONS",
        "payments/notifications",
    ];
    for signed in rows {
        let request = Doku::new("{}").signing_target(signed).sign();
        bench.unauthorized(signed, &request, WRONG);
    }
    let whole = "https://merchant.example/payments/notifications";
    let request = Doku::new("{}").signing_target(whole).sign();
    bench.unauthorized(whole, &request, WRONG);
    bench.admits(&genuine);
}

#[test]
fn the_values_that_are_signed_are_those_of_the_headers() {
    let mut bench = Bench::new();
    let genuine = doku("{}");
    let id = genuine.value("Request-Id");
    let others = [
        ("a shorter id", id[..id.len() - 1].to_owned()),
        ("a longer id", format!("{id}0")),
        ("an id in upper case", id.to_uppercase()),
        ("two ids", format!("{id},{id}")),
    ];
    for (name, other) in others {
        let request = genuine.clone().replace("Request-Id", other);
        bench.unauthorized(name, &request, WRONG);
    }
    // A line end cannot stand in a header, so whoever signs one has not signed what arrives.
    let signed = Doku::new("{}").id("one\nRequest-Timestamp:x").at(&now());
    let request = signed.sign().replace("Request-Id", "one");
    bench.unauthorized("a line inside a value", &request, WRONG);
    let lent = genuine
        .clone()
        .replace("Request-Timestamp", "2020-08-11T08:45:42Z");
    bench.unauthorized("another time", &lent, &["bad_proof", "stale"]);
    bench.admits(&genuine);
}
