//! Valgrind, which counts the instructions that a program is executed by.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::config::Folder;
use super::promtool::in_path;
use super::{Config, Request};

/// The tool, and the program that judges under it.
pub struct Valgrind {
    tool: PathBuf,
    judge: PathBuf,
}

impl Valgrind {
    /// Where it can be had by `make test` and in CI it must be there; elsewhere this tells that the
    /// test is skipped, and gives none.
    pub fn find() -> Option<Self> {
        let Some(tool) = in_path("valgrind") else {
            let must_be = in_path("apt-get").is_some() || std::env::var_os("CI").is_some();
            assert!(
                !must_be,
                "valgrind is missing: `sh tests/tools/install-missing.sh instructions` installs it"
            );
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            // Past the test runner, which shows nothing of a test that does not fail.
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: valgrind is missing");
            return None;
        };
        let judge = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/image/judge");
        let file = judge.display();
        assert!(judge.is_file(), "{file} is missing: `make test` builds it");
        Some(Self { tool, judge })
    }

    /// What counts depend on besides the code: the compiler, the tool, and the processor as the tool shows it,
    /// which is at best one with AVX2. So SHA-256 is counted as where there are no instructions for it.
    pub fn setting(&self) -> String {
        let version = |program: &Path| {
            let told = Command::new(program).arg("--version").output().unwrap();
            let told = String::from_utf8(told.stdout).unwrap();
            let words: Vec<_> = told.split_whitespace().take(2).collect();
            words.join(" ")
        };
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let cpu = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let avx2 = match cpu.split_whitespace().any(|flag| flag == "avx2") {
            true => "with",
            false => "without",
        };
        format!(
            "{}, {}, {} {avx2} AVX2",
            version(Path::new(&rustc)),
            version(&self.tool),
            std::env::consts::ARCH
        )
    }

    /// How many instructions a notification costs, as these do that come after the first `warm` ones.
    pub fn instructions(
        &self,
        config: &Config,
        time: &str,
        warm: usize,
        requests: &[Request],
    ) -> u64 {
        let folder = Folder::new();
        for (number, request) in requests.iter().enumerate() {
            let file = folder.path().join(format!("{number:06}"));
            std::fs::write(file, request.bytes()).unwrap();
        }
        let count = |judged| self.count(config, folder.path(), time, judged);
        let further = count(requests.len()) - count(warm);
        further / (requests.len() - warm) as u64
    }

    /// Those of a whole process that judges so many.
    fn count(&self, config: &Config, requests: &Path, time: &str, judged: usize) -> u64 {
        let counts = config.folder.path().join("counts");
        let done = Command::new(&self.tool)
            .args(["--tool=cachegrind", "--cache-sim=no"])
            .arg(format!("--cachegrind-out-file={}", counts.display()))
            .arg(&self.judge)
            .args([&config.write(), requests])
            .args([time, &judged.to_string()])
            // Settings of the surroundings are none of the judge's.
            .env_clear()
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{said}");
        let text = std::fs::read_to_string(counts).unwrap();
        let summary = text.lines().find_map(|line| line.strip_prefix("summary: "));
        summary.expect("the tool sums up").trim().parse().unwrap()
    }
}
