//! What is not signed can be changed by whoever saw a notification, and must not make another one of it.

use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::harness::gateway::{BRN, MCH};
use crate::harness::snap::{
    APP_TOKEN, B2B_PAYMENT, B2B_TOKEN, INQUIRY, PAYMENT, SNAP_NEW_SECRET, SNAP_SECRET, Snap,
    jakarta_time,
};
use crate::harness::tokens::access_token;
use crate::harness::{App, Config, Kawal, Reply, TokenRequest};

/// Path and token are neighbours under the signature, with a colon between them.
#[test]
fn the_border_between_path_and_token_does_not_move() {
    let app = App::start();
    let route = |path: &str| json!({"path": path, "gateway": "doku-snap", "service": "va-payment"});
    let config = Config::snap(&app)
        .route(route("/va:pay"))
        .route(route("/va"));
    let kawal = Kawal::start(config);
    let genuine = Snap::new("{}").target("/va:pay");
    assert_eq!(kawal.send(&genuine.sign()).status, 200);
    let moved = genuine.sign().target("/va");
    let moved = moved.replace("Authorization", format!("Bearer pay:{APP_TOKEN}"));
    assert_eq!(kawal.send(&moved).status, 401);
    // The same within a query that is signed.
    let genuine = Snap::new("{\"n\":1}").target("/va?back=https://shop.example/x");
    app.next(Reply::new(500));
    assert_eq!(kawal.send(&genuine.sign()).status, 500);
    let moved = genuine.sign().target("/va?back=https");
    let moved = moved.replace(
        "Authorization",
        format!("Bearer //shop.example/x:{APP_TOKEN}"),
    );
    assert_eq!(kawal.send(&moved).status, 401);
    assert_eq!(app.count(), 2);
    assert_eq!(kawal.send(&genuine.sign()).status, 200);
}

#[test]
fn clients_with_keys_of_their_own_may_say_the_same() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let first = Snap::new("{}");
    let second = first.clone().client(MCH, SNAP_NEW_SECRET);
    assert_eq!(kawal.send(&first.sign()).status, 200);
    assert_eq!(kawal.send(&second.sign()).status, 200);
    let clients: Vec<_> = app
        .wait_for(2)
        .iter()
        .map(|r| r.all("x-kawal-client"))
        .collect();
    assert_eq!(clients, [[BRN], [MCH]]);
    assert_eq!(kawal.send(&second.sign()).status, 200);
    assert_eq!(app.count(), 2);
}

/// The gateway's public key, which both of them have for their tokens, proves no notification here.
#[test]
fn clients_of_one_gateway_with_tokens_may_say_the_same() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    for (nth, (client, secret)) in [(BRN, SNAP_SECRET), (MCH, SNAP_NEW_SECRET)]
        .iter()
        .enumerate()
    {
        let request = TokenRequest::new().target(B2B_TOKEN).client(client);
        let token = access_token(&kawal.send(&request.sign()));
        let signed = Snap::new("{}").target(B2B_PAYMENT).client(client, secret);
        assert_eq!(kawal.send(&signed.token(&token).sign()).status, 200);
        assert_eq!(app.count(), nth + 1, "{client}");
    }
}

/// A late payment is not lost; a late inquiry would tell a customer's details to a replayer.
#[test]
fn an_inquiry_is_never_late() {
    let app = App::start();
    let window = json!({"max_age": "1s", "max_skew": "5m", "late": "24h"});
    let config = Config::snap(&app).set("gateways.doku-snap.freshness", window);
    let kawal = Kawal::start(config);
    // The time is signed in whole seconds, and clocks may differ by one: this one begins after the ledger's memory.
    let at = jakarta_time(Timestamp::now() + Duration::from_secs(2));
    let payment = Snap::new("{}").at(&at).sign();
    let inquiry = Snap::new("{}").target(INQUIRY).at(&at).sign();
    thread::sleep(Duration::from_millis(4100));
    assert_eq!(kawal.send(&payment).status, 200);
    assert_eq!(kawal.send(&inquiry).status, 401);
    assert_eq!(kawal.reason(2), "stale");
    assert_eq!(app.count(), 1);
}

/// An inquiry that comes again is forwarded again, so there is nothing to remember of it.
#[test]
fn inquiries_take_no_room_from_payments() {
    let app = App::start();
    let config = Config::snap(&app).set("replay.capacity", json!(2));
    let kawal = Kawal::start(config);
    for n in 0..8 {
        let inquiry = Snap::new(format!("[{n}]")).target(INQUIRY);
        assert_eq!(kawal.send(&inquiry.sign()).status, 200, "{n}");
    }
    assert_eq!(
        kawal.send(&Snap::new("{}").target(PAYMENT).sign()).status,
        200
    );
    let token = TokenRequest::new().target(B2B_TOKEN).sign();
    assert_eq!(kawal.send(&token).status, 200);
    assert_eq!(kawal.send(&Snap::new("[]").sign()).status, 503);
}

/// The app's answer may be too large to keep, or in a coding that only its headers tell.
#[test]
fn a_repeat_always_has_a_body_that_the_gateway_understands() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let large = Reply::new(200).body("x".repeat(9000));
    let coded = Reply::new(200).header("Content-Encoding", "gzip").body("x");
    for (nth, reply) in [large, coded].into_iter().enumerate() {
        let signed = Snap::new(format!("{{\"trxId\":\"INV-{nth}\"}}")).sign();
        app.next(reply.clone());
        assert_eq!(kawal.send(&signed).body, reply.body);
        let repeat = kawal.send(&signed);
        assert_eq!(repeat.status, 200);
        assert_eq!(
            repeat.text(),
            format!(
                r#"{{"responseCode":"2002500","responseMessage":"Successful","virtualAccountData":{{"trxId":"INV-{nth}"}}}}"#
            )
        );
        assert_eq!(app.count(), nth + 1);
    }
}
