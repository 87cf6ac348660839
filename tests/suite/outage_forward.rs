//! `unavailable: forward`: what is fresh gets through without a ledger, is counted, and nothing else gets through.

use std::time::Duration;

use serde_json::Value;

use crate::harness::snap::{B2B_TOKEN, INQUIRY, PAYMENT, Snap};
use crate::harness::{
    Config, Connection, Deployment, Doku, Moment, Redis, Reply, Request, TokenRequest, ago, ahead,
    doku, fresh, pivot,
};
use crate::outage::in_the_dark;
use crate::refusals::assert_snap;

fn forwarding(config: Config) -> Config {
    config
        .set("replay.unavailable", "forward")
        .with_short_youth()
}

fn bypassed(shop: &Deployment) -> f64 {
    shop.kawal.metric("kawal_store_bypassed_total")
}

#[test]
fn every_fresh_copy_reaches_the_app_once_and_is_told_as_an_error() {
    let shop = in_the_dark(forwarding);
    let notification = fresh();
    for _ in 0..3 {
        shop.delivers(&notification);
    }
    assert_eq!(bypassed(&shop), 3.0);
    for line in shop.kawal.notifications(3) {
        assert_eq!(line["level"], "error", "{line}");
        assert_eq!(line["reason"], "store_down", "{line}");
        assert_eq!(line["outcome"], "delivered", "{line}");
        assert_eq!(line["status"], 200, "{line}");
    }
    let seen = shop.app.requests();
    for request in &seen {
        assert_eq!(request.body, notification.body);
        assert_eq!(request.all("x-kawal-gateway"), ["doku"]);
        let id = request.all("x-kawal-notification-id");
        assert_eq!(id, seen[0].all("x-kawal-notification-id"));
        assert_eq!(id[0].len(), 64);
    }
}

#[test]
fn what_is_late_waits_for_the_store() {
    let shop = Deployment::with(Redis::with(&["--appendonly", "yes"]), forwarding);
    let moment = Moment::to_come();
    let (known, unseen) = (moment.notification(), moment.notification());
    shop.delivers(&known);
    moment.grow_late();
    shop.store.kill();
    shop.goes_down();
    shop.misses_its_store(&known);
    shop.misses_its_store(&unseen);
    assert_eq!(bypassed(&shop), 0.0);
    shop.store.restart();
    shop.comes_back();
    shop.knows(&known);
    // Only when every process has looked at it.
    shop.delivers_in_the_end(&unseen);
}

#[test]
fn what_is_forged_never_gets_through() {
    let shop = in_the_dark(forwarding);
    let minute = Duration::from_secs(60);
    let rows = [
        ("bad_proof", fresh().replace("Signature", "HMACSHA256=AAAA")),
        ("missing_proof", fresh().without("Signature")),
        (
            "unknown_client",
            Doku::new("{}").client("BRN-9", "whatever").sign(),
        ),
        ("stale", Doku::new("{}").at(&ago(120 * minute)).sign()),
        ("future", Doku::new("{}").at(&ahead(10 * minute)).sign()),
        ("bad_proof", pivot("{}").replace("X-API-Key", "not-the-key")),
    ];
    for (nth, (reason, request)) in rows.iter().enumerate() {
        assert_eq!(shop.kawal.send(request).status, 401, "{reason}");
        assert_eq!(shop.kawal.notifications(nth + 1)[nth]["reason"], *reason);
    }
    assert_eq!(shop.app.connections(), 0, "somebody knocked at the app");
    assert_eq!(bypassed(&shop), 0.0);
}

#[test]
fn the_app_s_answer_is_passed_on_whatever_it_is() {
    let shop = in_the_dark(forwarding);
    shop.app
        .next(
            Reply::new(201)
                .header("Content-Type", "a/b")
                .body("receipt"),
        )
        .next(Reply::new(500).body("not now"))
        .next(Reply::hangup());
    let notification = fresh();
    let taken = shop.kawal.send(&notification);
    assert_eq!((taken.status, taken.text().as_str()), (201, "receipt"));
    assert_eq!(taken.header("content-type").as_deref(), Some("a/b"));
    let refused = shop.kawal.send(&notification);
    assert_eq!((refused.status, refused.text().as_str()), (500, "not now"));
    assert_eq!(shop.kawal.send(&notification).status, 502);
    let lines = shop.kawal.notifications(3);
    let outcomes: Vec<_> = lines.iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(outcomes, ["delivered", "refused_by_app", "unknown"]);
    assert_eq!(bypassed(&shop), 3.0);
    assert_eq!(shop.app.count(), 3);
}

/// It was delivered while nobody could write that down. It is written down as soon as somebody can.
#[test]
fn what_was_let_through_is_known_after_the_outage() {
    let shop = in_the_dark(forwarding);
    let moment = Moment::to_come();
    let (delivered, late) = (fresh(), moment.notification());
    shop.delivers(&delivered);
    shop.delivers(&late);
    shop.kawal.wait_for_metric("kawal_store_unsettled", 2.0);
    moment.grow_late();
    shop.store.restart();
    shop.comes_back();
    shop.kawal.wait_for_metric("kawal_store_unsettled", 0.0);
    for _ in 0..2 {
        shop.knows(&delivered);
        shop.knows(&late);
    }
    assert_eq!(bypassed(&shop), 2.0);
    assert_eq!(shop.kawal.metric("kawal_store_lost_outcomes_total"), 0.0);
    let said = shop.kawal.notifications(6);
    let level = |line: &Value| line["level"].as_str().unwrap().to_owned();
    assert!(
        said[2..].iter().all(|line| level(line) != "error"),
        "{said:?}"
    );
}

/// The app had refused it before, so the store held it as free.
#[test]
fn what_was_refused_before_and_let_through_is_known_after_the_outage() {
    let shop = Deployment::with(Redis::with(&["--appendonly", "yes"]), forwarding);
    let notification = fresh();
    shop.app.next(Reply::new(500));
    assert_eq!(shop.kawal.send(&notification).status, 500);
    shop.store.kill();
    shop.goes_down();
    shop.delivers(&notification);
    shop.store.restart();
    shop.comes_back();
    shop.knows(&notification);
}

/// Without a token, no notification of its gateway could come.
#[test]
fn a_token_is_granted_without_the_store() {
    let shop = in_the_dark(|config| forwarding(config).with_snap());
    let request = TokenRequest::new().sign();
    assert_eq!(shop.kawal.send(&request).status, 200);
    assert_eq!(bypassed(&shop), 1.0);
    let told = |line: &Value| line["message"] == "a token is granted without the ledger";
    assert_eq!(shop.kawal.wait_for_log(told)["level"], "error");
}

/// The outage outlasts the lease. Nothing is claimed before what was let through is written down.
#[test]
fn what_was_let_through_is_known_after_an_outage_that_outlasts_its_lease() {
    let shop = in_the_dark(|config| forwarding(config).set("timeouts.upstream", "100ms"));
    let moment = Moment::to_come();
    let notification = moment.notification();
    shop.delivers(&notification);
    // The wait is the story: the lease ends.
    shop.kawal
        .wait_for_metric("kawal_store_lost_outcomes_total", 1.0);
    moment.grow_late();
    shop.store.restart();
    shop.comes_back();
    assert_eq!(shop.kawal.metric("kawal_store_unsettled"), 0.0);
    shop.knows(&notification);
}

/// The first claim of an outage meets a store that nobody knows to be down yet.
#[test]
fn the_first_of_an_outage_gets_through_as_well() {
    let shop = Deployment::with(Redis::start(), forwarding);
    shop.store.signal("STOP");
    for _ in 0..4 {
        shop.delivers(&fresh());
    }
    assert_eq!(bypassed(&shop), 4.0);
    shop.goes_down();
    shop.store.signal("CONT");
    shop.comes_back();
}

/// A claim may have been made by a store that did not say so. Nobody settles it: it must not hold the copies.
#[test]
fn what_got_through_while_the_store_hung_is_not_held_afterwards() {
    let shop = Deployment::with(Redis::start(), |config| {
        forwarding(config)
            .set("timeouts.upstream", "1h")
            .set("timeouts.drain", "2h")
    });
    shop.store.signal("STOP");
    let notification = fresh();
    shop.delivers(&notification);
    shop.goes_down();
    shop.store.signal("CONT");
    shop.comes_back();
    // Known, or new to the ledger: both will do. In flight for an hour will not.
    let before = shop.app.count();
    let until = std::time::Instant::now() + crate::harness::PATIENCE;
    while shop.kawal.send(&notification).status != 200 {
        assert!(std::time::Instant::now() < until, "{}", shop.kawal.output());
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(shop.app.count() - before <= 1);
}

#[test]
fn snap_gets_through_in_its_own_form() {
    let shop = in_the_dark(|config| {
        let config = config.with_snap().on_route(PAYMENT, "respond", "gateway");
        config.set("replay.unavailable", "forward")
    });
    let body = r#"{"virtualAccountData":{"virtualAccountNo":"1"}}"#;
    let answer = shop.kawal.send(&Snap::new(body).sign());
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["responseCode"], "2002500", "{answer:?}");
    shop.delivers(&Snap::new("{}").target(INQUIRY).sign());
    assert_eq!(bypassed(&shop), 2.0);
    let forged = Snap::new("{}").sign().replace("X-SIGNATURE", "AAAA");
    assert_snap(&shop.kawal.send(&forged), "4012500", "Unauthorized");
    assert_eq!(shop.app.count(), 2);
}

/// A token lets nothing through by itself, so asking for one waits for nobody.
#[test]
fn a_request_for_a_token_gets_an_answer_in_its_form() {
    let shop = in_the_dark(|config| config.with_snap().set("replay.unavailable", "forward"));
    let answer = shop
        .kawal
        .send(&TokenRequest::new().target(B2B_TOKEN).sign());
    match answer.status {
        200 => assert_eq!(answer.json()["responseCode"], "2007300", "{answer:?}"),
        _ => assert_snap(&answer, "5037300", "Service Unavailable"),
    }
    assert_eq!(shop.app.connections(), 0);
}

/// Many at once, while nobody keeps a list.
#[test]
fn a_crowd_gets_through_each_copy_once() {
    let shop = in_the_dark(forwarding);
    let crowd: Vec<Request> = (0..20).map(|_| doku("{}")).collect();
    let address = shop.kawal.addr();
    std::thread::scope(|scope| {
        for request in &crowd {
            scope.spawn(move || assert_eq!(request.send(address).status, 200));
        }
    });
    assert_eq!(shop.app.count(), crowd.len());
    assert_eq!(bypassed(&shop), 20.0);
}

/// The store comes back while one that went round it is at the app: nothing is settled that was never claimed.
#[test]
fn a_store_that_comes_back_meanwhile_is_told_nothing_false() {
    let shop = in_the_dark(forwarding);
    shop.app.next(Reply::new(500).held());
    let notification = fresh();
    let mut gateway = Connection::open(shop.kawal.addr());
    gateway.write(&notification.bytes()).unwrap();
    shop.app.wait_for(1);
    shop.store.restart();
    shop.comes_back();
    // A copy, while the first is still at the app without a claim.
    shop.delivers(&notification);
    shop.app.release();
    assert_eq!(gateway.read("POST").unwrap().status, 500);
    // The refusal of the first takes nothing away from the delivery of the second.
    shop.knows(&notification);
    assert_eq!(shop.kawal.metric("kawal_store_lost_outcomes_total"), 0.0);
    assert_eq!(shop.kawal.metric("kawal_store_unsettled"), 0.0);
}
