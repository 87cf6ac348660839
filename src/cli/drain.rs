//! `kawal drain`: announces its end to a running sidecar, as the preStop hook of its container.

use super::{Exit, complain};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;

pub(super) fn run(pid: i32) -> Exit {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let process = Pid::from_raw(pid).filter(|_| name.trim_end() == env!("CARGO_PKG_NAME"));
    let Some(process) = process else {
        complain(&format!(
            "process {pid} is no {}: name it with --pid",
            env!("CARGO_PKG_NAME")
        ));
        return Exit::No;
    };
    match kill_process(process, Signal::USR1) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&format!("process {pid} cannot be told: {error}"));
            Exit::No
        }
    }
}
