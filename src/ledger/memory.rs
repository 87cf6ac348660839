//! The ledger in this process: bounded, never evicting, gone with the process.

mod followed;
mod record;

use super::claim::{Ending, Hold};
use super::{Attempt, Basis, Key};
use crate::convert::Content;
use crate::rejection::Rejection;
use followed::Followed;
use jiff::Timestamp;
use moka::Expiry;
use moka::ops::compute::Op;
use moka::sync::Cache;
use record::{Capacity, Change, Phase, Record, State};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A map whose entries leave by time alone. A full one refuses: to forget a live entry would
/// let a replay through.
#[derive(Debug)]
pub(super) struct Memory {
    records: Cache<Key, Arc<Record>>,
    capacity: Arc<Capacity>,
    tokens: AtomicU64,
    followed: Followed,
}

struct ByRecord;

impl Expiry<Key, Arc<Record>> for ByRecord {
    fn expire_after_create(&self, _: &Key, record: &Arc<Record>, _: Instant) -> Option<Duration> {
        Some(record.remember())
    }

    fn expire_after_update(
        &self,
        _: &Key,
        record: &Arc<Record>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(record.remember())
    }
}

impl Memory {
    /// A memory that knows of everything since `started`.
    pub(super) fn new(capacity: usize, started: Timestamp) -> Self {
        Self {
            records: Cache::builder().expire_after(ByRecord).build(),
            tokens: AtomicU64::new(0),
            followed: Followed::new(started),
            capacity: Arc::new(Capacity {
                most: AtomicUsize::new(capacity),
                live: AtomicUsize::new(0),
                free: AtomicUsize::new(0),
            }),
        }
    }

    /// From now on these bases are in use.
    pub(super) fn follow(&self, bases: &[Basis], now: Timestamp) {
        self.followed.follow(bases, now);
    }

    /// From now on it holds so many; what it holds already stays.
    pub(super) fn resize(&self, capacity: usize) {
        self.capacity.most.store(capacity, Ordering::Relaxed);
    }

    /// How many entries it holds, and how many it may hold.
    pub(super) fn filled(&self) -> (usize, usize) {
        let read = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        (read(&self.capacity.live), read(&self.capacity.most))
    }

    /// The right to make the next attempt.
    pub(super) fn claim(&self, attempt: &Attempt) -> Result<Hold, Rejection> {
        self.with_room(|| self.try_claim(attempt))
    }

    /// What is known under a key from now on: `seconds`, unless another time is already.
    pub(super) fn keep(
        &self,
        key: Key,
        seconds: i64,
        remember: Duration,
    ) -> Result<i64, Rejection> {
        self.with_room(|| self.try_keep(key, seconds, remember))
    }

    /// Entries whose time is over are removed in passing; makes sure of it before refusing.
    fn with_room<T>(&self, attempt: impl Fn() -> Result<T, Rejection>) -> Result<T, Rejection> {
        match attempt() {
            Err(Rejection::Saturated) => {
                self.records.run_pending_tasks();
                attempt()
            }
            outcome => outcome,
        }
    }

    fn try_keep(&self, key: Key, seconds: i64, remember: Duration) -> Result<i64, Rejection> {
        let mut kept = Err(Rejection::Saturated);
        self.records.entry(key).and_compute_with(|entry| {
            let Some(entry) = entry else {
                let granted = Phase::Granted(seconds);
                let record = self.record(Content::default(), remember, granted);
                return record.map_or(Op::Nop, |record| {
                    kept = Ok(seconds);
                    Op::Put(record)
                });
            };
            kept = match &entry.into_value().state.lock().phase {
                Phase::Granted(first) => Ok(*first),
                Phase::InFlight { .. } | Phase::Delivered(_) | Phase::Free => {
                    Err(Rejection::Internal)
                }
            };
            Op::Nop
        });
        kept
    }

    fn try_claim(&self, attempt: &Attempt) -> Result<Hold, Rejection> {
        let mut outcome = Err(Rejection::Internal);
        let (content, until) = (attempt.content, attempt.until());
        let is_unproven = attempt
            .unseen_since
            .is_some_and(|at| at < self.followed.since(attempt.basis));
        let token = u128::from(self.tokens.fetch_add(1, Ordering::Relaxed));
        // The map runs the closures of one key one after the other, so one copy passes.
        self.records.entry(attempt.key).and_compute_with(|entry| {
            let record = entry.map(moka::Entry::into_value);
            if let Some(record) = &record {
                let state = record.state.lock();
                let refused = state.refuses(content, attempt.now).err();
                let is_delivered = matches!(state.phase, Phase::Delivered(_));
                drop(state);
                if let Some(why) = refused {
                    outcome = Err(why);
                    // A copy may be signed anew, and outlive what is known of its delivery.
                    return match is_delivered {
                        true => {
                            record.remember_for(attempt.remember);
                            Op::Put(Arc::clone(record))
                        }
                        false => Op::Nop,
                    };
                }
            }
            if is_unproven {
                outcome = Err(Rejection::Unproven);
                return Op::Nop;
            }
            let claimed = match record {
                None => self.record(content, attempt.remember, Phase::InFlight { until, token }),
                Some(record) => {
                    let mut state = record.state.lock();
                    let claimed = state.claim(&self.capacity, content, (until, token));
                    drop(state);
                    record.remember_for(attempt.remember);
                    claimed.then_some(record)
                }
            };
            let Some(record) = claimed else {
                outcome = Err(Rejection::Saturated);
                return Op::Nop;
            };
            outcome = Ok(Hold {
                attempt: record.state.lock().attempts,
                token,
                is_known: true,
            });
            // Putting it again starts its time anew.
            Op::Put(record)
        });
        outcome
    }

    fn record(&self, content: Content, remember: Duration, phase: Phase) -> Option<Arc<Record>> {
        if !self.capacity.take(&self.capacity.live) {
            return None;
        }
        let state = State {
            content,
            attempts: 1,
            phase,
            takes_room: true,
        };
        let capacity = Arc::clone(&self.capacity);
        Some(Arc::new(Record::new(state, remember, capacity)))
    }

    /// Ends a claim. One that was taken over has no say; but what the app took is delivered, unless another
    /// is at the app meanwhile.
    pub(super) fn end(&self, attempt: &Attempt, hold: Hold, ending: Ending) {
        self.records.entry(attempt.key).and_compute_with(|entry| {
            let Some(record) = entry.map(moka::Entry::into_value) else {
                return Op::Nop;
            };
            let mut state = record.state.lock();
            let change = match ending {
                Ending::Delivered { answer, at } => {
                    state.deliver(&self.capacity, attempt.content, answer, (hold, at))
                }
                Ending::Free { seen } => state.free(&self.capacity, hold, seen),
            };
            drop(state);
            match change {
                Change::None => Op::Nop,
                // Putting it again starts its time anew.
                Change::Kept => Op::Put(record),
                Change::Gone => Op::Remove,
            }
        });
    }
}
