//! Gateways on bad networks, and whoever forges what they send: one sender for each way to go wrong, after which
//! the same notification is sent until it is taken.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::retrying::{Sender, Sent};
use super::{Connection, Request, Response};

/// Senders at work, each in a way of its own.
pub struct Rough {
    done: Arc<AtomicBool>,
    senders: Vec<(&'static str, JoinHandle<Sent>)>,
}

type Way = fn(SocketAddr, &Request);

const WAYS: [(&str, Way); 8] = [
    ("forged", forged),
    ("at once", at_once),
    ("head that never ends", endless_head),
    ("body in pieces", slow_body),
    ("answer not read", answer_not_read),
    ("gone within the head", |to, request| {
        gone(to, request, 1, 3)
    }),
    ("gone within the body", |to, request| {
        gone(to, request, 99, 100)
    }),
    ("gone before the answer", |to, request| {
        gone(to, request, 1, 1)
    }),
];

impl Rough {
    /// Every way, with notifications that nobody has sent before.
    pub fn on(address: SocketAddr, next: fn() -> Request) -> Self {
        let done = Arc::new(AtomicBool::new(false));
        let start = |(name, way): (&'static str, Way)| {
            let done = Arc::clone(&done);
            let send_all = move || {
                let mut sender = Sender::to(address, false);
                while !done.load(Ordering::Relaxed) {
                    let request = next();
                    way(address, &request);
                    sender.deliver(&request);
                    // A pace, not a wait for anything.
                    thread::sleep(Duration::from_millis(100));
                }
                sender.sent
            };
            (name, thread::spawn(send_all))
        };
        let senders = WAYS.map(start).into();
        Self { done, senders }
    }

    #[track_caller]
    pub fn went_well(&self) {
        for (name, sender) in &self.senders {
            assert!(!sender.is_finished(), "{name}: the sender gave up");
        }
    }

    /// Lets each finish what it has under way. Every way was gone at least this often.
    #[track_caller]
    pub fn end(self, at_least: usize) -> Sent {
        self.done.store(true, Ordering::Relaxed);
        let mut all = Sent::default();
        for (name, sender) in self.senders {
            let sent = sender
                .join()
                .unwrap_or_else(|_| panic!("{name}: it gave up"));
            let count = sent.bodies.len();
            assert!(count >= at_least, "{name}: only {count} times");
            all.merge(sent);
        }
        all
    }
}

/// In every way that is judged differently, over one connection.
fn forged(to: SocketAddr, request: &Request) {
    let mut connection = Connection::open(to);
    let proof = request.value(PROOF);
    for forgery in [
        request.clone().body("{\"n\":\"forged\"}"),
        request.clone().without(PROOF),
        request.clone().replace(PROOF, proof.to_ascii_uppercase()),
        request.clone().replace("webhook-timestamp", "1700000000"),
    ] {
        let answer = connection.send(&forgery);
        assert_eq!(answer.status, 401, "{answer:?}");
    }
}

/// What `Rough` is given is proven by this header.
const PROOF: &str = "webhook-signature";

/// Each is taken, or told to come again.
fn at_once(to: SocketAddr, request: &Request) {
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                let mut connection = Connection::open(to);
                let _ = connection.write(&request.bytes());
                understood(connection.read("POST"));
            });
        }
    });
}

/// Until it is told that this takes too long.
fn endless_head(to: SocketAddr, request: &Request) {
    let mut connection = Connection::open(to);
    let bytes = request.bytes();
    for byte in bytes[..40].iter().chain(b"x".iter().cycle()) {
        if connection.write(&[*byte]).is_err() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    // Bytes that crossed its end may have cost us the answer.
    if let Ok(answer) = connection.read("POST") {
        assert_eq!(answer.status, 408, "{answer:?}");
    }
}

fn slow_body(to: SocketAddr, request: &Request) {
    let mut connection = Connection::open(to);
    let bytes = request.bytes();
    let body = bytes.len() - request.body.len();
    let (head, body) = bytes.split_at(body);
    for piece in [head].into_iter().chain(body.chunks(8)) {
        let _ = connection.write(piece);
        thread::sleep(Duration::from_millis(50));
    }
    understood(connection.read("POST"));
}

/// A header that asks the app for a large answer.
pub const LARGE: &str = "X-Large-Answer";

fn answer_not_read(to: SocketAddr, request: &Request) {
    let mut connection = Connection::open(to);
    let _ = connection.write(&request.clone().header(LARGE, "yes").bytes());
    thread::sleep(Duration::from_secs(1));
}

/// After so many of so many parts.
fn gone(to: SocketAddr, request: &Request, parts: usize, of: usize) {
    let mut connection = Connection::open(to);
    let bytes = request.bytes();
    let _ = connection.write(&bytes[..bytes.len() * parts / of]);
}

/// Taken, or to be sent again: no answer to what is genuine says that it is not.
fn understood(answer: std::io::Result<Response>) {
    match answer {
        Ok(answer) => assert!(matches!(answer.status, 200 | 500..), "{answer:?}"),
        Err(error) => assert_ne!(
            error.kind(),
            ErrorKind::WouldBlock,
            "neither answered nor closed"
        ),
    }
}
