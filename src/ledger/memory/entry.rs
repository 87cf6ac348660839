//! One entry of the memory, and what may become of it.

use super::answer::Packed;
use super::shard::{Name, Order};
use crate::convert::Content;
use crate::ledger::Attempt;
use crate::ledger::claim::Hold;
use crate::rejection::Rejection;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Capacity for entries that are in flight or delivered, and as much for free ones, which hold
/// nothing but a count of attempts and may be forgotten.
#[derive(Debug)]
pub(super) struct Capacity {
    pub(super) most: AtomicUsize,
    pub(super) live: AtomicUsize,
    pub(super) free: AtomicUsize,
}

impl Capacity {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most: AtomicUsize::new(most),
            live: AtomicUsize::new(0),
            free: AtomicUsize::new(0),
        }
    }

    pub(super) fn take(&self, of: &AtomicUsize) -> bool {
        let most = self.most.load(Ordering::Relaxed);
        let more = |taken: usize| (taken < most).then_some(taken + 1);
        of.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    /// An entry has left.
    pub(super) fn leave(&self, entry: &Entry) {
        Self::give_back(match entry.phase {
            Phase::Free => &self.free,
            Phase::InFlight { .. } | Phase::Delivered(_) | Phase::Granted(_) => &self.live,
        });
    }

    fn give_back(of: &AtomicUsize) {
        of.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What is known under a key: two lines of a processor's cache.
#[derive(Debug)]
pub(super) struct Entry {
    name: Name,
    content: Content,
    phase: Phase,
    /// Claims so far of which the app may have seen something.
    attempts: u32,
    /// Where it stands in the order in which entries leave; its shard's.
    pub(super) order: Order,
    /// From then on it counts as absent; its shard's.
    pub(super) ends: Instant,
}

#[derive(Debug)]
pub(super) enum Phase {
    InFlight {
        until: Instant,
        token: u64,
    },
    Delivered(Packed),
    /// A token's request was granted at this time, in seconds since 1970.
    Granted(i64),
    Free,
}

/// What becomes of an entry whose claim is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Gone,
}

impl Entry {
    /// One that counts in [`Capacity::live`].
    pub(super) fn new(name: Name, content: Content, phase: Phase, ends: Instant) -> Self {
        Self {
            name,
            content,
            phase,
            attempts: 1,
            order: Order::default(),
            ends,
        }
    }

    pub(super) fn name(&self) -> Name {
        self.name
    }

    pub(super) fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Takes over what is free, or was held for too long: the number of the attempt.
    pub(super) fn claim(
        &mut self,
        capacity: &Capacity,
        attempt: &Attempt,
        (token, is_unproven): (u64, bool),
    ) -> Result<u32, Rejection> {
        self.refuses(attempt)?;
        if is_unproven {
            return Err(Rejection::Unproven);
        }
        if !self.is_live(capacity) {
            return Err(Rejection::Saturated);
        }
        self.content = attempt.content;
        self.attempts += 1;
        self.phase = Phase::InFlight {
            until: attempt.until(),
            token,
        };
        Ok(self.attempts)
    }

    /// Whether a claim has to stop here.
    fn refuses(&self, attempt: &Attempt) -> Result<(), Rejection> {
        let (now, same) = (attempt.now, self.content == attempt.content);
        match &self.phase {
            Phase::Delivered(answer) if same => {
                Err(answer.open().map_or(Rejection::Internal, Rejection::Repeat))
            }
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

    /// What the app took is delivered, unless another is at the app meanwhile. Whether anything changed.
    pub(super) fn deliver(
        &mut self,
        capacity: &Capacity,
        content: Content,
        answer: Packed,
        (hold, at): (Hold, Instant),
    ) -> bool {
        let is_over = match self.phase {
            Phase::Delivered(_) | Phase::Granted(_) => false,
            Phase::InFlight { token, until } => u128::from(token) == hold.token || until <= at,
            Phase::Free => true,
        };
        if !is_over || !self.is_live(capacity) {
            return false;
        }
        self.content = content;
        self.phase = Phase::Delivered(answer);
        true
    }

    /// Gives up a claim. One that was taken over has no say.
    pub(super) fn free(&mut self, capacity: &Capacity, hold: Hold, seen: bool) -> Change {
        if !self.is_held_by(hold) {
            return Change::None;
        }
        self.attempts -= u32::from(!seen);
        if self.attempts == 0 || !capacity.take(&capacity.free) {
            return Change::Gone;
        }
        Capacity::give_back(&capacity.live);
        self.phase = Phase::Free;
        Change::None
    }

    pub(super) fn is_delivered(&self) -> bool {
        matches!(self.phase, Phase::Delivered(_))
    }

    /// Whether it counts as live, from now on if not before. Its phase has to follow.
    fn is_live(&self, capacity: &Capacity) -> bool {
        if !matches!(self.phase, Phase::Free) {
            return true;
        }
        let taken = capacity.take(&capacity.live);
        if taken {
            Capacity::give_back(&capacity.free);
        }
        taken
    }

    fn is_held_by(&self, hold: Hold) -> bool {
        matches!(self.phase, Phase::InFlight { token, .. } if u128::from(token) == hold.token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight bytes more cost a ledger of a million entries eight megabytes.
    #[test]
    fn is_as_small_as_it_says() {
        assert_eq!(size_of::<Entry>(), 128);
    }
}
