//! Short windows of time, so that notifications grow late while a test waits.

use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::json;

use super::gateway::written;
use super::{Config, Doku, Request, ahead};

/// How long a notification stays fresh, signed now; one that is signed ahead stays so for longer.
pub const MAX_AGE: Duration = Duration::from_secs(2);

impl Config {
    /// Two seconds of youth, an hour of lateness.
    pub fn with_short_youth(self) -> Self {
        let window = json!({"max_age": "2s", "max_skew": "5m", "late": "1h"});
        self.set("gateways.doku.freshness", window)
            .set("gateways.doku.remember", "25h")
    }
}

/// Notifications of one moment: fresh until `grow_late` returns, then late.
pub struct Moment(Timestamp);

impl Moment {
    /// A moment after everything that happened so far: signed times are whole seconds, and clocks may differ
    /// by as much as what is fresh may be old.
    pub fn to_come() -> Self {
        let next = Timestamp::now().as_second() + 3;
        Self(Timestamp::from_second(next).unwrap())
    }

    /// One that nobody has sent yet.
    pub fn notification(&self) -> Request {
        Doku::new("{}").at(&written(self.0)).sign()
    }

    /// Waits until all of them are late.
    pub fn grow_late(&self) {
        let late: SystemTime = (self.0 + MAX_AGE + Duration::from_millis(1100)).into();
        if let Ok(rest) = late.duration_since(SystemTime::now()) {
            thread::sleep(rest);
        }
    }
}

/// One that stays fresh for a minute, however short youth is: its signer's clock runs ahead.
pub fn fresh() -> Request {
    Doku::new("{}").at(&ahead(Duration::from_secs(60))).sign()
}
