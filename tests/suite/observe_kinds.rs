//! Every kind of gateway can be watched: what it sends reaches the app as it was sent, with the truth about it.

use serde_json::json;

use crate::harness::*;
use crate::refusals::{Bench, LACKING, MISSING, WRONG};

const HOUR: i64 = 3600;

/// The same configuration twice: one that refuses, and one that watches.
struct Twins {
    refusing: Bench,
    watch: Watch,
}

impl Twins {
    fn new(change: fn(Config) -> Config) -> Self {
        Self {
            refusing: Bench::with(change),
            watch: Watch::with(change),
        }
    }

    /// One refuses it, for one of these reasons; the other lets it through, for the same.
    #[track_caller]
    fn agree(&mut self, name: &str, request: &Request, reasons: &[&str]) -> Recorded {
        self.refusing.unauthorized(name, request, reasons);
        let told = self.refusing.kawal.decided();
        let reason = self.refusing.kawal.reason(told);
        self.watch.lets_through(name, request, &reason)
    }

    /// What all were made from is genuine for both, and nobody has spoilt it.
    #[track_caller]
    fn admit(self, name: &str, genuine: &Request) {
        let seen = self.watch.accepts(name, genuine);
        assert_eq!(seen.all("X-Kawal-Attempt"), ["1"], "{name}");
        self.refusing.admits(genuine);
    }
}

#[test]
fn what_is_genuine_has_all_that_it_ever_has_and_the_verdict() {
    let (app, watch) = (App::start(), Watch::with(Config::with_everybody));
    let kawal = Kawal::start(Config::fullest(&app));
    for (nth, (name, request)) in everybody().iter().enumerate() {
        assert_eq!(kawal.send(request).status, 200, "{name}");
        let usual = app.wait_for(nth + 1).remove(nth);
        let mut seen = watch.accepts(name, request);
        assert_eq!(seen.all("X-Kawal-Gateway"), [*name]);
        seen.headers.retain(|(name, _)| name != "X-Kawal-Verdict");
        assert_eq!(seen.headers, usual.headers, "{name}");
        assert!(!usual.has("X-Kawal-Verdict"), "{name}");
    }
}

#[test]
fn a_stranger_s_key_is_watched() {
    let mut twins = Twins::new(Config::with_kinds);
    for kind in &KINDS {
        let name = kind.scheme;
        let [_, _, stranger] = (kind.keys)();
        let forged = Notice::new(kind).key(stranger).sign();
        let seen = twins.agree(name, &forged, WRONG);
        assert_eq!(seen.all("X-Kawal-Gateway"), [name]);
        assert_eq!(seen.proven(), [None, None], "{name}");
    }
    twins.admit("tripay", &Notice::new(kind("tripay")).sign());
}

#[test]
fn a_proof_that_is_not_there_is_watched() {
    let mut twins = Twins::new(Config::with_kinds);
    for kind in &KINDS {
        let name = kind.scheme;
        let notice = Notice::new(kind);
        let (request, reasons) = match kind.header {
            Some(header) => (notice.sign().without(header), MISSING),
            None => (notice.bearing(""), LACKING),
        };
        let seen = twins.agree(name, &request, reasons);
        assert_eq!(seen.proven(), [None, None], "{name}");
    }
    twins.admit("github", &Notice::new(kind("github")).sign());
}

#[test]
fn a_changed_body_is_watched() {
    let mut twins = Twins::new(Config::with_kinds);
    let mut rows = 0;
    for kind in KINDS.iter().filter(|kind| kind.covers == "body") {
        let genuine = Notice::new(kind).sign();
        let text = String::from_utf8(genuine.body.clone()).unwrap();
        let changed = genuine.body(text.replace("10001", "10002"));
        let seen = twins.agree(kind.scheme, &changed, WRONG);
        assert_eq!(seen.proven(), [None, None], "{}", kind.scheme);
        rows += 1;
    }
    assert_eq!(rows, 8);
    twins.admit("svix", &Notice::new(kind("svix")).sign());
}

#[test]
fn an_unknown_client_is_watched() {
    let mut twins = Twins::new(Config::with_kinds);
    for name in ["duitku", "nicepay-snap", "faspay"] {
        let unknown = Notice::new(kind(name)).client("NOBODY1");
        let reasons: &[&str] = match name {
            "faspay" => WRONG,
            _ => &["unknown_client"],
        };
        let seen = twins.agree(name, &unknown.sign(), reasons);
        assert_eq!(seen.proven(), [None, None], "{name}");
    }
    twins.admit("faspay", &Notice::new(kind("faspay")).sign());
}

/// The proof holds, so the client is known; the time is wrong.
#[test]
fn a_wrong_time_is_watched_and_its_client_is_known() {
    let mut twins = Twins::new(Config::with_kinds);
    let mut rows = 0;
    for kind in KINDS.iter().filter(|kind| kind.timed) {
        let late = match kind.scheme {
            "nicepay-snap" => "stale",
            _ => "unproven",
        };
        for (hours, reason) in [(-2, late), (-49, "stale"), (2, "future")] {
            let name = format!("{}, {hours} hours", kind.scheme);
            let request = Notice::new(kind).later(hours * HOUR).sign();
            let seen = twins.agree(&name, &request, &[reason]);
            let [client, _] = seen.proven();
            assert_eq!(client.as_deref(), kind.client, "{name}");
            rows += 1;
        }
    }
    assert_eq!(rows, 18);
    twins.admit("stripe", &Notice::new(kind("stripe")).sign());
}

#[test]
fn every_copy_of_a_delivered_one_reaches_the_app_under_its_id() {
    let watch = Watch::with(Config::with_everybody);
    for (name, request) in &everybody() {
        let first = watch.accepts(name, request);
        assert!(first.proven()[1].is_some(), "{name}");
        for _ in 0..2 {
            let again = watch.lets_through(name, request, "duplicate");
            assert_eq!(again.proven(), first.proven(), "{name}");
            assert_eq!(again.body, first.body, "{name}");
        }
    }
}

#[test]
fn a_copy_of_one_at_the_app_reaches_it_too() {
    let watch = Watch::with(Config::with_everybody);
    let all = everybody();
    let mut waiting = Vec::new();
    for (name, request) in &all {
        let before = watch.app.count();
        watch.app.next(Reply::ok().held());
        let mut gateway = Connection::open(watch.kawal.addr());
        gateway.write(&request.bytes()).unwrap();
        waiting.push(gateway);
        let first = watch.app.wait_for(before + 1).remove(before);
        let copy = watch.lets_through(name, request, "in_flight");
        assert_eq!(copy.proven(), first.proven(), "{name}");
    }
    watch.app.release();
    for mut gateway in waiting {
        assert_eq!(gateway.read("POST").unwrap().status, 200);
    }
    let delivered = |line: &serde_json::Value| line["verdict"] == "accepted";
    watch.kawal.notifications_where(all.len(), delivered);
    for (name, request) in &all {
        watch.lets_through(name, request, "duplicate");
    }
}

/// Whoever comes from a wrong address is judged all the same: what the app takes of them is known to be delivered.
#[test]
fn a_genuine_one_from_a_wrong_address_is_claimed() {
    let nets = json!(["192.0.2.0/24", "2001:db8::/32"]);
    let app = App::start();
    let kawal = Kawal::start(Config::fullest(&app));
    let mut watch = Watch::with(|config| {
        let config = config.with_everybody();
        config.every_gateway("allow_from", &nets)
    });
    let all = everybody();
    for (nth, (name, request)) in all.iter().enumerate() {
        assert_eq!(kawal.send(request).status, 200, "{name}");
        let usual = app.wait_for(nth + 1).remove(nth);
        let mut seen = watch.claims(name, request, "forbidden");
        seen.headers.retain(|(name, _)| name != "X-Kawal-Verdict");
        assert_eq!(seen.headers, usual.headers, "{name}");
        let again = watch.lets_through(name, request, "forbidden");
        assert_eq!(again.proven(), usual.proven(), "{name}");
    }
    let open = (watch.kawal.config.clone()).every_gateway("allow_from", &json!([]));
    watch.kawal.take_over(open);
    watch
        .kawal
        .wait_for_log(|line| line["message"] == "reloaded");
    for (name, request) in &all {
        watch.lets_through(name, request, "duplicate");
    }
}

/// The address is told first, and what is forged is not claimed for it.
#[test]
fn a_forged_one_from_a_wrong_address_leaves_no_trace() {
    let nets = json!(["192.0.2.0/24"]);
    let mut watch = Watch::with(|config| config.with_kinds().every_gateway("allow_from", &nets));
    let notices = KINDS.iter().map(Notice::new);
    let notices: Vec<_> = notices.collect();
    for notice in &notices {
        let name = notice.kind.scheme;
        let [_, _, stranger] = (notice.kind.keys)();
        let forged = notice.clone().key(stranger).sign();
        let seen = watch.lets_through(name, &forged, "forbidden");
        assert_eq!(seen.proven(), [None, None], "{name}");
    }
    let open = (watch.kawal.config.clone()).every_gateway("allow_from", &json!([]));
    watch.kawal.take_over(open);
    watch
        .kawal
        .wait_for_log(|line| line["message"] == "reloaded");
    for notice in &notices {
        let seen = watch.accepts(notice.kind.scheme, &notice.sign());
        assert_eq!(seen.all("X-Kawal-Attempt"), ["1"]);
    }
}

/// A proof that covers the method or the body says that a change of it is forged.
#[test]
fn another_method_or_a_large_body_is_watched() {
    let watch = Watch::with(|config| config.with_everybody().set("limits.body", "1KiB"));
    for (name, request) in everybody() {
        let put = request.clone().method("PUT");
        let seen = watch.lets_through(name, &put, "method");
        assert_eq!(seen.proven(), [None, None], "{name}");
        let covers = KINDS.iter().find(|kind| kind.scheme == name);
        if covers.is_none_or(|kind| kind.covers == "body") && name != "pivot" {
            let large = match name {
                "doku-qris" => {
                    let forged = Qris::new().signed().set("WORDS", &"0".repeat(40));
                    let query = forged.set("PAD", &"x".repeat(2000)).query();
                    Request::post("/payments/qris", query)
                        .header("Content-Type", "application/x-www-form-urlencoded")
                }
                _ => request.body("x".repeat(2000)),
            };
            let seen = watch.lets_through(name, &large, "too_large");
            assert_eq!(seen.proven(), [None, None], "{name}");
        }
    }
}

/// A scheme that a user declared is watched like any other.
#[test]
fn declared_gateways_are_watched() {
    let watch = Watch::with(declared_rows::declared);
    for row in &declared_rows::ROWS {
        let request = declared_rows::to(row.name, (row.sign)());
        let (old, new) = row.bent[0];
        let text = String::from_utf8(request.body.clone()).unwrap();
        let forged = request.clone().body(text.replace(old, new));
        let forged = forged.target(&request.target.replace(old, new));
        let seen = watch.lets_through(row.name, &forged, "bad_proof");
        assert_eq!(seen.proven(), [None, None], "{}", row.name);
        watch.accepts(row.name, &request);
        watch.lets_through(row.name, &request, "duplicate");
    }
}
