//! Room for connections: the one that has waited longest for a request makes way.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
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
    waiting: BTreeMap<u64, Arc<Notify>>,
}

/// The place of one connection.
#[derive(Debug)]
pub(super) struct Seat {
    room: Arc<Room>,
    turn: Option<u64>,
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

    /// Takes a place, if need be that of the connection that has waited longest. `None` where
    /// every connection is busy.
    pub(super) fn enter(self: &Arc<Self>) -> Option<Seat> {
        let mut seats = self.seats.lock();
        if seats.taken >= self.capacity {
            let (_, longest) = seats.waiting.pop_first()?;
            longest.notify_one();
        } else {
            seats.taken += 1;
        }
        drop(seats);
        Some(Seat {
            room: Arc::clone(self),
            turn: None,
            given_away: Arc::default(),
            is_given_away: false,
        })
    }
}

impl Seat {
    /// From now on it waits for a request, and may have to make way.
    pub(super) fn wait(&mut self) {
        let mut seats = self.room.seats.lock();
        let turn = seats.next;
        seats.next += 1;
        seats.waiting.insert(turn, Arc::clone(&self.given_away));
        self.turn = Some(turn);
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

    #[tokio::test]
    async fn the_longest_waiting_makes_way_and_the_busy_stay() {
        let room = Room::new(3);
        let mut seats: Vec<_> = (0..3).map(|_| room.enter().unwrap()).collect();
        assert!(room.enter().is_none(), "all are busy");
        seats[1].wait();
        seats[0].wait();
        let newcomer = room.enter().unwrap();
        assert_eq!(
            seats[1].while_kept(std::future::pending::<()>()).await,
            None
        );
        assert!(!seats[1].keep() && seats[0].keep() && seats[2].keep());
        drop(seats);
        drop(newcomer);
        assert_eq!(room.seats.lock().taken, 0);
    }
}
