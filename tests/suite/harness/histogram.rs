//! A histogram of the metrics page, whose buckets are looked at as a whole.

use super::page::{Page, Sample};

/// One series of a histogram.
#[derive(Debug)]
pub struct Histogram {
    /// Upper bounds, ascending, the last one infinite, and how many lie at or below each.
    pub buckets: Vec<(f64, f64)>,
    pub sum: f64,
    pub count: f64,
}

impl Page {
    /// The one histogram of this name with these labels; fails where it contradicts itself.
    #[track_caller]
    pub fn histogram(&self, family: &str, labels: &[(&str, &str)]) -> Histogram {
        let name = format!("{family}_bucket");
        let bound = |sample: &Sample| super::page::number(&sample.labels["le"]).unwrap();
        let buckets: Vec<_> = self
            .all(&name, labels)
            .map(|sample| (bound(sample), sample.value))
            .collect();
        let histogram = Histogram {
            buckets,
            sum: self.value(&format!("{family}_sum"), labels),
            count: self.value(&format!("{family}_count"), labels),
        };
        histogram.check(family);
        histogram
    }

    /// Every histogram of the page contradicts itself nowhere.
    #[track_caller]
    pub fn check_histograms(&self) -> usize {
        let counts: Vec<_> = self
            .samples()
            .filter_map(|sample| Some((sample.name.strip_suffix("_count")?, sample)))
            .filter(|(family, _)| self.kind(family) == Some("histogram"))
            .collect();
        for (family, sample) in &counts {
            let labels = sample.labels.iter();
            let labels: Vec<_> = labels.map(|(n, v)| (n.as_str(), v.as_str())).collect();
            self.histogram(family, &labels);
        }
        counts.len()
    }
}

impl Histogram {
    #[track_caller]
    fn check(&self, name: &str) {
        let ascends = |pair: &[(f64, f64)]| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
        assert!(self.buckets.windows(2).all(ascends), "{name}: {self:?}");
        let last = self.buckets.last().expect("buckets");
        assert_eq!(last.0, f64::INFINITY, "{name}: {self:?}");
        assert_eq!(last.1, self.count, "{name}: {self:?}");
        assert!(self.buckets.len() > 4, "{name}: {self:?}");
    }

    /// The first bound and the last that is finite.
    pub fn range(&self) -> (f64, f64) {
        (self.buckets[0].0, self.buckets[self.buckets.len() - 2].0)
    }

    /// How many are larger than a bound that there is or that lies between two.
    pub fn above(&self, limit: f64) -> f64 {
        let below = self.buckets.iter().rfind(|(bound, _)| *bound <= limit);
        self.count - below.map_or(0.0, |(_, count)| *count)
    }

    /// The bounds between which the one value lies that it holds.
    #[track_caller]
    pub fn only(&self) -> (f64, f64) {
        assert_eq!(self.count, 1.0, "{self:?}");
        let at = self.buckets.iter().position(|(_, count)| *count > 0.0);
        let at = at.unwrap();
        let below = at.checked_sub(1).map(|at| self.buckets[at].0);
        (below.unwrap_or(f64::NEG_INFINITY), self.buckets[at].0)
    }
}
