//! The doctor: one captured request goes in, a diagnosis comes out.

use std::path::PathBuf;

use serde_json::Value;

use super::Config;
use super::kawal::command;
use super::typed::{Typed, run};

/// `kawal verify` with a configuration that is written already.
pub struct Doctor {
    pub config: Config,
    pub file: PathBuf,
}

impl Doctor {
    pub fn new(config: Config) -> Self {
        let file = config.write();
        Self { config, file }
    }

    /// With these words more, about the capture on stdin.
    pub fn ask(&self, words: &[&str], capture: &[u8]) -> Typed {
        self.ask_loudly(words, capture, None)
    }

    /// The same, with as much of a log as this asks for.
    pub fn ask_loudly(&self, words: &[&str], capture: &[u8], log: Option<&str>) -> Typed {
        let mut command = command();
        command
            .args(["verify", "--config"])
            .arg(&self.file)
            .args(words)
            .arg("-")
            .current_dir(self.config.folder.path());
        if let Some(log) = log {
            command.env("RUST_LOG", log);
        }
        run(&mut command, capture)
    }

    /// About a capture that lies in a file.
    pub fn ask_file(&self, words: &[&str], file: &std::path::Path) -> Typed {
        let mut command = command();
        command
            .args(["verify", "--config"])
            .arg(&self.file)
            .args(words)
            .arg(file)
            .current_dir(self.config.folder.path());
        run(&mut command, b"")
    }

    /// The diagnosis of this capture.
    pub fn diagnose(&self, capture: &[u8]) -> Diagnosis {
        self.diagnose_with(&[], capture)
    }

    pub fn diagnose_with(&self, words: &[&str], capture: &[u8]) -> Diagnosis {
        let words: Vec<_> = words.iter().copied().chain(["--json"]).collect();
        Diagnosis::read(self.ask(&words, capture))
    }

    /// What a person reads.
    pub fn text(&self, capture: &[u8]) -> String {
        self.ask(&[], capture).text()
    }
}

/// What the doctor says, with `--json`.
#[derive(Debug)]
pub struct Diagnosis {
    pub value: Value,
    pub typed: Typed,
}

impl Diagnosis {
    /// One object, whose verdict the exit code repeats.
    pub fn read(typed: Typed) -> Self {
        let value: Value = serde_json::from_slice(&typed.stdout)
            .unwrap_or_else(|e| panic!("not JSON ({e}): {}", typed.shown()));
        let verdict = match typed.code {
            Some(0) => "accepted",
            Some(1) => "rejected",
            _ => panic!("no verdict: {}", typed.shown()),
        };
        assert_eq!(value["verdict"], verdict, "{}", typed.shown());
        Self { value, typed }
    }

    pub fn accepted(&self) -> bool {
        self.typed.code == Some(0)
    }

    /// Null becomes nothing.
    pub fn word(&self, key: &str) -> Option<&str> {
        self.value[key].as_str()
    }

    pub fn reason(&self) -> Option<&str> {
        self.word("reason")
    }

    pub fn cause(&self) -> Option<&str> {
        self.word("cause")
    }

    /// The steps that came out so.
    pub fn steps(&self, outcome: &str) -> Vec<&str> {
        let steps = self.value["steps"].as_array().expect("steps");
        let chosen = steps.iter().filter(|step| step["outcome"] == outcome);
        chosen.filter_map(|step| step["step"].as_str()).collect()
    }

    /// The strings under the proof, with whose keys they were tried.
    pub fn messages(&self) -> Vec<&str> {
        let signed = self.value["signed"].as_array().expect("signed");
        let messages = signed.iter().map(|one| one["message"].as_str());
        messages
            .map(|message| message.expect("a message"))
            .collect()
    }
}
