//! Each reason to refuse, watched: told to the app and to the log, with what was proven until then.

use std::time::Duration;

use serde_json::json;

use crate::harness::gateway::{BRN, PAN};
use crate::harness::snap::{B2B_PAYMENT, INQUIRY, Snap};
use crate::harness::tokens::{b2b_jwt, b2b_key, bearing};
use crate::harness::*;

const HOUR: Duration = Duration::from_secs(3600);

/// The name of each, the client that is proven, and whether the id is.
#[test]
fn what_a_proof_says_is_told_as_far_as_it_holds() {
    let watch = Watch::with(Config::with_short_youth);
    let (old, older, soon) = (ago(HOUR / 2), ago(2 * HOUR), ahead(HOUR));
    let at = |time: &str| Doku::new("{}").at(time).sign();
    let no_secret = Doku::new("{}").client("BRN-9", "whatever-secret");
    let rows = [
        ("missing_proof", doku("{}").without("Signature"), None),
        ("missing_proof", doku("{}").without("Client-Id"), None),
        (
            "bad_proof",
            doku("{}").replace("Signature", "HMACSHA256=AAAA"),
            None,
        ),
        ("bad_proof", doku("{}").body("{\"amount\":2}"), None),
        ("unknown_client", no_secret.sign(), None),
        ("stale", at(&older), Some(BRN)),
        ("future", at(&soon), Some(BRN)),
        ("unproven", at(&old), Some(BRN)),
    ];
    for (reason, request, client) in rows {
        let seen = watch.lets_through(reason, &request, reason);
        let [told, id] = seen.proven();
        assert_eq!(told.as_deref(), client, "{reason}");
        // Without its client, nobody knows what it would be called.
        assert!(client.is_some() || id.is_none(), "{reason}: {id:?}");
    }
    watch.accepts("genuine", &fresh());
}

/// An identity that was proven has one name, whatever becomes of it.
#[test]
fn one_that_comes_again_has_the_id_of_the_first() {
    let watch = Watch::with(Config::with_short_youth);
    let signed = Doku::new("{}").at(&ahead(HOUR / 60));
    let first = watch.accepts("first", &signed.sign());
    assert_eq!(first.proven()[0].as_deref(), Some(BRN));
    let mut other = signed.clone();
    other.body = b"{\"amount\":2}".to_vec();
    let odd = watch.lets_through("other content", &other.sign(), "conflict");
    assert_eq!(odd.proven(), first.proven());
    let late = signed.clone().at(&ago(HOUR / 2));
    let told = watch.send(&late.sign()).only("late").proven();
    assert_eq!(told, first.proven());
    for unproven in ["stale", "future"] {
        let time = if unproven == "stale" {
            ago(2 * HOUR)
        } else {
            ahead(HOUR)
        };
        let request = signed.clone().at(&time).sign();
        let [_, id] = watch.lets_through(unproven, &request, unproven).proven();
        assert!(id.is_none() || id == first.proven()[1], "{unproven}");
    }
}

/// Whether it would be acknowledged or refused: the app gets it.
#[test]
fn a_repeat_is_watched_whatever_the_policy_is() {
    for policy in ["acknowledge", "reject"] {
        let watch = Watch::with(|config| {
            let config = config.set("replay.duplicate", policy);
            config.on_route("/payments/pivot", "duplicate", policy)
        });
        for request in [doku("{}"), pivot("{}"), Qris::new().sign()] {
            let first = watch.accepts(policy, &request);
            for _ in 0..3 {
                let again = watch.lets_through(policy, &request, "duplicate");
                assert_eq!(again.proven(), first.proven(), "{policy}");
            }
        }
        assert_eq!(watch.app.count(), 12);
    }
}

/// An inquiry is asked again in either mode.
#[test]
fn an_inquiry_that_comes_again_is_accepted() {
    let watch = Watch::with(Config::with_snap);
    let request = Snap::new("{\"inquiry\":1}").target(INQUIRY).sign();
    for attempt in ["1", "2", "3"] {
        let seen = watch.accepts("inquiry", &request);
        assert_eq!(seen.all("X-Kawal-Attempt"), [attempt]);
    }
}

#[test]
fn a_token_that_is_not_ours_is_watched_and_its_bearer_is_known() {
    let watch = Watch::with(Config::with_snap);
    let good = b2b_jwt().hs256(&b2b_key());
    let rows = [
        ("made up", "a-token-of-nobody".to_owned()),
        ("ended", b2b_jwt().claim("exp", 0).hs256(&b2b_key())),
        ("under another key", b2b_jwt().hs256(b"a-key-of-nobody")),
    ];
    for (name, token) in rows {
        let request = bearing(&token).sign();
        assert_eq!(request.target, B2B_PAYMENT);
        let seen = watch.lets_through(name, &request, "bad_token");
        assert_eq!(seen.proven()[0].as_deref(), Some(BRN), "{name}");
        let bearer = format!("Bearer {token}");
        assert_eq!(seen.all("authorization"), [bearer], "{name}");
    }
    watch.accepts("good", &bearing(&good).sign());
}

/// What has no single reading cannot be made JSON, and goes on as it is.
#[test]
fn what_cannot_be_converted_goes_on_as_it_came() {
    let watch = Watch::new();
    let query = Qris::new().signed().query();
    let rows = [
        ("a name twice", format!("{query}&AMOUNT=1.00")),
        ("no percent-encoding", format!("{query}&X=%zz")),
        ("no UTF-8", format!("{query}&X=%ff")),
    ];
    for (name, query) in rows {
        let by_query = Request::post(&format!("/payments/qris?{query}"), "");
        let by_form = Request::post("/payments/qris", &query)
            .header("Content-Type", "application/x-www-form-urlencoded");
        for request in [by_query, by_form] {
            let seen = watch.lets_through(name, &request, "malformed");
            assert_eq!(seen.target, request.target, "{name}");
            assert!(seen.body == request.body, "{name}: {}", seen.text());
            assert_eq!(seen.all("X-Kawal-Gateway"), ["doku-qris"]);
        }
    }
}

/// What has one reading is JSON, forged or not.
#[test]
fn what_can_be_converted_is_converted_although_it_is_forged() {
    let watch = Watch::new();
    let genuine = Qris::new().signed();
    let rows = [
        ("bad_proof", genuine.clone().set("WORDS", &"0".repeat(40))),
        ("bad_proof", genuine.clone().set("INVOICE", "123456")),
        ("missing_proof", genuine.clone().without("WORDS")),
        (
            "unknown_client",
            Qris::new().set("MERCHANTPAN", "9360089999").signed(),
        ),
    ];
    for (reason, qris) in rows {
        let by_form = Request::post("/payments/qris", qris.query())
            .header("Content-Type", "application/x-www-form-urlencoded");
        for request in [qris.bare(), by_form] {
            let seen = watch.lets_through(reason, &request, reason);
            assert_eq!(Pairs::read(&seen.body).0, qris.fields, "{reason}");
            assert_eq!(seen.proven(), [None, None], "{reason}");
        }
    }
    watch.accepts("genuine", &genuine.bare());
    let moved = genuine.clone().set("AMOUNT", "1.00").bare();
    let seen = watch.lets_through("another amount", &moved, "conflict");
    assert_eq!(seen.proven()[0].as_deref(), Some(PAN));
    assert!(seen.text().contains("\"AMOUNT\":\"1.00\""));
}

#[test]
fn a_full_ledger_is_watched() {
    let watch = Watch::with(|config| config.set("replay.capacity", 1));
    let known = doku("{}");
    let first = watch.accepts("the one that is known", &known);
    for _ in 0..3 {
        let more = doku("{}");
        for _ in 0..2 {
            let seen = watch.lets_through("one more", &more, "saturated");
            let [client, id] = seen.proven();
            assert_eq!(client.as_deref(), Some(BRN));
            assert!(id.is_some() && id != first.proven()[1]);
        }
    }
    watch.lets_through("the one that is known", &known, "duplicate");
}

/// A watcher never makes the app miss a notification: not even for want of a store.
#[test]
fn a_store_that_is_away_is_watched_and_remembers_nothing_of_it() {
    let app = App::start();
    let redis = Redis::with(&["--appendonly", "yes"]);
    let config = Config::new(&app).observing().on(&redis);
    let kawal = Kawal::start(config.set("replay.redis.timeout", "2s"));
    let watch = Watch { app, kawal };
    redis.kill();
    let notification = doku("{}");
    for _ in 0..2 {
        let seen = watch.lets_through("in the dark", &notification, "store_down");
        assert_eq!(seen.proven()[0].as_deref(), Some(BRN));
        assert!(seen.proven()[1].is_some());
    }
    let forged = doku("{}").body("{\"amount\":2}");
    watch.lets_through("forged in the dark", &forged, "bad_proof");
    watch.kawal.wait_for_metric("kawal_store_up", 0.0);
    redis.restart();
    watch.kawal.wait_for_metric("kawal_store_up", 1.0);
    let seen = watch.accepts("in the light", &notification);
    assert_eq!(seen.all("X-Kawal-Attempt"), ["1"]);
    watch.lets_through("again", &notification, "duplicate");
}

/// Where the policy lets it pass without a store, it is accepted, as ever.
#[test]
fn what_passes_without_a_store_is_accepted() {
    let app = App::start();
    let redis = Redis::start();
    let config = Config::new(&app).observing().on(&redis);
    let config = config.set("replay.unavailable", json!("forward"));
    let kawal = Kawal::start(config.set("replay.redis.timeout", "2s"));
    redis.kill();
    let answer = kawal.send(&doku("{}"));
    assert_eq!(answer.status, 200);
    let seen = app.only();
    assert_eq!(seen.all("X-Kawal-Verdict"), ["accepted"]);
    assert_eq!(seen.all("X-Kawal-Covers"), ["body"]);
}
