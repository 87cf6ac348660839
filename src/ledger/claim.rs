//! The right to deliver one notification.

use super::{Attempt, Key, Ledger};
use crate::convert::Payload;
use crate::rejection::Stored;
use futures_util::future::join_all;
use std::sync::Arc;
use std::time::Instant;

/// A notification that is claimed: no other copy of it passes while this exists.
#[derive(Debug)]
pub struct Admitted {
    payload: Payload,
    claim: Claim,
}

impl Admitted {
    pub(super) fn new(payload: Payload, claim: Claim) -> Self {
        Self { payload, claim }
    }

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

/// One key that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    /// How often the app may have seen the notification, this time included.
    pub(super) attempt: u32,
    /// Tells this claim from every other that was ever made.
    pub(super) token: u128,
    /// Whether the store knows of it: without, the notification passes unclaimed.
    pub(super) is_known: bool,
}

/// How a claim ends.
#[derive(Clone, Debug)]
pub(super) enum Ending {
    /// The app said 2xx.
    Delivered {
        /// What copies are answered.
        answer: Stored,
        /// When it is known.
        at: Instant,
    },
    /// The app refused, or never saw it.
    Free {
        /// Whether the app saw this attempt.
        seen: bool,
    },
}

/// The right to deliver one notification. It gives itself back when it is dropped before anything
/// was sent; after that, only an outcome or the end of its lease ends it.
#[derive(Debug)]
#[must_use = "an unsettled claim is given back, or holds until its lease ends"]
pub struct Claim {
    ledger: Arc<Ledger>,
    key: Key,
    /// The notification, and the items of a batch.
    holds: Vec<(Attempt, Hold)>,
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
    /// The claim of a notification, which holds nothing yet.
    pub(super) fn new(ledger: &Arc<Ledger>, key: Key, again: bool) -> Self {
        Self {
            ledger: Arc::clone(ledger),
            key,
            holds: Vec::new(),
            again,
            stage: Stage::Held,
        }
    }

    pub(super) fn hold(&mut self, attempt: Attempt, hold: Hold) {
        self.holds.push((attempt, hold));
    }

    /// The key of the notification.
    #[must_use]
    pub fn key(&self) -> Key {
        self.key
    }

    /// 1 for the first delivery to the app, then 2, 3, ...; of a batch, that of the item that was there most
    /// often.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        let attempts = self.holds.iter().map(|(_, hold)| hold.attempt);
        attempts.max().unwrap_or(1)
    }

    /// Whether the ledger knows of it. Otherwise its store did not answer, and the configuration says
    /// to forward all the same.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.holds.iter().all(|(_, hold)| hold.is_known)
    }

    /// Whether it still holds then, as far as our own clock tells.
    #[must_use]
    pub fn outlasts(&self, then: Instant) -> bool {
        let mut holds = self.holds.iter();
        holds.all(|(attempt, _)| then < attempt.until())
    }

    /// From here on the app may have seen the notification.
    pub fn sent(&mut self) {
        self.stage = Stage::Sent;
    }

    /// The app said 2xx, as is known at this time: copies get this answer from then on, unless they are to
    /// pass again.
    pub async fn deliver(mut self, answer: Stored, at: Instant) {
        self.stage = Stage::Settled;
        let ending = match self.again {
            true => Ending::Free { seen: true },
            false => Ending::Delivered { answer, at },
        };
        self.end(ending).await;
    }

    /// The app refused: the next copy reaches it again.
    pub async fn free(mut self) {
        self.stage = Stage::Settled;
        self.end(Ending::Free { seen: true }).await;
    }

    /// The app never saw it: as if there had been no claim.
    pub async fn give_back(mut self) {
        self.end(Ending::Free { seen: false }).await;
        self.stage = Stage::Settled;
    }

    async fn end(&self, ending: Ending) {
        // A batch alone holds more than one.
        if let [(attempt, hold)] = &*self.holds {
            return self.ledger.end(attempt, *hold, ending).await;
        }
        let holds = self.holds.iter();
        let ends = holds.map(|(attempt, hold)| self.ledger.end(attempt, *hold, ending.clone()));
        join_all(ends).await;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.stage == Stage::Held {
            for (attempt, hold) in &self.holds {
                let ending = Ending::Free { seen: false };
                self.ledger.end_later(attempt, *hold, ending);
            }
        }
    }
}
