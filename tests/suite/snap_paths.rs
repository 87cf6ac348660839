//! Method and path under a SNAP BI signature: as sent or as registered, with a query or none at all.

use serde_json::json;

use crate::harness::snap::{DEBIT, PAYMENT, RSA_PAYMENT, Snap, jakarta_time};
use crate::harness::{App, Config, Kawal, Request, snap};
use crate::refusals::{Bench, WRONG, assert_snap};

/// One of each kind of signature.
fn kinds() -> [Request; 2] {
    let asymmetric = Snap::new("{}").target(RSA_PAYMENT).sign_rsa();
    [snap("{}"), asymmetric]
}

#[test]
fn a_query_that_is_signed_goes_through() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let target = format!("{PAYMENT}?shop=1&x=%2F");
    let rsa = format!("{RSA_PAYMENT}?shop=1&x=%2F");
    let rows = [
        (Snap::new("{ }").target(&target).sign(), &target),
        (
            Snap::new("[ ]").target(&target).hashing_raw().sign(),
            &target,
        ),
        (Snap::new("{ }").target(&rsa).sign_rsa(), &rsa),
        (Snap::new("[ ]").target(&rsa).hashing_raw().sign_rsa(), &rsa),
    ];
    for (nth, (request, target)) in rows.iter().enumerate() {
        assert_eq!(kawal.send(request).status, 200, "{nth}");
        assert_eq!(app.wait_for(nth + 1)[nth].target, **target);
    }
}

#[test]
fn a_query_that_nobody_signed_is_refused() {
    let mut bench = Bench::with(Config::with_snap);
    let genuine = Snap::new("{}");
    let asymmetric = Snap::new("{}").target(RSA_PAYMENT);
    for query in ["?", "?shop=1", "?a&b", "?x=%2F"] {
        let added = genuine.sign().target(&format!("{PAYMENT}{query}"));
        bench.unauthorized_snap("25", query, &added, WRONG);
        let added = asymmetric
            .sign_rsa()
            .target(&format!("{RSA_PAYMENT}{query}"));
        bench.unauthorized_snap("25", query, &added, WRONG);
    }
    let signed = Snap::new("{}").target(&format!("{PAYMENT}?shop=1")).sign();
    for target in ["?shop=2", "?shop=1&a=1", "?SHOP=1", "?shop=%31", ""] {
        let altered = signed.clone().target(&format!("{PAYMENT}{target}"));
        bench.unauthorized_snap("25", target, &altered, WRONG);
    }
    bench.admits(&genuine.sign());
}

#[test]
fn behind_an_ingress_the_registered_path_is_the_signed_one() {
    let public = "/shop/snap/payment";
    let mut bench = Bench::with(|config| {
        let config = config.with_snap();
        config.on_route(PAYMENT, "public_path", public)
    });
    let inner = snap("{}");
    bench.unauthorized_snap("25", "the inner path", &inner, WRONG);
    let mut sent = Snap::new("{}").signing_target(public).sign();
    sent.target = format!("{PAYMENT}?a=1");
    bench.unauthorized_snap("25", "a query", &sent, WRONG);
    bench.admits(&Snap::new("{}").signing_target(public).sign());
}

#[test]
fn a_registered_query_is_pinned() {
    let mut bench = Bench::with(|config| {
        let config = config.with_snap();
        config.on_route(PAYMENT, "public_path", "/shop/pay?shop=1")
    });
    for signed in ["/shop/pay", "/shop/pay?shop=1"] {
        for query in ["", "?", "?shop=2", "?shop=1&shop=1"] {
            let mut request = Snap::new("{}").signing_target(signed).sign();
            request.target = format!("{PAYMENT}{query}");
            bench.unauthorized_snap("25", &format!("{signed} {query}"), &request, WRONG);
        }
    }
    let mut whole = Snap::new("[]").signing_target("/shop/pay?shop=1").sign();
    whole.target = format!("{PAYMENT}?shop=1");
    let mut bare = Snap::new("{}").signing_target("/shop/pay").sign();
    bare.target = format!("{PAYMENT}?shop=1");
    let raw = Snap::new("[1, 2]").hashing_raw();
    let mut raw = raw.signing_target("/shop/pay").sign();
    raw.target = format!("{PAYMENT}?shop=1");
    for (nth, request) in [whole, bare, raw].iter().enumerate() {
        assert_eq!(bench.kawal.send(request).status, 200, "{nth}");
        // The app gets its own path with the query that was sent.
        let seen = bench.app.wait_for(nth + 1).remove(nth);
        assert_eq!(seen.target, request.target);
    }
}

/// Two doors with one name outside: a notification for the one holds for the other, and is still one.
#[test]
fn two_routes_with_one_registered_path_share_their_memory() {
    let public = "/shop/snap/payment";
    let second = json!({"path": "/second", "gateway": "doku-snap", "service": "va-payment", "public_path": public});
    let app = App::start();
    let config = Config::snap(&app).on_route(PAYMENT, "public_path", public);
    let kawal = Kawal::start(config.route(second));
    let signed = Snap::new("{}").signing_target(public);
    assert_eq!(kawal.send(&signed.sign()).status, 200);
    let elsewhere = kawal.send(&signed.clone().sign().target("/second"));
    assert!([200, 409].contains(&elsewhere.status), "{elsewhere:?}");
    let reason = kawal.reason(2);
    assert!(
        ["duplicate", "conflict"].contains(&reason.as_str()),
        "{reason}"
    );
    assert_eq!(app.count(), 1);
}

#[test]
fn a_signature_counts_for_one_method() {
    let both = json!(["POST", "PUT"]);
    let mut bench = Bench::with(|config| {
        let config = config
            .with_snap()
            .on_route(PAYMENT, "methods", both.clone());
        config.on_route(RSA_PAYMENT, "methods", both)
    });
    for genuine in kinds() {
        let other = genuine.method("PUT");
        bench.unauthorized_snap("25", "sent as PUT", &other, WRONG);
    }
    for method in ["post", "Post", "", "GET"] {
        let signed = Snap::new("{}").method(method);
        let request = Snap::new("{}")
            .at(&signed.timestamp)
            .with_signature(&signed.signature());
        bench.unauthorized_snap("25", method, &request, WRONG);
    }
    bench.admits(&Snap::new("{}").method("PUT").sign());
}

#[test]
fn a_signature_counts_for_one_path() {
    let other = json!({"path": "/v1/other", "gateway": "doku-snap", "service": "va-payment"});
    let rsa = json!({"path": "/rsa/other", "gateway": "doku-rsa", "service": "va-payment"});
    let mut bench = Bench::with(|config| config.with_snap().route(other).route(rsa));
    let [symmetric, asymmetric] = kinds();
    for (request, target) in [(&symmetric, "/v1/other"), (&asymmetric, "/rsa/other")] {
        let elsewhere = request.clone().target(target);
        bench.unauthorized_snap("25", target, &elsewhere, WRONG);
    }
    let whole = format!("https://merchant.example{PAYMENT}");
    let rows = [
        "/",
        "",
        "/v1/transfer-va/payment/",
        "/V1/transfer-va/payment",
        "v1/transfer-va/payment",
        DEBIT,
        &whole,
    ];
    for signed in rows {
        let request = Snap::new("{}").signing_target(signed).sign();
        bench.unauthorized_snap("25", signed, &request, WRONG);
    }
    bench.admits(&symmetric);
}

#[test]
fn the_same_body_on_two_routes_is_two_notifications_and_each_is_one() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let time = jakarta_time(jiff::Timestamp::now());
    for (nth, target) in [PAYMENT, DEBIT].iter().enumerate() {
        let signed = Snap::new("{}").target(target).at(&time);
        for _ in 0..2 {
            assert_eq!(kawal.send(&signed.sign()).status, 200);
        }
        let seen = app.wait_for(nth + 1);
        assert_eq!(seen.len(), nth + 1);
        assert_eq!(seen[nth].target, *target);
    }
    // The one's signature does not open the other's door.
    let lent = snap("{}").target(DEBIT);
    assert_snap(&kawal.send(&lent), "4015600", "Unauthorized");
    assert_eq!(app.count(), 2);
}
