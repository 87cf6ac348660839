//! The token endpoint: who is given a token, which one, and what opens with it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::gateway::{BRN, MCH, written};
use crate::harness::keys::{GATEWAY, OTHER, rsa_signature};
use crate::harness::snap::{
    B2B_PAYMENT, B2B_RSA_PAYMENT, B2B_RSA_TOKEN, B2B_TOKEN, SNAP_NEW_SECRET, SNAP_SECRET, Snap,
    jakarta_time,
};
use crate::harness::tokens::{GRANT, Jwt, access_token, token_key};
use crate::harness::{App, Config, Kawal, TokenRequest, ago, ahead};
use crate::refusals::{Bench, LACKING, MISSING, WRONG, assert_snap, assert_snap_head, one_bit_off};

#[test]
fn the_answer_is_the_one_that_the_documents_show() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let request = TokenRequest::new();
    let answer = kawal.send(&request.sign());
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_snap_head(&answer);
    assert_eq!(answer.header("x-client-key").as_deref(), Some(BRN));
    let token = access_token(&answer);
    let expected = format!(
        r#"{{"responseCode":"2007300","responseMessage":"Successful","accessToken":"{token}","tokenType":"Bearer","expiresIn":900,"additionalInfo":""}}"#
    );
    assert_eq!(answer.text(), expected);
    let line = kawal.notifications(1).remove(0);
    assert_eq!(line["outcome"], "token");
    assert_eq!(line["client"], BRN);
    assert_eq!(
        app.connections(),
        0,
        "the app is none of a token's business"
    );
}

#[test]
fn a_token_names_gateway_and_client_and_is_signed_with_a_key_of_theirs_alone() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let rows = [
        (B2B_TOKEN, "doku-b2b", BRN, SNAP_SECRET),
        (B2B_TOKEN, "doku-b2b", MCH, SNAP_NEW_SECRET),
        (B2B_RSA_TOKEN, "doku-b2b-rsa", BRN, SNAP_SECRET),
        (B2B_RSA_TOKEN, "doku-b2b-rsa", MCH, SNAP_NEW_SECRET),
    ];
    let mut ids = Vec::new();
    for (target, gateway, client, secret) in rows {
        let before = Timestamp::now().as_second();
        let request = TokenRequest::new().target(target).client(client);
        let token = access_token(&kawal.send(&request.sign()));
        let key = token_key(secret, gateway, client);
        let (header, claims, holds) = Jwt::read(&token, &key);
        assert!(holds, "{gateway} {client}: signed with another key");
        assert_eq!(header, json!({"alg": "HS256", "typ": "JWT"}));
        let issued = claims["iat"].as_i64().unwrap();
        assert!((before..=Timestamp::now().as_second()).contains(&issued));
        let id = claims["jti"].as_str().unwrap().to_owned();
        assert!(!id.is_empty() && !ids.contains(&id), "{id}");
        ids.push(id);
        let mut rest = claims;
        rest.as_object_mut().unwrap().remove("jti");
        let expected = json!({
            "iss": "kawal", "aud": gateway, "sub": client, "iat": issued, "exp": issued + 900,
        });
        assert_eq!(rest, expected);
    }
}

#[test]
fn one_signed_request_gets_one_token() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let now = Timestamp::now();
    let request = TokenRequest::new().at(&jakarta_time(now)).sign();
    let first = kawal.send(&request);
    // A token made later would differ by its time of issue.
    while Timestamp::now().as_second() == now.as_second() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let disguised = request.clone().header("X-EXTERNAL-ID", "1").chunked(5);
    let spread = request
        .clone()
        .body("{ \"grantType\" : \"client_credentials\" }\n");
    for again in [&request, &disguised, &spread] {
        let answer = kawal.send(again);
        assert_eq!(answer.text(), first.text());
        assert_eq!(answer.header("x-client-key").as_deref(), Some(BRN));
        assert_snap_head(&answer);
    }

    let earlier = now - Duration::from_secs(1);
    let rows = [
        (
            "another moment",
            TokenRequest::new().at(&jakarta_time(earlier)),
        ),
        (
            "another client",
            TokenRequest::new().at(&jakarta_time(now)).client(MCH),
        ),
        (
            "another gateway",
            TokenRequest::new()
                .at(&jakarta_time(now))
                .target(B2B_RSA_TOKEN),
        ),
    ];
    let mut tokens = vec![access_token(&first)];
    for (name, request) in rows {
        let token = access_token(&kawal.send(&request.sign()));
        assert!(!tokens.contains(&token), "{name} gets the same token");
        tokens.push(token);
    }
    assert_eq!(app.connections(), 0);
}

#[test]
fn with_its_token_a_notification_is_delivered() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let rows = [
        (B2B_TOKEN, B2B_PAYMENT, BRN, SNAP_SECRET),
        (B2B_TOKEN, B2B_PAYMENT, MCH, SNAP_NEW_SECRET),
        (B2B_RSA_TOKEN, B2B_RSA_PAYMENT, BRN, "unused-here"),
    ];
    let mut sent = 0;
    for (endpoint, target, client, secret) in rows {
        let request = TokenRequest::new().target(endpoint).client(client);
        let token = access_token(&kawal.send(&request.sign()));
        // One token serves for as many notifications as come while it is good.
        for word in ["Bearer", "bearer"] {
            let body = format!("{{\"n\":{sent}}}");
            let signed = Snap::new(body)
                .target(target)
                .client(client, secret)
                .token(&token);
            let signed = signed.authorization(&format!("{word} {token}"));
            let asymmetric = target == B2B_RSA_PAYMENT;
            let request = if asymmetric {
                signed.sign_rsa()
            } else {
                signed.sign()
            };
            assert_eq!(kawal.send(&request).status, 200, "{target}");
            sent += 1;
            let seen = app.wait_for(sent).remove(sent - 1);
            assert_eq!(seen.body, signed.body);
            assert_eq!(seen.all("authorization"), [format!("{word} {token}")]);
        }
    }
    assert_eq!(app.count(), sent);
}

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
    let symmetric = crate::harness::snap::hmac_sha512(SNAP_SECRET.as_bytes(), &genuine.text());
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
                .replace("X-CLIENT-KEY", BRN),
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

#[test]
fn another_grant_type_is_no_matter_of_proof() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
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

#[test]
fn neither_token_nor_secret_nor_signature_is_printed() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let request = TokenRequest::new();
    let signature = request.sign().value("X-SIGNATURE");
    let token = access_token(&kawal.send(&request.sign()));
    kawal.send(&request.sign());
    kawal.send(
        &request
            .clone()
            .body("{\"grantType\":\"canary-in-a-grant\"}")
            .sign(),
    );
    kawal.send(&request.clone().client("BRN-9999-1").sign());
    let signed = Snap::new("{\"name\":\"canary-in-a-body\"}")
        .target(B2B_PAYMENT)
        .token(&token);
    let foreign = signed.clone().token("token-canary-of-a-stranger");
    for request in [
        signed.sign(),
        signed.sign(),
        foreign.sign(),
        signed.sign_rsa(),
    ] {
        kawal.send(&request);
    }
    let lines = kawal.notifications(8);
    let outcomes: Vec<_> = lines.iter().map(|line| &line["outcome"]).collect();
    let token_line = Value::from("token");
    assert_eq!(outcomes.iter().filter(|o| ***o == token_line).count(), 2);

    let output = kawal.output();
    let key = token_key(SNAP_SECRET, "doku-b2b", BRN);
    let hex: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut canaries = vec![
        SNAP_SECRET.to_owned(),
        signature,
        signed.signature(),
        hex,
        "canary-in-a-body".to_owned(),
        "canary-in-a-grant".to_owned(),
        "token-canary".to_owned(),
        "customer-canary".to_owned(),
    ];
    canaries.extend(token.split('.').map(str::to_owned));
    for canary in canaries {
        assert!(!output.contains(&canary), "{canary} was printed: {output}");
    }
}
