//! Nothing outlives a run: a shell holds the list of what was started, and ends it, and removes the
//! folder, as soon as this process is gone, however it went.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Fallible;

/// The folder of a run and who clears up after it.
pub(crate) struct Guard {
    folder: PathBuf,
    numbers: AtomicUsize,
    list: Mutex<Option<ChildStdin>>,
    shell: Child,
}

/// Reads `start PID` and `stop PID` until its input ends. A master of nginx must be asked: killed, it
/// would leave its workers.
const SCRIPT: &str = r#"
trap "" INT TERM HUP
pids=" "
while read -r word pid; do
    case $word in
        start) pids="$pids$pid " ;;
        stop) pids="${pids%% $pid *} ${pids#* $pid }" ;;
    esac
done
# shellcheck disable=SC2086
if [ -n "${pids# }" ]; then
    kill $pids 2>/dev/null
    sleep 1
    kill -KILL $pids 2>/dev/null
fi
rm -rf "$1"
"#;

impl Guard {
    /// Makes an empty folder and starts the shell.
    pub(crate) fn new() -> Fallible<Self> {
        let folder = std::env::temp_dir().join(format!("bench-peers-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()?;
        let list = Mutex::new(shell.stdin.take());
        Ok(Self {
            folder,
            numbers: AtomicUsize::new(0),
            list,
            shell,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Another one each time.
    pub(crate) fn number(&self) -> usize {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }

    /// From now on the process ends with this one.
    pub(crate) fn started(&self, pid: u32) -> Fallible<()> {
        self.tell("start", pid)
    }

    /// The process is gone; its number may become another's.
    pub(crate) fn stopped(&self, pid: u32) -> Fallible<()> {
        self.tell("stop", pid)
    }

    fn tell(&self, word: &str, pid: u32) -> Fallible<()> {
        let mut list = self
            .list
            .lock()
            .map_err(|_| "the list of processes is lost")?;
        let list = list.as_mut().ok_or("the list of processes is closed")?;
        writeln!(list, "{word} {pid}")?;
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Ok(mut list) = self.list.lock() {
            drop(list.take());
        }
        let _ = self.shell.wait();
    }
}
