//! Libraries that gateways publish, each behind a small script that takes and gives JSON.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::tests_folder;

/// The libraries of one language, behind a script of `tests/interop`.
pub struct Library {
    program: PathBuf,
    script: &'static str,
    zone: &'static str,
}

impl Library {
    pub fn node(script: &'static str, zone: &'static str) -> Self {
        assert_installed("package-lock.json", "node_modules");
        Self {
            program: PathBuf::from("node"),
            script,
            zone,
        }
    }

    pub fn python(script: &'static str) -> Self {
        assert_installed("requirements.txt", "venv");
        Self {
            program: place().join("venv/bin/python"),
            script,
            zone: "UTC",
        }
    }

    pub fn ask(&self, question: &Value) -> Value {
        let mut child = Command::new(&self.program)
            .arg(tests_folder().join("interop").join(self.script))
            .env("NODE_PATH", place().join("node_modules"))
            .env("TZ", self.zone)
            // The way to Kawal leads through no proxy, whatever the way to a registry does.
            .env("no_proxy", "127.0.0.1")
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}: `make test` installs it", self.program.display()));
        let question = question.to_string();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(question.as_bytes()).unwrap();
        drop(stdin);
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{} failed", self.script);
        serde_json::from_slice(&done.stdout).unwrap()
    }
}

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/interop")
}

/// An installation ends with a copy of the pins that it was made from.
fn assert_installed(pins: &str, folder: &str) {
    let pinned = fs::read(tests_folder().join("interop").join(pins)).unwrap();
    let installed = fs::read(place().join(folder).join("installed")).unwrap_or_default();
    assert!(
        installed == pinned,
        "the libraries are not in target/interop as tests/interop/{pins} pins them: `make test` installs them"
    );
}
