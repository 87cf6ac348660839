//! One gateway is watched and another is guarded: nothing of the one's indulgence is the other's.

use std::collections::BTreeMap;

use serde_json::json;

use crate::harness::gateway::{BRN, BRN_SECRET};
use crate::harness::*;

const GUARDED: &str = "/guarded";

/// The same gateway twice, with the same key: `doku` is watched, `guarded` is not.
fn both(config: Config) -> Config {
    let clients = config.value("gateways.doku.clients");
    config
        .gateway("guarded", json!({"scheme": "doku", "clients": clients}))
        .route(json!({"path": GUARDED, "gateway": "guarded"}))
        .mode("doku", "observe")
        .mode("guarded", "enforce")
}

fn start() -> Watch {
    let app = App::start();
    let kawal = Kawal::start(both(Config::new(&app)));
    Watch { app, kawal }
}

/// What is wrong in every way, for this path.
fn forgeries(path: &str) -> Vec<(&'static str, Request)> {
    let signed = Doku::new("{\"amount\":1}").target(path);
    let genuine = signed.sign();
    let hour = std::time::Duration::from_secs(3600);
    let unknown = signed.clone().client("BRN-9", BRN_SECRET);
    vec![
        ("missing_proof", genuine.clone().without("Signature")),
        ("bad_proof", genuine.body("{\"amount\":2}")),
        ("unknown_client", unknown.sign()),
        ("stale", signed.clone().at(&ago(72 * hour)).sign()),
        ("future", signed.clone().at(&ahead(hour)).sign()),
        ("unproven", signed.at(&ago(hour)).sign()),
    ]
}

#[test]
fn only_the_one_that_is_watched_lets_through() {
    let watch = start();
    for (reason, request) in forgeries("/payments/notifications") {
        watch.lets_through(reason, &request, reason);
    }
    for (nth, (reason, request)) in forgeries(GUARDED).iter().enumerate() {
        let answer = watch.keeps_from_the_app(reason, request);
        assert_eq!(answer.status, 401, "{reason}");
        assert_eq!(answer.json(), json!({"error": "unauthorized"}));
        let guarded = |line: &serde_json::Value| line["gateway"] == "guarded";
        let line = watch
            .kawal
            .notifications_where(nth + 1, guarded)
            .remove(nth);
        assert_eq!(line["reason"], *reason, "{line}");
        assert!(line["verdict"].is_null(), "{line}");
        assert!(line["app_status"].is_null(), "{line}");
    }
    let put = doku("{}").target(GUARDED).method("PUT");
    assert_eq!(watch.keeps_from_the_app("a method", &put).status, 405);
    // What has a proof of the one is nothing at the other: the path is signed.
    let moved = doku("{}").target(GUARDED);
    assert_eq!(watch.keeps_from_the_app("moved", &moved).status, 401);

    let own = Doku::new("{}").target(GUARDED).sign();
    assert_eq!(watch.kawal.send(&own).status, 200);
    let seen = watch.app.requests().pop().unwrap();
    assert!(!seen.has("X-Kawal-Verdict"), "{:?}", seen.headers);
    assert_eq!(seen.all("X-Kawal-Gateway"), ["guarded"]);
    assert_eq!(watch.keeps_from_the_app("a copy", &own).status, 200);
}

/// One identity at both: what the one delivered says nothing of the other.
#[test]
fn what_one_delivered_is_new_to_the_other() {
    let watch = start();
    let signed = Doku::new("{}");
    let guarded = signed.clone().target(GUARDED).sign();
    let watched = signed.sign();
    let first = watch.accepts("watched", &watched);
    watch.lets_through("a copy", &watched, "duplicate");
    assert_eq!(watch.kawal.send(&guarded).status, 200);
    let other = watch.app.requests().pop().unwrap();
    assert_eq!(other.all("X-Kawal-Attempt"), ["1"]);
    assert_eq!(other.proven()[0].as_deref(), Some(BRN));
    assert_ne!(other.proven()[1], first.proven()[1]);
    assert_eq!(watch.keeps_from_the_app("a copy", &guarded).status, 200);
}

#[test]
fn every_other_gateway_guards_as_ever() {
    let watch = start();
    let qris = Qris::new().signed();
    for (name, request) in [
        ("pivot", pivot_with("a-key-of-nobody", "{}")),
        ("pivot", Request::post("/payments/pivot", "{}")),
        ("qris", qris.clone().set("WORDS", &"0".repeat(40)).bare()),
    ] {
        assert_eq!(watch.keeps_from_the_app(name, &request).status, 401);
    }
    let large = pivot("x".repeat(2 * 1024 * 1024));
    assert_eq!(watch.keeps_from_the_app("large", &large).status, 413);
}

#[test]
fn each_is_counted_by_itself() {
    let watch = start();
    let by = |kawal: &Kawal, gateway: &str, name: &str, label: &str, value: &str| {
        kawal.counted(name, &[("gateway", gateway), (label, value)])
    };
    for (gateway, path) in [("doku", "/payments/notifications"), ("guarded", GUARDED)] {
        let genuine = Doku::new("{}").target(path).sign();
        let mut reasons = BTreeMap::from([("duplicate", 2)]);
        for _ in 0..3 {
            assert_eq!(watch.kawal.send(&genuine).status, 200);
        }
        for (reason, request) in forgeries(path) {
            watch.kawal.send(&request);
            *reasons.entry(reason).or_default() += 1;
        }
        let forged = forgeries(path).len();
        let counter = "kawal_notifications_total";
        for (outcome, count) in [
            ("delivered", 1),
            ("duplicate", 2),
            ("rejected", forged),
            ("refused_by_app", 0),
            ("unknown", 0),
        ] {
            let labels = [("gateway", gateway), ("outcome", outcome)];
            watch.kawal.wait_for_count(counter, &labels, count);
        }
        for (reason, count) in reasons {
            let labels = [("gateway", gateway), ("reason", reason)];
            watch
                .kawal
                .wait_for_count("kawal_rejections_total", &labels, count);
        }
    }
    let forged = forgeries(GUARDED).len();
    let observed = [("gateway", "doku"), ("outcome", "delivered")];
    watch
        .kawal
        .wait_for_count("kawal_observed_total", &observed, forged + 2);
    let all = watch.kawal.counted("kawal_observed_total", &[]);
    assert_eq!(all, (forged + 2) as f64, "nothing else was observed");
    for outcome in ["delivered", "refused_by_app", "unknown", "rejected"] {
        let name = "kawal_observed_total";
        let guarded = by(&watch.kawal, "guarded", name, "outcome", outcome);
        assert_eq!(guarded, 0.0, "{outcome}");
    }
    for (gateway, observing) in [("doku", 1.0), ("guarded", 0.0), ("pivot", 0.0)] {
        let label = format!("gateway=\"{gateway}\"");
        let told = watch.kawal.metric_with("kawal_observing", &label);
        assert_eq!(told, observing, "{gateway}");
    }
}

/// Outcomes are what they would have been; what the app said is beside them.
#[test]
fn what_the_app_says_changes_no_count_of_outcomes() {
    let watch = start();
    for reply in [Reply::new(500), Reply::hangup(), Reply::ok()] {
        watch.app.next(reply);
        watch.kawal.send(&doku("{}").body("{\"amount\":2}"));
    }
    let name = "kawal_notifications_total";
    let labels = [("gateway", "doku"), ("outcome", "rejected")];
    watch.kawal.wait_for_count(name, &labels, 3);
    assert_eq!(watch.kawal.counted(name, &[("gateway", "doku")]), 3.0);
    for outcome in ["delivered", "refused_by_app", "unknown"] {
        let labels = [("gateway", "doku"), ("outcome", outcome)];
        watch
            .kawal
            .wait_for_count("kawal_observed_total", &labels, 1);
    }
    let labels = [("gateway", "doku"), ("reason", "bad_proof")];
    watch
        .kawal
        .wait_for_count("kawal_rejections_total", &labels, 3);
}
