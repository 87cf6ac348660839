//! The ledger in this process: bounded, never evicting, gone with the process.
//!
//! The map is our own. A cache, such as moka, keeps logs and counts to choose what it forgets; a ledger forgets by
//! time alone, and without them an entry takes less than half of the memory, and a claim less than half of the time.

mod answer;
mod chunks;
mod entry;
mod followed;
mod shard;

use super::claim::{Ending, Hold};
use super::{Attempt, Basis, Key};
use crate::convert::Content;
use crate::rejection::Rejection;
use answer::Packed;
use entry::{Capacity, Change, Entry, Phase};
use followed::Followed;
use jiff::Timestamp;
use parking_lot::Mutex;
use shard::{Name, Shard};
use std::array;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A map whose entries leave by time alone. A full one refuses: to forget a live entry would
/// let a replay through. What is over counts as absent at once, and is removed in passing, by claims and by
/// [`Self::forget`].
///
/// An entry is one of a shard, which grows and shrinks by itself: nobody waits until a large table is copied.
#[derive(Debug)]
pub(super) struct Memory {
    shards: Box<[Mutex<Shard>; SHARDS]>,
    /// Keyed, so that nobody who chooses notifications chooses their shards.
    hashes: RandomState,
    capacity: Capacity,
    tokens: AtomicU64,
    followed: Followed,
}

/// Few enough that each is a page or two where little is known, and that all are soon looked through.
const SHARDS: usize = 64;
/// So many entries that are over does a claim remove: more than it adds.
const BY_CLAIM: usize = 4;
/// So many does every step of [`Memory::forget`] remove of each shard: a millisecond or two for all.
const BY_STEP: usize = 16;

impl Memory {
    /// A memory that knows of everything since `started`.
    pub(super) fn new(capacity: usize, started: Timestamp) -> Self {
        Self {
            shards: Box::new(array::from_fn(|_| Mutex::new(Shard::new()))),
            hashes: RandomState::new(),
            capacity: Capacity::new(capacity),
            tokens: AtomicU64::new(0),
            followed: Followed::new(started),
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

    /// Removes a part of what is over, and gives its memory back. To be called again and again.
    pub(super) fn forget(&self, now: Instant) {
        for shard in &*self.shards {
            shard.lock().forget(now, BY_STEP, &self.capacity);
        }
    }

    /// The right to make the next attempt.
    pub(super) fn claim(&self, attempt: &Attempt) -> Result<Hold, Rejection> {
        self.with_room(attempt.now, || self.try_claim(attempt))
    }

    /// What is known under a key from now on: `seconds`, unless another time is already.
    pub(super) fn keep(
        &self,
        key: Key,
        seconds: i64,
        (now, remember): (Instant, Duration),
    ) -> Result<i64, Rejection> {
        self.with_room(now, || self.try_keep(key, seconds, (now, remember)))
    }

    /// Makes sure, before it refuses, that nothing is counted which is over.
    fn with_room<T>(
        &self,
        now: Instant,
        attempt: impl Fn() -> Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        match attempt() {
            Err(Rejection::Saturated) if self.makes_room(now) => attempt(),
            outcome => outcome,
        }
    }

    fn makes_room(&self, now: Instant) -> bool {
        let mut shards = self.shards.iter();
        shards.any(|shard| shard.lock().forget(now, BY_STEP, &self.capacity) > 0)
    }

    fn try_keep(
        &self,
        key: Key,
        seconds: i64,
        (now, remember): (Instant, Duration),
    ) -> Result<i64, Rejection> {
        let (shard, name) = self.shard(key);
        let mut shard = shard.lock();
        shard.forget(now, BY_CLAIM, &self.capacity);
        if let Some((_, entry)) = shard.find(name, now, &self.capacity) {
            return match entry.phase() {
                Phase::Granted(first) => Ok(*first),
                Phase::InFlight { .. } | Phase::Delivered(_) | Phase::Free => {
                    Err(Rejection::Internal)
                }
            };
        }
        if !self.capacity.take(&self.capacity.live) {
            return Err(Rejection::Saturated);
        }
        let granted = Phase::Granted(seconds);
        let entry = Entry::new(name, Content::default(), granted, now + remember);
        shard.add(entry, remember);
        Ok(seconds)
    }

    fn try_claim(&self, attempt: &Attempt) -> Result<Hold, Rejection> {
        let (now, remember) = (attempt.now, attempt.remember);
        let is_unproven = attempt
            .unseen_since
            .is_some_and(|at| at < self.followed.since(attempt.basis));
        let token = self.tokens.fetch_add(1, Ordering::Relaxed);
        let (shard, name) = self.shard(attempt.key);
        // Whoever has the shard is alone with the key, so one copy passes.
        let mut shard = shard.lock();
        shard.forget(now, BY_CLAIM, &self.capacity);
        let number = match shard.find(name, now, &self.capacity) {
            Some((place, entry)) => {
                let claimed = entry.claim(&self.capacity, attempt, (token, is_unproven));
                // A copy may be signed anew, and outlive what is known of its delivery.
                if claimed.is_ok() || entry.is_delivered() {
                    shard.renew(place, remember, now);
                }
                claimed?
            }
            None if is_unproven => return Err(Rejection::Unproven),
            None if !self.capacity.take(&self.capacity.live) => return Err(Rejection::Saturated),
            None => {
                let until = attempt.until();
                let flight = Phase::InFlight { until, token };
                let entry = Entry::new(name, attempt.content, flight, now + remember);
                shard.add(entry, remember);
                1
            }
        };
        Ok(Hold {
            attempt: number,
            token: u128::from(token),
            is_known: true,
        })
    }

    /// Ends a claim. One that was taken over has no say; but what the app took is delivered, unless another
    /// is at the app meanwhile.
    pub(super) fn end(&self, attempt: &Attempt, hold: Hold, ending: Ending) {
        match ending {
            Ending::Delivered { answer, at } => {
                self.deliver(attempt, Packed::of(&answer), (hold, at));
            }
            // It is known for as long as it was going to be: only a count of attempts would leave with it.
            Ending::Free { seen } => {
                let (shard, name) = self.shard(attempt.key);
                let mut shard = shard.lock();
                if let Some((place, entry)) = shard.find_kept(name)
                    && entry.free(&self.capacity, hold, seen) == Change::Gone
                {
                    shard.remove(place, &self.capacity);
                }
            }
        }
    }

    fn deliver(&self, attempt: &Attempt, answer: Packed, (hold, at): (Hold, Instant)) {
        let (shard, name) = self.shard(attempt.key);
        let mut shard = shard.lock();
        let answer = shard.shared(answer);
        let content = attempt.content;
        let place = match shard.find_kept(name) {
            Some((place, entry)) => {
                let delivered = entry.deliver(&self.capacity, content, answer, (hold, at));
                delivered.then_some(place)
            }
            None if !self.capacity.take(&self.capacity.live) => None,
            None => {
                let (ends, phase) = (at + attempt.remember, Phase::Delivered(answer));
                let entry = Entry::new(name, content, phase, ends);
                Some(shard.add(entry, attempt.remember))
            }
        };
        if let Some(place) = place {
            shard.answered(place);
            shard.renew(place, attempt.remember, at);
        }
    }

    fn shard(&self, key: Key) -> (&Mutex<Shard>, Name) {
        let hash = self.hashes.hash_one(key);
        let [first, ..] = &*self.shards;
        let shard = self.shards.get((hash >> 32) as usize % SHARDS);
        let name = Name {
            key,
            hash: hash as u32,
        };
        (shard.unwrap_or(first), name)
    }
}

#[cfg(test)]
mod tests;
