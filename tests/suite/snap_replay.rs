//! A captured SNAP BI notification reaches the app once, whatever is written around what was signed.

use serde_json::json;

use crate::harness::gateway::MCH;
use crate::harness::snap::{APP_TOKEN, DEBIT, INQUIRY, PAYMENT, RSA_PAYMENT, SNAP_SECRET, Snap};
use crate::harness::{
    App, Config, Connection, Kawal, Reply, Request, Store, ago, now, on_every_store, snap,
};
use crate::refusals::{assert_snap, assert_snap_head, assert_wait};

on_every_store!(
    no_header_that_nobody_signs_makes_a_captured_one_new,
    another_spelling_of_the_scheme_word_makes_nothing_new,
    another_client_of_the_same_key_makes_nothing_new,
    a_retry_that_was_signed_anew_is_the_same_notification,
    other_white_space_makes_no_other_notification,
    while_the_first_copy_is_at_the_app_the_next_one_waits,
    a_repeat_is_refused_in_snap_form_where_the_configuration_says_so,
);

const BODY: &str = r#"{"trxId":"INV-1","paidAmount":{"value":"11500.00"}}"#;

fn taken() -> Reply {
    Reply::new(201)
        .header("Content-Type", "application/vnd.shop+json")
        .body("{\"receipt\":\"R-1\"}")
}

/// Every disguise of a captured notification.
fn disguises(captured: &Request) -> Vec<(&'static str, Request)> {
    let captured = captured.clone();
    vec![
        ("as it was", captured.clone()),
        (
            "another trace",
            captured.clone().replace("X-EXTERNAL-ID", "99999"),
        ),
        (
            "another channel",
            captured.clone().replace("CHANNEL-ID", "VA999"),
        ),
        ("no channel", captured.clone().without("CHANNEL-ID")),
        (
            "another device",
            captured.clone().replace("X-DEVICE-ID", "other"),
        ),
        (
            "another address",
            captured.clone().replace("X-IP-ADDRESS", "198.51.100.1"),
        ),
        (
            "another customer",
            captured
                .clone()
                .replace("Authorization-customer", "Bearer other"),
        ),
        (
            "no customer",
            captured.clone().without("Authorization-customer"),
        ),
        (
            "another type",
            captured.clone().replace("Content-Type", "text/plain"),
        ),
        (
            "another host",
            captured.clone().replace("Host", "other.example"),
        ),
        (
            "another spelling",
            captured.clone().rename("X-EXTERNAL-ID", "x-external-id"),
        ),
        (
            "another header",
            captured.clone().header("X-Request-Id", "other"),
        ),
        (
            "headers of our name",
            captured.clone().header("X-Kawal-Attempt", "9"),
        ),
        ("in chunks", captured.chunked(3)),
    ]
}

fn no_header_that_nobody_signs_makes_a_captured_one_new(store: Store) {
    let asymmetric = Snap::new(BODY).target(RSA_PAYMENT).sign_rsa();
    for captured in [snap(BODY), asymmetric] {
        let app = App::start();
        app.next(taken());
        let kawal = Kawal::start(Config::snap(&app).on(&store));
        assert_eq!(kawal.send(&captured).status, 201);
        for (nth, (name, disguised)) in disguises(&captured).iter().enumerate() {
            let answer = kawal.send(disguised);
            assert_eq!(answer.status, 201, "{name}: {answer:?}");
            assert_eq!(answer.body, taken().body, "{name}");
            let kind = answer.header("content-type");
            assert_eq!(kind.as_deref(), Some("application/vnd.shop+json"), "{name}");
            assert_eq!(kawal.reason(nth + 2), "duplicate", "{name}");
        }
        assert_eq!(app.count(), 1);
    }
}

/// The gateway's word for its token is not part of the token.
fn another_spelling_of_the_scheme_word_makes_nothing_new(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).on(&store));
    let captured = snap(BODY);
    assert_eq!(kawal.send(&captured).status, 200);
    for value in [
        format!("bearer {APP_TOKEN}"),
        format!("BEARER {APP_TOKEN}"),
        APP_TOKEN.to_owned(),
    ] {
        let disguised = captured.clone().replace("Authorization", &value);
        assert_eq!(kawal.send(&disguised).status, 200, "{value}");
    }
    assert_eq!(app.count(), 1);
}

/// Who it is from is not signed either: where two clients have one key, naming the other changes nothing.
fn another_client_of_the_same_key_makes_nothing_new(store: Store) {
    let app = App::start();
    let config = Config::snap(&app).on(&store);
    let secret = config.secret("shared", SNAP_SECRET);
    let clients = json!([
        {"id": "BRN-0201-1690274481481", "secrets": [secret]},
        {"id": MCH, "secrets": [secret]},
    ]);
    let kawal = Kawal::start(config.set("gateways.doku-snap.clients", clients));
    let asymmetric = Snap::new(BODY).target(RSA_PAYMENT).sign_rsa();
    for (nth, captured) in [snap(BODY), asymmetric].iter().enumerate() {
        assert_eq!(kawal.send(captured).status, 200);
        let renamed = captured.clone().replace("X-PARTNER-ID", MCH);
        let answer = kawal.send(&renamed);
        assert!([200, 409].contains(&answer.status), "{answer:?}");
        assert_eq!(
            app.count(),
            nth + 1,
            "it reached the app under another name"
        );
    }
}

fn a_retry_that_was_signed_anew_is_the_same_notification(store: Store) {
    for asymmetric in [false, true] {
        let app = App::start();
        app.next(Reply::new(500)).next(taken());
        let kawal = Kawal::start(Config::snap(&app).on(&store));
        let target = if asymmetric { RSA_PAYMENT } else { PAYMENT };
        let old = Snap::new(BODY)
            .target(target)
            .at(&ago(std::time::Duration::from_secs(10)));
        let new = old
            .clone()
            .at(&now())
            .token("another-token")
            .external_id("777");
        let sign = |signed: &Snap| {
            if asymmetric {
                signed.sign_rsa()
            } else {
                signed.sign()
            }
        };
        let rows = [(&old, 500), (&new, 201), (&old, 201), (&new, 201)];
        for (signed, status) in rows {
            let answer = kawal.send(&sign(signed));
            assert_eq!(answer.status, status, "{answer:?}");
        }
        // Signed over the raw body instead of the minified one, it is the same again.
        let raw = new.hashing_raw();
        assert_eq!(kawal.send(&sign(&raw)).body, taken().body);
        let attempts: Vec<_> = app
            .requests()
            .iter()
            .map(|r| r.all("x-kawal-attempt"))
            .collect();
        assert_eq!(attempts, [["1"], ["2"]]);
    }
}

fn other_white_space_makes_no_other_notification(store: Store) {
    for target in [PAYMENT, DEBIT] {
        let app = App::start();
        let kawal = Kawal::start(Config::snap(&app).on(&store));
        let genuine = Snap::new(BODY).target(target);
        assert_eq!(kawal.send(&genuine.sign()).status, 200);
        let spread = BODY.replace(':', " : ");
        let bodies = [spread.clone(), format!("{BODY}\n"), format!(" {BODY}")];
        for (nth, body) in bodies.iter().enumerate() {
            // Signed anew, or the captured signature: it covers either text.
            let anew = Snap::new(body).target(target).sign();
            let captured = genuine.sign().body(body);
            for (way, request) in [anew, captured].iter().enumerate() {
                assert_eq!(kawal.send(request).text(), "ok", "{body}");
                assert_eq!(kawal.reason(nth * 2 + way + 2), "duplicate", "{body}");
            }
        }
        assert_eq!(app.count(), 1, "{target}");
    }
}

fn while_the_first_copy_is_at_the_app_the_next_one_waits(store: Store) {
    let rows = [
        (PAYMENT, "5032500"),
        (INQUIRY, "5032400"),
        (DEBIT, "5035600"),
    ];
    for (target, code) in rows {
        let app = App::start();
        app.next(taken().held());
        let kawal = Kawal::start(Config::snap(&app).on(&store));
        let notification = Snap::new(BODY).target(target).sign();
        let mut first = Connection::open(kawal.addr());
        first.write(&notification.bytes()).unwrap();
        app.wait_for(1);
        let disguised = notification.clone().replace("X-EXTERNAL-ID", "1");
        for request in [&notification, &disguised] {
            let answer = kawal.send(request);
            assert_snap(&answer, code, "Service Unavailable");
            assert_wait(&answer);
        }
        assert_eq!(app.count(), 1, "{target}");
        app.release();
        assert_eq!(first.read("POST").unwrap().status, 201);
    }
}

fn a_repeat_is_refused_in_snap_form_where_the_configuration_says_so(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).on(&store).on_route(
        PAYMENT,
        "duplicate",
        "reject",
    ));
    assert_eq!(kawal.send(&snap(BODY)).status, 200);
    let again = kawal.send(&snap(BODY).replace("X-EXTERNAL-ID", "1"));
    assert_snap(&again, "4092500", "Conflict");
    assert_snap_head(&again);
    assert_eq!(kawal.reason(2), "duplicate");
    assert_eq!(app.count(), 1);
}
