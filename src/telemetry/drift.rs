//! Whether a gateway's clock and our own drift apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

/// So many of the last accepted notifications are looked at.
const SAMPLES: usize = 31;
/// Fewer say nothing.
const LEAST: usize = 3;
/// Daemons that set clocks leave less, in seconds.
const TOLERATED: f64 = 60.0;

/// The ages of the last accepted notifications, taken without a lock.
#[derive(Clone, Debug)]
pub(super) struct Drift(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    taken: AtomicUsize,
    ages: [AtomicI64; SAMPLES],
    is_off: AtomicBool,
}

impl Drift {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner {
            taken: AtomicUsize::new(0),
            ages: std::array::from_fn(|_| AtomicI64::new(0)),
            is_off: AtomicBool::new(false),
        }))
    }

    pub(super) fn add(&self, age_micros: i64) {
        let place = self.0.taken.fetch_add(1, Ordering::Relaxed) % SAMPLES;
        if let Some(age) = self.0.ages.get(place) {
            age.store(age_micros, Ordering::Relaxed);
        }
    }

    /// The median in seconds; `None` before there is enough to tell.
    #[must_use]
    pub(super) fn median(&self) -> Option<f64> {
        let taken = self.0.taken.load(Ordering::Relaxed).min(SAMPLES);
        let ages = self.0.ages.iter().take(taken);
        let mut ages: Vec<i64> = ages.map(|age| age.load(Ordering::Relaxed)).collect();
        if taken < LEAST {
            return None;
        }
        let (_, median, _) = ages.select_nth_unstable(taken / 2);
        #[expect(clippy::cast_precision_loss, reason = "seconds are read by people")]
        let seconds = *median as f64 / 1e6;
        Some(seconds)
    }

    /// Whether a median has just become too large.
    pub(super) fn turns_bad(&self, median: f64) -> bool {
        let is_off = median.abs() > TOLERATED;
        let was_off = self.0.is_off.swap(is_off, Ordering::Relaxed);
        is_off && !was_off
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_beyond_a_minute_is_told_once() {
        let drift = Drift::new();
        let add = |seconds: i64, times: usize| {
            (0..times).for_each(|_| drift.add(seconds * 1_000_000));
            let median = drift.median()?;
            drift.turns_bad(median).then_some(median)
        };
        assert_eq!(add(-90, 2), None);
        assert_eq!(add(-90, 1), Some(-90.0));
        assert_eq!(add(-90, 1), None);
        assert_eq!(add(1, 5), None);
        // A few late retries are no drift.
        assert_eq!(add(3600, 4), None);
        assert_eq!(add(3600, 20), Some(3600.0));
    }
}
