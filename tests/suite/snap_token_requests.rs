//! Who asks for a token without a right to it is refused, and learns nothing but that.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::harness::gateway::{MCH, written};
use crate::harness::keys::{GATEWAY, OTHER, rsa_signature};
use crate::harness::snap::{
    B2B_RSA_TOKEN, B2B_TOKEN, SNAP_SECRET, Snap, hmac_sha512, jakarta_time,
};
use crate::harness::tokens::GRANT;
use crate::harness::{App, Config, Kawal, Store, TokenRequest, ago, ahead, on_every_store};
use crate::refusals::{Bench, LACKING, MISSING, WRONG, assert_snap, one_bit_off};

on_every_store!(another_grant_type_is_no_matter_of_proof,);

#[test]
fn a_request_is_refused_without_a_whole_and_right_proof() {
    let mut bench = Bench::with(Config::with_snap);
    let genuine = TokenRequest::new();
    let request = genuine.sign();
    for name in ["X-CLIENT-KEY", "X-TIMESTAMP", "X-SIGNATURE"] {
        let value = request.value(name);
        let gone = request.clone().without(name);
        bench.unauthorized_snap("73", name, &gone, MISSING);
        bench.unauthorized_snap("73", name, &request.clone().blank(name), LACKING);
        let twice = request.clone().double_after(name, &value);
        bench.unauthorized_snap("73", name, &twice, WRONG);
        let at = value.len() / 2 + 1;
        let altered = request.clone().replace(name, one_bit_off(&value, at));
        let reasons = ["bad_proof", "unknown_client", "stale", "future"];
        bench.unauthorized_snap("73", name, &altered, &reasons);
    }
    let key = |text: &str| genuine.with_signature(&rsa_signature(&GATEWAY, text.as_bytes()));
    let (id, time) = (&genuine.client, &genuine.timestamp);
    let notification = Snap::new(GRANT).target(B2B_TOKEN).at(time);
    let symmetric = hmac_sha512(SNAP_SECRET.as_bytes(), &genuine.text());
    let rows = [
        ("another key", genuine.sign_with(&OTHER)),
        ("the parts without a mark", key(&format!("{id}{time}"))),
        ("another mark", key(&format!("{id}:{time}"))),
        ("the parts the other way", key(&format!("{time}|{id}"))),
        ("the time alone", key(time)),
        ("a notification's text", key(&notification.rsa_text())),
        ("a symmetric signature", genuine.with_signature(&symmetric)),
        (
            "of another client",
            genuine
                .clone()
                .client(MCH)
                .sign()
                .replace("X-CLIENT-KEY", id),
        ),
    ];
    for (name, request) in rows {
        bench.unauthorized_snap("73", name, &request, WRONG);
    }
    let stranger = genuine.clone().client("BRN-9999-1").sign();
    bench.unauthorized_snap("73", "a stranger", &stranger, &["unknown_client"]);
    let partner = request.clone().rename("X-CLIENT-KEY", "X-PARTNER-ID");
    bench.unauthorized_snap("73", "the other header of a client", &partner, MISSING);
    assert_eq!(
        bench.kawal.send(&request).status,
        200,
        "no refusal spoilt it"
    );
    assert_eq!(bench.app.connections(), 0);
}

/// It is of no use when it is late, so it has no lateness, though its gateway has.
#[test]
fn a_request_is_fresh_or_refused() {
    let mut bench = Bench::with(Config::with_snap);
    let minute = Duration::from_secs(60);
    let rows = [
        (ago(6 * minute), "stale"),
        (ago(25 * 60 * minute), "stale"),
        (ahead(6 * minute), "future"),
    ];
    for (at, reason) in rows {
        let request = TokenRequest::new().at(&at).sign();
        bench.unauthorized_snap("73", &at, &request, &[reason]);
    }
    let odd = written(Timestamp::now()).replace('Z', "");
    let request = TokenRequest::new().at(&odd).sign();
    bench.unauthorized_snap("73", "no offset", &request, WRONG);
    for at in [ago(4 * minute), ahead(4 * minute)] {
        let request = TokenRequest::new().at(&at).sign();
        assert_eq!(bench.kawal.send(&request).status, 200, "{at}");
    }
    assert_eq!(bench.app.connections(), 0);
}

fn another_grant_type_is_no_matter_of_proof(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).on(&store));
    let rows = [
        "",
        "{}",
        "[]",
        "grantType=client_credentials",
        "{\"grantType\":\"client_credentials\"",
        "{\"grantType\":\"authorization_code\"}",
        "{\"grantType\":\"CLIENT_CREDENTIALS\"}",
        "{\"grantType\":\"\"}",
        "{\"grantType\":null}",
        "{\"grantType\":[\"client_credentials\"]}",
        "{\"grant_type\":\"client_credentials\"}",
        "{\"a\":{\"grantType\":\"client_credentials\"}}",
        "\"client_credentials\"",
    ];
    for (nth, body) in rows.iter().enumerate() {
        let answer = kawal.send(&TokenRequest::new().body(body).sign());
        assert_snap(&answer, "4007300", "Bad Request");
        assert_eq!(kawal.reason(nth + 1), "malformed", "{body}");
    }
    // Whoever proves nothing learns nothing of bodies.
    let forged = TokenRequest::new().body("{}").sign_with(&OTHER);
    assert_snap(&kawal.send(&forged), "4017300", "Unauthorized");
    // And a wrong body uses nothing up.
    let time = jakarta_time(Timestamp::now());
    let signed = TokenRequest::new().at(&time);
    assert_eq!(kawal.send(&signed.clone().body("{}").sign()).status, 400);
    assert_eq!(kawal.send(&signed.sign()).status, 200);
    assert_eq!(app.connections(), 0);
}

#[test]
fn what_is_no_request_for_a_token_is_refused_in_its_form() {
    let app = App::start();
    let config = Config::snap(&app).set("gateways.doku-b2b.allow_from", json!(["192.0.2.0/24"]));
    let limits = json!({"path": "/small", "token": "doku-b2b-rsa", "limits": {"body": "64B"}});
    let kawal = Kawal::start(config.route(limits));
    let get = TokenRequest::new()
        .target(B2B_RSA_TOKEN)
        .sign()
        .method("GET");
    let answer = kawal.send(&get);
    assert_snap(&answer, "4057300", "Method Not Allowed");
    assert_eq!(answer.header("allow").as_deref(), Some("POST"));
    let refused = kawal.send(&TokenRequest::new().sign());
    assert_snap(&refused, "4037301", "Forbidden");
    let large = TokenRequest::new()
        .target("/small")
        .body("x".repeat(65))
        .sign();
    assert_eq!(kawal.send(&large).json()["responseCode"], "4137300");
    assert_eq!(app.connections(), 0);
}
