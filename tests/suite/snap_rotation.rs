//! A token is good wherever its secret is, and for as long as that is listed.

use serde_json::json;

use crate::harness::gateway::{BRN, MCH};
use crate::harness::keys::key_text;
use crate::harness::snap::{B2B_PAYMENT, SNAP_NEW_SECRET, SNAP_OLD_SECRET, SNAP_SECRET, Snap};
use crate::harness::tokens::{access_token, token_key};
use crate::harness::{App, Config, Jwt, Kawal, TokenRequest};
use crate::refusals::assert_snap;

/// One client with these secrets.
fn listing(app: &App, secrets: &[&str]) -> Config {
    let config = Config::snap(app);
    let write = |(nth, secret): (usize, &&str)| config.secret(&format!("listed-{nth}"), secret);
    let secrets: Vec<_> = secrets.iter().enumerate().map(write).collect();
    let key = config.secret("public.pem", key_text("gateway-public.pem"));
    let clients = json!([{"id": BRN, "secrets": secrets, "public_keys": [key]}]);
    config.set("gateways.doku-b2b.clients", clients)
}

fn token_of(kawal: &Kawal) -> String {
    access_token(&kawal.send(&TokenRequest::new().sign()))
}

fn bearing(token: &str, secret: &str, body: &str) -> Snap {
    Snap::new(body)
        .target(B2B_PAYMENT)
        .client(BRN, secret)
        .token(token)
}

#[test]
fn a_token_from_before_a_restart_is_good() {
    let app = App::start();
    let first = Kawal::start(Config::snap(&app));
    let token = token_of(&first);
    drop(first);
    let second = Kawal::start(Config::snap(&app));
    let signed = bearing(&token, SNAP_SECRET, "{}");
    assert_eq!(second.send(&signed.sign()).status, 200);
    assert_eq!(app.only().all("authorization"), [format!("Bearer {token}")]);
}

#[test]
fn a_token_from_another_replica_is_good() {
    let app = App::start();
    let replicas = [
        Kawal::start(Config::snap(&app)),
        Kawal::start(Config::snap(&app)),
    ];
    for (nth, (from, to)) in [(0, 1), (1, 0)].into_iter().enumerate() {
        let token = token_of(&replicas[from]);
        let signed = bearing(&token, SNAP_SECRET, &format!("[{nth}]"));
        assert_eq!(replicas[to].send(&signed.sign()).status, 200);
        assert_eq!(app.count(), nth + 1);
    }
}

#[test]
fn a_token_outlives_the_rotation_of_its_secret_and_not_its_end() {
    let app = App::start();
    let token = token_of(&Kawal::start(listing(&app, &[SNAP_OLD_SECRET])));

    let rotating = Kawal::start(listing(&app, &[SNAP_NEW_SECRET, SNAP_OLD_SECRET]));
    // Whichever secret signs the notification itself.
    for (nth, secret) in [SNAP_OLD_SECRET, SNAP_NEW_SECRET].iter().enumerate() {
        let signed = bearing(&token, secret, &format!("[{nth}]"));
        assert_eq!(rotating.send(&signed.sign()).status, 200, "{nth}");
    }
    let newer = token_of(&rotating);
    let (_, _, holds) = Jwt::read(&newer, &token_key(SNAP_NEW_SECRET, "doku-b2b", BRN));
    assert!(holds, "new tokens are signed with the newest secret");
    assert_eq!(app.count(), 2);

    let rotated = Kawal::start(listing(&app, &[SNAP_NEW_SECRET]));
    let signed = bearing(&token, SNAP_NEW_SECRET, "[2]");
    assert_snap(&rotated.send(&signed.sign()), "4012500", "Unauthorized");
    assert_eq!(rotated.reason(1), "bad_token");
    assert_eq!(app.count(), 2);
    let signed = bearing(&newer, SNAP_NEW_SECRET, "[2]");
    assert_eq!(rotated.send(&signed.sign()).status, 200);
    assert_eq!(app.count(), 3);
}

#[test]
fn a_replica_with_another_secret_knows_no_token_of_ours() {
    let app = App::start();
    let token = token_of(&Kawal::start(listing(&app, &[SNAP_OLD_SECRET])));
    let other = Kawal::start(listing(&app, &[SNAP_SECRET]));
    let signed = bearing(&token, SNAP_SECRET, "{}");
    assert_snap(&other.send(&signed.sign()), "4012500", "Unauthorized");
    assert_eq!(other.reason(1), "bad_token");
    assert_eq!(app.count(), 0);
}

/// The same secret in two gateways, or for two clients, makes no common token.
#[test]
fn a_shared_secret_makes_no_shared_token() {
    let app = App::start();
    let config = Config::snap(&app);
    let secret = config.secret("shared", SNAP_SECRET);
    let key = config.secret("public.pem", key_text("gateway-public.pem"));
    let clients = json!([
        {"id": BRN, "secrets": [secret], "public_keys": [key]},
        {"id": MCH, "secrets": [secret], "public_keys": [key]},
    ]);
    let second = json!({"scheme": "snap", "clients": clients});
    let config = config
        .set("gateways.doku-b2b.clients", clients)
        .set("gateways.second", second)
        .route(json!({"path": "/second/token", "token": "second"}));
    let kawal = Kawal::start(config);
    let rows = [
        ("another client", TokenRequest::new().client(MCH)),
        (
            "another gateway",
            TokenRequest::new().target("/second/token"),
        ),
    ];
    for (nth, (name, request)) in rows.iter().enumerate() {
        let token = access_token(&kawal.send(&request.sign()));
        let signed = bearing(&token, SNAP_SECRET, "{}");
        let answer = kawal.send(&signed.sign());
        assert_snap(&answer, "4012500", "Unauthorized");
        assert_eq!(kawal.reason(nth * 2 + 2), "bad_token", "{name}");
    }
    assert_eq!(app.count(), 0);
    let token = token_of(&kawal);
    assert_eq!(
        kawal
            .send(&bearing(&token, SNAP_SECRET, "{}").sign())
            .status,
        200
    );
}
