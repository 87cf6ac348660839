//! What was measured, and what several rounds of it say.

use serde::{Deserialize, Serialize};

pub(crate) const MEBIBYTE: f64 = 1024.0 * 1024.0;

/// One contestant in one round.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Notifications a second.
    pub(crate) rate: f64,
    /// Times from request to answer, in microseconds.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// CPU time for each notification, in microseconds.
    pub(crate) user: f64,
    pub(crate) system: f64,
    /// Memory in MiB: before the first request, after the last one, and at most.
    pub(crate) idle: f64,
    pub(crate) after: f64,
    pub(crate) most: f64,
    /// From the start until it was ready, in milliseconds.
    pub(crate) start: f64,
}

/// The median and the extremes of some rounds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Spread {
    /// Of at least one value; zeros of none.
    pub(crate) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |index: usize| values.get(index).copied().unwrap_or_default();
        let last = values.len().saturating_sub(1);
        Self {
            least: at(0),
            // Of an even number, what lies between the two in the middle.
            median: f64::midpoint(at(last / 2), at(last.div_ceil(2))),
            most: at(last),
        }
    }
}

/// All rounds of a contestant with one size of bodies.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) word: String,
    pub(crate) name: String,
    pub(crate) size: usize,
    pub(crate) samples: Vec<Sample>,
}

impl Row {
    pub(crate) fn spread(&self, of: impl Fn(&Sample) -> f64) -> Spread {
        Spread::of(self.samples.iter().map(of))
    }
}

#[cfg(test)]
mod tests {
    use super::Spread;

    #[test]
    fn a_spread_is_the_median_between_the_extremes() {
        let odd = Spread::of([3.0, 1.0, 9.0].into_iter());
        assert_eq!((odd.least, odd.median, odd.most), (1.0, 3.0, 9.0));
        let even = Spread::of([4.0, 1.0, 2.0, 9.0].into_iter());
        assert_eq!((even.least, even.median, even.most), (1.0, 3.0, 9.0));
    }
}
