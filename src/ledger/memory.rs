//! The ledger in this process: bounded, never evicting, gone with the process.

use super::{Key, Terms};
use crate::convert::Content;
use crate::rejection::{Rejection, Stored};
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
}

/// One claim among all that were ever made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    /// How often the app may have seen the notification, this time included.
    pub(super) attempt: u32,
    token: u64,
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
    InFlight { until: Instant, token: u64 },
    Delivered(Stored),
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
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            records: Cache::builder().expire_after(ByRecord).build(),
            tokens: AtomicU64::new(0),
            capacity: Arc::new(Capacity {
                most: capacity,
                live: AtomicUsize::new(0),
                free: AtomicUsize::new(0),
            }),
        }
    }

    /// The right to make the next attempt.
    pub(super) fn claim(
        &self,
        key: Key,
        content: Content,
        terms: Terms,
        now: Instant,
    ) -> Result<Hold, Rejection> {
        self.with_room(|| self.try_claim(key, content, terms, now))
    }

    /// What is known under a key from now on: `answer`, unless another is already.
    pub(super) fn keep(
        &self,
        key: Key,
        answer: &Stored,
        remember: Duration,
    ) -> Result<Stored, Rejection> {
        self.with_room(|| self.try_keep(key, answer, remember))
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

    fn try_keep(&self, key: Key, answer: &Stored, remember: Duration) -> Result<Stored, Rejection> {
        let mut kept = Err(Rejection::Saturated);
        self.records.entry(key).and_compute_with(|entry| {
            let Some(entry) = entry else {
                let delivered = Phase::Delivered(answer.clone());
                let record = self.record(Content::default(), remember, delivered);
                return record.map_or(Op::Nop, |record| {
                    kept = Ok(answer.clone());
                    Op::Put(record)
                });
            };
            kept = match &entry.into_value().state.lock().phase {
                Phase::Delivered(answer) => Ok(answer.clone()),
                Phase::InFlight { .. } | Phase::Free => Err(Rejection::Internal),
            };
            Op::Nop
        });
        kept
    }

    fn try_claim(
        &self,
        key: Key,
        content: Content,
        terms: Terms,
        now: Instant,
    ) -> Result<Hold, Rejection> {
        let mut outcome = Err(Rejection::Internal);
        let until = now + terms.lease;
        let token = self.tokens.fetch_add(1, Ordering::Relaxed);
        // The map runs the closures of one key one after the other, so one copy passes.
        self.records
            .entry(key)
            .and_compute_with(|entry| match entry {
                None => {
                    match self.record(content, terms.remember, Phase::InFlight { until, token }) {
                        None => {
                            outcome = Err(Rejection::Saturated);
                            Op::Nop
                        }
                        Some(record) => {
                            outcome = Ok(Hold { attempt: 1, token });
                            Op::Put(record)
                        }
                    }
                }
                Some(entry) => {
                    let record = entry.into_value();
                    outcome =
                        record
                            .state
                            .lock()
                            .claim(&self.capacity, content, (until, token), now);
                    // Putting it again starts its time anew.
                    if outcome.is_ok() {
                        Op::Put(record)
                    } else {
                        Op::Nop
                    }
                }
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

    pub(super) fn deliver(&self, key: Key, hold: Hold, answer: Stored) {
        self.end(key, hold, |state| {
            state.phase = Phase::Delivered(answer);
            true
        });
    }

    /// Ends a claim without a delivery; `seen` tells whether the app saw the attempt.
    pub(super) fn free(&self, key: Key, hold: Hold, seen: bool) {
        self.end(key, hold, |state| {
            state.attempts -= u32::from(!seen);
            if state.attempts == 0 || !self.capacity.take(&self.capacity.free) {
                return false;
            }
            state.phase = Phase::Free;
            Capacity::leave(&self.capacity.live);
            true
        });
    }

    /// Ends a claim that still holds; the entry stays, its time starting anew, where `how` says so.
    fn end(&self, key: Key, hold: Hold, how: impl FnOnce(&mut State) -> bool) {
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
    fn claim(
        &mut self,
        capacity: &Capacity,
        content: Content,
        (until, token): (Instant, u64),
        now: Instant,
    ) -> Result<Hold, Rejection> {
        let same = self.content == content;
        match &self.phase {
            Phase::Delivered(answer) if same => return Err(Rejection::Repeat(answer.clone())),
            Phase::Delivered(_) => return Err(Rejection::Conflict),
            Phase::InFlight { until, .. } if *until > now && same => {
                return Err(Rejection::InFlight { wait: *until - now });
            }
            Phase::InFlight { until, .. } if *until > now => return Err(Rejection::Conflict),
            Phase::InFlight { .. } => {}
            Phase::Free if !capacity.take(&capacity.live) => return Err(Rejection::Saturated),
            Phase::Free => Capacity::leave(&capacity.free),
        }
        self.content = content;
        self.attempts += 1;
        self.phase = Phase::InFlight { until, token };
        Ok(Hold {
            attempt: self.attempts,
            token,
        })
    }

    fn is_free(&self) -> bool {
        matches!(self.phase, Phase::Free)
    }

    /// A claim whose lease ended and was taken over settles nothing.
    fn is_held_by(&self, hold: Hold) -> bool {
        matches!(self.phase, Phase::InFlight { token, .. } if token == hold.token)
    }
}
