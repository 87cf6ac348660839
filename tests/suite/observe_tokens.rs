//! Requests for access tokens, watched: Kawal grants the genuine ones, and the app sees the others.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::harness::gateway::BRN;
use crate::harness::keys::OTHER;
use crate::harness::snap::{B2B_PAYMENT, B2B_TOKEN, Snap, jakarta_time};
use crate::harness::tokens::{access_token, bearing};
use crate::harness::*;

on_every_store!(
    a_genuine_request_is_granted_without_the_app,
    a_forged_request_reaches_the_app_and_leaves_no_trace,
);

fn a_genuine_request_is_granted_without_the_app(store: Store) {
    let watch = Watch::with(|config| config.with_snap().on(&store));
    let request = TokenRequest::new().sign();
    let answer = watch.keeps_from_the_app("a token request", &request);
    let token = access_token(&answer);
    assert_eq!(answer.header("x-client-key").as_deref(), Some(BRN));
    let again = watch.keeps_from_the_app("the same again", &request);
    assert_eq!(access_token(&again), token);
    for line in watch.kawal.notifications(2) {
        assert_eq!(line["outcome"], "token", "{line}");
        assert!(line["reason"].is_null(), "{line}");
    }
    let seen = watch.accepts("under its token", &bearing(&token).sign());
    assert_eq!(seen.proven()[0].as_deref(), Some(BRN));
}

fn a_forged_request_reaches_the_app_and_leaves_no_trace(store: Store) {
    let mut watch = Watch::with(|config| config.with_snap().on(&store));
    let signed = TokenRequest::new();
    for (reason, request) in forgeries(&signed) {
        let body = format!("{{\"accessToken\":\"of the app, {reason}\"}}");
        watch.app.next(Reply::ok().body(&body));
        let seen = watch.send(&request);
        // The app's own answer, not one of ours.
        assert_eq!((seen.answer.status, seen.answer.text()), (200, body));
        let marked = seen.marked(reason, &request, reason);
        assert_eq!(marked.all("X-Kawal-Gateway"), ["doku-b2b"]);
        assert_eq!(seen.line["route"], B2B_TOKEN, "{}", seen.line);
        let client = ["stale", "future"].contains(&reason).then_some(BRN);
        assert_eq!(marked.proven()[0].as_deref(), client, "{reason}");
    }
    let answer = watch.keeps_from_the_app("genuine", &signed.sign());
    let token = access_token(&answer);
    watch.kawal.switch("doku-b2b", "enforce");
    for (reason, request) in forgeries(&signed) {
        let answer = watch.keeps_from_the_app(reason, &request);
        assert_eq!(answer.status, 401, "{reason}");
        assert_eq!(answer.json()["responseCode"], "4017300", "{reason}");
    }
    let again = watch.keeps_from_the_app("the same again", &signed.sign());
    assert_eq!(access_token(&again), token);
}

/// Whatever claims to be this request.
fn forgeries(signed: &TokenRequest) -> Vec<(&'static str, Request)> {
    let genuine = signed.sign();
    let hour = Duration::from_secs(3600);
    let at = |moment: Timestamp| signed.clone().at(&jakarta_time(moment)).sign();
    vec![
        ("bad_proof", signed.sign_with(&OTHER)),
        ("bad_proof", genuine.clone().replace("X-SIGNATURE", "AAAA")),
        ("missing_proof", genuine.without("X-SIGNATURE")),
        ("unknown_client", signed.clone().client("BRN-9").sign()),
        ("stale", at(Timestamp::now() - hour)),
        ("future", at(Timestamp::now() + hour)),
    ]
}

#[test]
fn what_is_refused_unread_reaches_the_app_too() {
    let nets = json!(["192.0.2.0/24"]);
    let watch = Watch::with(|config| {
        let config = config.with_snap();
        config.on_route(B2B_TOKEN, "limits", json!({"body": "1KiB"}))
    });
    let genuine = TokenRequest::new().sign();
    let get = genuine.clone().method("GET");
    let seen = watch.lets_through("a method", &get, "method");
    assert_eq!(seen.proven(), [None, None]);
    let large = genuine.clone().body("x".repeat(2000));
    let seen = watch.lets_through("large", &large, "too_large");
    assert_eq!(seen.proven(), [None, None]);
    // Its body is not signed, and asks for nothing that there is.
    let odd = genuine.clone().body("{\"grantType\":\"password\"}");
    let seen = watch.lets_through("odd", &odd, "malformed");
    assert_eq!(seen.proven()[0].as_deref(), Some(BRN));
    let far = Watch::with(|config| config.with_snap().every_gateway("allow_from", &nets));
    let seen = far.lets_through("an address", &genuine, "forbidden");
    assert_eq!(seen.proven(), [None, None]);
    let status = |line: &serde_json::Value| line["outcome"] == "token";
    assert!(!far.kawal.log().iter().any(status));
}

/// Grants of a watched gateway are those of a guarded one: what was given while watching opens while guarding.
#[test]
fn a_token_outlives_the_change_of_modes() {
    let mut watch = Watch::with(Config::with_snap);
    let token = access_token(&watch.kawal.send(&TokenRequest::new().sign()));
    watch.kawal.switch("doku-b2b", "enforce");
    let bearer = Snap::new("{\"n\":1}").target(B2B_PAYMENT).token(&token);
    assert_eq!(watch.kawal.send(&bearer.sign()).status, 200);
    let seen = watch.app.only();
    assert!(!seen.has("X-Kawal-Verdict"));
    let nobody_s = Snap::new("{\"n\":2}").target(B2B_PAYMENT).token("nobody's");
    let answer = watch.keeps_from_the_app("no token of ours", &nobody_s.sign());
    assert_eq!(answer.status, 401);
}
