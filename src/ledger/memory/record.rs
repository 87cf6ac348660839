//! One entry of the memory, and what may become of it.

use crate::convert::Content;
use crate::ledger::claim::Hold;
use crate::rejection::{Rejection, Stored};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Capacity for entries that are in flight or delivered, and as much for free ones, which hold
/// nothing but a count of attempts and may be forgotten.
#[derive(Debug)]
pub(super) struct Capacity {
    pub(super) most: AtomicUsize,
    pub(super) live: AtomicUsize,
    pub(super) free: AtomicUsize,
}

impl Capacity {
    pub(super) fn take(&self, of: &AtomicUsize) -> bool {
        let most = self.most.load(Ordering::Relaxed);
        let more = |taken: usize| (taken < most).then_some(taken + 1);
        of.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more)
            .is_ok()
    }

    pub(super) fn leave(of: &AtomicUsize) {
        of.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug)]
pub(super) struct Record {
    pub(super) state: Mutex<State>,
    remember_ms: AtomicU64,
    pub(super) capacity: Arc<Capacity>,
}

impl Record {
    pub(super) fn new(state: State, remember: Duration, capacity: Arc<Capacity>) -> Self {
        Self {
            state: Mutex::new(state),
            remember_ms: AtomicU64::new(millis(remember)),
            capacity,
        }
    }

    pub(super) fn remember(&self) -> Duration {
        Duration::from_millis(self.remember_ms.load(Ordering::Relaxed))
    }

    /// What is known under another configuration is known for as long as that one asks.
    pub(super) fn remember_for(&self, remember: Duration) {
        self.remember_ms.store(millis(remember), Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) content: Content,
    /// Claims so far of which the app may have seen something.
    pub(super) attempts: u32,
    pub(super) phase: Phase,
    /// Whether it still counts where there is a capacity.
    pub(super) takes_room: bool,
}

#[derive(Debug)]
pub(super) enum Phase {
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
        let (state, capacity) = (self.state.get_mut(), &self.capacity);
        match state.is_free() {
            _ if !state.takes_room => {}
            true => Capacity::leave(&capacity.free),
            false => Capacity::leave(&capacity.live),
        }
    }
}

/// What becomes of an entry.
pub(super) enum Change {
    None,
    Kept,
    Gone,
}

impl State {
    /// Whether a claim of this content has to stop here.
    pub(super) fn refuses(&self, content: Content, now: Instant) -> Result<(), Rejection> {
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
    pub(super) fn claim(
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

    pub(super) fn deliver(
        &mut self,
        capacity: &Capacity,
        content: Content,
        answer: Stored,
        (hold, at): (Hold, Instant),
    ) -> Change {
        match self.phase {
            Phase::Delivered(_) | Phase::Granted(_) => return Change::None,
            Phase::InFlight { token, until } if token != hold.token && until > at => {
                return Change::None;
            }
            Phase::Free if !capacity.take(&capacity.live) => return Change::None,
            Phase::Free => Capacity::leave(&capacity.free),
            Phase::InFlight { .. } => {}
        }
        self.content = content;
        self.phase = Phase::Delivered(answer);
        Change::Kept
    }

    pub(super) fn free(&mut self, capacity: &Capacity, hold: Hold, seen: bool) -> Change {
        if !self.is_held_by(hold) {
            return Change::None;
        }
        self.attempts -= u32::from(!seen);
        if self.attempts == 0 || !capacity.take(&capacity.free) {
            // The map may keep it for a while, and the next claim needs the room.
            self.takes_room = false;
            Capacity::leave(&capacity.live);
            return Change::Gone;
        }
        self.phase = Phase::Free;
        Capacity::leave(&capacity.live);
        Change::Kept
    }

    pub(super) fn is_free(&self) -> bool {
        matches!(self.phase, Phase::Free)
    }

    fn is_held_by(&self, hold: Hold) -> bool {
        matches!(self.phase, Phase::InFlight { token, .. } if token == hold.token)
    }
}
