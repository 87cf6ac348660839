//! `kawal serve`: the sidecar.

use super::{Exit, complain, complain_of};
use crate::config::Config;
use crate::server::{self, Failed};
use crate::telemetry;
use std::path::Path;

pub(super) fn run(config: Config, file: &Path) -> Exit {
    // A sidecar holds up to twice as many connections as it serves; the usual soft limit is lower.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let log = telemetry::start();
    let served = server::run(config);
    drop(log);
    match served {
        Ok(()) => Exit::Done,
        Err(Failed::Configuration(complaint)) => complain_of(file, &complaint),
        Err(Failed::System(why)) => {
            complain(&why);
            Exit::No
        }
    }
}
