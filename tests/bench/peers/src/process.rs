//! A server under measurement: started, asked to end, and looked at through /proc.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pipe::fcntl_setpipe_size;
use rustix::process::{Pid, Signal, kill_process};

use crate::Fallible;
use crate::guard::Guard;

/// Longer than anything here takes, so that a fault ends the run instead of holding it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A running server. Dropping it ends it.
pub(crate) struct Process<'a> {
    child: Child,
    guard: &'a Guard,
    errors: PathBuf,
}

impl<'a> Process<'a> {
    /// Starts it in `folder`. What it writes to stdout is a pipe that is emptied at once, as a
    /// container's is; what it writes to stderr is kept for [`Process::complaints`].
    pub(crate) fn start(guard: &'a Guard, folder: &Path, command: &mut Command) -> Fallible<Self> {
        let errors = folder.join("stderr");
        let mut child = command
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors)?)
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        guard.started(child.id())?;
        if let Some(mut lines) = child.stdout.take() {
            // Where more runs than there are cores, it may take a while until it is emptied.
            fcntl_setpipe_size(&lines, 1 << 20)?;
            let mut nowhere = File::create("/dev/null")?;
            // Between a pipe and a file the kernel moves pages, without a copy.
            thread::spawn(move || io::copy(&mut lines, &mut nowhere));
        }
        Ok(Self {
            child,
            guard,
            errors,
        })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `ready` says so.
    pub(crate) fn wait_until(&mut self, ready: impl Fn() -> bool) -> Fallible<()> {
        let until = Instant::now() + PATIENCE;
        while !ready() {
            if let Some(status) = self.child.try_wait()? {
                return Err(format!("it ended with {status}: {}", self.complaints()).into());
            }
            if Instant::now() > until {
                return Err(format!("it does not become ready: {}", self.complaints()).into());
            }
            thread::sleep(Duration::from_micros(200));
        }
        Ok(())
    }

    /// What it wrote to stderr.
    pub(crate) fn complaints(&self) -> String {
        fs::read_to_string(&self.errors).unwrap_or_default()
    }
}

impl Drop for Process<'_> {
    fn drop(&mut self) {
        let pid = self.child.id();
        let _ = signal(pid, Signal::TERM);
        let until = Instant::now() + Duration::from_secs(3);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > until {
                let _ = self.child.kill();
                let _ = self.child.wait();
                break;
            }
            thread::sleep(Duration::from_millis(1));
        }
        let _ = self.guard.stopped(pid);
    }
}

/// Sends a signal to a child of ours.
pub(crate) fn signal(pid: u32, signal: Signal) -> Fallible<()> {
    let pid = Pid::from_raw(i32::try_from(pid)?).ok_or("no process has the number 0")?;
    Ok(kill_process(pid, signal)?)
}
