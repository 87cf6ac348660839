//! Commands and replies that are lost, late or doubled on their way: the app sees each notification once,
//! and what it has said is never taken back.

use serde_json::{Value, json};

use crate::harness::pair::Pair;
use crate::harness::store_steps::{Deed, after, before};
use crate::harness::{Reply, Response, Script, doku, until};
use crate::refusals::{assert_in_flight, assert_wait};

const UNSETTLED: &str = "kawal_store_unsettled";
const LOST: &str = "kawal_store_lost_outcomes_total";

#[test]
fn a_claim_whose_reply_is_lost_passes_all_the_same() {
    let pair = Pair::start();
    let notification = doku("{\"lost\":1}");
    let before = pair.wire.passed(Script::Claim).len();
    pair.wire.on(after(Script::Claim), Deed::Cut);
    assert_eq!(pair.first.send(&notification).status, 200);
    assert_eq!(pair.attempts(&notification), ["1"]);
    // It asked again in the same words: so the store knew that it was the same copy.
    let asked = pair.wire.passed(Script::Claim).split_off(before);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert_eq!(asked[0].arguments(), asked[1].arguments());
    assert_eq!(pair.second.send(&notification).status, 200);
    assert_eq!(pair.attempts(&notification).len(), 1);
}

/// The app has not seen it, and Kawal cannot know whether it may.
#[test]
fn a_claim_whose_reply_never_comes_is_given_back() {
    let pair = Pair::impatient();
    let notification = doku("{\"lost\":15}");
    pair.wire.on(after(Script::Claim), Deed::Silence);
    let given_back = pair.wire.hold(after(Script::Release));
    let answer = pair.first.send(&notification);
    assert_eq!((answer.status, error(&answer)), (503, json!("store_down")));
    assert_wait(&answer);
    given_back.wait();
    assert_eq!(pair.second.send(&notification).status, 200);
    assert_eq!(pair.attempts(&notification), ["1"]);
}

/// A connection on which nothing comes back is not the store's end.
#[test]
fn a_silent_connection_is_left_for_another() {
    let pair = Pair::impatient();
    pair.wire.on(before(Script::Claim), Deed::Silence);
    let notification = doku("{\"lost\":16}");
    // Whether the second try is still in time is not the point.
    let status = pair.first.send(&notification).status;
    assert!([200, 503].contains(&status), "{status}");
    until("others pass", || pair.first.send(&doku("{}")).status == 200);
    assert_eq!(pair.first.send(&notification).status, 200);
    assert_eq!(pair.attempts(&notification), ["1"]);
}

#[test]
fn a_claim_that_the_store_gets_twice_is_one_claim() {
    let pair = Pair::start();
    let notification = doku("{\"lost\":2}");
    pair.wire.on(before(Script::Claim), Deed::Twice);
    pair.app.next(Reply::new(500));
    assert_eq!(pair.first.send(&notification).status, 500);
    assert_eq!(pair.second.send(&notification).status, 200);
    assert_eq!(pair.attempts(&notification), ["1", "2"]);
}

#[test]
fn an_outcome_whose_reply_is_lost_was_written() {
    for deed in [Deed::Cut, Deed::Silence] {
        let pair = Pair::impatient();
        let notification = doku("{\"lost\":3}");
        pair.app.next(Reply::ok().body("taken"));
        pair.wire.on(after(Script::Settle), deed);
        assert_eq!(pair.first.send(&notification).text(), "taken", "{deed:?}");
        // Whatever it does until it knows, it comes to know.
        pair.first.wait_for_metric(UNSETTLED, 0.0);
        for kawal in [&pair.second, &pair.first] {
            assert_eq!(kawal.send(&notification).text(), "taken", "{deed:?}");
        }
        assert_eq!(pair.attempts(&notification), ["1"], "{deed:?}");
        assert_eq!(pair.first.metric(LOST), 0.0, "{deed:?}");
    }
}

#[test]
fn an_outcome_that_cannot_be_written_is_written_later() {
    let pair = Pair::start();
    let notification = doku("{\"lost\":4}");
    pair.app.next(Reply::ok().body("taken"));
    pair.wire.on_every(before(Script::Settle), Deed::Cut);
    assert_eq!(pair.first.send(&notification).text(), "taken");
    // The gateway has its answer and the store does not know yet.
    assert_eq!(pair.first.metric(UNSETTLED), 1.0);
    assert_in_flight(&pair.second.send(&notification));
    let held = pair.first.send(&notification);
    assert_eq!(held.status, 503, "{held:?}");

    pair.wire.clear();
    pair.first.wait_for_metric(UNSETTLED, 0.0);
    for kawal in [&pair.second, &pair.first] {
        let answer = kawal.send(&notification);
        assert_eq!((answer.status, answer.text().as_str()), (200, "taken"));
    }
    assert_eq!(pair.attempts(&notification), ["1"]);
    assert_eq!(pair.first.metric(LOST), 0.0);
}

#[test]
fn an_outcome_waits_for_a_store_that_is_away() {
    let pair = Pair::start();
    let notification = doku("{\"lost\":5}");
    pair.app.next(Reply::ok().body("taken").held());
    let mut gateway = pair.begin(&notification);
    pair.wait_for_attempts(&notification, 1);
    pair.wire.away();
    pair.app.release();
    assert_eq!(gateway.read("POST").unwrap().text(), "taken");
    assert_eq!(pair.first.metric(UNSETTLED), 1.0);
    // Neither the one that cannot ask nor the one that can lets it through.
    let answer = pair.first.send(&notification);
    assert_eq!((answer.status, error(&answer)), (503, json!("store_down")));
    assert_in_flight(&pair.second.send(&notification));

    pair.wire.back();
    pair.first.wait_for_metric(UNSETTLED, 0.0);
    assert_eq!(pair.second.send(&notification).text(), "taken");
    pair.first.wait_for_metric("kawal_store_up", 1.0);
    assert_eq!(pair.first.send(&notification).text(), "taken");
    assert_eq!(pair.attempts(&notification), ["1"]);
}

#[test]
fn an_outcome_that_comes_twice_is_one_outcome() {
    let pair = Pair::start();
    let notification = doku("{\"lost\":9}");
    pair.app.next(Reply::ok().body("taken"));
    pair.wire.on(before(Script::Settle), Deed::Twice);
    assert_eq!(pair.first.send(&notification).text(), "taken");
    assert_eq!(pair.second.send(&notification).text(), "taken");
    assert_eq!(pair.attempts(&notification), ["1"]);
    assert_eq!(pair.first.metric(LOST), 0.0);
}

fn error(answer: &Response) -> Value {
    answer.json()["error"].clone()
}
