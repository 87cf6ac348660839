//! The ledger against a model, under threads, and full.

use super::memory::{Hold, Memory};
use super::*;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const TERMS: Terms = Terms {
    lease: Duration::from_secs(45),
    remember: Duration::from_secs(3600),
    again: false,
};

fn key(n: u8) -> Key {
    Key([n; 32])
}

fn answer(status: u16) -> Stored {
    Stored {
        status,
        content_type: None,
        body: Box::default(),
    }
}

#[test]
fn of_many_copies_one_passes() {
    let memory = Memory::new(10);
    let passed = AtomicUsize::new(0);
    let now = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for n in 0..10 {
                    if memory.claim(key(n), [0; 32], TERMS, now).is_ok() {
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
    let memory = Memory::new(3);
    let now = Instant::now();
    for n in 0..3 {
        let hold = memory.claim(key(n), [n; 32], TERMS, now).unwrap();
        memory.deliver(key(n), hold, answer(200));
    }
    for n in 3..200 {
        assert_eq!(
            memory.claim(key(n), [n; 32], TERMS, now),
            Err(Rejection::Saturated)
        );
    }
    for n in 0..3 {
        let again = memory.claim(key(n), [n; 32], TERMS, now);
        assert_eq!(again, Err(Rejection::Repeat(answer(200))));
    }
}

#[test]
fn what_is_kept_first_stays() {
    let memory = Memory::new(2);
    let hour = Duration::from_secs(3600);
    let keep = |n, status| memory.keep(key(n), &answer(status), hour);
    assert_eq!(keep(1, 200), Ok(answer(200)));
    assert_eq!(keep(1, 201), Ok(answer(200)));
    assert_eq!(keep(2, 202), Ok(answer(202)));
    assert_eq!(keep(3, 203), Err(Rejection::Saturated));
    assert_eq!(keep(2, 204), Ok(answer(202)));
}

#[test]
fn room_comes_back_when_entries_leave() {
    let memory = Memory::new(1);
    let now = Instant::now();
    let brief = Terms {
        remember: Duration::from_millis(1),
        ..TERMS
    };
    for n in 0..3 {
        let mut claimed = memory.claim(key(n), [0; 32], brief, now);
        // The library frees an entry some accesses after its time; nothing but time may be needed.
        for _ in 0..1000 {
            if claimed.is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
            claimed = memory.claim(key(n), [0; 32], brief, now);
        }
        assert_eq!(claimed.map(|hold| hold.attempt), Ok(1), "{n}");
    }
}

#[test]
fn a_claim_that_was_never_sent_leaves_no_trace() {
    let memory = Memory::new(1);
    let now = Instant::now();
    let hold = memory.claim(key(1), [1; 32], TERMS, now).unwrap();
    memory.free(key(1), hold, false);
    let again = memory.claim(key(1), [2; 32], TERMS, now).unwrap();
    assert_eq!((hold.attempt, again.attempt), (1, 1));
}

#[test]
fn a_claim_that_was_taken_over_settles_nothing() {
    let memory = Memory::new(1);
    let now = Instant::now();
    let first = memory.claim(key(1), [1; 32], TERMS, now).unwrap();
    let later = now + TERMS.lease;
    let second = memory.claim(key(1), [1; 32], TERMS, later).unwrap();
    memory.free(key(1), second, false);
    let third = memory.claim(key(1), [1; 32], TERMS, later).unwrap();
    assert_eq!(third.attempt, 2, "the second was never sent");
    memory.deliver(key(1), first, answer(200));
    memory.deliver(key(1), second, answer(200));
    let fourth = memory.claim(key(1), [1; 32], TERMS, later);
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

    fn end(&mut self, delivered: bool, seen: bool) -> Option<Hold> {
        let hold = self.holder.take()?;
        let (content, _) = self.held.take()?;
        self.delivered = delivered.then_some(content);
        self.attempts -= u32::from(!seen);
        Some(hold)
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

proptest! {
    #[test]
    fn behaves_as_its_model(steps in proptest::collection::vec(step(), 1..60)) {
        let (memory, mut model) = (Memory::new(2), Model::default());
        let start = Instant::now();
        for step in steps {
            match step {
                Step::Claim(content) => {
                    let now = start + Duration::from_secs(model.clock);
                    let real = memory.claim(key(1), [content; 32], TERMS, now);
                    if let Ok(hold) = &real {
                        model.holder = Some(*hold);
                    }
                    prop_assert_eq!(name(real), model.claim(content));
                }
                Step::Deliver => if let Some(hold) = model.end(true, true) {
                    memory.deliver(key(1), hold, answer(200));
                },
                Step::Refuse => if let Some(hold) = model.end(false, true) {
                    memory.free(key(1), hold, true);
                },
                Step::Unsent => if let Some(hold) = model.end(false, false) {
                    memory.free(key(1), hold, false);
                },
                Step::Lose => model.holder = None,
                Step::Wait(seconds) => model.clock += seconds,
            }
        }
    }
}
