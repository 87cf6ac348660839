//! The load: wrk with notify.lua.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::Signal;

use crate::Fallible;
use crate::guard::Guard;
use crate::process::signal;
use crate::set::Set;

/// Which of a set are sent, and over how many connections.
pub(crate) struct Load<'a> {
    pub(crate) set: &'a Set,
    /// From 1.
    pub(crate) first: usize,
    pub(crate) count: usize,
    pub(crate) connections: usize,
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
