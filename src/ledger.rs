//! The memory of which notifications are in flight or delivered.
//!
//! ```text
//! absent ──claim──▶ in flight ──app says 2xx──▶ delivered ──remember──▶ absent
//!                     │  ├─ never sent, or a definite refusal ──▶ free (its attempts are kept)
//!                     │  └─ sent, outcome unknown ──▶ in flight until the lease ends, then claimable
//! ```

mod memory;

use crate::convert::Payload;
use crate::rejection::{Grant, Rejection, Stored};
use crate::scheme::Identity;
use crate::token::TokenRequest;
use jiff::Timestamp;
use memory::{Hold, Memory};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The key of an entry: the identity, or the content where the proof covers nothing.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Key([u8; 32]);

impl Key {
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
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
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
}

/// The ledger.
#[derive(Debug)]
pub struct Ledger {
    memory: Memory,
    complete_since: Timestamp,
}

/// A notification that is claimed: no other copy of it passes while this exists.
#[derive(Debug)]
pub struct Admitted {
    payload: Payload,
    claim: Claim,
}

impl Admitted {
    /// What will be forwarded.
    #[must_use]
    pub fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The claim that it holds.
    pub fn claim(&self) -> &Claim {
        &self.claim
    }

    pub(crate) fn into_parts(self) -> (Payload, Claim) {
        (self.payload, self.claim)
    }
}

impl Ledger {
    /// A ledger in memory that holds at most `capacity` entries and knows everything since
    /// `started`.
    #[must_use]
    pub fn in_memory(capacity: usize, started: Timestamp) -> Self {
        Self {
            memory: Memory::new(capacity),
            complete_since: started,
        }
    }

    /// Nothing that was delivered since then is forgotten before its time.
    #[must_use]
    pub fn complete_since(&self) -> Timestamp {
        self.complete_since
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
    /// [`Rejection::InFlight`], [`Rejection::Repeat`], [`Rejection::Conflict`] or
    /// [`Rejection::Saturated`].
    pub fn claim(
        self: &Arc<Self>,
        payload: Payload,
        terms: Terms,
        now: Instant,
    ) -> Result<Admitted, Rejection> {
        let key = Self::key(&payload);
        let mut claim = Claim {
            ledger: Arc::clone(self),
            key,
            hold: self.memory.claim(key, payload.content(), terms, now)?,
            items: Vec::new(),
            again: terms.again,
            stage: Stage::Held,
        };
        if let Identity::Batch(items) = &payload.signed().identity {
            for item in items.iter().copied().map(Key) {
                // On the way out, the claim gives back what it holds so far.
                let hold = self.memory.claim(item, payload.content(), terms, now)?;
                claim.items.push((item, hold));
            }
        }
        Ok(Admitted { payload, claim })
    }

    /// The key under which a request for a token is known.
    #[must_use]
    pub fn token_key(request: &TokenRequest) -> Key {
        Key(request.identity())
    }

    /// Grants a token, unless the request was granted one before: then that one.
    ///
    /// # Errors
    /// [`Rejection::Saturated`].
    pub fn grant(
        &self,
        request: TokenRequest,
        token: &str,
        remember: Duration,
    ) -> Result<Grant, Rejection> {
        let granted = Stored {
            status: 200,
            content_type: None,
            body: token.as_bytes().into(),
        };
        let key = Self::token_key(&request);
        let granted = self.memory.keep(key, &granted, remember)?;
        Ok(request.grant(&String::from_utf8_lossy(&granted.body)))
    }
}

/// The right to deliver one notification. It gives itself back when it is dropped before anything
/// was sent; after that, only an outcome or the end of its lease ends it.
#[derive(Debug)]
#[must_use = "an unsettled claim is given back, or holds until its lease ends"]
pub struct Claim {
    ledger: Arc<Ledger>,
    key: Key,
    hold: Hold,
    /// The items of a batch.
    items: Vec<(Key, Hold)>,
    /// Whether a delivered one may come again.
    again: bool,
    stage: Stage,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Held,
    Sent,
    Settled,
}

impl Claim {
    /// The key it holds.
    #[must_use]
    pub fn key(&self) -> Key {
        self.key
    }

    /// 1 for the first delivery to the app, then 2, 3, ...; of a batch, that of the item that was there most
    /// often.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        let items = self.items.iter().map(|(_, hold)| hold.attempt);
        items.fold(self.hold.attempt, u32::max)
    }

    /// From here on the app may have seen the notification.
    pub fn sent(&mut self) {
        self.stage = Stage::Sent;
    }

    /// The app said 2xx: copies get this answer from now on, unless they are to pass again.
    pub fn deliver(mut self, answer: Stored) {
        if self.again {
            return self.free();
        }
        self.stage = Stage::Settled;
        for (key, hold) in &self.items {
            self.ledger.memory.deliver(*key, *hold, answer.clone());
        }
        self.ledger.memory.deliver(self.key, self.hold, answer);
    }

    /// The app refused: the next copy reaches it again.
    pub fn free(mut self) {
        self.stage = Stage::Settled;
        self.give_back(true);
    }

    fn give_back(&self, seen: bool) {
        for (key, hold) in self.items.iter().chain([&(self.key, self.hold)]) {
            self.ledger.memory.free(*key, *hold, seen);
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.stage == Stage::Held {
            self.give_back(false);
        }
    }
}

#[cfg(test)]
mod tests;
