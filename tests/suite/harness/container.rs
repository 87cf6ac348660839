//! One container of a pod: its process, its log, and what the kubelet knows of it.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::podman::Podman;
use super::probe::Probe;
use super::{PATIENCE, until};

/// A container that runs all the time.
pub struct Container {
    podman: &'static Podman,
    pub name: String,
    /// Podman's name of it.
    full: String,
    pub spec: Value,
    /// Whether it starts before the others and ends after them.
    pub is_sidecar: bool,
    log: String,
    /// How long it may take to end.
    pub(super) grace: Duration,
    startup: Mutex<Health>,
    liveness: Mutex<Health>,
    readiness: Mutex<Health>,
    life: Mutex<Life>,
}

/// What is known of its processes.
#[derive(Default)]
struct Life {
    pid: u32,
    restarts: usize,
}

/// What a probe has told.
struct Health {
    probe: Option<Probe>,
    next: Option<Instant>,
    failures: u32,
    well: bool,
}

impl Container {
    pub(super) fn new(
        podman: &'static Podman,
        pod: &str,
        (spec, is_sidecar): (Value, bool),
        grace: Duration,
    ) -> Self {
        let name = spec["name"].as_str().unwrap().to_owned();
        let full = format!("{pod}-{name}");
        let log = podman.run(&[
            "inspect",
            "--format",
            "{{.HostConfig.LogConfig.Path}}",
            &full,
        ]);
        let health = |probe: &str| {
            Mutex::new(Health {
                probe: Probe::of(&spec, probe),
                next: None,
                failures: 0,
                well: false,
            })
        };
        Self {
            podman,
            name,
            full,
            is_sidecar,
            log,
            grace,
            startup: health("startupProbe"),
            liveness: health("livenessProbe"),
            readiness: health("readinessProbe"),
            life: Mutex::default(),
            spec,
        }
    }

    /// Starts it, for the first time or again.
    pub(super) fn start(&self) {
        self.podman.run(&["start", &self.full]);
        // It may have ended already.
        let pid = self
            .podman
            .run(&["inspect", "--format", "{{.State.Pid}}", &self.full]);
        self.life.lock().unwrap().pid = pid.parse().unwrap();
        for health in [&self.startup, &self.liveness, &self.readiness] {
            let mut health = health.lock().unwrap();
            let delay = health.probe.as_ref().map(|probe| probe.delay);
            health.next = delay.map(|delay| Instant::now() + delay);
            health.failures = 0;
            health.well = health.probe.is_none();
        }
    }

    /// The startup probe has succeeded elsewhere.
    pub(super) fn has_started(&self) {
        self.startup.lock().unwrap().well = true;
    }

    /// One look: what has ended is started again, at once, as the kubelet does the first time; and
    /// probes whose time it is are asked.
    pub(super) fn look_after(&self, pod: IpAddr, stopping: bool) {
        if !self.runs() {
            self.readiness.lock().unwrap().well = false;
            if !stopping {
                // Podman's own end of it comes a moment later.
                self.code();
                self.start();
                self.life.lock().unwrap().restarts += 1;
            }
            return;
        }
        let mut startup = self.startup.lock().unwrap();
        let is_dead = match startup.well {
            false => startup.look(pod),
            true => {
                self.readiness.lock().unwrap().look(pod);
                !stopping && self.liveness.lock().unwrap().look(pod)
            }
        };
        drop(startup);
        if is_dead && !stopping {
            self.end_within(self.grace);
        }
    }

    pub fn is_ready(&self) -> bool {
        self.runs() && self.readiness.lock().unwrap().well
    }

    /// Its process, as the host numbers it.
    pub fn pid(&self) -> u32 {
        self.life.lock().unwrap().pid
    }

    /// How often it was started again.
    pub fn restarts(&self) -> usize {
        self.life.lock().unwrap().restarts
    }

    pub fn runs(&self) -> bool {
        let pid = self.pid();
        pid != 0 && Path::new(&format!("/proc/{pid}")).exists()
    }

    /// How its last process ended; waits for that.
    pub fn code(&self) -> i32 {
        self.podman.run(&["wait", &self.full]).parse().unwrap()
    }

    /// Sends its process a signal by name.
    pub fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        // It may have ended meanwhile.
        let _ = Command::new("kill").args(["-s", name, &pid]).output();
    }

    /// Runs a command in it.
    pub(super) fn exec(&self, words: &[&str]) -> Result<String, String> {
        self.podman
            .try_run(&[&["exec", &self.full], words].concat())
    }

    /// TERM, and KILL when the time is up; true where that was needed.
    pub(super) fn end_within(&self, grace: Duration) -> bool {
        self.signal("TERM");
        let end = Instant::now() + grace;
        while self.runs() {
            if Instant::now() > end {
                self.signal("KILL");
                until("it ends", || !self.runs());
                return true;
            }
            thread::sleep(Duration::from_millis(5));
        }
        false
    }

    /// Everything that it has printed, of all its lives.
    pub fn log(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let mut log = String::new();
        for line in text.lines() {
            // `TIME STREAM F|P TEXT`: a part has no line end.
            let mut words = line.splitn(4, ' ').skip(2);
            let whole = words.next() == Some("F");
            log.push_str(words.next().unwrap_or_default());
            if whole {
                log.push('\n');
            }
        }
        log
    }

    /// The lines of it, as JSON (null for one that is not).
    pub fn lines(&self) -> Vec<Value> {
        let log = self.log();
        let parse = |line| serde_json::from_str(line).unwrap_or(Value::Null);
        log.lines().map(parse).collect()
    }

    /// The first line, past or future, for which this holds.
    #[track_caller]
    pub fn wait_for(&self, holds: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = self.lines().into_iter().find(|line| holds(line)) {
                return line;
            }
            assert!(Instant::now() < end, "no such line in {}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Health {
    /// Asks, if it is time to; true where it has failed too often.
    fn look(&mut self, pod: IpAddr) -> bool {
        let Some(probe) = &self.probe else {
            return false;
        };
        if self.next.is_none_or(|next| Instant::now() < next) {
            return false;
        }
        if probe.succeeds(pod) {
            (self.failures, self.well) = (0, true);
        } else {
            self.failures += 1;
            if self.failures >= probe.failures {
                self.well = false;
            }
        }
        self.next = Some(Instant::now() + probe.period);
        self.failures >= probe.failures
    }
}
