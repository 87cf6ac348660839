//! Words that reach the store too late, or again: they change nothing that was decided since. And outcomes that the
//! process has to write before it ends.

use crate::harness::pair::{Pair, passes_after_its_lease, wait_for_the_end_of_its_lease};
use crate::harness::store_steps::{Deed, after, before};
use crate::harness::{Reply, Script, doku};
use crate::refusals::assert_in_flight;

const UNSETTLED: &str = "kawal_store_unsettled";
const LOST: &str = "kawal_store_lost_outcomes_total";

/// Its lease is over by then, and the notification somebody else's.
pub fn an_outcome_that_comes_too_late_changes_nothing() {
    let pair = Pair::impatient();
    let notification = doku("{\"lost\":6}");
    pair.app.next(Reply::ok().body("first"));
    let before_it = pair.wire.sent(Script::Settle);
    let late = pair.wire.hold(before(Script::Settle));
    let executed = pair.wire.hold(after(Script::Settle));
    pair.wire.on_every(before(Script::Settle), Deed::Cut);
    assert_eq!(pair.first.send(&notification).text(), "first");
    late.wait();

    pair.app.next(Reply::ok().body("second"));
    passes_after_its_lease(&pair.second, &notification);
    assert_eq!(pair.attempts(&notification), ["1", "2"]);
    pair.first.wait_for_metric(LOST, 1.0);
    assert_eq!(pair.first.metric(UNSETTLED), 1.0);
    // It was tried all the time, and yet the store had its peace.
    let tries = pair.wire.sent(Script::Settle) - before_it;
    assert!((2..200).contains(&tries), "{tries} tries");
    pair.wire.clear();
    late.pass();
    executed.wait();
    pair.first.wait_for_metric(UNSETTLED, 0.0);
    assert_eq!(pair.second.send(&notification).text(), "second");
    assert_eq!(pair.attempts(&notification).len(), 2);
}

/// The same while the app still thinks about the second.
pub fn an_outcome_that_comes_too_late_takes_the_claim_from_nobody() {
    takes_the_claim_from_nobody(Script::Settle, 200);
}

pub fn a_refusal_that_comes_too_late_takes_the_claim_from_nobody() {
    takes_the_claim_from_nobody(Script::Release, 500);
}

fn takes_the_claim_from_nobody(script: Script, status: u16) {
    let pair = Pair::impatient();
    let notification = doku("{\"lost\":7}");
    pair.app.next(Reply::new(status));
    let late = pair.wire.hold(before(script));
    let executed = pair.wire.hold(after(script));
    pair.wire.on_every(before(script), Deed::Silence);
    assert_eq!(pair.first.send(&notification).status, status);
    late.wait();

    pair.app.next(Reply::hangup());
    wait_for_the_end_of_its_lease(&pair.second, &notification);
    assert_eq!(pair.second.send(&notification).status, 502);
    pair.wire.clear();
    late.pass();
    executed.wait();
    assert_in_flight(&pair.second.send(&notification));
    assert_eq!(pair.attempts(&notification), ["1", "2"]);
}

/// What it knew is gone, and the scripts with it; what the app has said is not.
#[test]
fn an_outcome_is_written_to_a_store_that_was_emptied() {
    let pair = Pair::start();
    let notification = doku("{\"lost\":17}");
    pair.app.next(Reply::ok().body("taken").held());
    let mut gateway = pair.begin(&notification);
    pair.wait_for_attempts(&notification, 1);
    pair.redis.command(&["FLUSHALL"]);
    pair.redis.command(&["SCRIPT", "FLUSH"]);
    pair.app.release();
    assert_eq!(gateway.read("POST").unwrap().text(), "taken");
    for kawal in [&pair.second, &pair.first] {
        assert_eq!(kawal.send(&notification).text(), "taken");
    }
    assert_eq!(pair.attempts(&notification), ["1"]);
    assert_eq!(pair.first.metric(LOST), 0.0);
}

#[test]
fn a_claim_that_comes_again_after_the_outcome_changes_nothing() {
    let pair = Pair::start();
    let notification = doku("{\"lost\":8}");
    pair.app.next(Reply::ok().body("taken"));
    assert_eq!(pair.first.send(&notification).text(), "taken");
    let claim = pair.wire.passed(Script::Claim).pop().unwrap();
    let known = dump(&pair);
    pair.redis.connect().call(&claim.words).unwrap();
    assert_eq!(dump(&pair), known);
    for kawal in [&pair.second, &pair.first] {
        assert_eq!(kawal.send(&notification).text(), "taken");
    }
    assert_eq!(pair.attempts(&notification), ["1"]);
}

#[test]
fn an_outcome_that_waits_is_written_before_the_end() {
    let mut pair = Pair::start();
    let notification = doku("{\"lost\":13}");
    pair.app.next(Reply::ok().body("taken"));
    pair.wire.on_every(before(Script::Settle), Deed::Cut);
    assert_eq!(pair.first.send(&notification).text(), "taken");
    pair.first.signal_term();
    pair.first
        .wait_for_log(|line| line["message"] == "draining");
    assert!(pair.first.runs());
    assert_in_flight(&pair.second.send(&notification));
    pair.wire.clear();
    assert_eq!(pair.first.wait_exit().code(), Some(0));
    assert_eq!(pair.second.send(&notification).text(), "taken");
    assert_eq!(pair.attempts(&notification), ["1"]);
}

#[test]
fn an_outcome_that_cannot_be_written_does_not_hold_up_the_end() {
    let mut pair = Pair::with(|config| config.set("timeouts.drain", "300ms"));
    let notification = doku("{\"lost\":14}");
    pair.wire.on_every(before(Script::Settle), Deed::Cut);
    assert_eq!(pair.first.send(&notification).status, 200);
    pair.first.signal_term();
    // By itself, though nothing was written: an exit code, not a signal.
    assert!(pair.first.wait_exit().code().is_some());
    assert_in_flight(&pair.second.send(&notification));
    assert_eq!(pair.attempts(&notification), ["1"]);
}

/// Everything in the store.
fn dump(pair: &Pair) -> Vec<(String, Vec<u8>)> {
    let keys = pair.redis.keys().into_iter();
    keys.map(|key| {
        let value = pair.redis.command(&["DUMP", &key]).bytes().to_vec();
        (key, value)
    })
    .collect()
}
