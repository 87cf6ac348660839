//! What judges manifests without a cluster: kubernetes-validate knows the schemas, checkov the customs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::tests_folder;

/// Both, as tests/manifests pins them.
pub struct Judges(PathBuf);

impl Judges {
    pub fn installed() -> Self {
        let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/manifests/venv");
        let pinned = fs::read(tests_folder().join("manifests/requirements.txt")).unwrap();
        let installed = fs::read(venv.join("installed")).unwrap_or_default();
        assert!(
            installed == pinned,
            "what judges the manifests is not in target/manifests as tests/manifests/requirements.txt pins it: `make test` installs it"
        );
        Self(venv.join("bin"))
    }

    /// Judges every resource by the schemas of one version of Kubernetes, by default the newest
    /// known. Gives what was said of those that are refused, and the number of the others.
    pub fn validate(&self, file: &Path, version: Option<&str>) -> (Vec<String>, usize) {
        let mut command = Command::new(self.0.join("kubernetes-validate"));
        command.arg("--strict");
        if let Some(version) = version {
            command.args(["--kubernetes-version", version]);
        }
        let done = command.arg(file).output().unwrap();
        let printed = [done.stdout, done.stderr].concat();
        let printed = String::from_utf8(printed).unwrap();
        let (passed, refused): (Vec<_>, Vec<_>) =
            printed.lines().partition(|line| line.starts_with("INFO "));
        assert_eq!(done.status.success(), refused.is_empty(), "{printed}");
        let refused = refused.iter().map(|&line| line.to_owned()).collect();
        (refused, passed.len())
    }

    /// The checks that something in these manifests does not pass, each with what it is; and how
    /// many were passed.
    pub fn checkov(&self, file: &Path) -> (BTreeSet<(String, String)>, u64) {
        let done = Command::new(self.0.join("checkov"))
            .args(["--framework", "kubernetes", "--skip-download"])
            .args(["--output", "json", "--compact", "--quiet", "--file"])
            .arg(file)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&done.stderr);
        let report: Value = serde_json::from_slice(&done.stdout).expect(&told);
        let failed = report["results"]["failed_checks"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let failed = failed
            .iter()
            .map(|one| (text(&one["check_id"]), text(&one["resource"])))
            .collect();
        (failed, report["summary"]["passed"].as_u64().unwrap())
    }
}
