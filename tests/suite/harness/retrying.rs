//! Gateways that send all the time and, as real ones do, send again what was not taken, and now and then what was.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Connection, PATIENCE, Request, Response, doku, unique, until};

/// Senders at work. Each sends a notification until it is answered 200, then the next one. Every tenth it sends
/// two more times, as if the answer had been lost.
pub struct Retrying {
    shared: Arc<Shared>,
    senders: Vec<JoinHandle<Sent>>,
}

struct Shared {
    address: SocketAddr,
    done: AtomicBool,
    taken: AtomicUsize,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Sent {
    /// The body of each notification, all of which were taken.
    pub bodies: Vec<String>,
    /// How many copies of what was taken before were answered 200.
    pub copies: usize,
    /// Why some were sent again: a status, or the end of a connection; and how often.
    pub retries: BTreeMap<String, usize>,
}

impl Retrying {
    /// So many senders; every other one keeps its connection.
    pub fn on(address: SocketAddr, senders: usize) -> Self {
        let shared = Arc::new(Shared {
            address,
            done: AtomicBool::new(false),
            taken: AtomicUsize::new(0),
        });
        let start = |number: usize| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.send_all(number.is_multiple_of(2)))
        };
        let senders = (0..senders).map(start).collect();
        Self { shared, senders }
    }

    /// Waits until so many more were taken.
    #[track_caller]
    pub fn passes(&self, more: usize) {
        let before = self.shared.taken.load(Ordering::Relaxed);
        until("the senders go on", || {
            let ended = self.senders.iter().any(JoinHandle::is_finished);
            assert!(!ended, "a sender gave up");
            self.shared.taken.load(Ordering::Relaxed) >= before + more
        });
    }

    /// Lets each finish what it has under way.
    #[track_caller]
    pub fn end(self) -> Sent {
        self.shared.done.store(true, Ordering::Relaxed);
        let mut all = Sent::default();
        for sender in self.senders {
            let sent = sender.join().expect("every notification was taken");
            all.bodies.extend(sent.bodies);
            all.copies += sent.copies;
            for (why, count) in sent.retries {
                *all.retries.entry(why).or_default() += count;
            }
        }
        all
    }
}

impl Shared {
    fn send_all(&self, keeps: bool) -> Sent {
        let (mut sent, mut kept) = (Sent::default(), None);
        while !self.done.load(Ordering::Relaxed) {
            let body = unique("paid");
            let request = doku(&body);
            let begun = Instant::now();
            while let Err(why) = self.send(&request, &mut kept) {
                assert!(begun.elapsed() < PATIENCE, "{body} was never taken: {why}");
                *sent.retries.entry(why).or_default() += 1;
                // Real ones wait for minutes.
                thread::sleep(Duration::from_millis(100));
            }
            if !keeps {
                kept = None;
            }
            if sent.bodies.len().is_multiple_of(10) {
                sent.copies += self.send_copies(&request);
            }
            sent.bodies.push(body);
            self.taken.fetch_add(1, Ordering::Relaxed);
            // The pace of a busy gateway, not a wait for anything.
            thread::sleep(Duration::from_millis(5));
        }
        sent
    }

    /// Over new connections, many of which lead to another pod than the one that took it. Gives how many were taken.
    fn send_copies(&self, request: &Request) -> usize {
        let copies = (0..2).map(|_| self.send(request, &mut None));
        copies.filter(Result::is_ok).count()
    }

    /// Sends it once. An error says why it has to be sent again.
    fn send(&self, request: &Request, kept: &mut Option<Connection>) -> Result<(), String> {
        let mut connection = kept
            .take()
            .unwrap_or_else(|| Connection::open(self.address));
        let answer = exchange(&mut connection, request).map_err(|_| "closed".to_owned())?;
        let closes = answer
            .header("connection")
            .is_some_and(|word| word == "close");
        if !closes {
            *kept = Some(connection);
        }
        match answer.status {
            200 => Ok(()),
            500.. => Err(answer.status.to_string()),
            status => panic!("{status} is no reason to send again, and no success: {answer:?}"),
        }
    }
}

fn exchange(connection: &mut Connection, request: &Request) -> io::Result<Response> {
    connection.write(&request.bytes())?;
    connection.read(&request.method)
}
