//! The token endpoint: which token a genuine request is given, and what opens with it.

use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::harness::gateway::{BRN, MCH};
use crate::harness::snap::{
    B2B_PAYMENT, B2B_RSA_PAYMENT, B2B_RSA_TOKEN, B2B_TOKEN, SNAP_NEW_SECRET, SNAP_SECRET, Snap,
    jakarta_time,
};
use crate::harness::tokens::{Jwt, access_token, token_key};
use crate::harness::{App, Config, Kawal, Store, TokenRequest, on_every_store};
use crate::refusals::assert_snap_head;

on_every_store!(
    the_answer_is_the_one_that_the_documents_show,
    one_signed_request_gets_one_token,
);

fn the_answer_is_the_one_that_the_documents_show(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).on(&store));
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

fn one_signed_request_gets_one_token(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).on(&store));
    let now = Timestamp::now();
    let request = TokenRequest::new().at(&jakarta_time(now)).sign();
    let first = kawal.send(&request);
    // A token made later would differ by its time of issue.
    while Timestamp::now().as_second() == now.as_second() {
        thread::sleep(Duration::from_millis(20));
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
    assert_eq!(
        outcomes.iter().filter(|o| ***o == json!("token")).count(),
        2
    );

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
