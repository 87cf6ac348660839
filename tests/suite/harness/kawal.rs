//! The real binary as a child process, with everything that it prints.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Config, PATIENCE, Request, Response};

/// A proxy that has said it listens. Dropping it kills the process.
pub struct Kawal {
    child: Child,
    out: Arc<Lines>,
    err: Arc<Lines>,
    listen: SocketAddr,
    admin: Option<SocketAddr>,
    pub config: Config,
}

/// How a process ended that did not get so far.
#[derive(Debug)]
pub struct Exit {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Kawal {
    pub fn start(config: Config) -> Self {
        Self::try_start(config).unwrap_or_else(|exit| panic!("kawal did not start: {exit:#?}"))
    }

    /// Starts it, or tells how it refused.
    pub fn try_start(config: Config) -> Result<Self, Exit> {
        let file = config.write();
        let mut child = command()
            .args(["serve", "--config"])
            .arg(&file)
            .args(&config.args)
            .envs(config.env.iter().cloned())
            .current_dir(config.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = Lines::of(child.stdout.take().unwrap());
        let err = Lines::of(child.stderr.take().unwrap());
        let listening = out.wait(PATIENCE, |line| parse(line)["message"] == "listening");
        let Some(line) = listening else {
            let _ = child.kill();
            let code = child.wait().unwrap().code();
            err.wait_for_end();
            return Err(Exit {
                code,
                stdout: out.text(),
                stderr: err.text(),
            });
        };
        let line = parse(&line);
        let address = |key: &str| line[key].as_str().and_then(|text| text.parse().ok());
        Ok(Self {
            child,
            listen: address("listen").expect("the line names the listening address"),
            admin: address("admin"),
            out,
            err,
            config,
        })
    }

    /// Where gateways send to.
    pub fn addr(&self) -> SocketAddr {
        self.listen
    }

    pub fn admin_addr(&self) -> SocketAddr {
        self.admin.expect("the admin listener is on")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends one request over a connection of its own.
    pub fn send(&self, request: &Request) -> Response {
        request.send(self.listen)
    }

    /// A GET on the admin listener.
    pub fn admin(&self, path: &str) -> Response {
        Request::new("GET", path).send(self.admin_addr())
    }

    /// Every line on stdout so far, as JSON (null for one that is not).
    pub fn log(&self) -> Vec<Value> {
        self.out.all().iter().map(|line| parse(line)).collect()
    }

    /// Everything on stdout and stderr so far, as text.
    pub fn output(&self) -> String {
        self.out.text() + &self.err.text()
    }

    pub fn stderr(&self) -> String {
        self.err.text()
    }

    /// The first line, past or future, for which this holds.
    pub fn wait_for_log(&self, holds: impl Fn(&Value) -> bool) -> Value {
        let found = self.out.wait(PATIENCE, |line| holds(&parse(line)));
        let found = found.unwrap_or_else(|| panic!("no such line in {}", self.output()));
        parse(&found)
    }

    /// The lines of this many decided notifications, in order; waits for the last.
    pub fn notifications(&self, count: usize) -> Vec<Value> {
        self.notifications_where(count, |_| true)
    }

    /// The same, of those for which this holds.
    pub fn notifications_where(&self, count: usize, holds: impl Fn(&Value) -> bool) -> Vec<Value> {
        let chosen = |lines: &[String]| -> Vec<Value> {
            let decided = |line: &Value| line["message"] == "notification" && holds(line);
            lines.iter().map(|l| parse(l)).filter(decided).collect()
        };
        self.out
            .wait_all(PATIENCE, |lines| chosen(lines).len() >= count);
        let found = chosen(&self.out.all());
        let output = self.output();
        assert!(found.len() >= count, "fewer than {count} lines: {output}");
        found
    }

    /// The reason of the latest of this many decided notifications; empty when it has none.
    pub fn reason(&self, count: usize) -> String {
        let lines = self.notifications(count);
        let reason = &lines[count - 1]["reason"];
        reason.as_str().unwrap_or_default().to_owned()
    }

    pub fn signal_term(&self) {
        self.signal("TERM");
    }

    /// Sends it a signal by name (`TERM`, `INT`, `STOP`, `CONT`, `KILL`).
    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success(), "{name} did not reach {pid}");
    }

    /// True while the process runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Waits for the process to end by itself.
    pub fn wait_exit(&mut self) -> ExitStatus {
        self.out.wait_for_end();
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            thread::sleep(Duration::from_millis(5));
        }
        panic!("kawal still runs: {}", self.output());
    }
}

impl Drop for Kawal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary, with none of the surroundings' settings: the one that was built for the tests, unless
/// `SUITE_BINARY` names another.
pub fn command() -> Command {
    let binary = std::env::var_os("SUITE_BINARY");
    let mut command = Command::new(binary.unwrap_or(env!("CARGO_BIN_EXE_kawal").into()));
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("KAWAL_") || text == "RUST_LOG" {
            command.env_remove(&name);
        }
    }
    command
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or(Value::Null)
}

/// What a process prints, line by line, as it comes.
struct Lines {
    kept: Mutex<(Vec<String>, bool)>,
    changed: Condvar,
}

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> Arc<Self> {
        let lines = Arc::new(Self {
            kept: Mutex::new((Vec::new(), false)),
            changed: Condvar::new(),
        });
        let inside = Arc::clone(&lines);
        let _: JoinHandle<()> = thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                inside.kept.lock().unwrap().0.push(line);
                inside.changed.notify_all();
            }
            inside.kept.lock().unwrap().1 = true;
            inside.changed.notify_all();
        });
        lines
    }

    fn all(&self) -> Vec<String> {
        self.kept.lock().unwrap().0.clone()
    }

    fn text(&self) -> String {
        self.all().iter().map(|line| format!("{line}\n")).collect()
    }

    /// Waits for a line; none when the pipe ended or time is up.
    fn wait(&self, limit: Duration, holds: impl Fn(&str) -> bool) -> Option<String> {
        self.wait_all(limit, |lines| lines.iter().any(|line| holds(line)));
        self.all().into_iter().find(|line| holds(line))
    }

    fn wait_all(&self, limit: Duration, holds: impl Fn(&[String]) -> bool) {
        let kept = self.kept.lock().unwrap();
        let waiting = |kept: &mut (Vec<String>, bool)| !kept.1 && !holds(&kept.0);
        drop(self.changed.wait_timeout_while(kept, limit, waiting));
    }

    fn wait_for_end(&self) {
        self.wait_all(PATIENCE, |_| false);
    }
}
