//! A command that is typed once: words and bytes go in, bytes and an exit code come out.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::PATIENCE;
use super::kawal::command;

/// How it ended, and all that it said.
#[derive(Debug)]
pub struct Typed {
    pub code: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Typed {
    /// What it said, as text.
    pub fn text(&self) -> String {
        String::from_utf8(self.stdout.clone()).expect("text on stdout")
    }

    /// It ended with 0 and complained of nothing.
    pub fn done(self, name: &str) -> Self {
        assert_eq!(self.code, Some(0), "{name}: {}", self.shown());
        self
    }

    /// It ended so, said nothing on stdout, and its whole complaint is one line, which is given.
    pub fn complaint(&self, name: &str, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{name}: {}", self.shown());
        assert!(self.stdout.is_empty(), "{name}: {}", self.shown());
        let line = self.stderr.strip_suffix('\n');
        let line = line.and_then(|line| line.strip_prefix("kawal: "));
        let line = line.unwrap_or_else(|| panic!("{name}: no line: {}", self.shown()));
        let visible = !line.contains(char::is_control);
        assert!(visible, "{name} is not one line: {}", self.shown());
        assert!(line.len() > 10, "{name} says too little: {line}");
        line.to_owned()
    }

    /// All of it, for a message.
    pub fn shown(&self) -> String {
        let stdout = String::from_utf8_lossy(&self.stdout);
        format!("exit {:?}\n{stdout}\n{}", self.code, self.stderr)
    }
}

/// Types these words, in a folder, with these bytes on stdin.
pub fn typed(words: &[&str], folder: &Path, stdin: &[u8]) -> Typed {
    run(command().args(words).current_dir(folder), stdin)
}

/// Runs any command to its end.
pub fn run(command: &mut Command, stdin: &[u8]) -> Typed {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let bytes = stdin.to_vec();
    // One that refuses its words does not read.
    let writer = thread::spawn(move || drop(pipe.write_all(&bytes)));
    let out = collect(child.stdout.take().unwrap());
    let err = collect(child.stderr.take().unwrap());
    let code = wait(&mut child);
    writer.join().unwrap();
    Typed {
        code,
        stdout: out.join().unwrap(),
        stderr: String::from_utf8_lossy(&err.join().unwrap()).into_owned(),
    }
}

fn wait(child: &mut Child) -> Option<i32> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    panic!("it does not end");
}

fn collect(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}
