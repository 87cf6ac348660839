//! What earlier runs left behind, and what this one will not.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::podman::Podman;

/// What the names of all processes of this suite begin with.
const OURS: &str = "kawal-suite-";

/// What all names of this process begin with.
pub fn prefix() -> String {
    let start = started("self").unwrap();
    format!("{OURS}{}-{start}", std::process::id())
}

/// Cleans up when its standard input ends, that is with this process, however it ends.
pub fn watchdog(prefix: &str, folder: &Path, conf: &Path) -> Child {
    Command::new("sh")
        .args(["-c", WATCHDOG, prefix])
        .arg(folder)
        .env("CONTAINERS_CONF", conf)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Whoever interrupts the tests does not interrupt the cleaning.
        .process_group(0)
        .spawn()
        .unwrap()
}

impl Podman {
    /// Removes what earlier runs left that were killed together with their watchdogs.
    pub(super) fn remove_leftovers(&self) {
        let lists: [(&[&str], &[&str]); 4] = [
            (
                &["pod", "ls", "--format", "{{.Name}}"],
                &["pod", "rm", "-f", "-t", "0"],
            ),
            (
                &["ps", "-a", "--format", "{{.Names}}"],
                &["rm", "-f", "-t", "0"],
            ),
            (
                &["network", "ls", "--format", "{{.Name}}"],
                &["network", "rm", "-f"],
            ),
            (
                &["images", "--format", "{{.Repository}}:{{.Tag}}"],
                &["rmi"],
            ),
        ];
        for (list, remove) in lists {
            // Another suite may be at it as well: what is listed may be gone while it is listed.
            for name in self.try_run(list).unwrap_or_default().lines() {
                if is_left_over(name.trim_start_matches("localhost/")) {
                    let _ = self.try_run(&[remove, &[name]].concat());
                }
            }
        }
        for entry in fs::read_dir(self.folder().parent().unwrap()).unwrap() {
            let entry = entry.unwrap();
            if is_left_over(&entry.file_name().to_string_lossy()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }
}

/// Removes all whose name begins with the first argument, and the folder of the second.
const WATCHDOG: &str = r#"
read -r _
podman pod ls --format '{{.Name}}' | grep "^$0-" | xargs -r podman pod rm -f -t 0
podman ps -a --format '{{.Names}}' | grep "^$0-" | xargs -r podman rm -f -t 0
podman network rm -f "$0"
podman images --format '{{.Repository}}:{{.Tag}}' | grep "^localhost/$0/" | xargs -r podman rmi
rm -rf "$1"
"#;

/// Whether the process is gone that a name tells of.
fn is_left_over(name: &str) -> bool {
    let Some(rest) = name.strip_prefix(OURS) else {
        return false;
    };
    let mut parts = rest.split(['-', '/', ':']);
    let (Some(pid), Some(start)) = (parts.next(), parts.next()) else {
        return false;
    };
    started(pid).as_deref() != Some(start)
}

/// When a process started, in ticks; none when there is none. Source: `man 5 proc_pid_stat`
fn started(pid: &str) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after) = stat.rsplit_once(") ")?;
    after.split(' ').nth(19).map(str::to_owned)
}
