//! kubectl, which renders kustomizations without a cluster.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::promtool::in_path;
use super::{Rendered, tests_folder};

/// Each of the components in k8s/ is in one of these, for clusters of today and of before 1.29.
pub const KUSTOMIZATIONS: [&str; 5] = [
    "k8s/example",
    "tests/manifests/native",
    "tests/manifests/classic",
    "tests/manifests/shared",
    "tests/manifests/classic-shared",
];

/// The tool, as far as this machine has it.
pub struct Kubectl(PathBuf);

impl Kubectl {
    /// On Debian, where `make test` fetches it, and in CI it must be there; elsewhere this tells
    /// that the test is skipped, and gives none.
    pub fn find() -> Option<Self> {
        // What was fetched goes first: the machine's own was too old then.
        let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/kubectl");
        let fetched = fetched.is_file().then_some(fetched);
        let found = fetched.or_else(|| in_path("kubectl"));
        if found.is_none() {
            let system = fs::read_to_string("/etc/os-release").unwrap_or_default();
            let must_be =
                system.lines().any(|line| line == "ID=debian") || std::env::var_os("CI").is_some();
            assert!(
                !must_be,
                "kubectl is missing: `sh tests/tools/install-manifests.sh` fetches it"
            );
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            // Past the test runner, which shows nothing of a test that does not fail.
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: kubectl is missing");
        }
        found.map(Self)
    }

    /// All of them; empty where the tool is missing.
    pub fn render_all() -> &'static [Rendered] {
        static RENDERED: OnceLock<Vec<Rendered>> = OnceLock::new();
        // Found anew by each test, so that each tells that it is skipped.
        let Some(kubectl) = Self::find() else {
            return &[];
        };
        RENDERED.get_or_init(|| KUSTOMIZATIONS.map(|folder| kubectl.render(folder)).into())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What a kustomization comes to, or what is wrong with it.
    pub fn kustomize(&self, folder: &Path) -> Result<String, String> {
        let done = Command::new(&self.0)
            .arg("kustomize")
            .arg(folder)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        match done.status.success() {
            true => Ok(text(done.stdout)),
            false => Err(text(done.stderr)),
        }
    }

    /// The same of a folder of this repository that is sound.
    #[track_caller]
    pub fn render(&self, folder: &str) -> Rendered {
        let path = tests_folder().parent().unwrap().join(folder);
        let text = self.kustomize(&path);
        Rendered::new(
            folder,
            text.unwrap_or_else(|error| panic!("{folder}: {error}")),
        )
    }
}
