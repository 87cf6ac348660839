//! Every reason for which a request is not delivered is counted, once each time, under the gateway that it was for.

use std::time::Duration;

use serde_json::json;

use crate::harness::tokens::bearing;
use crate::harness::{
    App, Backend, Config, Connection, Doku, Kawal, Qris, Redis, Reply, Request, TokenRequest,
    Vacant, ago, ahead, doku, pivot, until,
};
use crate::metrics_counts::Bench;

#[test]
fn every_reason_of_the_judgement_is_counted_once() {
    let app = App::start();
    let hours = |n: u64| Duration::from_secs(n * 3600);
    let mut bench = Bench::new(|config| {
        config
            .set("upstream", app.url())
            .set("gateways.pivot.allow_from", json!(["192.0.2.0/24"]))
            .set("limits.body", "64KiB")
    });
    let signed = Doku::new("{}");
    let genuine = signed.sign();
    for _ in 0..2 {
        bench.rejects(
            &genuine.clone().without("Signature"),
            401,
            "doku",
            "missing_proof",
        );
        bench.rejects(&genuine.clone().body("{ }"), 401, "doku", "bad_proof");
        let stranger = Doku::new("{}").client("stranger", "stranger-key").sign();
        bench.rejects(&stranger, 401, "doku", "unknown_client");
        let [stale, late, early] = [ago(hours(48)), ago(hours(1)), ahead(hours(1))];
        for (time, reason) in [(stale, "stale"), (late, "unproven"), (early, "future")] {
            bench.rejects(&Doku::new("{}").at(&time).sign(), 401, "doku", reason);
        }
        let bearing = bearing("no.token.atall").sign();
        bench.rejects(&bearing, 401, "doku-b2b", "bad_token");
        let token = TokenRequest::new().with_signature("bm9uc2Vuc2U=");
        bench.rejects(&token, 401, "doku-b2b", "bad_proof");
        bench.rejects(&pivot("{}"), 403, "pivot", "forbidden");
        bench.rejects(&genuine.clone().method("GET"), 405, "doku", "method");
        let large = doku(vec![b'x'; 70_000]);
        bench.rejects(&large, 413, "doku", "too_large");
        bench.rejects(&large.clone().chunked(1000), 413, "doku", "too_large");
        let twice = Qris::new().signed().query() + "&AMOUNT=1.00";
        let twice = Request::post(&format!("/payments/qris?{twice}"), "");
        bench.rejects(&twice, 400, "doku-qris", "malformed");
    }
    bench.sends(&genuine, 200, ("doku", "delivered", ""));
    let mut other = signed;
    other.body.push(b' ');
    bench.rejects(&other.sign(), 409, "doku", "conflict");
    bench.is_counted();
}

#[test]
fn what_came_to_no_route_is_counted_without_a_gateway() {
    let mut bench = Bench::new(|config| config);
    for _ in 0..3 {
        bench.turns_away(&doku("{}").target("/nowhere"), 404, "no_route");
        bench.turns_away(&Request::new("GET", "/payments"), 404, "no_route");
        for target in ["/payments/notifications/", "/%70ayments/notifications"] {
            bench.turns_away(&doku("{}").target(target), 400, "malformed");
        }
        let head = doku("{}").header("X-Pad", "a".repeat(40_000));
        bench.turns_away(&head, 431, "too_large");
        let doubtful = doku("{}")
            .header("Content-Length", "2")
            .header("Transfer-Encoding", "chunked");
        bench.turns_away(&doubtful, 400, "malformed");
        bench.turns_away(&Request::new("TRACE", "/payments/pivot"), 405, "method");
    }
    bench.is_counted();
    assert_eq!(bench.sent.notifications(), 0);
}

#[test]
fn who_is_slow_is_counted_as_that() {
    let mut bench = Bench::new(|config| {
        config
            .set("timeouts.header", "500ms")
            .set("timeouts.body", "500ms")
    });
    let mut head = Connection::open(bench.kawal.addr());
    head.write(b"POST /payments").unwrap();
    assert_eq!(head.read("POST").unwrap().status, 408);
    bench.sent.add("", "", "timeout");
    let mut body = Connection::open(bench.kawal.addr());
    let bytes = doku("{}").header("Content-Length", "1000").bytes();
    body.write(&bytes).unwrap();
    assert_eq!(body.read("POST").unwrap().status, 408);
    bench.sent.add("doku", "rejected", "timeout");
    bench.is_counted();
}

#[test]
fn what_waits_at_the_app_is_counted_when_it_is_decided() {
    let mut bench = Bench::new(|config| {
        config.on_route("/payments/pivot", "timeouts", json!({"upstream": "500ms"}))
    });
    bench.app.next(Reply::ok().held());
    let held = doku("{}");
    let mut first = Connection::open(bench.kawal.addr());
    first.write(&held.bytes()).unwrap();
    bench.app.wait_for(1);
    for _ in 0..3 {
        bench.rejects(&held, 503, "doku", "in_flight");
    }
    bench.is_counted();
    bench.app.next(Reply::ok().held());
    bench.sends(&pivot("{}"), 504, ("pivot", "unknown", "upstream_timeout"));
    bench.app.release();
    assert_eq!(first.read("POST").unwrap().status, 200);
    bench.sent.add("doku", "delivered", "");
    bench.sends(&held, 200, ("doku", "duplicate", "duplicate"));
    bench.is_counted();
}

#[test]
fn an_app_that_is_away_is_counted_as_that() {
    let nobody = Vacant::new();
    let mut bench = Bench::new(|config| config.set("upstream", nobody.url()));
    for _ in 0..2 {
        bench.rejects(&doku("{}"), 502, "doku", "upstream_down");
    }
    bench.is_counted();
}

#[test]
fn a_full_ledger_is_counted() {
    let mut bench = Bench::new(|config| config.set("replay.capacity", 2));
    for _ in 0..2 {
        bench.sends(&doku("{}"), 200, ("doku", "delivered", ""));
    }
    for _ in 0..3 {
        bench.rejects(&pivot("{}"), 503, "pivot", "saturated");
    }
    bench.is_counted();
}

#[test]
fn a_store_that_is_away_is_counted() {
    let store = Redis::start();
    let mut bench = Bench::new(|config| store.configure(config).set("replay.redis.timeout", "2s"));
    bench.sends(&doku("{}"), 200, ("doku", "delivered", ""));
    store.kill();
    for _ in 0..3 {
        bench.rejects(&doku("{}"), 503, "doku", "store_down");
    }
    bench.kawal.wait_for_metric("kawal_store_up", 0.0);
    let token = TokenRequest::new().sign();
    bench.rejects(&token, 503, "doku-b2b", "store_down");
    bench.is_counted();
}

#[test]
fn who_comes_while_it_ends_is_counted() {
    let app = App::answering(Reply::ok().held());
    let kawal = Kawal::start(Config::new(&app));
    let mut busy = Connection::open(kawal.addr());
    busy.write(&doku("in flight").bytes()).unwrap();
    app.wait_for(1);
    let mut half = Connection::open(kawal.addr());
    let bytes = doku("late").bytes();
    half.write(&bytes[..40]).unwrap();
    // Until its bytes are read, it is idle and may be closed without a word.
    kawal.wait_for_metric("kawal_in_flight", 2.0);
    kawal.signal_term();
    until("readiness says no", || kawal.admin("/readyz").status == 503);
    half.write(&bytes[40..]).unwrap();
    assert_eq!(half.read("POST").unwrap().status, 503);
    let draining = || {
        kawal
            .page()
            .sum("kawal_rejections_total", &[("reason", "draining")])
    };
    until("it is counted", || draining() == 1.0);
    app.release();
    assert_eq!(busy.read("POST").unwrap().status, 200);
}
