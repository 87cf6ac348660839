//! A key is replaced without a restart: first both are good, then only the new one.

use serde_json::json;

use crate::harness::gateway::BRN;
use crate::harness::keys::{GATEWAY, OTHER, key_text};
use crate::harness::rotating::{AFTER, Age, BEFORE, OVERLAP, ROTATING, Rotating, listing};
use crate::harness::snap::{B2B_PAYMENT, SNAP_NEW_SECRET, SNAP_OLD_SECRET, Snap};
use crate::harness::tokens::{access_token, token_key};
use crate::harness::{App, Config, Doku, Jwt, Kawal, Reply, TokenRequest, until};
use crate::refusals::assert_snap;

use Age::{New, Old};

#[track_caller]
fn passes(kawal: &Kawal, rotating: &Rotating, age: Age) {
    let answer = kawal.send(&rotating.signed_by(age));
    assert_eq!(
        answer.status,
        200,
        "{}, {age:?}: {}",
        rotating.gateway,
        kawal.output()
    );
}

#[track_caller]
fn is_refused(kawal: &Kawal, rotating: &Rotating, age: Age) {
    let answer = kawal.send(&rotating.signed_by(age));
    assert_eq!(answer.status, 401, "{}, {age:?}", rotating.gateway);
}

/// The newest key has held so many proofs so far, and the one after it so many.
#[track_caller]
fn held(kawal: &Kawal, rotating: &Rotating, expected: [usize; 2]) {
    let counted = || [0, 1].map(|position| rotating.held(kawal, position));
    until("the count", || {
        counted().iter().sum::<usize>() >= expected.iter().sum()
    });
    assert_eq!(counted(), expected, "{}", rotating.gateway);
}

#[test]
fn the_place_of_the_key_that_held_is_counted() {
    let app = App::start();
    let first = listing(&Config::snap(&app), BEFORE);
    let kawal = Kawal::start(first.clone());
    for rotating in &ROTATING {
        passes(&kawal, rotating, Old);
        passes(&kawal, rotating, Old);
        is_refused(&kawal, rotating, New);
        held(&kawal, rotating, [2, 0]);
    }
    kawal.reload(&listing(&first, OVERLAP));
    for rotating in &ROTATING {
        for age in [Old, Old, Old, New] {
            passes(&kawal, rotating, age);
        }
        held(&kawal, rotating, [3, 3]);
    }
    kawal.reload(&listing(&first, AFTER));
    for rotating in &ROTATING {
        passes(&kawal, rotating, New);
        is_refused(&kawal, rotating, Old);
        held(&kawal, rotating, [4, 3]);
    }
    assert_eq!(app.count(), 7 * ROTATING.len());
}

/// And back again, when the gateway was not ready for it.
#[test]
fn a_rotation_is_rolled_back() {
    let app = App::start();
    let first = listing(&Config::snap(&app), BEFORE);
    let kawal = Kawal::start(first.clone());
    kawal.reload(&listing(&first, AFTER));
    for rotating in &ROTATING {
        is_refused(&kawal, rotating, Old);
        passes(&kawal, rotating, New);
    }
    kawal.reload(&first);
    for rotating in &ROTATING {
        is_refused(&kawal, rotating, New);
        passes(&kawal, rotating, Old);
    }
}

/// A retry that is signed anew after the rotation is the same notification.
#[test]
fn what_was_delivered_under_the_old_secret_is_known_under_the_new_one() {
    let app = App::start();
    app.next(Reply::new(201).body("taken"));
    let first = listing(&Config::snap(&app), BEFORE);
    let kawal = Kawal::start(first.clone());
    let doku = &ROTATING[0];
    let signed = Doku::new("{}").client(BRN, &doku.key(Old));
    assert_eq!(kawal.send(&signed.sign()).status, 201);
    for step in [OVERLAP, AFTER] {
        kawal.reload(&listing(&first, step));
        let again = kawal.send(&signed.clone().client(BRN, &doku.key(New)).sign());
        assert_eq!((again.status, &*again.text()), (201, "taken"));
    }
    assert_eq!(app.count(), 1);
}

/// The gateway whose tokens are Kawal's, with these secrets.
fn issuing(config: &Config, secrets: &[&str]) -> Config {
    let write = |secret: &&str| config.secret(&format!("b2b-{secret}"), secret);
    let secrets: Vec<_> = secrets.iter().map(write).collect();
    let key = config.secret("b2b.pem", key_text("gateway-public.pem"));
    let clients = json!([{"id": BRN, "secrets": secrets, "public_keys": [key]}]);
    config.clone().set("gateways.doku-b2b.clients", clients)
}

fn bearing(token: &str, secret: &str, body: &str) -> Snap {
    let snap = Snap::new(body).target(B2B_PAYMENT);
    snap.client(BRN, secret).token(token)
}

#[test]
fn a_token_is_good_while_its_secret_is_listed() {
    let app = App::start();
    let first = issuing(&Config::snap(&app), &[SNAP_OLD_SECRET]);
    let kawal = Kawal::start(first.clone());
    let old = access_token(&kawal.send(&TokenRequest::new().sign()));

    kawal.reload(&issuing(&first, &[SNAP_NEW_SECRET, SNAP_OLD_SECRET]));
    for (nth, secret) in [SNAP_OLD_SECRET, SNAP_NEW_SECRET].iter().enumerate() {
        let signed = bearing(&old, secret, &format!("[{nth}]"));
        assert_eq!(kawal.send(&signed.sign()).status, 200, "{nth}");
    }
    // Requests of one second are one, and get one token.
    let is_new = |token: &str| Jwt::read(token, &token_key(SNAP_NEW_SECRET, "doku-b2b", BRN)).2;
    let asked = || access_token(&kawal.send(&TokenRequest::new().sign()));
    until("a token of the new secret", || is_new(&asked()));
    let new = asked();

    kawal.reload(&issuing(&first, &[SNAP_NEW_SECRET]));
    let refused = kawal.send(&bearing(&old, SNAP_NEW_SECRET, "[2]").sign());
    assert_snap(&refused, "4012500", "Unauthorized");
    kawal.notifications_where(1, |line| line["reason"] == "bad_token");
    let by_old = kawal.send(&bearing(&new, SNAP_OLD_SECRET, "[3]").sign());
    assert_snap(&by_old, "4012500", "Unauthorized");
    assert_eq!(app.count(), 2);
    assert_eq!(
        kawal
            .send(&bearing(&new, SNAP_NEW_SECRET, "[2]").sign())
            .status,
        200
    );
    assert_eq!(app.count(), 3);
}

/// The public key with which requests for tokens are verified.
#[test]
fn requests_for_tokens_are_verified_by_the_keys_that_are_listed() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let config = kawal.config.clone();
    let secret = config.secret("b2b", SNAP_NEW_SECRET);
    let [old, new] =
        ["gateway-public.pem", "other-public.pem"].map(|name| config.secret(name, key_text(name)));
    let asks = |age: Age| {
        let key = if age == Old { &GATEWAY } else { &OTHER };
        kawal.send(&TokenRequest::new().sign_with(key)).status
    };
    for (keys, statuses) in [
        (json!([old]), [200, 401]),
        (json!([new, old]), [200, 200]),
        (json!([new]), [401, 200]),
    ] {
        let clients = json!([{"id": BRN, "secrets": [secret], "public_keys": keys}]);
        kawal.reload(&config.clone().set("gateways.doku-b2b.clients", clients));
        assert_eq!([asks(Old), asks(New)], statuses, "{keys}");
    }
}
