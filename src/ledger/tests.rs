//! The ledger against a model, under threads, and full.

use super::memory::Memory;
use super::*;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

const TERMS: Terms = Terms {
    lease: Duration::from_secs(45),
    remember: Duration::from_secs(3600),
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
        memory.claim(key(n), [n; 32], TERMS, now).unwrap();
        memory.deliver(key(n), 1, answer(200));
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
        assert_eq!(claimed, Ok(1), "{n}");
    }
}

#[test]
fn a_claim_that_was_never_sent_leaves_no_trace() {
    let memory = Memory::new(1);
    let now = Instant::now();
    assert_eq!(memory.claim(key(1), [1; 32], TERMS, now), Ok(1));
    memory.free(key(1), 1, false);
    assert_eq!(memory.claim(key(1), [2; 32], TERMS, now), Ok(1));
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
    held: Option<(u8, u32, u64)>,
    holder: Option<u32>,
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
        if let Some((known, _, until)) = self.held
            && until > self.clock
        {
            return Err(if known == content {
                "in flight"
            } else {
                "conflict"
            });
        }
        self.attempts += 1;
        self.held = Some((content, self.attempts, self.clock + 45));
        self.holder = Some(self.attempts);
        Ok(self.attempts)
    }

    fn end(&mut self, delivered: bool, seen: bool) -> Option<u32> {
        let attempt = self.holder.take()?;
        let (content, ..) = self.held.take()?;
        self.delivered = delivered.then_some(content);
        self.attempts -= u32::from(!seen);
        Some(attempt)
    }
}

fn name(outcome: Result<u32, Rejection>) -> Result<u32, &'static str> {
    let known = [
        (Rejection::Conflict, "conflict"),
        (Rejection::Repeat(answer(200)), "repeat"),
    ];
    outcome.map_err(
        |rejection| match known.iter().find(|(known, _)| *known == rejection) {
            Some((_, name)) => *name,
            None if matches!(rejection, Rejection::InFlight { .. }) => "in flight",
            None => panic!("{rejection:?}"),
        },
    )
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
                    prop_assert_eq!(name(real), model.claim(content));
                }
                Step::Deliver => if let Some(attempt) = model.end(true, true) {
                    memory.deliver(key(1), attempt, answer(200));
                },
                Step::Refuse => if let Some(attempt) = model.end(false, true) {
                    memory.free(key(1), attempt, true);
                },
                Step::Unsent => if let Some(attempt) = model.end(false, false) {
                    memory.free(key(1), attempt, false);
                },
                Step::Lose => model.holder = None,
                Step::Wait(seconds) => model.clock += seconds,
            }
        }
    }
}
