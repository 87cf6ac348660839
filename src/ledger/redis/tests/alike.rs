//! The store and the memory of one process, side by side: whatever happens, both say the same.

use super::super::marks::Mark;
use super::memory::SHARD;
use super::{LEASE, Server, Store, answer, attempt};
use crate::ledger::claim::{Ending, Hold};
use crate::ledger::memory::Memory;
use crate::ledger::{Attempt, Basis};
use crate::rejection::Rejection;
use ::redis::cmd;
use jiff::{Timestamp, ToSpan as _};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::RefCell;
use std::time::Instant;

#[derive(Clone, Debug)]
enum Step {
    /// Key, content, and whether it is old enough to be proven unseen.
    Claim(u8, u8, Option<Signed>),
    /// One of the claims so far ends, perhaps too late, perhaps again.
    End(prop::sample::Index, u8),
    LeasesEnd,
}

#[derive(Clone, Copy, Debug)]
enum Signed {
    /// Before anything is remembered.
    Long,
    Lately,
}

fn step() -> impl Strategy<Value = Step> {
    let content = prop_oneof![5 => Just(0u8), 1 => Just(1u8)];
    let signed = prop_oneof![
        6 => Just(None),
        1 => Just(Some(Signed::Long)),
        1 => Just(Some(Signed::Lately)),
    ];
    prop_oneof![
        6 => (1u8..3, content, signed).prop_map(|(key, content, signed)| Step::Claim(key, content, signed)),
        4 => (any::<prop::sample::Index>(), 0u8..4).prop_map(|(which, how)| Step::End(which, how)),
        1 => Just(Step::LeasesEnd),
    ]
}

/// A claim that passed, in both.
#[derive(Clone)]
struct Claim {
    attempt: Attempt,
    hold: Hold,
    token: u128,
    ending: Option<Ending>,
}

/// The number of the attempt, or why there is none: how long to wait is measured by two clocks.
fn told(claimed: Result<u32, Rejection>) -> Result<u32, String> {
    claimed.map_err(|why| {
        if let Rejection::InFlight { wait } = why {
            assert!(wait <= LEASE);
            return "in flight".to_owned();
        }
        format!("{why:?}")
    })
}

/// It has been looked at for some time.
fn begin(store: &mut Store) {
    let known = (SHARD, Mark::default());
    let check = store
        .scripts
        .check(known, true, &[Basis::default()], Timestamp::now());
    let _: i64 = check.invoke(&mut store.connection).unwrap();
    let memory = format!("test:{{{SHARD}}}:memory");
    let turned = cmd("HSET").arg(memory).arg("turned").arg(0).to_owned();
    turned.exec(&mut store.connection).unwrap();
}

#[test]
fn the_store_and_the_memory_say_the_same() {
    let server = Server::start();
    let store = RefCell::new(server.store());
    let stories = prop::collection::vec(step(), 1..50);
    let outcome = TestRunner::new(Config::default()).run(&stories, |steps| {
        let mut store = store.borrow_mut();
        store.empty();
        begin(&mut store);
        let memory = Memory::new(10, Timestamp::now());
        let mut now = Instant::now();
        let mut claims: Vec<Claim> = Vec::new();
        for (token, step) in (1u128..).zip(steps) {
            match step {
                Step::Claim(key, content, signed) => {
                    let attempt = Attempt {
                        now,
                        unseen_since: signed.map(|signed| match signed {
                            Signed::Long => Timestamp::UNIX_EPOCH,
                            Signed::Lately => Timestamp::now() + 1.hours(),
                        }),
                        ..attempt(key, content)
                    };
                    let ours = memory.claim(&attempt);
                    let theirs = store.claim(&attempt, token);
                    let number = ours.clone().map(|hold| hold.attempt);
                    prop_assert_eq!(told(theirs), told(number));
                    claims.extend(ours.map(|hold| Claim {
                        attempt,
                        hold,
                        token,
                        ending: None,
                    }));
                }
                Step::End(which, how) if !claims.is_empty() => {
                    let at = which.index(claims.len());
                    let claim = &mut claims[at];
                    let token = claim.token.to_string();
                    let ending = claim.ending.get_or_insert_with(|| match how {
                        0 | 1 => Ending::Free { seen: true },
                        2 => Ending::Free { seen: false },
                        _ => Ending::Delivered {
                            answer: answer(&token),
                            at: now,
                        },
                    });
                    if let Ending::Delivered { at, .. } = ending {
                        *at = now;
                    }
                    memory.end(&claim.attempt, claim.hold, ending.clone());
                    store.end(&claim.attempt, claim.token, ending);
                }
                Step::LeasesEnd => {
                    now += LEASE;
                    store.end_leases();
                }
                Step::End(..) => {}
            }
        }
        Ok(())
    });
    if let Err(why) = outcome {
        panic!("{why}");
    }
}
