//! `kawal serve`: the sidecar.

use super::{Exit, complain};
use crate::config::Config;
use crate::{server, telemetry};

pub(super) fn run(config: Config) -> Exit {
    // A sidecar holds up to twice as many connections as it serves; the usual soft limit is lower.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let log = telemetry::start();
    let served = server::run(config);
    drop(log);
    match served {
        Ok(()) => Exit::Done,
        Err(why) => {
            complain(&why);
            Exit::No
        }
    }
}
