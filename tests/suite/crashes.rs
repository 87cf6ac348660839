//! A sidecar that is killed takes nothing with it: whatever it was doing, another one delivers the notification,
//! and an app that has taken it sees it a second time in one case only: when nobody could write that down.
//! (Those that wait for the end of a lease are told in `leases.rs`.)

use crate::harness::pair::{Pair, passes_after_its_lease};
use crate::harness::store_steps::{after, before};
use crate::harness::{Reply, Script, doku};

#[test]
fn before_the_claim_reaches_the_store() {
    let mut pair = Pair::start();
    let notification = doku("{\"story\":1}");
    let held = pair.wire.hold(before(Script::Claim));
    let gateway = pair.begin(&notification);
    held.wait();
    pair.kill_first([gateway]);
    held.cut();

    assert_eq!(pair.second.send(&notification).status, 200);
    assert_eq!(pair.another().send(&notification).status, 200);
    assert_eq!(pair.attempts(&notification), ["1"]);
}

pub fn after_the_claim_was_executed() {
    let mut pair = Pair::start();
    let notification = doku("{\"story\":2}");
    let held = pair.wire.hold(after(Script::Claim));
    let gateway = pair.begin(&notification);
    held.wait();
    pair.kill_first([gateway]);
    held.cut();

    assert_eq!(pair.attempts(&notification), [""; 0]);
    passes_after_its_lease(&pair.second, &notification);
    // Nobody knows whether the app saw the first, so it is told that there was one.
    assert_eq!(pair.attempts(&notification), ["2"]);
    assert_eq!(pair.another().send(&notification).status, 200);
    assert_eq!(pair.attempts(&notification).len(), 1);
}

pub fn while_the_app_thinks() {
    let mut pair = Pair::start();
    let notification = doku("{\"story\":3}");
    pair.app.next(Reply::ok().held());
    let gateway = pair.begin(&notification);
    pair.wait_for_attempts(&notification, 1);
    pair.kill_first([gateway]);

    // The app never said that it took it: it gets it again, and learns that this is the second time.
    passes_after_its_lease(&pair.another(), &notification);
    assert_eq!(pair.attempts(&notification), ["1", "2"]);
    assert_eq!(pair.second.send(&notification).status, 200);
    assert_eq!(pair.attempts(&notification).len(), 2);
}

pub fn after_the_app_took_it_and_before_the_store_knows() {
    let mut pair = Pair::start();
    let notification = doku("{\"story\":4}");
    pair.app.next(Reply::ok().body("first"));
    let held = pair.wire.hold(before(Script::Settle));
    let gateway = pair.begin(&notification);
    held.wait();
    pair.kill_first([gateway]);
    held.cut();

    pair.app.next(Reply::ok().body("second"));
    let again = passes_after_its_lease(&pair.second, &notification);
    assert_eq!(again.text(), "second");
    // One extra, and it says so. No more after that.
    assert_eq!(pair.attempts(&notification), ["1", "2"]);
    assert_eq!(pair.another().send(&notification).text(), "second");
    assert_eq!(pair.attempts(&notification).len(), 2);
}

#[test]
fn after_the_outcome_was_written() {
    let mut pair = Pair::start();
    let notification = doku("{\"story\":5}");
    pair.app.next(Reply::new(202).body("taken"));
    let held = pair.wire.hold(after(Script::Settle));
    let gateway = pair.begin(&notification);
    held.wait();
    pair.kill_first([gateway]);
    held.cut();

    for kawal in [&pair.second, &pair.another()] {
        let answer = kawal.send(&notification);
        assert_eq!((answer.status, answer.text().as_str()), (202, "taken"));
    }
    assert_eq!(pair.attempts(&notification), ["1"]);
}

/// The command was on its way when its sender died.
#[test]
fn an_outcome_that_outlives_its_sender_counts() {
    let mut pair = Pair::start();
    let notification = doku("{\"story\":6}");
    pair.app.next(Reply::ok().body("taken"));
    let held = pair.wire.hold(before(Script::Settle));
    let executed = pair.wire.hold(after(Script::Settle));
    let gateway = pair.begin(&notification);
    held.wait();
    pair.kill_first([gateway]);
    held.pass();
    executed.wait();

    assert_eq!(pair.second.send(&notification).text(), "taken");
    assert_eq!(pair.attempts(&notification), ["1"]);
}

pub fn after_the_app_refused_and_before_the_store_knows() {
    let mut pair = Pair::start();
    let notification = doku("{\"story\":7}");
    pair.app.next(Reply::new(500));
    let held = pair.wire.hold(before(Script::Release));
    let gateway = pair.begin(&notification);
    held.wait();
    pair.kill_first([gateway]);
    held.cut();

    passes_after_its_lease(&pair.second, &notification);
    assert_eq!(pair.attempts(&notification), ["1", "2"]);
}

#[test]
fn after_the_refusal_was_written() {
    let mut pair = Pair::start();
    let notification = doku("{\"story\":8}");
    pair.app.next(Reply::new(500));
    let held = pair.wire.hold(after(Script::Release));
    let gateway = pair.begin(&notification);
    held.wait();
    pair.kill_first([gateway]);
    held.cut();

    assert_eq!(pair.second.send(&notification).status, 200);
    assert_eq!(pair.attempts(&notification), ["1", "2"]);
}

pub fn everything_that_was_in_flight_comes_through() {
    const MANY: usize = 8;
    let mut pair = Pair::start();
    pair.app.answer_with(
        |request| match request.header("x-kawal-attempt").as_deref() {
            Some("1") => Reply::ok().held(),
            _ => Reply::ok(),
        },
    );
    let notifications: Vec<_> = (0..MANY)
        .map(|n| doku(format!("{{\"many\":{n}}}")))
        .collect();
    let gateways: Vec<_> = notifications.iter().map(|one| pair.begin(one)).collect();
    for notification in &notifications {
        pair.wait_for_attempts(notification, 1);
    }
    pair.kill_first(gateways);
    // The last one claimed is the last one free.
    for notification in notifications.iter().rev() {
        let answer = pair.second.send(notification);
        if answer.status != 200 {
            passes_after_its_lease(&pair.second, notification);
        }
        assert_eq!(pair.attempts(notification), ["1", "2"]);
    }
}
