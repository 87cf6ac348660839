//! Gateways that send all the time and, as real ones do, send again what was not taken, and now and then what was.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::load::Next;
use super::{Connection, PATIENCE, Request, Response, doku, unique, until};

/// Senders at work. Each sends a notification until it is answered 200, then the next one. Every tenth it sends
/// two more times, as if the answer had been lost.
pub struct Retrying {
    shared: Arc<Shared>,
    senders: Vec<JoinHandle<Sent>>,
}

struct Shared {
    address: SocketAddr,
    /// Between two notifications of one sender: the pace of a busy gateway, not a wait for anything.
    pace: Duration,
    done: AtomicBool,
    taken: Vec<AtomicUsize>,
}

/// What became of it.
#[derive(Debug, Default)]
pub struct Sent {
    /// The body of each notification, all of which were taken.
    pub bodies: Vec<String>,
    /// How many copies of what was taken before were answered 200.
    pub copies: usize,
    /// How many were not.
    pub refused_copies: usize,
    /// Why some were sent again: a status, or the end of a connection; and how often.
    pub retries: BTreeMap<String, usize>,
}

impl Retrying {
    /// So many senders of DOKU's notifications; every other one keeps its connection.
    pub fn on(address: SocketAddr, senders: usize) -> Self {
        let next = || -> Next { Box::new(|| doku(unique("paid"))) };
        let senders = (0..senders).map(|_| next()).collect();
        Self::with(address, Duration::from_millis(5), senders)
    }

    /// One sender for each, at this pace.
    pub fn with(address: SocketAddr, pace: Duration, senders: Vec<Next>) -> Self {
        let shared = Arc::new(Shared {
            address,
            pace,
            done: AtomicBool::new(false),
            taken: senders.iter().map(|_| AtomicUsize::new(0)).collect(),
        });
        let start = |(number, next)| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.send_all(number, next))
        };
        let senders = senders.into_iter().enumerate().map(start).collect();
        Self { shared, senders }
    }

    /// Waits until so many more were taken.
    #[track_caller]
    pub fn passes(&self, more: usize) {
        let sum = || self.counts().iter().sum::<usize>();
        let before = sum();
        until("the senders go on", || {
            self.went_well();
            sum() >= before + more
        });
    }

    /// How many of each sender's were taken so far.
    #[track_caller]
    pub fn counts(&self) -> Vec<usize> {
        let counts = self.shared.taken.iter();
        counts.map(|count| count.load(Ordering::Relaxed)).collect()
    }

    #[track_caller]
    pub fn went_well(&self) {
        let ended = self.senders.iter().any(JoinHandle::is_finished);
        assert!(!ended, "a sender gave up");
    }

    /// Lets each finish what it has under way.
    #[track_caller]
    pub fn end(self) -> Sent {
        self.shared.done.store(true, Ordering::Relaxed);
        let mut all = Sent::default();
        for sender in self.senders {
            all.merge(sender.join().expect("every notification was taken"));
        }
        all
    }
}

impl Shared {
    fn send_all(&self, number: usize, mut next: Next) -> Sent {
        let mut sender = Sender::to(self.address, number.is_multiple_of(2));
        while !self.done.load(Ordering::Relaxed) {
            let request = next();
            sender.deliver(&request);
            if self.taken[number]
                .fetch_add(1, Ordering::Relaxed)
                .is_multiple_of(10)
            {
                sender.send_copies(&request);
            }
            thread::sleep(self.pace);
        }
        sender.sent
    }
}

/// What became of a notification may be unknown for a while, and more than once.
const GIVES_UP: Duration = PATIENCE.saturating_mul(3);

/// One gateway that does not give up.
pub struct Sender {
    address: SocketAddr,
    keeps: bool,
    kept: Option<Connection>,
    pub sent: Sent,
}

impl Sender {
    pub fn to(address: SocketAddr, keeps: bool) -> Self {
        Self {
            address,
            keeps,
            kept: None,
            sent: Sent::default(),
        }
    }

    /// Sends it until it is taken.
    pub fn deliver(&mut self, request: &Request) {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let begun = Instant::now();
        while let Err(why) = send(self.address, request, &mut self.kept) {
            assert!(begun.elapsed() < GIVES_UP, "{body} was never taken: {why}");
            *self.sent.retries.entry(why).or_default() += 1;
            // Real ones wait for minutes.
            thread::sleep(Duration::from_millis(100));
        }
        if !self.keeps {
            self.kept = None;
        }
        self.sent.bodies.push(body);
    }

    /// Over new connections, many of which lead to another pod than the one that took it.
    fn send_copies(&mut self, request: &Request) {
        for _ in 0..2 {
            match send(self.address, request, &mut None) {
                Ok(()) => self.sent.copies += 1,
                Err(_) => self.sent.refused_copies += 1,
            }
        }
    }
}

impl Sent {
    pub fn merge(&mut self, other: Self) {
        self.bodies.extend(other.bodies);
        self.copies += other.copies;
        self.refused_copies += other.refused_copies;
        for (why, count) in other.retries {
            *self.retries.entry(why).or_default() += count;
        }
    }
}

/// Sends it once. An error says why it has to be sent again.
fn send(
    address: SocketAddr,
    request: &Request,
    kept: &mut Option<Connection>,
) -> Result<(), String> {
    let mut connection = kept.take().unwrap_or_else(|| Connection::open(address));
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
        status => panic!(
            "{}: {status} is no reason to send again, and no success: {}",
            request.target,
            answer.text()
        ),
    }
}

fn exchange(connection: &mut Connection, request: &Request) -> io::Result<Response> {
    connection.write(&request.bytes())?;
    connection.read(&request.method)
}
