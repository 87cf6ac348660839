//! The ledger in this process: bounded, never evicting, gone with the process.

use super::claim::{Ending, Hold};
use super::{Attempt, Key};
use crate::convert::Content;
use crate::rejection::{Rejection, Stored};
use jiff::Timestamp;
use moka::Expiry;
use moka::ops::compute::Op;
use moka::sync::Cache;
use parking_lot::Mutex;
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
    complete_since: Timestamp,
}

/// Capacity for entries that are in flight or delivered, and as much for free ones, which hold
/// nothing but a count of attempts and may be forgotten.
#[derive(Debug)]
struct Capacity {
    most: usize,
    live: AtomicUsize,
    free: AtomicUsize,
}

impl Capacity {
    fn take(&self, of: &AtomicUsize) -> bool {
        let more = |taken: usize| (taken < self.most).then_some(taken + 1);
        of.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    fn leave(of: &AtomicUsize) {
        of.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Record {
    state: Mutex<State>,
    remember: Duration,
    capacity: Arc<Capacity>,
}

#[derive(Debug)]
struct State {
    content: Content,
    /// Claims so far of which the app may have seen something.
    attempts: u32,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    InFlight {
        until: Instant,
        token: u128,
    },
    Delivered(Stored),
    /// A token's request was granted at this time, in seconds since 1970.
    Granted(i64),
    Free,
}

/// Counting by drop cannot drift, whatever the reason an entry leaves for.
impl Drop for Record {
    fn drop(&mut self) {
        let capacity = &self.capacity;
        Capacity::leave(if self.state.get_mut().is_free() {
            &capacity.free
        } else {
            &capacity.live
        });
    }
}

struct ByRecord;

impl Expiry<Key, Arc<Record>> for ByRecord {
    fn expire_after_create(&self, _: &Key, record: &Arc<Record>, _: Instant) -> Option<Duration> {
        Some(record.remember)
    }

    fn expire_after_update(
        &self,
        _: &Key,
        record: &Arc<Record>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(record.remember)
    }
}

impl Memory {
    pub(super) fn new(capacity: usize, complete_since: Timestamp) -> Self {
        Self {
            records: Cache::builder().expire_after(ByRecord).build(),
            tokens: AtomicU64::new(0),
            complete_since,
            capacity: Arc::new(Capacity {
                most: capacity,
                live: AtomicUsize::new(0),
                free: AtomicUsize::new(0),
            }),
        }
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
            .is_some_and(|at| at < self.complete_since);
        let token = u128::from(self.tokens.fetch_add(1, Ordering::Relaxed));
        // The map runs the closures of one key one after the other, so one copy passes.
        self.records.entry(attempt.key).and_compute_with(|entry| {
            let record = entry.map(moka::Entry::into_value);
            if let Some(Err(why)) = record
                .as_ref()
                .map(|record| record.state.lock().refuses(content, attempt.now))
            {
                outcome = Err(why);
                return Op::Nop;
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
        Some(Arc::new(Record {
            state: Mutex::new(State {
                content,
                attempts: 1,
                phase,
            }),
            remember,
            capacity: Arc::clone(&self.capacity),
        }))
    }

    /// Ends a claim, unless another has taken it over.
    pub(super) fn end(&self, key: Key, hold: Hold, ending: Ending) {
        match ending {
            Ending::Delivered(answer) => self.end_by(key, hold, |state| {
                state.phase = Phase::Delivered(answer);
                true
            }),
            Ending::Free { seen } => self.end_by(key, hold, |state| {
                state.attempts -= u32::from(!seen);
                if state.attempts == 0 || !self.capacity.take(&self.capacity.free) {
                    return false;
                }
                state.phase = Phase::Free;
                Capacity::leave(&self.capacity.live);
                true
            }),
        }
    }

    /// Ends a claim that still holds; the entry stays, its time starting anew, where `how` says so.
    fn end_by(&self, key: Key, hold: Hold, how: impl FnOnce(&mut State) -> bool) {
        self.records.entry(key).and_compute_with(|entry| {
            let Some(record) = entry.map(moka::Entry::into_value) else {
                return Op::Nop;
            };
            let mut state = record.state.lock();
            if !state.is_held_by(hold) {
                return Op::Nop;
            }
            if !how(&mut state) {
                return Op::Remove;
            }
            drop(state);
            Op::Put(record)
        });
    }
}

impl State {
    /// Whether a claim of this content has to stop here.
    fn refuses(&self, content: Content, now: Instant) -> Result<(), Rejection> {
        let same = self.content == content;
        match &self.phase {
            Phase::Delivered(answer) if same => Err(Rejection::Repeat(answer.clone())),
            Phase::InFlight { until, .. } if *until > now && same => {
                Err(Rejection::InFlight { wait: *until - now })
            }
            Phase::InFlight { until, .. } if *until <= now => Ok(()),
            Phase::Delivered(_) | Phase::Granted(_) | Phase::InFlight { .. } => {
                Err(Rejection::Conflict)
            }
            Phase::Free => Ok(()),
        }
    }

    /// Takes over what is free, or was held for too long; `false` where there is no room.
    fn claim(
        &mut self,
        capacity: &Capacity,
        content: Content,
        (until, token): (Instant, u128),
    ) -> bool {
        if self.is_free() {
            if !capacity.take(&capacity.live) {
                return false;
            }
            Capacity::leave(&capacity.free);
        }
        self.content = content;
        self.attempts += 1;
        self.phase = Phase::InFlight { until, token };
        true
    }

    fn is_free(&self) -> bool {
        matches!(self.phase, Phase::Free)
    }

    /// A claim whose lease ended and was taken over settles nothing.
    fn is_held_by(&self, hold: Hold) -> bool {
        matches!(self.phase, Phase::InFlight { token, .. } if token == hold.token)
    }
}
