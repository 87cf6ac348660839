//! The time, read in one place.

use jiff::{SignedDuration, Timestamp};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Now, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The wall clock: what gateways sign.
    pub wall: Timestamp,
    /// The steady clock: what leases are measured by.
    pub steady: Instant,
    /// Whether the wall clock is not believed, and was at the last look.
    pub fell_behind: bool,
}

/// Reads both clocks. The wall clock is not believed when it falls behind the steady one: old
/// notifications would become fresh again after the ledger, which forgets by the steady clock, has
/// forgotten them. A jump ahead that is taken back leaves nothing behind.
#[derive(Debug)]
pub struct Clock {
    started: Moment,
    ahead_ms: AtomicI64,
    behind: AtomicBool,
}

/// Small steps back are the ordinary work of a time daemon.
const TOLERATED: SignedDuration = SignedDuration::from_secs(5);

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self {
            started: Moment {
                wall: Timestamp::now(),
                steady: Instant::now(),
                fell_behind: false,
            },
            ahead_ms: AtomicI64::new(0),
            behind: AtomicBool::new(false),
        }
    }

    /// When it started.
    #[must_use]
    pub fn started(&self) -> Timestamp {
        self.started.wall
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Moment {
        let ahead = SignedDuration::from_millis(self.ahead_ms.load(Ordering::Relaxed));
        let steady = Instant::now();
        let passed = SignedDuration::try_from(steady - self.started.steady);
        let add = |time: Timestamp, by| time.saturating_add(by).unwrap_or(Timestamp::MAX);
        let expected = add(add(self.started.wall, passed.unwrap_or_default()), ahead);
        let (wall, fell_behind) = self.believe(add(Timestamp::now(), ahead), expected);
        Moment {
            wall,
            steady,
            fell_behind,
        }
    }

    /// Moves the wall clock ahead, to show what the passing of hours does.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead_ms.fetch_add(by, Ordering::Relaxed);
    }

    fn believe(&self, shown: Timestamp, expected: Timestamp) -> (Timestamp, bool) {
        let behind = expected.duration_since(shown) > TOLERATED;
        // Threads that only look do not take it from each other.
        let was_behind = match self.behind.load(Ordering::Relaxed) == behind {
            true => behind,
            false => self.behind.swap(behind, Ordering::Relaxed),
        };
        let time = if behind { expected } else { shown };
        (time, behind && !was_behind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_clock_that_falls_behind_is_not_believed() {
        let clock = Clock::start();
        let at = |seconds: i64| clock.started() + SignedDuration::from_secs(seconds);
        for (shown, passed, believed, told) in [
            (10, 10, 10, false),
            (5, 10, 5, false),
            (4, 10, 10, true),
            (-3600, 11, 11, false),
            // It jumped ahead, and was set right again.
            (100_000, 12, 100_000, false),
            (13, 13, 13, false),
            (0, 14, 14, true),
        ] {
            let time = clock.believe(at(shown), at(passed));
            assert_eq!(time, (at(believed), told), "{shown} after {passed}");
        }
    }

    #[test]
    fn moves_ahead_when_asked() {
        let clock = Clock::start();
        clock.advance(Duration::from_secs(6 * 3600));
        assert!(clock.now().wall >= clock.started() + SignedDuration::from_hours(6));
    }
}
