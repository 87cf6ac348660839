//! No store at all: gateways are asked to come again, the process stays, and everything goes on by itself.

use serde_json::json;

use crate::harness::deployment::UP;
use crate::harness::snap::{B2B_TOKEN, DEBIT, INQUIRY, PAYMENT, QR, RSA_PAYMENT, Snap};
use crate::harness::{
    App, Config, Deployment, Doku, Kawal, Moment, PATIENCE, Redis, Request, TokenRequest, ago,
    ahead, doku, fresh, pivot,
};
use crate::refusals::{assert_snap, assert_wait};
use std::time::{Duration, Instant};

/// A deployment whose store has died, and Kawal knows it.
pub fn in_the_dark(change: impl FnOnce(Config) -> Config) -> Deployment {
    let shop = Deployment::with(Redis::with(&["--appendonly", "yes"]), change);
    shop.store.kill();
    shop.goes_down();
    shop
}

#[test]
fn every_notification_is_asked_to_come_again() {
    let shop = in_the_dark(|config| config);
    let requests = [doku("{}"), doku("{}"), pivot("{}")];
    for request in requests.iter().chain(&requests) {
        shop.misses_its_store(request);
    }
    let lines = shop.kawal.notifications(6);
    for line in lines {
        assert_eq!(line["outcome"], "rejected", "{line}");
        assert_eq!(line["status"], 503, "{line}");
    }
    assert_eq!(shop.app.connections(), 0, "somebody knocked at the app");
    assert_eq!(shop.kawal.metric("kawal_store_bypassed_total"), 0.0);

    shop.store.restart();
    shop.comes_back();
    for request in &requests {
        shop.delivers(request);
        shop.knows(request);
    }
}

/// What is wrong stays wrong, and what is late is not told apart from what is fresh.
#[test]
fn an_outage_changes_no_judgement() {
    let shop = in_the_dark(Config::with_short_youth);
    let minute = Duration::from_secs(60);
    let rows = [
        (
            "bad_proof",
            doku("{}").replace("Signature", "HMACSHA256=AAAA"),
        ),
        ("missing_proof", doku("{}").without("Signature")),
        (
            "unknown_client",
            Doku::new("{}").client("BRN-9", "whatever").sign(),
        ),
        ("stale", Doku::new("{}").at(&ago(120 * minute)).sign()),
        ("future", Doku::new("{}").at(&ahead(10 * minute)).sign()),
    ];
    for (nth, (reason, request)) in rows.iter().enumerate() {
        let answer = shop.kawal.send(request);
        assert_eq!(answer.status, 401, "{reason}: {answer:?}");
        let lines = shop.kawal.notifications(nth + 1);
        assert_eq!(lines[nth]["reason"], *reason);
    }
    shop.misses_its_store(&Doku::new("{}").at(&ago(minute)).sign());
    shop.misses_its_store(&fresh());
    assert_eq!(shop.app.connections(), 0, "somebody knocked at the app");
}

#[test]
fn an_outage_is_told_in_the_form_of_the_route() {
    let shop = in_the_dark(Config::with_snap);
    for (target, service) in [
        (PAYMENT, "25"),
        (INQUIRY, "24"),
        (DEBIT, "56"),
        (QR, "52"),
        (RSA_PAYMENT, "25"),
        (B2B_TOKEN, "73"),
    ] {
        let request = match target {
            B2B_TOKEN => TokenRequest::new().sign(),
            RSA_PAYMENT => Snap::new("{}").target(target).sign_rsa(),
            _ => Snap::new("{}").target(target).sign(),
        };
        let answer = shop.kawal.send(&request);
        assert_snap(&answer, &format!("503{service}00"), "Service Unavailable");
        assert_wait(&answer);
        let forged = request.replace("X-SIGNATURE", "AAAA");
        let answer = shop.kawal.send(&forged);
        assert_snap(&answer, &format!("401{service}00"), "Unauthorized");
    }
    assert_eq!(shop.app.connections(), 0, "somebody knocked at the app");
}

#[test]
fn a_conflict_is_one_again_when_the_store_is_back() {
    let shop = Deployment::on(Redis::with(&["--appendonly", "yes"]));
    let signed = Doku::new("{\"amount\":1}");
    shop.delivers(&signed.sign());
    let mut other = signed.clone();
    other.body = b"{\"amount\":2}".to_vec();
    shop.store.kill();
    shop.goes_down();
    // Nobody can say whether there is a conflict: come again, which a 409 would forbid.
    shop.misses_its_store(&other.sign());
    shop.store.restart();
    shop.comes_back();
    let answer = shop.kawal.send(&other.sign());
    assert_eq!(
        (answer.status, answer.json()),
        (409, json!({"error": "conflict"}))
    );
    shop.knows(&signed.sign());
}

/// Probes must not restart the pod, or take it out: that would be one outage more.
#[test]
fn health_does_not_depend_on_the_store() {
    let shop = in_the_dark(|config| config);
    for path in ["/livez", "/readyz"] {
        assert_eq!(shop.kawal.admin(path).status, 200, "{path}");
    }
}

/// Were each of these to wait for the store, they would take minutes.
#[test]
fn nobody_waits_for_a_store_that_is_known_to_be_down() {
    let shop = Deployment::with(Redis::start(), |config| {
        config.set("replay.redis.timeout", "10s")
    });
    shop.store.signal("STOP");
    // One that waits, so that the silence is noticed.
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let address = shop.kawal.addr();
            std::thread::spawn(move || doku("{}").send(address).status)
        })
        .collect();
    for sender in waiting {
        assert_eq!(sender.join().unwrap(), 503);
    }
    shop.goes_down();
    let begin = Instant::now();
    for _ in 0..50 {
        assert_eq!(shop.kawal.send(&doku("{}")).status, 503);
    }
    assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
    assert_eq!(shop.app.count(), 0);
    shop.store.signal("CONT");
    shop.comes_back();
    shop.delivers(&doku("{}"));
}

#[test]
fn one_failure_by_itself_is_no_outage() {
    let shop = Deployment::new();
    let kill = ["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"];
    for _ in 0..5 {
        shop.store.command(&kill);
        shop.delivers(&doku("{}"));
    }
    shop.was_always_up();
}

#[test]
fn a_sidecar_that_starts_before_its_store_waits_for_it() {
    let store = Redis::start();
    store.kill();
    let shop = Deployment::with(store, |config| config.with_short_youth());
    assert_eq!(shop.kawal.admin("/readyz").status, 200);
    let moment = Moment::to_come();
    let (unseen, notification) = (moment.notification(), fresh());
    shop.misses_its_store(&notification);
    shop.goes_down();
    moment.grow_late();
    shop.store.restart();
    shop.comes_back();
    shop.delivers(&notification);
    shop.knows(&notification);
    // The memory begins with the store's first day, not with that of the process.
    shop.cannot_prove(&unseen);
}

#[test]
fn an_outage_that_comes_again_and_again_is_told_each_time_and_once() {
    let shop = Deployment::on(Redis::with(&["--appendonly", "yes"]));
    let delivered = doku("{}");
    shop.delivers(&delivered);
    for _ in 0..3 {
        shop.outlives_its_store(&delivered);
    }
    let changes: Vec<_> = shop.changes();
    let came = changes.iter().filter(|change| change.message == UP).count();
    // Once at the start, and after each outage.
    assert_eq!(came, 4, "{changes:?}");
}

/// A crowd that meets a store that dies: each is answered, and none is delivered twice.
#[test]
fn a_crowd_in_the_moment_of_an_outage_is_answered_and_comes_again() {
    let shop = Deployment::on(Redis::with(&[
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
    ]));
    let crowd: Vec<Request> = (0..60).map(|_| doku("{}")).collect();
    let address = shop.kawal.addr();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let senders: Vec<_> = crowd
            .chunks(10)
            .map(|part| {
                scope.spawn(move || {
                    part.iter()
                        .map(|r| r.send(address).status)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        shop.app.wait_for(5);
        shop.store.kill();
        senders
            .into_iter()
            .flat_map(|s| s.join().unwrap())
            .collect()
    });
    assert!(
        statuses.iter().all(|s| [200, 503].contains(s)),
        "{statuses:?}"
    );
    let taken = statuses.iter().filter(|status| **status == 200).count();
    assert_eq!(shop.app.count(), taken);
    shop.goes_down();
    shop.store.restart();
    shop.comes_back();
    shop.kawal.wait_for_metric("kawal_store_unsettled", 0.0);
    for (request, status) in crowd.iter().zip(&statuses) {
        match status {
            200 => drop(shop.knows(request)),
            _ => shop.delivers_in_the_end(request),
        }
    }
    assert_eq!(shop.app.count(), crowd.len());
}

/// A sidecar that needs no store tells nothing of one: an alarm on it would ring for ever.
#[test]
fn a_ledger_in_memory_counts_no_store() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let page = kawal.metrics();
    assert!(page.contains("kawal_build_info{"), "{page}");
    assert!(!page.contains("kawal_store"), "{page}");
}
