//! The memory of which notifications are in flight or delivered.
//!
//! ```text
//! absent ──claim──▶ in flight ──app says 2xx──▶ delivered ──remember──▶ absent
//!                     │  ├─ never sent, or a definite refusal ──▶ free (its attempts are kept)
//!                     │  └─ sent, outcome unknown ──▶ in flight until the lease ends, then claimable
//! ```
//!
//! It is kept in this process ([`Ledger::in_memory`]), or in a store that replicas share
//! ([`Kept::Shared`]): the same rules, with one answer more, that the store does not answer.

mod basis;
mod claim;
mod memory;
mod redis;

pub use basis::Basis;
pub use claim::{Admitted, Claim};
pub use redis::{Address, Complaint, Password, Settings, Unavailable};

use crate::clock::Moment;
use crate::convert::{Content, Payload};
use crate::rejection::Rejection;
use crate::scheme::Identity;
use crate::token::TokenRequest;
use claim::{Ending, Hold};
use futures_util::future::join_all;
use jiff::Timestamp;
use memory::Memory;
use prometheus_client::registry::Registry;
use redis::Redis;
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The key of an entry: the identity, or the content where the proof covers nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 32]);

impl Key {
    /// What its first two hex digits say.
    fn first(self) -> u8 {
        let [first, ..] = self.0;
        first
    }

    /// What its first 16 hex digits say.
    #[must_use]
    pub fn number(self) -> u64 {
        let [first, ..] = self.0.as_chunks().0 else {
            return 0;
        };
        u64::from_be_bytes(*first)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut halves = self.0.as_chunks().0.iter();
        halves.try_for_each(|half| write!(f, "{:032x}", u128::from_be_bytes(*half)))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How long entries live.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// A claim without an outcome holds for so long.
    pub lease: Duration,
    /// A delivered notification stays known for so long.
    pub remember: Duration,
    /// Whether a delivered notification that comes again passes again.
    pub again: bool,
    /// What its key and content are made by.
    pub basis: Basis,
}

/// One attempt to claim one key.
#[derive(Clone, Copy, Debug)]
struct Attempt {
    key: Key,
    content: Content,
    lease: Duration,
    remember: Duration,
    /// It passes only if nothing was forgotten since then.
    unseen_since: Option<Timestamp>,
    basis: Basis,
    now: Instant,
}

impl Attempt {
    /// When the lease ends.
    fn until(&self) -> Instant {
        self.now + self.lease
    }
}

/// The ledger.
#[derive(Debug)]
pub struct Ledger(Store);

#[derive(Debug)]
enum Store {
    Memory(Memory),
    Redis(Arc<Redis>),
}

/// Where a ledger is kept.
#[derive(Clone, Debug)]
pub enum Kept {
    /// In this process.
    Memory {
        /// Entries.
        capacity: usize,
    },
    /// In a store that replicas share.
    Shared(Settings),
}

impl Ledger {
    /// A ledger that is kept there, for entries of these bases; one in memory knows everything since
    /// `started`. A shared one claims nothing until [`Self::connect`] or [`Self::keep_connected`] has
    /// connected it.
    #[must_use]
    pub fn new(kept: &Kept, bases: &[Basis], started: Timestamp) -> Self {
        match kept {
            Kept::Memory { capacity } => {
                let memory = Memory::new(*capacity, started);
                memory.follow(bases, started);
                Self(Store::Memory(memory))
            }
            Kept::Shared(settings) => {
                let redis = Redis::new(settings.clone(), bases);
                Self(Store::Redis(Arc::new(redis)))
            }
        }
    }

    /// A ledger in memory that holds at most `capacity` entries and knows everything since
    /// `started`.
    #[must_use]
    pub fn in_memory(capacity: usize, started: Timestamp) -> Self {
        Self(Store::Memory(Memory::new(capacity, started)))
    }

    /// From now on entries have these bases. To be called, and awaited, before anything is claimed under a new
    /// one: its memory begins now, and what was delivered before, under another, does not count for it.
    pub async fn follow(&self, bases: &[Basis], now: Timestamp) {
        match &self.0 {
            Store::Memory(memory) => memory.follow(bases, now),
            Store::Redis(redis) => redis.follow(bases).await,
        }
    }

    /// From now on a ledger in memory holds at most `capacity` entries; what it holds already stays.
    pub fn resize(&self, capacity: usize) {
        if let Store::Memory(memory) = &self.0 {
            memory.resize(capacity);
        }
    }

    /// How many entries a ledger in memory holds, and how many it may hold.
    #[must_use]
    pub fn filled(&self) -> Option<(usize, usize)> {
        match &self.0 {
            Store::Memory(memory) => Some(memory.filled()),
            Store::Redis(_) => None,
        }
    }

    /// Lets a ledger in memory remove a part of what is over, and give its memory back. To be called again and
    /// again: claims do the same as they come, so this is for times in which none come.
    pub fn forget(&self, now: Instant) {
        if let Store::Memory(memory) = &self.0 {
            memory.forget(now);
        }
    }

    /// Whether anything can be claimed.
    #[must_use]
    pub fn is_up(&self) -> bool {
        match &self.0 {
            Store::Memory(_) => true,
            Store::Redis(redis) => redis.is_up(),
        }
    }

    /// Connects to the store, if there is one, and looks whether it is fit to be a ledger.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn connect(&self) -> Result<(), Complaint> {
        match &self.0 {
            Store::Memory(_) => Ok(()),
            Store::Redis(redis) => redis.examine().await,
        }
    }

    /// Keeps the connection to the store, if there is one: never comes back.
    pub async fn keep_connected(&self) {
        if let Store::Redis(redis) = &self.0 {
            redis.keep_connected().await;
        }
    }

    /// Comes back when every outcome is written, also those that the store has not taken yet.
    pub async fn settled(&self) {
        if let Store::Redis(redis) = &self.0 {
            redis.settled().await;
        }
    }

    /// The deliveries that the store does not know of yet.
    #[must_use]
    pub fn unsettled(&self) -> Vec<Key> {
        match &self.0 {
            Store::Memory(_) => Vec::new(),
            Store::Redis(redis) => redis.unsettled(),
        }
    }

    /// Registers the figures of the store, if there is one.
    pub fn register(&self, registry: &mut Registry) {
        if let Store::Redis(redis) = &self.0 {
            redis.register(registry);
        }
    }

    /// The key under which a payload is known; a batch has one of its own, beside those of its items.
    #[must_use]
    pub fn key(payload: &Payload) -> Key {
        match &payload.signed().identity {
            Identity::Values(digest) => Key(*digest),
            Identity::Batch(items) => Key(Sha256::digest(items.as_flattened()).into()),
            Identity::Content => Key(payload.content()),
            Identity::ContentAnd(headers) => {
                let both = Sha256::new_with_prefix(payload.content()).chain_update(headers);
                Key(both.finalize().into())
            }
        }
    }

    /// Claims a notification: of any number of copies, one passes. A batch passes when every item does:
    /// one that was delivered alone, or in another batch, is a conflict.
    ///
    /// # Errors
    /// [`Rejection::InFlight`], [`Rejection::Repeat`], [`Rejection::Conflict`],
    /// [`Rejection::Unproven`], [`Rejection::Saturated`] or [`Rejection::StoreDown`].
    pub async fn claim(
        self: &Arc<Self>,
        payload: Payload,
        terms: Terms,
        now: Instant,
    ) -> Result<Admitted, Rejection> {
        let key = Self::key(&payload);
        let whole = Attempt {
            key,
            content: payload.content(),
            lease: terms.lease,
            remember: terms.remember,
            unseen_since: payload.unseen_since(),
            basis: terms.basis,
            now,
        };
        // Of copies of one batch, whoever holds it goes on to its items; the others go no further.
        let mut claim = Claim::new(self, key, terms.again);
        claim.hold(whole, self.try_claim(&whole).await?);
        match &payload.signed().identity {
            Identity::Batch(items) => Box::pin(self.claim_items(items, whole, claim)).await,
            Identity::Values(_) | Identity::Content | Identity::ContentAnd(_) => Ok(claim),
        }
        .map(|claim| Admitted::new(payload, claim))
    }

    async fn claim_items(
        &self,
        items: &[[u8; 32]],
        whole: Attempt,
        mut claim: Claim,
    ) -> Result<Claim, Rejection> {
        let claims = items.iter().map(|item| async {
            let item = Attempt {
                key: Key(*item),
                ..whole
            };
            (item, self.try_claim(&item).await)
        });
        let claims = claims.collect::<Vec<_>>();
        let mut refused = None;
        for (item, claimed) in join_all(claims).await {
            match claimed {
                Ok(hold) => claim.hold(item, hold),
                Err(why) => refused = refused.or(Some(why)),
            }
        }
        match refused {
            None => Ok(claim),
            // Its drop gives back what it holds, when the store answers again.
            Some(Rejection::StoreDown) => Err(Rejection::StoreDown),
            // Whoever is told so may send the rest at once, in another batch.
            Some(why) => {
                claim.give_back().await;
                Err(why)
            }
        }
    }

    async fn try_claim(&self, attempt: &Attempt) -> Result<Hold, Rejection> {
        match &self.0 {
            Store::Memory(memory) => memory.claim(attempt),
            // Boxed, so that whoever has no store does not carry it about.
            Store::Redis(redis) => Box::pin(redis.claim(attempt)).await,
        }
    }

    /// Ends a claim. Where the store does not take the outcome, it is written in the background.
    async fn end(&self, attempt: &Attempt, hold: Hold, ending: Ending) {
        match &self.0 {
            Store::Memory(memory) => memory.end(attempt, hold, ending),
            Store::Redis(redis) => Box::pin(redis.end(attempt, hold, ending)).await,
        }
    }

    /// Ends a claim where nobody can wait for it.
    fn end_later(&self, attempt: &Attempt, hold: Hold, ending: Ending) {
        match &self.0 {
            Store::Memory(memory) => memory.end(attempt, hold, ending),
            Store::Redis(redis) => redis.end_later(attempt, hold, ending),
        }
    }

    /// The key under which a request for a token is known.
    #[must_use]
    pub fn token_key(request: &TokenRequest) -> Key {
        Key(request.identity())
    }

    /// When the token of a request was granted first: `now`, unless it was granted before.
    ///
    /// # Errors
    /// [`Rejection::Saturated`] or [`Rejection::StoreDown`].
    pub async fn granted(
        &self,
        request: &TokenRequest,
        now: Moment,
        remember: Duration,
    ) -> Result<Timestamp, Rejection> {
        let (key, seconds) = (Self::token_key(request), now.wall.as_second());
        let first = match &self.0 {
            Store::Memory(memory) => memory.keep(key, seconds, (now.steady, remember))?,
            Store::Redis(redis) => Box::pin(redis.keep(key, seconds, remember)).await?,
        };
        Timestamp::from_second(first).map_err(|_| Rejection::Internal)
    }
}

#[cfg(test)]
mod tests;
