//! A batch is several entries in the store, and a sidecar may die between any two of them.

use serde_json::Value;

use crate::harness::adyen::{batch, item};
use crate::harness::pair::{Pair, passes_after_its_lease};
use crate::harness::store_steps::before;
use crate::harness::{Config, Kawal, Reply, Request, Script};
use crate::refusals::assert_in_flight;

fn pair() -> Pair {
    Pair::with(Config::with_kinds)
}

/// Two items, which are three entries: the batch is one too.
fn two_items() -> (Value, Value, Request) {
    let (a, b) = (item(), item());
    let both = batch(&[&a, &b]);
    (a, b, both)
}

#[test]
fn between_its_claims() {
    for nth in 2..=3 {
        let mut pair = pair();
        let (_, b, both) = two_items();
        let held = pair.wire.hold(before(Script::Claim).nth(nth));
        let gateway = pair.begin(&both);
        held.wait();
        pair.kill_first([gateway]);
        held.cut();

        let third = Kawal::start(pair.first.config.clone());
        assert_in_flight(&third.send(&both));
        // The item that nobody held is not in anybody's way.
        assert_eq!(third.send(&batch(&[&b])).status, 200, "{nth}");
        let refused = pair.second.send(&both).status;
        assert!([409, 503].contains(&refused), "{nth}: {refused}");
        assert_eq!(pair.attempts(&both), [""; 0], "{nth}");
    }
}

pub fn between_its_claims_it_comes_through() {
    let mut pair = pair();
    let (_, _, both) = two_items();
    let held = pair.wire.hold(before(Script::Claim).nth(2));
    let gateway = pair.begin(&both);
    held.wait();
    pair.kill_first([gateway]);
    held.cut();

    passes_after_its_lease(&pair.second, &both);
    assert_eq!(pair.attempts(&both), ["2"]);
}

#[test]
fn between_its_outcomes() {
    for nth in 2..=3 {
        let mut pair = pair();
        let (a, b, both) = two_items();
        pair.app.next(Reply::ok().body("taken"));
        let held = pair.wire.hold(before(Script::Settle).nth(nth));
        let gateway = pair.begin(&both);
        held.wait();
        pair.kill_first([gateway]);
        held.cut();

        // One outcome is enough to know that the app has it.
        for kawal in [&pair.second, &pair.another()] {
            assert_eq!(kawal.send(&both).text(), "taken", "{nth}");
        }
        // In another batch they wait or are known, and do not reach the app.
        for items in [[&a], [&b]] {
            let answer = pair.second.send(&batch(&items));
            assert!([409, 503].contains(&answer.status), "{nth}: {answer:?}");
        }
        assert_eq!(pair.attempts(&both), ["1"], "{nth}");
    }
}
