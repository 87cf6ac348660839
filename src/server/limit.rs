//! A bound on connections: the one that has waited longest makes way.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;

/// A bounded number of connections.
#[derive(Debug)]
pub(super) struct ConnectionLimit {
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    capacity: usize,
    taken: usize,
    next: u64,
    /// Those that may have to make way, in the order in which they do.
    waiting: BTreeMap<Turn, Arc<Notify>>,
}

/// Why there is no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Every connection has a request.
    Busy,
    /// All that wait have waited less than the newcomer.
    Outwaited,
}

/// What a connection does that may have to make way, since when, and a number that tells those of one
/// instant apart.
type Turn = (Wait, Instant, u64);

/// Those that do nothing make way before those that do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Wait {
    /// It has no whole request, or was refused.
    Idle,
    /// What it has, nobody verifies.
    Unverified,
}

/// The slot of one connection.
#[derive(Debug)]
pub(super) struct Slot {
    limit: Arc<ConnectionLimit>,
    accepted: Instant,
    turn: Option<Turn>,
    given_away: Arc<Notify>,
    is_given_away: bool,
}

impl ConnectionLimit {
    pub(super) fn new(capacity: usize) -> Arc<Self> {
        let slots = Slots {
            capacity,
            ..Slots::default()
        };
        Arc::new(Self {
            slots: Mutex::new(slots),
        })
    }

    /// From now on so many get a slot; those that have one keep it.
    pub(super) fn resize(&self, capacity: usize) {
        self.slots.lock().capacity = capacity;
    }

    /// How many have a slot.
    pub(super) fn taken(&self) -> usize {
        self.slots.lock().taken
    }

    /// Takes a slot for a connection accepted at `since`, if need be that of the one that has
    /// waited longest. It waits from then on.
    pub(super) fn acquire(self: &Arc<Self>, since: Instant) -> Result<Slot, Full> {
        let given_away = Arc::default();
        let mut slots = self.slots.lock();
        if slots.taken < slots.capacity {
            slots.taken += 1;
        } else {
            slots.take_from_longest(since)?.notify_one();
        }
        let turn = slots.insert(Wait::Idle, since, &given_away);
        drop(slots);
        Ok(Slot {
            limit: Arc::clone(self),
            accepted: since,
            turn: Some(turn),
            given_away,
            is_given_away: false,
        })
    }
}

impl Slots {
    /// Connections are not served in the order in which they were accepted, so that whoever is idle may
    /// have waited less than the newcomer.
    fn take_from_longest(&mut self, since: Instant) -> Result<Arc<Notify>, Full> {
        let mut turns = self.waiting.keys();
        let longest = turns.find(|(_, waits, _)| *waits <= since).copied();
        match longest.and_then(|turn| self.waiting.remove(&turn)) {
            Some(notify) => Ok(notify),
            None if self.waiting.is_empty() => Err(Full::Busy),
            None => Err(Full::Outwaited),
        }
    }

    fn insert(&mut self, wait: Wait, since: Instant, given_away: &Arc<Notify>) -> Turn {
        let turn = (wait, since, self.next);
        self.next += 1;
        self.waiting.insert(turn, Arc::clone(given_away));
        turn
    }
}

impl Slot {
    /// It waits for a request since then, and may have to make way; `false` where its slot was
    /// given away before.
    pub(super) fn wait(&mut self, since: Instant) -> bool {
        self.make_way(Wait::Idle, since)
    }

    /// Nothing more is awaited of it, since it was refused or is being closed: it makes way before those that
    /// were accepted later, whatever they wait for.
    pub(super) fn end(&mut self) -> bool {
        self.make_way(Wait::Idle, self.accepted)
    }

    /// It does what nobody verifies, and may have to make way after those that do nothing; `false` where
    /// its slot was given away before.
    pub(super) fn relay(&mut self) -> bool {
        self.make_way(Wait::Unverified, self.accepted)
    }

    /// In one step: in between, a newcomer would take it for one that keeps its slot.
    fn make_way(&mut self, wait: Wait, since: Instant) -> bool {
        let mut slots = self.limit.slots.lock();
        if let Some(turn) = self.turn.take() {
            self.is_given_away = slots.waiting.remove(&turn).is_none();
        }
        if !self.is_given_away {
            self.turn = Some(slots.insert(wait, since, &self.given_away));
        }
        !self.is_given_away
    }

    /// It has a whole request and keeps its slot; `false` where it was given away before.
    pub(super) fn keep(&mut self) -> bool {
        if let Some(turn) = self.turn.take() {
            let kept = self.limit.slots.lock().waiting.remove(&turn).is_some();
            self.is_given_away = !kept;
        }
        !self.is_given_away
    }

    /// Comes back with the output, or with `None` once the slot was given away.
    pub(super) async fn while_kept<F: Future>(&self, work: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = work => Some(output),
            () = self.given_away.notified() => None,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if self.keep() {
            self.limit.slots.lock().taken -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn the_longest_waiting_makes_way_and_the_busy_stay() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let limit = ConnectionLimit::new(3);
        let mut slots: Vec<_> = (0..3).map(|n| limit.acquire(at(n)).unwrap()).collect();
        assert!(slots.iter_mut().all(Slot::keep));
        assert_eq!(limit.acquire(at(9)).err(), Some(Full::Busy));
        slots[0].wait(at(6));
        slots[1].wait(at(5));
        assert_eq!(limit.acquire(at(4)).err(), Some(Full::Outwaited));
        let mut newcomer = limit.acquire(at(9)).unwrap();
        assert!(newcomer.keep());
        let gone = slots[1].while_kept(std::future::pending::<()>()).await;
        assert_eq!(gone, None);
        assert!(!slots[1].keep() && slots[0].keep() && slots[2].keep());
        slots[0].wait(at(7));
        slots[0].wait(at(8));
        assert_eq!(limit.slots.lock().waiting.len(), 1, "one slot waits once");
        drop(slots);
        drop(newcomer);
        assert_eq!(limit.slots.lock().taken, 0);
    }

    #[tokio::test]
    async fn whoever_was_just_accepted_waits_and_relays_make_way_after_the_idle() {
        let start = Instant::now();
        let at = |second| start + Duration::from_secs(second);
        let limit = ConnectionLimit::new(2);
        let mut first = limit.acquire(at(0)).unwrap();
        let mut second = limit.acquire(at(1)).unwrap();
        assert!(first.relay());
        // The idle one goes, though it came later.
        let mut third = limit.acquire(at(2)).unwrap();
        assert!(
            !second.wait(at(3)),
            "it was given away before it was served"
        );
        assert!(third.keep());
        // The relay goes, whenever it began to relay: it was accepted first.
        let fourth = limit.acquire(at(1)).unwrap();
        assert!(!first.relay());
        drop((first, second, third, fourth));
        assert_eq!(limit.slots.lock().taken, 0);
    }
}
