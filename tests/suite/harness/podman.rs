//! Podman, which runs the pods: what it needs is written under `target/pods`, and what it made goes
//! away with this process, however that ends.

use std::fs;
use std::io::Write;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use super::leftovers;
use super::promtool::in_path;

/// Podman as this process uses it: with images of its own, on a network of its own.
pub struct Podman {
    conf: PathBuf,
    /// What all names begin with: whose pods, images and networks they are.
    pub(super) prefix: String,
    /// Cleans up when its standard input ends, that is with this process.
    _watchdog: Child,
}

impl Podman {
    /// Where it can be had by `make test` and in CI it must run; elsewhere this tells that the test
    /// is skipped, and gives none.
    pub fn find() -> Option<&'static Self> {
        if let Some(obstacle) = obstacle() {
            let ci = std::env::var_os("CI").is_some();
            let installable = is_root() && in_path("apt-get").is_some();
            assert!(!(ci || installable), "{obstacle}");
            let test = std::thread::current().name().unwrap_or_default().to_owned();
            // Past the test runner, which shows nothing of a test that does not fail.
            let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {obstacle}");
            return None;
        }
        static ONLY: OnceLock<Option<Podman>> = OnceLock::new();
        // Whoever comes after a failure fails as well, and not halfway in the same place.
        let ready = ONLY.get_or_init(|| catch_unwind(Self::set_up).ok());
        Some(
            ready
                .as_ref()
                .expect("what the first test of pods prepared"),
        )
    }

    fn set_up() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pods");
        let prefix = leftovers::prefix();
        fs::create_dir_all(folder.join(&prefix)).unwrap();
        let conf = folder.join(&prefix).join("containers.conf");
        fs::write(&conf, settings()).unwrap();
        let watchdog = leftovers::watchdog(&prefix, &folder.join(&prefix), &conf);
        let podman = Self {
            conf,
            prefix,
            _watchdog: watchdog,
        };
        podman.remove_leftovers();
        podman.build_kawal();
        podman.build_app();
        podman.build_store();
        podman.create_network();
        podman
    }

    /// Runs it, and gives what it prints; fails when it does.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> String {
        let done = self.try_run(args);
        done.unwrap_or_else(|printed| panic!("podman {args:?}: {printed}"))
    }

    pub fn try_run(&self, args: &[&str]) -> Result<String, String> {
        let mut command = Command::new("podman");
        command.args(args).env("CONTAINERS_CONF", &self.conf);
        // It leaves a file called `oom` where it is, when a container was killed for its memory.
        command.current_dir(self.folder());
        let done = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        match done.status.success() {
            true => Ok(text(&done.stdout)),
            false => Err(text(&done.stderr)),
        }
    }

    /// A name that nothing else on this machine has.
    pub fn name(&self, word: &str) -> String {
        format!("{}-{word}-{}", self.prefix, super::gateway::number())
    }

    /// Where files for pods lie, as long as this process runs.
    pub fn folder(&self) -> &Path {
        self.conf.parent().unwrap()
    }

    /// The local image that stands for `kawal` or for the `app`.
    pub fn image(&self, of: &str) -> String {
        format!("localhost/{}/{of}:1", self.prefix)
    }

    /// The network of all pods of this process. It has a DNS server.
    pub fn network(&self) -> &str {
        &self.prefix
    }
}

/// Why pods cannot run here.
fn obstacle() -> Option<String> {
    if !is_root() {
        return Some("pods run only as root".to_owned());
    }
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let groups = mounts.lines().filter(|line| line.contains(" cgroup"));
    if !groups.into_iter().any(|line| line.contains(" rw")) {
        return Some("pods need control groups that can be written to".to_owned());
    }
    let programs = ["podman", "runc", "conmon", "ip"];
    let missing = programs.iter().find(|program| in_path(program).is_none());
    missing.map(|program| {
        format!("{program} is missing: `sh tests/tools/install-missing.sh pods` installs it")
    })
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// What podman needs where there is no systemd and few capabilities: limits that may be set, a
/// runtime that bears both kinds of cgroups, and nobody else to ask.
fn settings() -> String {
    format!(
        r#"[containers]
default_ulimits = ["nofile={0}:{0}", "nproc={1}:{1}"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
"#,
        most("Max open files").min(1_048_576),
        most("Max processes").min(4096),
    )
}

/// The highest limit that this process may set. Source: `man 5 proc_pid_limits`
fn most(limit: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/limits").unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(limit));
    let hard = line.unwrap().split_whitespace().nth(1).unwrap();
    hard.parse().unwrap_or(u64::MAX)
}
