//! A histogram that is counted without a lock.

use prometheus_client::encoding::{EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::{MetricType, TypedMetric};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Counts values in buckets. Values are whole numbers of `unit`s, of which there are so many in a second.
#[derive(Clone, Debug)]
pub(super) struct Histogram(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    unit: i64,
    /// Upper bounds in units, ascending; what is above the last is counted too.
    bounds: Box<[i64]>,
    counts: Box<[AtomicU64]>,
    sum: AtomicI64,
}

impl Histogram {
    /// A histogram with these upper bounds, in seconds.
    pub(super) fn new(unit: i64, seconds: &[f64]) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "bounds are small"
        )]
        let bounds: Box<[i64]> = seconds
            .iter()
            .map(|s| (s * unit as f64).round() as i64)
            .collect();
        Self(Arc::new(Inner {
            unit,
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            bounds,
            sum: AtomicI64::new(0),
        }))
    }

    pub(super) fn observe(&self, value: i64) {
        let inner = &self.0;
        let place = inner.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = inner.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
            inner.sum.fetch_add(value, Ordering::Relaxed);
        }
    }
}

impl EncodeMetric for Histogram {
    fn encode(&self, mut encoder: MetricEncoder<'_>) -> fmt::Result {
        let inner = &self.0;
        #[expect(
            clippy::cast_precision_loss,
            reason = "a sum of seconds is read by people"
        )]
        let seconds = |units: i64| units as f64 / inner.unit as f64;
        let counts: Vec<u64> = inner
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed))
            .collect();
        let bounds = inner
            .bounds
            .iter()
            .map(|bound| seconds(*bound))
            .chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds.zip(counts.iter().copied()).collect();
        let sum = seconds(inner.sum.load(Ordering::Relaxed));
        encoder.encode_histogram::<NoLabelSet>(sum, counts.iter().sum(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

impl TypedMetric for Histogram {
    const TYPE: MetricType = MetricType::Histogram;
}
