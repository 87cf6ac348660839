//! The load: wrk with notify.lua.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::Fallible;
use crate::account::{cpu, memory};
use crate::figures::{MEBIBYTE, Sample};
use crate::guard::Guard;
use crate::process::signal;
use crate::servers::Server;
use crate::set::Set;

/// Which of a set are sent, and over how many connections.
pub(crate) struct Load<'a> {
    pub(crate) set: &'a Set,
    /// From 1.
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) connections: usize,
}

/// Which of a set are sent when: some to warm up, then those that are measured. Behind both as many
/// are left out as there are connections, which wrk may still send while it ends; the last one is sent
/// by hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) connections: usize,
    /// How many are measured.
    pub(crate) count: usize,
}

impl Plan {
    /// Before what is measured: caches, pages and a pool of connections are there.
    pub(crate) fn warm(self) -> usize {
        2_000.max(2 * self.connections)
    }

    /// How many a set has to hold.
    pub(crate) fn whole(self) -> usize {
        self.warm() + self.connections + self.count + self.connections + 1
    }

    pub(crate) fn warm_up(self, set: &Set) -> Load<'_> {
        Load {
            set,
            first: 1,
            count: self.warm(),
            connections: self.connections,
        }
    }

    pub(crate) fn measured(self, set: &Set) -> Load<'_> {
        Load {
            set,
            first: 1 + self.warm() + self.connections,
            count: self.count,
            connections: self.connections,
        }
    }

    /// Whether everything was answered, without a fault, and so many with a refusal. What is under way
    /// when wrk ends has no answer any more.
    pub(crate) fn is_done(self, seen: &Seen, refusals: f64) -> bool {
        let missing = self.count as f64 - seen.answers;
        missing <= self.connections as f64 && seen.failures == 0.0 && seen.refusals == refusals
    }
}

/// What wrk saw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answers: f64,
    /// Answers with a status of 400 or above.
    pub(crate) refusals: f64,
    /// Connections that broke, and answers that did not come.
    pub(crate) failures: f64,
    /// From the first request to the last one, in seconds.
    pub(crate) elapsed: f64,
    /// Times from request to answer, in microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

impl Load<'_> {
    /// Sends each once and waits for the end.
    pub(crate) fn run(&self, guard: &Guard, port: u16) -> Fallible<Seen> {
        let mut wrk = Running::start(guard, self, port)?;
        let elapsed = wrk.last_one_sent()?;
        // Its thread has ended; its clock would run on.
        let mut seen = wrk.end()?;
        seen.elapsed = elapsed;
        Ok(seen)
    }
}

impl Load<'_> {
    /// Sends each once, and says what that cost the server.
    pub(crate) fn cost(
        &self,
        guard: &Guard,
        server: &Server<'_>,
        port: u16,
    ) -> Fallible<(Sample, Seen)> {
        let pid = server.process.pid();
        let idle = memory(pid)?.resident;
        let before = cpu(pid)?;
        let seen = self.run(guard, port)?;
        // The last lines of a log are written after the last answer.
        thread::sleep(Duration::from_millis(50));
        let after = cpu(pid)?;
        let memory = memory(pid)?;
        let sample = Sample {
            rate: seen.answers / seen.elapsed,
            p50: seen.p50,
            p99: seen.p99,
            user: (after.user - before.user) / seen.answers * 1e6,
            system: (after.system - before.system) / seen.answers * 1e6,
            idle: idle / MEBIBYTE,
            after: memory.resident / MEBIBYTE,
            most: memory.most / MEBIBYTE,
            start: server.start.as_secs_f64() * 1e3,
        };
        Ok((sample, seen))
    }
}

/// A wrk at work.
pub(crate) struct Running<'a> {
    wrk: Child,
    output: BufReader<ChildStdout>,
    guard: &'a Guard,
}

impl<'a> Running<'a> {
    /// With a count of 0 it goes on, from the first request again, until it is ended.
    pub(crate) fn start(guard: &'a Guard, load: &Load<'_>, port: u16) -> Fallible<Self> {
        let script = guard.folder().join("notify.lua");
        std::fs::write(&script, include_str!("../notify.lua"))?;
        let mut wrk = Command::new("wrk")
            .args(["-t1", "-d3600s", "--timeout", "20s"])
            .arg(format!("-c{}", load.connections))
            .arg("-s")
            .arg(script)
            .arg(format!("http://127.0.0.1:{port}"))
            .arg("--")
            .args([&load.set.requests, &load.set.tail])
            .args([load.first.to_string(), load.count.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("wrk: {error}"))?;
        guard.started(wrk.id())?;
        let output = BufReader::new(wrk.stdout.take().ok_or("wrk has no output")?);
        Ok(Self { wrk, output, guard })
    }

    /// Waits until all are sent, and says how long that took.
    fn last_one_sent(&mut self) -> Fallible<f64> {
        let mut said = String::new();
        loop {
            let from = said.len();
            if self.output.read_line(&mut said)? == 0 {
                return Err(format!("wrk says: {said}").into());
            }
            let line = said.get(from..).unwrap_or_default();
            if let Some(elapsed) = line.strip_prefix("elapsed ") {
                return Ok(elapsed.trim().parse()?);
            }
        }
    }

    /// Ends it and reads what it saw; the time between is not among it.
    pub(crate) fn end(mut self) -> Fallible<Seen> {
        signal(self.wrk.id(), Signal::INT)?;
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        self.wrk.wait()?;
        let value = |name: &str| -> Fallible<f64> {
            let mut lines = text.lines().filter_map(|line| line.split_once(' '));
            let found = lines.find(|(first, _)| *first == name);
            let (_, value) = found.ok_or_else(|| format!("wrk says nothing of {name}: {text}"))?;
            Ok(value.trim().parse()?)
        };
        Ok(Seen {
            answers: value("answers")?,
            refusals: value("refusals")?,
            failures: value("failures")?,
            elapsed: value("duration")? / 1e6,
            p50: value("p50")?,
            p99: value("p99")?,
        })
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.wrk.kill();
        let _ = self.wrk.wait();
        let _ = self.guard.stopped(self.wrk.id());
    }
}
