//! Room for connections: the one that has waited longest for a request makes way.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Notify;

/// A bounded number of connections.
#[derive(Debug)]
pub(super) struct Room {
    capacity: usize,
    seats: Mutex<Seats>,
}

#[derive(Debug, Default)]
struct Seats {
    taken: usize,
    next: u64,
    /// Those without a whole request, in the order in which they began to wait.
    waiting: BTreeMap<Turn, Arc<Notify>>,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Full {
    /// Every connection has a request.
    Busy,
    /// All that wait have waited less than the newcomer.
    Outwaited,
}

/// Since when a connection waits; the number tells those of one instant apart.
type Turn = (Instant, u64);

/// The place of one connection.
#[derive(Debug)]
pub(super) struct Seat {
    room: Arc<Room>,
    turn: Option<Turn>,
    given_away: Arc<Notify>,
    is_given_away: bool,
}

impl Room {
    pub(super) fn new(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            seats: Mutex::default(),
        })
    }

    /// Takes a place for a connection accepted at `since`, if need be that of the one that has
    /// waited longest.
    pub(super) fn enter(self: &Arc<Self>, since: Instant) -> Result<Seat, Full> {
        let mut seats = self.seats.lock();
        if seats.taken < self.capacity {
            seats.taken += 1;
        } else {
            let longest = seats.waiting.first_entry().ok_or(Full::Busy)?;
            // Connections are not served in the order in which they were accepted.
            if longest.key().0 > since {
                return Err(Full::Outwaited);
            }
            longest.remove().notify_one();
        }
        drop(seats);
        Ok(Seat {
            room: Arc::clone(self),
            turn: None,
            given_away: Arc::default(),
            is_given_away: false,
        })
    }
}

impl Seat {
    /// It waits for a request since then, and may have to make way; `false` where its place was
    /// given away before.
    pub(super) fn wait(&mut self, since: Instant) -> bool {
        if !self.keep() {
            return false;
        }
        let mut seats = self.room.seats.lock();
        let turn = (since, seats.next);
        seats.next += 1;
        seats.waiting.insert(turn, Arc::clone(&self.given_away));
        self.turn = Some(turn);
        true
    }

    /// It has a whole request and keeps its place; `false` where it was given away before.
    pub(super) fn keep(&mut self) -> bool {
        if let Some(turn) = self.turn.take() {
            let kept = self.room.seats.lock().waiting.remove(&turn).is_some();
            self.is_given_away = !kept;
        }
        !self.is_given_away
    }

    /// Comes back with the output, or with `None` once the place was given away.
    pub(super) async fn while_kept<F: Future>(&self, work: F) -> Option<F::Output> {
        tokio::select! {
            biased;
            output = work => Some(output),
            () = self.given_away.notified() => None,
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.keep() {
            self.room.seats.lock().taken -= 1;
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
        let room = Room::new(3);
        let mut seats: Vec<_> = (0..3).map(|n| room.enter(at(n)).unwrap()).collect();
        assert_eq!(room.enter(at(9)).err(), Some(Full::Busy));
        seats[0].wait(at(6));
        seats[1].wait(at(5));
        assert_eq!(room.enter(at(4)).err(), Some(Full::Outwaited));
        let newcomer = room.enter(at(9)).unwrap();
        let gone = seats[1].while_kept(std::future::pending::<()>()).await;
        assert_eq!(gone, None);
        assert!(!seats[1].keep() && seats[0].keep() && seats[2].keep());
        seats[0].wait(at(7));
        seats[0].wait(at(8));
        assert_eq!(room.seats.lock().waiting.len(), 1, "one seat waits once");
        drop(seats);
        drop(newcomer);
        assert_eq!(room.seats.lock().taken, 0);
    }
}
