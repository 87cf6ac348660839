//! What a watcher lets through is never taken for what was delivered: the ledger knows genuine ones only.

use std::time::Duration;

use serde_json::Value;

use crate::harness::gateway::BRN_SECRET;
use crate::harness::*;

on_every_store!(
    a_forgery_before_it_leaves_the_genuine_one_the_first,
    a_forgery_settles_and_frees_nothing,
    copies_do_not_disturb_one_at_the_app,
    a_refusal_of_the_first_is_not_made_up_for_by_its_copies,
    copies_of_a_delivered_one_change_nothing,
    a_conflict_changes_no_stored_answer,
    what_is_unproven_stays_so,
    an_outcome_that_is_not_known_holds_the_genuine_one_only,
);

fn watching(store: Store, change: impl FnOnce(Config) -> Config) -> Watch {
    Watch::with(|config| change(config.on(&store)))
}

/// Whatever claims the identity of this one without a proof, or at a time that does not count.
fn forgeries(signed: &Doku) -> Vec<(&'static str, Request)> {
    let genuine = signed.sign();
    let hours = Duration::from_secs(3600);
    let at = |time: &str| signed.clone().at(time).sign();
    let mut stranger = signed.clone();
    stranger.secret = format!("{BRN_SECRET}-of-a-stranger");
    let unknown = signed.clone().client("BRN-9", BRN_SECRET);
    vec![
        ("missing_proof", genuine.clone().without("Signature")),
        ("bad_proof", stranger.sign()),
        ("bad_proof", genuine.body("{\"amount\":2}")),
        ("unknown_client", unknown.sign()),
        ("stale", at(&ago(72 * hours))),
        ("future", at(&ahead(hours))),
    ]
}

fn a_forgery_before_it_leaves_the_genuine_one_the_first(store: Store) {
    let mut watch = watching(store, |config| config);
    let signed = Doku::new("{\"amount\":1}");
    for _ in 0..2 {
        for (reason, forged) in forgeries(&signed) {
            watch.app.next(Reply::ok().body("taken from a stranger"));
            watch.lets_through(reason, &forged, reason);
        }
    }
    watch.app.next(Reply::new(201).body("taken"));
    let genuine = signed.sign();
    let seen = watch.send(&genuine);
    let first = seen.accepted("genuine", &genuine);
    assert_eq!(first.all("X-Kawal-Attempt"), ["1"]);
    assert_eq!((seen.answer.status, &*seen.answer.text()), (201, "taken"));

    watch.kawal.switch("doku", "enforce");
    let copy = watch.keeps_from_the_app("a copy", &genuine);
    assert_eq!((copy.status, &*copy.text()), (201, "taken"));
}

fn a_forgery_settles_and_frees_nothing(store: Store) {
    let mut watch = watching(store, |config| config);
    let signed = Doku::new("{\"amount\":1}");
    let genuine = signed.sign();
    // Refused by the app: it is free, and stays so.
    watch.app.next(Reply::new(500));
    assert_eq!(watch.send(&genuine).answer.status, 500);
    for (reason, forged) in forgeries(&signed) {
        watch.lets_through(reason, &forged, reason);
    }
    watch.app.next(Reply::ok().body("taken"));
    let second = watch.accepts("the retry", &genuine);
    assert_eq!(second.all("X-Kawal-Attempt"), ["2"]);
    // Delivered: it is known, and stays so.
    for status in [500, 200] {
        for (reason, forged) in forgeries(&signed) {
            watch.app.next(Reply::new(status));
            watch.send(&forged).marked(reason, &forged, reason);
        }
    }
    watch.lets_through("a copy", &genuine, "duplicate");
    watch.kawal.switch("doku", "enforce");
    let copy = watch.keeps_from_the_app("a copy", &genuine);
    assert_eq!((copy.status, &*copy.text()), (200, "taken"));
}

fn copies_do_not_disturb_one_at_the_app(store: Store) {
    let mut watch = watching(store, |config| config);
    let signed = Doku::new("{\"amount\":1}");
    let genuine = signed.sign();
    let waiting = hold(&watch, &genuine, Reply::ok().body("taken").held());
    let mut other = signed.clone();
    other.body = b"{\"amount\":3}".to_vec();
    for status in [200, 500] {
        for (reason, copy) in [("in_flight", &genuine), ("conflict", &other.sign())] {
            watch.app.next(Reply::new(status));
            watch.send(copy).marked(reason, copy, reason);
        }
        for (reason, forged) in forgeries(&signed) {
            watch.app.next(Reply::new(status));
            watch.send(&forged).marked(reason, &forged, reason);
        }
    }
    // Its copies may have been taken or refused: it is still the one that is waited for.
    watch.lets_through("a copy", &genuine, "in_flight");
    let_go(&watch, waiting, 200);
    watch.lets_through("a copy", &genuine, "duplicate");
    watch.kawal.switch("doku", "enforce");
    let copy = watch.keeps_from_the_app("a copy", &genuine);
    assert_eq!((copy.status, &*copy.text()), (200, "taken"));
}

fn a_refusal_of_the_first_is_not_made_up_for_by_its_copies(store: Store) {
    let watch = watching(store, |config| config);
    let genuine = doku("{\"amount\":1}");
    let waiting = hold(&watch, &genuine, Reply::new(503).held());
    for _ in 0..3 {
        watch.lets_through("a copy", &genuine, "in_flight");
    }
    let_go(&watch, waiting, 503);
    let second = watch.accepts("the retry", &genuine);
    assert_eq!(second.all("X-Kawal-Attempt"), ["2"]);
    watch.lets_through("a copy", &genuine, "duplicate");
}

fn copies_of_a_delivered_one_change_nothing(store: Store) {
    let mut watch = watching(store, |config| config);
    let genuine = doku("{\"amount\":1}");
    watch.app.next(Reply::new(201).body("taken"));
    let first = watch.send(&genuine);
    assert_eq!(first.answer.status, 201);
    for reply in [
        Reply::new(500),
        Reply::hangup(),
        Reply::ok().body("taken twice"),
        Reply::new(409),
    ] {
        watch.app.next(reply);
        let seen = watch.send(&genuine);
        seen.marked("a copy", &genuine, "duplicate");
    }
    watch.kawal.switch("doku", "enforce");
    let copy = watch.keeps_from_the_app("a copy", &genuine);
    assert_eq!((copy.status, &*copy.text()), (201, "taken"));
}

fn a_conflict_changes_no_stored_answer(store: Store) {
    let mut watch = watching(store, |config| config);
    let signed = Doku::new("{\"amount\":1}");
    let mut other = signed.clone();
    other.body = b"{\"amount\":2}".to_vec();
    let (genuine, other) = (signed.sign(), other.sign());
    watch.app.next(Reply::ok().body("taken"));
    watch.accepts("genuine", &genuine);
    for _ in 0..2 {
        watch.app.next(Reply::ok().body("taken instead"));
        let seen = watch.lets_through("other content", &other, "conflict");
        assert_eq!(seen.text(), "{\"amount\":2}");
    }
    watch.lets_through("a copy", &genuine, "duplicate");
    watch.kawal.switch("doku", "enforce");
    let copy = watch.keeps_from_the_app("a copy", &genuine);
    assert_eq!(copy.text(), "taken");
    let copy = watch.keeps_from_the_app("other content", &other);
    assert_eq!(copy.status, 409, "{copy:?}");
}

/// It may have been delivered before our memory begins: that the app takes it now is no reason to believe it later.
fn what_is_unproven_stays_so(store: Store) {
    let watch = watching(store, Config::with_short_youth);
    let signed = Doku::new("{}").at(&ago(Duration::from_secs(600)));
    for _ in 0..3 {
        watch.lets_through("unproven", &signed.sign(), "unproven");
    }
    // Signed anew it is fresh, and the first.
    let anew = signed.at(&ahead(Duration::from_secs(60))).sign();
    let first = watch.accepts("signed anew", &anew);
    assert_eq!(first.all("X-Kawal-Attempt"), ["1"]);
}

fn an_outcome_that_is_not_known_holds_the_genuine_one_only(store: Store) {
    let watch = watching(store, |config| config);
    let signed = Doku::new("{\"amount\":1}");
    for (reason, forged) in forgeries(&signed) {
        watch.app.next(Reply::hangup());
        let seen = watch.send(&forged);
        assert_eq!(seen.answer.status, 502);
        seen.marked(reason, &forged, reason);
    }
    let genuine = signed.sign();
    watch.app.next(Reply::hangup());
    let seen = watch.send(&genuine);
    assert_eq!(seen.answer.status, 502);
    assert_eq!(seen.line["outcome"], "unknown", "{}", seen.line);
    assert_eq!(seen.only("genuine").all("X-Kawal-Attempt"), ["1"]);
    // Whoever comes while nobody knows is let through, and settles nothing.
    for _ in 0..2 {
        watch.lets_through("a copy", &genuine, "in_flight");
    }
}

/// In memory, every entry is counted.
#[test]
fn what_would_be_refused_takes_no_place_in_the_ledger() {
    let watch = Watch::with(|config| config.set("replay.capacity", 2));
    for _ in 0..5 {
        for (reason, forged) in forgeries(&Doku::new("{\"amount\":1}")) {
            watch.lets_through(reason, &forged, reason);
        }
    }
    assert_eq!(watch.kawal.metric("kawal_ledger_entries"), 0.0);
    for entries in [1.0, 2.0] {
        let genuine = doku("{}");
        watch.accepts("genuine", &genuine);
        watch.lets_through("a copy", &genuine, "duplicate");
        assert_eq!(watch.kawal.metric("kawal_ledger_entries"), entries);
    }
    watch.lets_through("one more", &doku("{}"), "saturated");
}

/// In the store, every entry is a key.
#[test]
fn what_would_be_refused_leaves_no_key_in_the_store() {
    let redis = Redis::start();
    let watch = Watch::with(|config| config.on(&redis).patient_with_store());
    watch.accepts("so that everything has begun", &doku("{}"));
    let genuine = Doku::new("{\"amount\":1}");
    let entries = || {
        let mut keys = redis.keys();
        keys.retain(|key| key.rsplit(':').next().is_some_and(|id| id.len() == 64));
        keys.len()
    };
    let before = entries();
    for (reason, forged) in forgeries(&genuine) {
        watch.lets_through(reason, &forged, reason);
        assert_eq!(entries(), before, "{reason}: {:?}", redis.keys());
    }
    watch.accepts("genuine", &genuine.sign());
    assert_eq!(entries(), before + 1, "{:?}", redis.keys());
}

/// Sends it to an app that thinks about it.
fn hold(watch: &Watch, request: &Request, reply: Reply) -> Connection {
    let before = watch.app.count();
    watch.app.next(reply);
    let mut gateway = Connection::open(watch.kawal.addr());
    gateway.write(&request.bytes()).unwrap();
    watch.app.wait_for(before + 1);
    gateway
}

/// The app answers with this status, and that is settled when this returns.
fn let_go(watch: &Watch, mut gateway: Connection, status: u16) {
    watch.app.release();
    assert_eq!(gateway.read("POST").unwrap().status, status);
    let settled = |line: &Value| line["verdict"] == "accepted" && line["status"] == status;
    watch.kawal.notifications_where(1, settled);
}
