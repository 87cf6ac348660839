//! A real `redis-server` as a child process, on a port and in a folder of its own.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::PATIENCE;
use super::config::Folder;
use super::resp::{Client, Reply};

/// A server that has said that it is ready. Dropping it kills the process.
pub struct Redis {
    /// Dropped before the folder that it writes to.
    running: Mutex<Option<Running>>,
    folder: Folder,
    args: Vec<String>,
    port: u16,
}

/// One life of the server.
struct Running {
    process: Process,
    /// Kept, so that a password that is set later does not shut the test out.
    client: Client,
}

/// The server, and who ends it when this process ends, however it does: nothing drops what a
/// static holds, and nothing at all is dropped when a test run is killed.
pub(super) struct Process {
    server: Child,
    watchdog: Child,
}

impl Redis {
    /// One that keeps everything in memory only.
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With more words after `redis-server`; the later ones win.
    pub fn with(args: &[&str]) -> Self {
        let mut redis = Self {
            folder: Folder::new(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            port: 0,
            running: Mutex::new(None),
        };
        let until = Instant::now() + PATIENCE;
        loop {
            redis.port = free_port();
            match redis.spawn() {
                Ok(running) => {
                    *redis.running.lock().unwrap() = Some(running);
                    return redis;
                }
                // Another suite may have been quicker to take the port.
                Err(log) if log.contains("already in use") && Instant::now() < until => {}
                Err(log) => panic!("redis-server did not start: {log}"),
            }
        }
    }

    /// Starts the server, or tells what it printed instead of being ready.
    fn spawn(&self) -> Result<Running, String> {
        let log = self.folder.path().join("log");
        let file = File::create(&log).unwrap();
        let server = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args(["--save", "", "--appendonly", "no"])
            // A replica need not wait for others.
            .args(["--repl-diskless-sync-delay", "0"])
            .args(&self.args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stderr(file.try_clone().unwrap())
            .stdout(file)
            .spawn()
            .expect("redis-server, which tests/tools/install-missing.sh installs");
        let mut process = Process::guard(server, &self.folder);
        let until = Instant::now() + PATIENCE;
        loop {
            let ended = process.server.try_wait().unwrap().is_some();
            let printed = fs::read_to_string(&log).unwrap();
            if printed.contains("Ready to accept connections") && !ended {
                let client = self.connect();
                return Ok(Running { process, client });
            }
            if ended || Instant::now() > until {
                return Err(printed);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    pub fn pid(&self) -> u32 {
        let running = self.running.lock().unwrap();
        running
            .as_ref()
            .expect("a running server")
            .process
            .server
            .id()
    }

    /// What the server of this life has printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// A connection of the test's own, with the password that the server was started with.
    pub fn connect(&self) -> Client {
        let mut client = Client::open(self.addr()).unwrap();
        let at = self.args.iter().position(|arg| arg == "--requirepass");
        if let Some(password) = at.and_then(|at| self.args.get(at + 1)) {
            let reply = client.call(&["AUTH", password]).unwrap();
            assert_eq!(reply.text(), "OK");
        }
        client
    }

    /// What the server replies; fails when that is an error.
    #[track_caller]
    pub fn command(&self, words: &[&str]) -> Reply {
        let reply = self.try_command(words);
        reply.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    pub fn try_command(&self, words: &[&str]) -> Result<Reply, String> {
        let mut running = self.running.lock().unwrap();
        let running = running.as_mut().ok_or("the server does not run")?;
        match running.client.call(words) {
            Ok(Reply::Error(error)) => Err(error),
            Ok(reply) => Ok(reply),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A field of `INFO`; empty when there is none.
    pub fn info(&self, field: &str) -> String {
        let text = self.command(&["INFO", "everything"]).text();
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(name, _)| *name == field);
        found.map_or_else(String::new, |(_, value)| value.to_owned())
    }

    /// All keys, in order.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = self.command(&["KEYS", "*"]).texts();
        keys.sort();
        keys
    }

    /// Makes it a replica, and waits until it has everything.
    pub fn replica_of(&self, other: &Self) {
        self.command(&["REPLICAOF", "127.0.0.1", &other.port.to_string()]);
        let until = Instant::now() + PATIENCE;
        while self.info("master_link_status") != "up" {
            assert!(Instant::now() < until, "no replica yet: {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends it a signal by name (`STOP`, `CONT`, `TERM`).
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success(), "{name} did not reach {pid}");
    }

    /// As if the machine had died: the port is closed and nothing more was written.
    pub fn kill(&self) {
        self.running.lock().unwrap().take();
    }

    /// Kills it unless that has happened, and starts it again where it was, with the folder it had.
    pub fn restart(&self) {
        self.kill();
        let until = Instant::now() + PATIENCE;
        loop {
            match self.spawn() {
                Ok(running) => {
                    *self.running.lock().unwrap() = Some(running);
                    return;
                }
                Err(log) => assert!(Instant::now() < until, "no restart: {log}"),
            }
        }
    }
}

impl Process {
    pub(super) fn guard(server: Child, folder: &Folder) -> Self {
        let watchdog = Command::new("sh")
            .args(["-c", r#"read -r _; kill -KILL "$0"; rm -rf "$1""#])
            .arg(server.id().to_string())
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { server, watchdog }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The watchdog goes first: while the server has not been waited for, its id is nobody else's.
        for child in [&mut self.watchdog, &mut self.server] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Below the ports that the system gives to connections: while a server is away, none of them takes its place.
pub fn free_port() -> u16 {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        // Suites that run at the same time begin at different places.
        let place = (std::process::id().wrapping_mul(97) + number) % 20_000;
        let port = u16::try_from(12_000 + place).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
