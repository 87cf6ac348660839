//! What the ledger in memory costs as it grows: `cargo bench --locked --bench entries`. The time of a claim and of
//! its settling at some sizes, the worst claim on the way there, and the memory of an entry, with an answer that is
//! always the same and with one of 100 bytes that never is; then what leaving costs, and what memory it gives back.
//! Times are this thread's on a processor, so that other processes do not count.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench ends at the first thing that is not as expected"
)]

use bytes::Bytes;
use futures_util::FutureExt as _;
use kawal::convert::{Convert, Payload};
use kawal::forward::Upstream;
use kawal::freshness::Window;
use kawal::intake::{Head, Received};
use kawal::ledger::{Basis, Claim, Ledger, Terms};
use kawal::rejection::{Rejection, Stored};
use kawal::scheme::{Preset, Scheme};
use kawal::secret::{Client, KeyRing, Secret};
use kawal::token::authorize;
use rustix::time::{ClockId, clock_gettime};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So many are made at a time: only the ledger's own work is measured.
const LOT: usize = 1000;
const SIZES: [usize; 4] = [0, 10_000, 100_000, 1_000_000];
const REMEMBER: Duration = Duration::from_secs(3600);

fn main() {
    let words: Vec<String> = std::env::args().collect();
    match words.last().map(String::as_str) {
        Some("same") => measure(&|_| stored(b"OK".to_vec())),
        Some("unique") => measure(&|n| stored(format!("{{\"id\":\"{n:091}\"}}").into_bytes())),
        // `cargo test --benches` only wants to know that it builds.
        _ if !words.iter().any(|word| word == "--bench") => {}
        // A process for each, since one's memory would serve the other.
        _ => {
            for answers in ["same", "unique"] {
                let run = Command::new(std::env::current_exe().unwrap())
                    .arg(answers)
                    .status();
                assert!(run.unwrap().success());
            }
        }
    }
}

fn stored(body: Vec<u8>) -> Stored {
    let content_type = Some("application/json".into());
    Stored {
        status: 200,
        content_type,
        body: body.into(),
    }
}

fn measure(answer: &dyn Fn(usize) -> Stored) {
    let first = answer(0).body;
    println!(
        "an answer of {} bytes: {}",
        first.len(),
        first.escape_ascii()
    );
    let gateway = Gateway::new();
    let ledger = Arc::new(Ledger::in_memory(10_000_000, jiff::Timestamp::UNIX_EPOCH));
    // What notifications take while they are made is not the ledger's.
    drop((0..20).map(|_| gateway.lot(0)).collect::<Vec<_>>());
    let start = Instant::now();
    let (empty, mut size, mut worst) = (resident(), 0, Duration::ZERO);
    for goal in SIZES {
        while size < goal {
            let times = grow(&gateway, &ledger, (size, true), start, answer);
            worst = worst.max(times.worst);
            size += LOT;
        }
        let grown = resident().saturating_sub(empty) * 1024;
        if let Some(bytes) = grown.checked_div(size) {
            println!("{size:9} entries: {bytes} bytes each; the worst claim so far {worst:.1?}");
        }
        let mut times = Vec::new();
        for _ in 0..9 {
            times.push(grow(&gateway, &ledger, (size, false), start, answer));
            size += LOT;
        }
        let each = |of: &dyn Fn(&Times) -> Duration| {
            let mut all: Vec<_> = times.iter().map(of).collect();
            all.sort();
            all.get(all.len() / 2).copied().unwrap().as_nanos() / LOT as u128
        };
        println!(
            "{size:9} entries: {} ns a claim, {} its settling, {} a repeat",
            each(&|times| times.claims),
            each(&|times| times.settles),
            each(&|times| times.repeats)
        );
    }
    leave(&gateway, &ledger, (size, start + REMEMBER));
    println!("{:9} KiB stay, of {empty} at the start", resident());
}

struct Times {
    claims: Duration,
    settles: Duration,
    repeats: Duration,
    worst: Duration,
}

/// Claims a lot, each for itself where the worst is asked for, delivers it, and asks for it again.
fn grow(
    gateway: &Gateway,
    ledger: &Arc<Ledger>,
    (from, each): (usize, bool),
    now: Instant,
    answer: &dyn Fn(usize) -> Stored,
) -> Times {
    let (lot, copies): (Vec<_>, Vec<_>) = gateway.lot(from).into_iter().unzip();
    let (mut worst, mut admitted) = (Duration::ZERO, Vec::with_capacity(LOT));
    let begun = spent();
    let mut last = begun;
    for payload in lot {
        let claimed = ledger.claim(payload, terms(), now).now_or_never();
        admitted.push(claimed.unwrap().unwrap());
        if each {
            let next = spent();
            worst = worst.max(next - last);
            last = next;
        }
    }
    let claims = spent() - begun;
    let sent = admitted.into_iter().map(|admitted| {
        let (_, mut claim) = gateway.app.address(admitted, "bench", None).open();
        claim.sent();
        claim
    });
    let sent: Vec<Claim> = sent.collect();
    let answers: Vec<_> = (from..from + LOT).map(answer).collect();
    let begun = spent();
    for (claim, answer) in sent.into_iter().zip(answers) {
        claim.deliver(answer, now).now_or_never().unwrap();
    }
    let settles = spent() - begun;
    let begun = spent();
    for payload in copies {
        let claimed = ledger.claim(payload, terms(), now).now_or_never().unwrap();
        assert!(matches!(claimed, Err(Rejection::Repeat(_))));
    }
    Times {
        claims,
        settles,
        repeats: spent() - begun,
        worst,
    }
}

/// When all is over: what the first claims pay for it, and how long a step takes when none come.
fn leave(gateway: &Gateway, ledger: &Arc<Ledger>, (size, now): (usize, Instant)) {
    let times = grow(gateway, ledger, (size, true), now, &|_| stored(Vec::new()));
    println!("all are over: {:.1?} the worst claim", times.worst);
    let (mut steps, mut worst) = (0, Duration::ZERO);
    while ledger.filled().unwrap().0 > LOT {
        let begun = spent();
        ledger.forget(now);
        worst = worst.max(spent() - begun);
        steps += 1;
    }
    println!("they leave in {steps} steps, the longest of {worst:.1?}");
}

fn terms() -> Terms {
    Terms {
        lease: Duration::from_secs(45),
        remember: REMEMBER,
        again: false,
        basis: Basis::default(),
    }
}

/// What is cheap to verify: its notifications are known by their content.
struct Gateway {
    scheme: Scheme,
    ring: KeyRing,
    app: Upstream,
}

impl Gateway {
    fn new() -> Self {
        let secrets = vec![Secret::new(b"a-key-of-the-bench".to_vec()).unwrap()];
        let client = Client {
            id: None,
            secrets,
            public_keys: Vec::new(),
        };
        Self {
            scheme: Preset::find("pivot").unwrap().scheme().unwrap(),
            ring: KeyRing::new(vec![client]),
            app: Upstream::parse("http://127.0.0.1:1").unwrap(),
        }
    }

    /// Notifications from this number on, each with a copy.
    fn lot(&self, from: usize) -> Vec<(Payload, Payload)> {
        let lot = (from..from + LOT).map(|n| (self.payload(n), self.payload(n)));
        lot.collect()
    }

    fn payload(&self, n: usize) -> Payload {
        let body = format!("{{\"event\":\"PAYMENT.PAID\",\"id\":\"{n}\"}}");
        let head = format!(
            "POST / HTTP/1.1\r\nHost: h\r\nX-API-Key: a-key-of-the-bench\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let received = Received::new(Head::parse(head.as_bytes()).unwrap(), Bytes::from(body));
        let authentic = self
            .scheme
            .authenticate(received, "bench", &self.ring, None)
            .unwrap();
        let now = jiff::Timestamp::UNIX_EPOCH;
        let fresh = Window::new(None).check(authentic, now).unwrap();
        Payload::prepare(authorize(fresh, None, now).unwrap(), Convert::None).unwrap()
    }
}

/// What this process has in memory, in KiB.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What this thread has used of a processor.
fn spent() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap(),
        time.tv_nsec.try_into().unwrap(),
    )
}
