//! Prometheus's own tool, which judges rules and metrics.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The tool, as far as this machine has it.
pub struct Promtool(PathBuf);

impl Promtool {
    /// Where it can be had by `make test` and in CI it must be there; elsewhere this tells that the
    /// test is skipped, and gives none.
    pub fn find() -> Option<Self> {
        let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/promtool");
        let found = in_path("promtool").or_else(|| fetched.is_file().then_some(fetched));
        if found.is_none() {
            let must_be = in_path("apt-get").is_some() || std::env::var_os("CI").is_some();
            assert!(
                !must_be,
                "promtool is missing: `sh tests/tools/install-missing.sh observability` fetches it"
            );
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            // Past the test runner, which shows nothing of a test that does not fail.
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: promtool is missing");
        }
        found.map(Self)
    }

    /// What it prints, as an error when it says no.
    pub fn run(&self, args: &[&str], input: &str) -> Result<String, String> {
        let mut child = Command::new(&self.0)
            .args(args)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may end before it has read everything.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let done = child.wait_with_output().unwrap();
        let printed = [done.stdout, done.stderr].concat();
        let printed = String::from_utf8_lossy(&printed).into_owned();
        match done.status.success() {
            true => Ok(printed),
            false => Err(printed),
        }
    }

    /// Fails with what it prints, unless it says yes.
    #[track_caller]
    pub fn accepts(&self, args: &[&str]) {
        if let Err(printed) = self.run(args, "") {
            panic!("promtool {args:?}: {printed}");
        }
    }
}

pub(super) fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let places = std::env::split_paths(&path).map(|folder| folder.join(program));
    places.into_iter().find(|file| file.is_file())
}
