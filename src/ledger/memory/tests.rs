//! What leaves the memory, and when: as time, told by the test, passes.

use super::super::tests::{LEASE, answer, attempt, delivered, key, memory_of};
use super::*;
use std::sync::atomic::AtomicUsize;

const BRIEF: Duration = Duration::from_secs(100);
const LONG: Duration = Duration::from_secs(1000);
const INSTANT: Duration = Duration::from_nanos(1);

fn repeat() -> Result<Hold, Rejection> {
    Err(Rejection::Repeat(answer(200)))
}

/// An attempt to claim `n`, then, which is remembered for so long.
fn asks(n: u8, now: Instant, remember: Duration) -> Attempt {
    Attempt {
        remember,
        ..attempt(n, 0, now)
    }
}

fn deliver(memory: &Memory, attempt: &Attempt) {
    let hold = memory.claim(attempt).unwrap();
    memory.end(attempt, hold, delivered(attempt.now));
}

#[test]
fn what_is_delivered_is_known_to_the_last_instant_and_no_longer() {
    let (memory, now) = (memory_of(10), Instant::now());
    deliver(&memory, &asks(1, now, BRIEF));
    deliver(&memory, &asks(2, now, BRIEF));
    assert_eq!(
        memory.claim(&asks(1, now + BRIEF - INSTANT, BRIEF)),
        repeat()
    );
    let hold = memory.claim(&asks(2, now + BRIEF, BRIEF)).unwrap();
    assert_eq!(hold.attempt, 1, "nothing is known of the first");
}

/// A copy that is signed anew is fresh for longer than the first.
#[test]
fn a_repeat_prolongs_what_is_known() {
    let (memory, mut now) = (memory_of(10), Instant::now());
    deliver(&memory, &asks(1, now, BRIEF));
    deliver(&memory, &asks(2, now, BRIEF));
    for _ in 0..3 {
        now += BRIEF - INSTANT;
        assert_eq!(memory.claim(&asks(1, now, BRIEF)), repeat());
        let other = Attempt {
            content: [1; 32],
            ..asks(2, now, BRIEF)
        };
        assert_eq!(memory.claim(&other), Err(Rejection::Conflict));
    }
    assert!(memory.claim(&asks(1, now + BRIEF, BRIEF)).is_ok());
}

/// What comes back from the app late is known from then on.
#[test]
fn time_begins_with_the_delivery() {
    let (memory, now) = (memory_of(10), Instant::now());
    let first = asks(1, now, BRIEF);
    let hold = memory.claim(&first).unwrap();
    memory.end(&first, hold, delivered(now + LEASE));
    assert_eq!(
        memory.claim(&asks(1, now + LEASE + BRIEF - INSTANT, BRIEF)),
        repeat()
    );
}

#[test]
fn a_claim_after_a_reload_is_known_for_as_long_as_it_asks() {
    let (memory, now) = (memory_of(10), Instant::now());
    let short = asks(1, now, BRIEF);
    let hold = memory.claim(&short).unwrap();
    memory.end(&short, hold, Ending::Free { seen: true });
    deliver(&memory, &asks(1, now, LONG));
    assert_eq!(memory.claim(&asks(1, now + LONG - INSTANT, LONG)), repeat());
}

/// Its lease was over, and another holds it now.
#[test]
fn time_begins_anew_with_each_claim_and_with_no_refusal() {
    let (memory, now) = (memory_of(10), Instant::now());
    let flight = |n, after| memory.claim(&asks(n, now + after, BRIEF));
    for n in [1, 2] {
        assert!(flight(n, Duration::ZERO).is_ok());
    }
    assert!(matches!(
        flight(2, LEASE - INSTANT),
        Err(Rejection::InFlight { .. })
    ));
    assert_eq!(flight(1, LEASE * 2).map(|hold| hold.attempt), Ok(2));
    assert!(matches!(flight(1, BRIEF), Err(Rejection::InFlight { .. })));
    assert_eq!(flight(2, BRIEF).map(|hold| hold.attempt), Ok(1));
}

#[test]
fn what_was_refused_before_is_as_late_as_what_is_new() {
    let (memory, now) = (memory_of(10), Instant::now());
    let first = asks(1, now, BRIEF);
    let hold = memory.claim(&first).unwrap();
    memory.end(&first, hold, Ending::Free { seen: true });
    let unseen_since = Some(Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_secs(1));
    let late = Attempt {
        unseen_since,
        ..asks(1, now + LEASE, BRIEF)
    };
    assert_eq!(memory.claim(&late), Err(Rejection::Unproven));
    let again = memory.claim(&asks(1, now + BRIEF - INSTANT, BRIEF));
    assert_eq!(again.map(|hold| hold.attempt), Ok(2));
}

#[test]
fn a_reload_that_asks_for_less_lets_nothing_leave_earlier() {
    let (memory, now) = (memory_of(10), Instant::now());
    deliver(&memory, &asks(1, now, LONG));
    assert_eq!(memory.claim(&asks(1, now + INSTANT, BRIEF)), repeat());
    assert_eq!(
        memory.claim(&asks(1, now + LONG - INSTANT, BRIEF)),
        repeat()
    );
}

/// Whichever shards they are in, and whatever else is remembered for longer.
#[test]
fn a_full_one_has_room_as_soon_as_one_leaves() {
    let (memory, now) = (memory_of(30), Instant::now());
    for n in 0..30 {
        let remember = if n % 3 == 0 { BRIEF } else { LONG };
        deliver(&memory, &asks(n, now, remember));
    }
    let later = now + BRIEF - INSTANT;
    assert_eq!(
        memory.claim(&asks(100, later, LONG)),
        Err(Rejection::Saturated)
    );
    let later = now + BRIEF;
    for n in 100..110 {
        deliver(&memory, &asks(n, later, LONG));
    }
    assert_eq!(
        memory.claim(&asks(110, later, LONG)),
        Err(Rejection::Saturated)
    );
    assert_eq!(
        memory.keep(key(110), 1, (later, LONG)),
        Err(Rejection::Saturated)
    );
    for n in (0..30).filter(|n| n % 3 != 0).chain(100..110) {
        assert_eq!(memory.claim(&asks(n, later, LONG)), repeat(), "{n}");
    }
}

#[test]
fn what_is_granted_leaves_in_its_time() {
    let (memory, now) = (memory_of(1), Instant::now());
    assert_eq!(memory.keep(key(1), 100, (now, BRIEF)), Ok(100));
    let later = now + BRIEF - INSTANT;
    assert_eq!(memory.keep(key(1), 101, (later, BRIEF)), Ok(100));
    let later = now + BRIEF;
    assert_eq!(memory.keep(key(1), 102, (later, BRIEF)), Ok(102));
    assert_eq!(memory.keep(key(2), 103, (later + BRIEF, BRIEF)), Ok(103));
}

/// One that the app refused holds a count only, and has room of its own, also when it leaves.
#[test]
fn every_way_in_which_an_entry_leaves_gives_its_room_back() {
    let (memory, mut now) = (memory_of(2), Instant::now());
    for _ in 0..5 {
        for (n, seen) in [(3, false), (1, true), (2, true), (4, true)] {
            let claimed = asks(n, now, BRIEF);
            let hold = memory.claim(&claimed).unwrap();
            memory.end(&claimed, hold, Ending::Free { seen });
            assert_eq!(memory.filled(), (0, 2));
        }
        // What was not seen takes no room; the third that was seen found none, and nothing is known of it.
        for (n, number) in [(1, 2), (2, 2), (4, 1)] {
            let claimed = asks(n, now, BRIEF);
            let hold = memory.claim(&claimed).unwrap();
            assert_eq!(hold.attempt, number, "{n}");
            memory.end(&claimed, hold, Ending::Free { seen: false });
        }
        for n in [1, 2] {
            assert!(memory.claim(&asks(n, now, BRIEF)).is_ok());
        }
        let full = memory.claim(&asks(4, now, BRIEF));
        assert_eq!(full, Err(Rejection::Saturated));
        now += BRIEF;
        memory.forget(now);
        assert_eq!(memory.filled(), (0, 2));
    }
}

/// There is an entry no longer, and yet the app said so: whoever comes next is told.
#[test]
fn what_the_app_took_is_delivered_whatever_was_forgotten() {
    let (memory, now) = (memory_of(1), Instant::now());
    let first = asks(1, now, BRIEF);
    let hold = memory.claim(&first).unwrap();
    memory.forget(now + BRIEF);
    assert_eq!(memory.filled(), (0, 1));
    memory.end(&first, hold, delivered(now + BRIEF));
    assert_eq!(memory.claim(&asks(1, now + BRIEF, BRIEF)), repeat());
    assert_eq!(memory.filled(), (1, 1));
    // But not beyond its capacity.
    let (second, later) = (asks(2, now + BRIEF * 3, BRIEF), now + BRIEF * 4);
    let hold = memory.claim(&second).unwrap();
    deliver(&memory, &asks(3, later, BRIEF));
    memory.end(&second, hold, delivered(later));
    assert_eq!(memory.filled(), (1, 1));
    assert_eq!(
        memory.claim(&asks(2, later, BRIEF)),
        Err(Rejection::Saturated)
    );
}

#[test]
fn without_claims_what_is_over_leaves_step_by_step() {
    let (memory, now) = (memory_of(100_000), Instant::now());
    let wide = |n: u32| {
        let mut key = [0; 32];
        key[..4].copy_from_slice(&n.to_be_bytes());
        Attempt {
            key: Key(key),
            ..asks(0, now, BRIEF)
        }
    };
    for n in 0..20_000 {
        memory.claim(&wide(n)).unwrap();
    }
    assert_eq!(memory.filled().0, 20_000);
    memory.forget(now + BRIEF - INSTANT);
    assert_eq!(memory.filled().0, 20_000);
    memory.forget(now + BRIEF);
    assert_eq!(memory.filled().0, 20_000 - BY_STEP * SHARDS);
    // No shard has twice its share.
    for _ in 0..20_000 / SHARDS / BY_STEP * 2 {
        memory.forget(now + BRIEF);
    }
    assert_eq!(memory.filled().0, 0);
}

/// It was given up, and its room is taken; nothing may count it twice.
#[test]
fn what_the_app_took_of_a_free_one_needs_room() {
    let (memory, now) = (memory_of(1), Instant::now());
    let (first, second) = (asks(1, now, BRIEF), asks(1, now + LEASE, BRIEF));
    let held = memory.claim(&first).unwrap();
    let taken_over = memory.claim(&second).unwrap();
    memory.end(&second, taken_over, Ending::Free { seen: true });
    deliver(&memory, &asks(2, now + LEASE, BRIEF));
    memory.end(&first, held, delivered(now + LEASE));
    assert_eq!(memory.filled(), (1, 1));
    memory.forget(now + BRIEF * 2);
    assert_eq!(memory.filled(), (0, 1));
}

#[test]
fn claims_remove_what_is_over_in_passing() {
    let (memory, now) = (memory_of(1000), Instant::now());
    for n in 0..200 {
        deliver(&memory, &asks(n, now, BRIEF));
    }
    for n in 200..250 {
        deliver(&memory, &asks(n, now + BRIEF, BRIEF));
    }
    let filled = memory.filled().0;
    assert!((50..250).contains(&filled), "{filled}");
}

/// While entries leave around them, and change their places.
#[test]
fn under_threads_one_copy_passes_and_every_count_is_right() {
    const KEYS: u8 = 250;
    let (memory, now) = (memory_of(1000), Instant::now());
    let (passed, rounds) = ([const { AtomicUsize::new(0) }; KEYS as usize], 40);
    std::thread::scope(|scope| {
        for thread in 0..8u16 {
            let (memory, passed) = (&memory, &passed);
            scope.spawn(move || {
                for round in 0..rounds {
                    let then = now + BRIEF * round;
                    for step in 0..u16::from(KEYS) {
                        let n = u8::try_from((step * 7 + thread * 31) % u16::from(KEYS)).unwrap();
                        let remember = if n % 2 == 0 { BRIEF } else { LONG * 100 };
                        let claimed = asks(n, then, remember);
                        if let Ok(hold) = memory.claim(&claimed) {
                            passed[usize::from(n)].fetch_add(1, Ordering::Relaxed);
                            memory.end(&claimed, hold, delivered(then));
                        }
                    }
                    memory.forget(then);
                }
            });
        }
    });
    for (n, passed) in passed.into_iter().map(AtomicUsize::into_inner).enumerate() {
        // By the time of the last round, those of even number were forgotten again and again.
        let right = if n % 2 == 0 { passed > 1 } else { passed == 1 };
        assert!(right, "{n} passed {passed} times");
    }
    assert_eq!(memory.filled().0, usize::from(KEYS));
    memory.forget(now + BRIEF * (rounds + 1));
    assert_eq!(memory.filled().0, usize::from(KEYS) / 2);
}
