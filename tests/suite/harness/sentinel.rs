//! A sentinel, which makes a replica the primary when the primary is gone.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::config::Folder;
use super::redis::{Process, free_port};
use super::resp::{Client, Reply};
use super::{PATIENCE, Redis};

/// The name under which it knows the primary.
pub const MASTER: &str = "shop";

/// A running sentinel. Dropping it kills the process.
pub struct Sentinel {
    /// Dropped before the folder that it writes to.
    _process: Process,
    _folder: Folder,
    port: u16,
}

impl Sentinel {
    /// Watches this primary, and knows of its one replica.
    pub fn watching(primary: &Redis) -> Self {
        let folder = Folder::new();
        let port = free_port();
        let file = folder.path().join("sentinel.conf");
        let lines = [
            format!("port {port}"),
            "bind 127.0.0.1".to_owned(),
            format!("dir {}", folder.path().display()),
            format!("sentinel monitor {MASTER} 127.0.0.1 {} 1", primary.port()),
            format!("sentinel down-after-milliseconds {MASTER} 500"),
            format!("sentinel failover-timeout {MASTER} 3000"),
        ];
        fs::write(&file, lines.join("\n") + "\n").unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let server = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .stdin(Stdio::null())
            .stderr(log.try_clone().unwrap())
            .stdout(log)
            .spawn()
            .unwrap();
        let sentinel = Self {
            _process: Process::guard(server, &folder),
            _folder: folder,
            port,
        };
        sentinel.wait_until("it knows the replica", || {
            let replicas = sentinel.ask(&["SENTINEL", "REPLICAS", MASTER]);
            replicas.is_some_and(|replicas| !replicas.list().is_empty())
        });
        sentinel
    }

    pub fn url(&self) -> String {
        format!("redis-sentinel://127.0.0.1:{}/{MASTER}", self.port)
    }

    /// Waits until this is the primary.
    pub fn wait_for_primary(&self, redis: &Redis) {
        let port = redis.port().to_string();
        self.wait_until("another is the primary", || {
            let primary = self.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER]);
            primary.is_some_and(|primary| primary.texts().contains(&port)) && is_primary(redis)
        });
    }

    fn ask(&self, words: &[&str]) -> Option<Reply> {
        let address: SocketAddr = (Ipv4Addr::LOCALHOST, self.port).into();
        let reply = Client::open(address).ok()?.call(words).ok()?;
        (!matches!(reply, Reply::Error(_))).then_some(reply)
    }

    fn wait_until(&self, what: &str, holds: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !holds() {
            assert!(Instant::now() < until, "{what}: not yet");
            thread::sleep(Duration::from_millis(50));
        }
    }
}

/// Asked over a connection of its own: a failover ends those that were open.
fn is_primary(redis: &Redis) -> bool {
    let role = redis.connect().call(&["ROLE"]);
    role.is_ok_and(|role| {
        role.list()
            .first()
            .is_some_and(|role| role.text() == "master")
    })
}
