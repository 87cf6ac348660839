//! What a shared ledger costs: the same notifications through the real binary, once with the ledger
//! in memory and once in a `redis-server`, turn by turn. Everything runs on this machine, so that only
//! the ratio says something.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a bench ends at the first thing that is not as expected"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

const SECRET: &str = "SK-of-a-bench-0123456789";
const CONNECTIONS: usize = 32;
const EACH: usize = 400;
const ROUNDS: usize = 7;

fn main() {
    // `cargo test --benches` only wants to know that it builds.
    if !std::env::args().any(|word| word == "--bench") {
        return;
    }
    let folder = std::env::temp_dir().join(format!("kawal-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("secret"), SECRET).unwrap();
    let (app, store) = (app(), Store::start(&folder));
    let memory = Sidecar::start(&folder, app, "replay: {capacity: 10000000}");
    let url = format!("redis://127.0.0.1:{}", store.port);
    let redis = format!("replay: {{store: redis, redis: {{url: \"{url}\", timeout: 5s}}}}");
    let redis = Sidecar::start(&folder, app, &redis);

    // The first round warms both up.
    let rounds: Vec<_> = (0..=ROUNDS)
        .map(|_| (round(memory.address), round(redis.address)))
        .skip(1)
        .collect();
    println!(
        "{CONNECTIONS} connections, {ROUNDS} rounds of {} notifications",
        CONNECTIONS * EACH
    );
    let memory = show("memory", rounds.iter().map(|(memory, _)| *memory).collect());
    let redis = show("redis", rounds.iter().map(|(_, redis)| *redis).collect());
    println!("redis / memory: throughput {:.2}", redis / memory);
    drop(store);
    let _ = std::fs::remove_dir_all(&folder);
}

/// Prints the medians and gives the throughput's.
fn show(name: &str, mut rounds: Vec<Round>) -> f64 {
    let middle = rounds.len() / 2;
    rounds.sort_by_key(|round| round.each);
    let latency = rounds[middle].each;
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    let per_second = rounds[middle].per_second;
    println!("{name:8} {per_second:8.0}/s   {latency:>8.0?} a notification");
    per_second
}

#[derive(Clone, Copy)]
struct Round {
    per_second: f64,
    each: Duration,
}

/// Every connection sends one notification after the other, none of them seen before.
fn round(to: SocketAddr) -> Round {
    let start = Arc::new(Barrier::new(CONNECTIONS + 1));
    let senders: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let start = Arc::clone(&start);
            let requests: Vec<_> = (0..EACH).map(|_| notification()).collect();
            thread::spawn(move || {
                let mut stream = TcpStream::connect(to).unwrap();
                stream.set_nodelay(true).unwrap();
                let mut answers = BufReader::new(stream.try_clone().unwrap());
                start.wait();
                let begun = Instant::now();
                for request in requests {
                    stream.write_all(&request).unwrap();
                    take(&mut answers, "HTTP/1.1 200");
                }
                begun.elapsed()
            })
        })
        .collect();
    start.wait();
    let begun = Instant::now();
    let spent: Duration = senders
        .into_iter()
        .map(|sender| sender.join().unwrap())
        .sum();
    let all = u32::try_from(CONNECTIONS * EACH).unwrap();
    Round {
        per_second: f64::from(all) / begun.elapsed().as_secs_f64(),
        each: spent / all,
    }
}

/// Reads one message with its body, whose first line starts so.
fn take(from: &mut BufReader<TcpStream>, starts: &str) -> bool {
    let (mut length, mut line) = (0, String::new());
    if from.read_line(&mut line).unwrap() == 0 {
        return false;
    }
    assert!(line.starts_with(starts), "{line}");
    while line != "\r\n" {
        line.clear();
        from.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).unwrap();
    true
}

/// A notification of DOKU's that was never sent before.
fn notification() -> Vec<u8> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let body = format!(
        "{{\"order\":{{\"invoice_number\":\"INV-{number}\",\"amount\":10000}},\"transaction\":{{\"status\":\"SUCCESS\"}}}}"
    );
    let at = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string();
    let digest = STANDARD.encode(Sha256::digest(&body));
    let signed = format!(
        "Client-Id:B\nRequest-Id:{number}\nRequest-Timestamp:{at}\nRequest-Target:/n\nDigest:{digest}"
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(signed.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    format!(
        "POST /n HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\nClient-Id: B\r\nRequest-Id: {number}\r\n\
         Request-Timestamp: {at}\r\nSignature: HMACSHA256={signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// An app that says OK to everything.
fn app() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                stream.set_nodelay(true).unwrap();
                let mut requests = BufReader::new(stream.try_clone().unwrap());
                while take(&mut requests, "POST /n") {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nOK";
                    stream.write_all(answer).unwrap();
                }
            });
        }
    });
    address
}

/// A process that ends with the bench.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Store {
    port: u16,
    _process: Process,
}

impl Store {
    fn start(folder: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
            ])
            .current_dir(folder)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is there: make test installs it");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        Self {
            port,
            _process: Process(process),
        }
    }
}

struct Sidecar {
    address: SocketAddr,
    _process: Process,
}

impl Sidecar {
    fn start(folder: &Path, app: SocketAddr, replay: &str) -> Self {
        let file = folder.join("kawal.yaml");
        let config = format!(
            "listen: 127.0.0.1:0\nupstream: http://{app}\n{replay}\n\
             gateways: {{doku: {{scheme: doku, clients: [{{id: B, secrets: [\"file:secret\"]}}]}}}}\n\
             routes: [{{path: /n, gateway: doku}}]\n"
        );
        std::fs::write(&file, config).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_kawal"))
            .args(["serve", "--config"])
            .arg(&file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let listening = lines.find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line.ok()?).ok()?;
            line["listen"].as_str()?.parse().ok()
        });
        thread::spawn(move || lines.for_each(drop));
        Self {
            address: listening.expect("it says where it listens"),
            _process: Process(process),
        }
    }
}
