//! A refusal of the app frees a notification, however often the store hears of it, and nobody else's claim.

use crate::harness::pair::Pair;
use crate::harness::store_steps::{Deed, after, before};
use crate::harness::{Reply, Script, doku};
use crate::refusals::assert_in_flight;

#[test]
fn a_refusal_whose_reply_is_lost_frees_the_notification() {
    for deed in [Deed::Cut, Deed::Silence, Deed::Twice] {
        let pair = Pair::impatient();
        let notification = doku("{\"lost\":10}");
        pair.app.next(Reply::new(500));
        let at = if deed == Deed::Twice {
            before(Script::Release)
        } else {
            after(Script::Release)
        };
        pair.wire.on(at, deed);
        assert_eq!(pair.first.send(&notification).status, 500, "{deed:?}");
        // Kawal may not know it, but the store does.
        assert_eq!(pair.second.send(&notification).status, 200, "{deed:?}");
        assert_eq!(pair.attempts(&notification), ["1", "2"], "{deed:?}");
    }
}

#[test]
fn a_refusal_that_cannot_be_written_is_written_later() {
    let pair = Pair::start();
    let notification = doku("{\"lost\":11}");
    pair.app.next(Reply::new(500).body("not now"));
    pair.wire.on_every(before(Script::Release), Deed::Cut);
    let answer = pair.first.send(&notification);
    assert_eq!((answer.status, answer.text().as_str()), (500, "not now"));
    assert_in_flight(&pair.second.send(&notification));

    let executed = pair.wire.hold(after(Script::Release));
    pair.wire.clear();
    executed.wait();
    assert_eq!(pair.second.send(&notification).status, 200);
    assert_eq!(pair.attempts(&notification), ["1", "2"]);
}

/// A free one has forgotten its holder: what comes again must not undo another's claim.
#[test]
fn a_refusal_that_comes_again_frees_nobody_else() {
    let pair = Pair::start();
    let notification = doku("{\"lost\":12}");
    pair.app.next(Reply::new(500));
    assert_eq!(pair.first.send(&notification).status, 500);
    let release = pair.wire.passed(Script::Release).pop().unwrap();
    pair.app.next(Reply::hangup());
    assert_eq!(pair.second.send(&notification).status, 502);
    pair.redis.connect().call(&release.words).unwrap();
    assert_in_flight(&pair.second.send(&notification));
    assert_in_flight(&pair.first.send(&notification));
    assert_eq!(pair.attempts(&notification), ["1", "2"]);
}
