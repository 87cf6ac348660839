//! What came of the notifications of the last minutes.

use super::GatewayMetrics;
use crate::settle::Outcome;
use parking_lot::Mutex;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// One bar of the picture.
pub const EVERY: Duration = Duration::from_secs(10);
const BARS: usize = 60;

type Counts = [u64; Outcome::LABELS.len()];

/// The last minutes of every gateway. Made of the counters from time to time, so that counting knows nothing of
/// it.
#[derive(Debug, Default)]
pub struct Picture(Mutex<HashMap<Arc<str>, Bars>>);

#[derive(Debug)]
struct Bars {
    /// The counters at the end of the last whole bar.
    before: Counts,
    whole: VecDeque<Counts>,
}

impl Picture {
    /// Ends a bar.
    pub fn advance<'a>(&self, gateways: impl Iterator<Item = &'a GatewayMetrics>) {
        let mut all = self.0.lock();
        let mut gone: HashSet<Arc<str>> = all.keys().cloned().collect();
        for gateway in gateways {
            gone.remove(&gateway.name);
            let now = gateway.outcomes();
            let bars = all
                .entry(Arc::clone(&gateway.name))
                .or_insert_with(Bars::new);
            bars.whole.push_back(less(now, bars.before));
            bars.before = now;
            if bars.whole.len() >= BARS {
                bars.whole.pop_front();
            }
        }
        // Time passes for those that come back too.
        let gone = all.iter_mut().filter(|(name, _)| gone.contains(*name));
        gone.for_each(|(_, bars)| bars.whole.clear());
    }

    /// The bars of a gateway, oldest first; the last is not over yet.
    #[must_use]
    pub fn of(&self, gateway: &GatewayMetrics) -> Vec<Counts> {
        let all = self.0.lock();
        let (before, whole) = all
            .get(&gateway.name)
            .map_or((Counts::default(), None), |bars| {
                (bars.before, Some(&bars.whole))
            });
        let whole: Vec<Counts> = whole.into_iter().flatten().copied().collect();
        let missing = (BARS - 1).saturating_sub(whole.len());
        let mut counts = vec![Counts::default(); missing];
        counts.extend(whole);
        counts.push(less(gateway.outcomes(), before));
        counts
    }
}

impl Bars {
    fn new() -> Self {
        Self {
            before: Counts::default(),
            whole: VecDeque::new(),
        }
    }
}

fn less(now: Counts, before: Counts) -> Counts {
    let mut counts = now;
    for (count, before) in counts.iter_mut().zip(before) {
        *count = count.saturating_sub(before);
    }
    counts
}
