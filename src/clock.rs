//! The time, read in one place.

use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Now, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The wall clock: what gateways sign.
    pub wall: Timestamp,
    /// The steady clock: what leases are measured by.
    pub steady: Instant,
}

/// Reads both clocks, and never lets the wall clock fall far behind what it once showed: old
/// notifications would become fresh again after the ledger has forgotten them.
#[derive(Debug)]
pub struct Clock {
    started: Timestamp,
    ahead_ms: AtomicI64,
    highest_ms: AtomicI64,
}

/// Small steps back are the ordinary work of a time daemon.
const TOLERATED_MS: i64 = 5_000;

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        let started = Timestamp::now();
        Self {
            started,
            ahead_ms: AtomicI64::new(0),
            highest_ms: AtomicI64::new(started.as_millisecond()),
        }
    }

    /// When it started.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Moment {
        let ahead = SignedDuration::from_millis(self.ahead_ms.load(Ordering::Relaxed));
        let wall = Timestamp::now()
            .saturating_add(ahead)
            .unwrap_or(Timestamp::MAX);
        Moment {
            wall: self.hold(wall),
            steady: Instant::now(),
        }
    }

    /// Moves the wall clock ahead, to show what the passing of hours does.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead_ms.fetch_add(by, Ordering::Relaxed);
    }

    fn hold(&self, wall: Timestamp) -> Timestamp {
        let ms = wall.as_millisecond();
        let highest = self.highest_ms.fetch_max(ms, Ordering::Relaxed);
        if ms >= highest.saturating_sub(TOLERATED_MS) {
            return wall;
        }
        Timestamp::from_millisecond(highest).unwrap_or(wall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_back_is_not_believed() {
        let clock = Clock::start();
        let base = clock.started();
        let at = |seconds: i64| base + SignedDuration::from_secs(seconds);
        for (shown, believed) in [(10, 10), (8, 8), (5, 5), (4, 10), (-3600, 10), (11, 11)] {
            let ms = |time: Timestamp| time.as_millisecond();
            assert_eq!(ms(clock.hold(at(shown))), ms(at(believed)), "{shown}");
        }
    }

    #[test]
    fn moves_ahead_when_asked() {
        let clock = Clock::start();
        clock.advance(Duration::from_secs(6 * 3600));
        assert!(clock.now().wall >= clock.started() + SignedDuration::from_hours(6));
    }
}
