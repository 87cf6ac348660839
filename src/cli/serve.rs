//! `kawal serve`: the sidecar.

use super::{Exit, Source, complain, complain_of, complain_of_all};
use crate::config::{self, Config};
use crate::server::{self, EndSignals, Failed};
use crate::telemetry::{self, Form};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

pub(super) fn run(source: Source, form: Form) -> Exit {
    let signals = match EndSignals::listen() {
        Ok(signals) => signals,
        Err(error) => {
            complain(&format!("cannot start: {error}"));
            return Exit::No;
        }
    };
    server::outlive_hangups();
    let file = config::find(source.config);
    let filter = std::env::var_os("RUST_LOG").unwrap_or_default();
    let log = match telemetry::start(form, &filter.to_string_lossy()) {
        Ok(log) => log,
        Err(why) => {
            complain(&why);
            return Exit::WrongUsage;
        }
    };
    keep_memory_private();
    let (loaded, files) = Config::load_watched(&file);
    let config = match loaded {
        Ok(config) => config,
        Err(faults) => return complain_of_all(&file, &faults),
    };
    // A sidecar holds up to twice as many connections as it serves; the usual soft limit is lower.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let source = server::Source {
        file: file.clone(),
        files,
    };
    let served = server::run(config, source, log.lost.clone(), signals);
    drop(log);
    match served {
        Ok(()) => Exit::Done,
        Err(Failed::Configuration(complaint)) => complain_of(&file, &complaint),
        Err(Failed::System(why)) => {
            complain(&why);
            Exit::No
        }
    }
}

/// No core dump, and no look from outside: both would show secrets. Source:
/// <https://man7.org/linux/man-pages/man2/PR_SET_DUMPABLE.2const.html>
fn keep_memory_private() {
    let _ = rlimit::setrlimit(rlimit::Resource::CORE, 0, 0);
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
}
