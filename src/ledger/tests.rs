//! The ledger against a model, under threads, and full.

use super::claim::{Ending, Hold};
use super::memory::Memory;
use super::*;
use crate::rejection::Stored;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(super) const LEASE: Duration = Duration::from_secs(45);
pub(super) const REMEMBER: Duration = Duration::from_secs(3600);

pub(super) fn attempt(n: u8, content: u8, now: Instant) -> Attempt {
    Attempt {
        key: key(n),
        content: [content; 32],
        lease: LEASE,
        remember: REMEMBER,
        unseen_since: None,
        basis: Basis::default(),
        now,
    }
}

pub(super) fn memory_of(capacity: usize) -> Memory {
    Memory::new(capacity, Timestamp::UNIX_EPOCH)
}

pub(super) const UNSENT: Ending = Ending::Free { seen: false };

pub(super) fn delivered(at: Instant) -> Ending {
    let answer = answer(200);
    Ending::Delivered { answer, at }
}

pub(super) fn key(n: u8) -> Key {
    Key([n; 32])
}

pub(super) fn answer(status: u16) -> Stored {
    Stored {
        status,
        content_type: None,
        body: Box::default(),
    }
}

#[test]
fn of_many_copies_one_passes() {
    let memory = memory_of(10);
    let passed = AtomicUsize::new(0);
    let now = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for n in 0..10 {
                    if memory.claim(&attempt(n, 0, now)).is_ok() {
                        passed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(passed.into_inner(), 10);
}

#[test]
fn a_full_one_refuses_and_forgets_nobody() {
    let memory = memory_of(3);
    let now = Instant::now();
    for n in 0..3 {
        let hold = memory.claim(&attempt(n, n, now)).unwrap();
        memory.end(&attempt(n, n, now), hold, delivered(now));
    }
    for n in 3..200 {
        assert_eq!(memory.claim(&attempt(n, n, now)), Err(Rejection::Saturated));
    }
    for n in 0..3 {
        let again = memory.claim(&attempt(n, n, now));
        assert_eq!(again, Err(Rejection::Repeat(answer(200))));
    }
}

#[test]
fn what_is_kept_first_stays() {
    let (memory, now) = (memory_of(2), Instant::now());
    let keep = |n, seconds| memory.keep(key(n), seconds, (now, REMEMBER));
    assert_eq!(keep(1, 100), Ok(100));
    assert_eq!(keep(1, 101), Ok(100));
    assert_eq!(keep(2, 102), Ok(102));
    assert_eq!(keep(3, 103), Err(Rejection::Saturated));
    assert_eq!(keep(2, 104), Ok(102));
}

#[test]
fn what_is_late_passes_only_with_a_memory_of_its_time() {
    let (now, began) = (Instant::now(), Timestamp::UNIX_EPOCH);
    let memory = memory_of(3);
    let late = |n, second| Attempt {
        unseen_since: Some(Timestamp::from_second(second).unwrap()),
        ..attempt(n, n, now)
    };
    assert_eq!(began.as_second(), 0);
    assert_eq!(memory.claim(&late(1, -1)), Err(Rejection::Unproven));
    assert!(memory.claim(&late(2, 0)).is_ok());
    let hold = memory.claim(&attempt(3, 3, now)).unwrap();
    memory.end(&attempt(3, 3, now), hold, delivered(now));
    let known = memory.claim(&late(3, -1));
    assert_eq!(known, Err(Rejection::Repeat(answer(200))), "it is known");
}

#[test]
fn a_claim_that_was_never_sent_leaves_no_trace() {
    let memory = memory_of(1);
    let now = Instant::now();
    let hold = memory.claim(&attempt(1, 1, now)).unwrap();
    memory.end(&attempt(1, 1, now), hold, UNSENT);
    let again = memory.claim(&attempt(1, 2, now)).unwrap();
    assert_eq!((hold.attempt, again.attempt), (1, 1));
}

#[test]
fn a_claim_that_was_taken_over_settles_nothing() {
    let memory = memory_of(1);
    let now = Instant::now();
    let first = memory.claim(&attempt(1, 1, now)).unwrap();
    let later = now + LEASE;
    let second = memory.claim(&attempt(1, 1, later)).unwrap();
    memory.end(&attempt(1, 1, now), second, UNSENT);
    let third = memory.claim(&attempt(1, 1, later)).unwrap();
    assert_eq!(third.attempt, 2, "the second was never sent");
    memory.end(&attempt(1, 1, now), first, delivered(later));
    memory.end(&attempt(1, 1, now), second, delivered(later));
    let fourth = memory.claim(&attempt(1, 1, later));
    assert!(
        matches!(fourth, Err(Rejection::InFlight { .. })),
        "{fourth:?}"
    );
}

#[derive(Clone, Debug)]
enum Step {
    Claim(u8),
    Deliver,
    Refuse,
    Unsent,
    /// A claim whose outcome stays unknown.
    Lose,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0u8..2).prop_map(Step::Claim),
        1 => Just(Step::Deliver),
        1 => Just(Step::Refuse),
        1 => Just(Step::Unsent),
        1 => Just(Step::Lose),
        2 => (1u64..60).prop_map(Step::Wait),
    ]
}

#[derive(Default)]
struct Model {
    delivered: Option<u8>,
    held: Option<(u8, u64)>,
    holder: Option<Hold>,
    attempts: u32,
    clock: u64,
}

impl Model {
    fn claim(&mut self, content: u8) -> Result<u32, &'static str> {
        if let Some(known) = self.delivered {
            return Err(if known == content {
                "repeat"
            } else {
                "conflict"
            });
        }
        if let Some((known, until)) = self.held
            && until > self.clock
        {
            return Err(if known == content {
                "in flight"
            } else {
                "conflict"
            });
        }
        self.attempts += 1;
        self.held = Some((content, self.clock + 45));
        Ok(self.attempts)
    }

    fn end(&mut self, delivered: bool, seen: bool) -> Option<(u8, Hold)> {
        let hold = self.holder.take()?;
        let (content, _) = self.held.take()?;
        self.delivered = delivered.then_some(content);
        self.attempts -= u32::from(!seen);
        Some((content, hold))
    }
}

fn name(outcome: Result<Hold, Rejection>) -> Result<u32, &'static str> {
    let known = [
        (Rejection::Conflict, "conflict"),
        (Rejection::Repeat(answer(200)), "repeat"),
    ];
    outcome.map(|hold| hold.attempt).map_err(|rejection| {
        match known.iter().find(|(known, _)| *known == rejection) {
            Some((_, name)) => *name,
            None if matches!(rejection, Rejection::InFlight { .. }) => "in flight",
            None => panic!("{rejection:?}"),
        }
    })
}

/// Its lease was over, and yet the app said so: whoever comes next is told.
#[test]
fn what_the_app_took_late_is_delivered_unless_another_is_at_the_app() {
    let now = Instant::now();
    for released in [false, true] {
        let memory = memory_of(1);
        let first = memory.claim(&attempt(1, 1, now)).unwrap();
        let second = memory.claim(&attempt(1, 1, now + LEASE)).unwrap();
        let mut later = now + LEASE * 2;
        if released {
            memory.end(&attempt(1, 1, now), second, Ending::Free { seen: true });
            later = now + LEASE;
        }
        memory.end(&attempt(1, 1, now), first, delivered(later));
        let third = memory.claim(&attempt(1, 1, later));
        assert_eq!(third, Err(Rejection::Repeat(answer(200))), "{released}");
    }
}

proptest! {
    #[test]
    fn behaves_as_its_model(steps in proptest::collection::vec(step(), 1..60)) {
        let (memory, mut model) = (memory_of(2), Model::default());
        let start = Instant::now();
        for step in steps {
            let now = start + Duration::from_secs(model.clock);
            match step {
                Step::Claim(content) => {
                    let real = memory.claim(&attempt(1, content, now));
                    if let Ok(hold) = &real {
                        model.holder = Some(*hold);
                    }
                    prop_assert_eq!(name(real), model.claim(content));
                }
                Step::Deliver => if let Some((content, hold)) = model.end(true, true) {
                    memory.end(&attempt(1, content, now), hold, delivered(now));
                },
                Step::Refuse => if let Some((content, hold)) = model.end(false, true) {
                    memory.end(&attempt(1, content, now), hold, Ending::Free { seen: true });
                },
                Step::Unsent => if let Some((content, hold)) = model.end(false, false) {
                    memory.end(&attempt(1, content, now), hold, UNSENT);
                },
                Step::Lose => model.holder = None,
                Step::Wait(seconds) => model.clock += seconds,
            }
        }
    }
}
