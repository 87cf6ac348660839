//! A bound on connections: the one that has waited longest makes way.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;

/// A bounded number of connections.
#[derive(Debug)]
pub(super) struct ConnectionLimit {
    capacity: usize,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    taken: usize,
    next: u64,
    /// Those without a whole request, in the order in which they began to wait.
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

/// Since when a connection waits; the number tells those of one instant apart.
type Turn = (Instant, u64);

/// The slot of one connection.
#[derive(Debug)]
pub(super) struct Slot {
    limit: Arc<ConnectionLimit>,
    turn: Option<Turn>,
    given_away: Arc<Notify>,
    is_given_away: bool,
}

impl ConnectionLimit {
    pub(super) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            slots: Mutex::default(),
        })
    }

    /// Takes a slot for a connection accepted at `since`, if need be that of the one that has
    /// waited longest.
    pub(super) fn acquire(self: &Arc<Self>, since: Instant) -> Result<Slot, Full> {
        let mut slots = self.slots.lock();
        if slots.taken < self.capacity {
            slots.taken += 1;
        } else {
            let longest = slots.waiting.first_entry().ok_or(Full::Busy)?;
            // Connections are not served in the order in which they were accepted.
            if longest.key().0 > since {
                return Err(Full::Outwaited);
            }
            longest.remove().notify_one();
        }
        drop(slots);
        Ok(Slot {
            limit: Arc::clone(self),
            turn: None,
            given_away: Arc::default(),
            is_given_away: false,
        })
    }
}

impl Slot {
    /// It waits for a request since then, and may have to make way; `false` where its slot was
    /// given away before.
    pub(super) fn wait(&mut self, since: Instant) -> bool {
        if !self.keep() {
            return false;
        }
        let mut slots = self.limit.slots.lock();
        let turn = (since, slots.next);
        slots.next += 1;
        slots.waiting.insert(turn, Arc::clone(&self.given_away));
        self.turn = Some(turn);
        true
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
        assert_eq!(limit.acquire(at(9)).err(), Some(Full::Busy));
        slots[0].wait(at(6));
        slots[1].wait(at(5));
        assert_eq!(limit.acquire(at(4)).err(), Some(Full::Outwaited));
        let newcomer = limit.acquire(at(9)).unwrap();
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
}
