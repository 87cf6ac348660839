//! Gateways that send all the time, over connections that they keep and over new ones.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Connection, Request, until};

/// What a sender sends next, each time another one.
pub type Next = Box<dyn FnMut() -> Request + Send>;

/// Senders at work. Each waits for its answer, which must be 200, before it sends the next.
pub struct Load {
    shared: Arc<Shared>,
    senders: Vec<JoinHandle<()>>,
}

struct Shared {
    address: SocketAddr,
    done: AtomicBool,
    answered: Vec<AtomicUsize>,
}

impl Load {
    /// One sender for each; every other one keeps its connection.
    pub fn on(address: SocketAddr, senders: Vec<Next>) -> Self {
        let shared = Arc::new(Shared {
            address,
            done: AtomicBool::new(false),
            answered: senders.iter().map(|_| AtomicUsize::new(0)).collect(),
        });
        let start = |(number, next)| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.send(number, next))
        };
        let senders = senders.into_iter().enumerate().map(start).collect();
        Self { shared, senders }
    }

    /// How many were sent and answered.
    pub fn answered(&self) -> usize {
        self.counts().iter().sum()
    }

    /// Waits until each sender has begun and ended so many more.
    #[track_caller]
    pub fn passes(&self, rounds: usize) {
        let before = self.counts();
        // The one under way may have been begun before.
        let further = |(now, before): (&usize, &usize)| *now > *before + rounds;
        until("the senders go on", || {
            self.went_well();
            self.counts().iter().zip(&before).all(further)
        });
    }

    /// Lets each finish what it has under way, and gives their number.
    #[track_caller]
    pub fn end(self) -> usize {
        self.shared.done.store(true, Ordering::Relaxed);
        for sender in self.senders {
            sender.join().expect("every notification was answered well");
        }
        let counts = self.shared.answered.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).sum()
    }

    #[track_caller]
    fn went_well(&self) {
        let ended = self.senders.iter().any(JoinHandle::is_finished);
        assert!(!ended, "a sender gave up");
    }

    fn counts(&self) -> Vec<usize> {
        let counts = self.shared.answered.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

impl Shared {
    fn send(&self, number: usize, mut next: Next) {
        let mut kept = None;
        while !self.done.load(Ordering::Relaxed) {
            let request = next();
            let mut connection = kept
                .take()
                .unwrap_or_else(|| Connection::open(self.address));
            let answer = connection.send(&request);
            assert_eq!(answer.status, 200, "sender {number}: {answer:?}");
            let closes = answer
                .header("connection")
                .is_some_and(|word| word == "close");
            if number.is_multiple_of(2) && !closes {
                kept = Some(connection);
            }
            self.answered[number].fetch_add(1, Ordering::Relaxed);
            // The pace of a busy gateway, not a wait for anything.
            thread::sleep(Duration::from_millis(2));
        }
    }
}
