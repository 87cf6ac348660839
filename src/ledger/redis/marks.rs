//! Whether the store still has what it acknowledged.

use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};

/// Numbers of this process' writes. The store keeps the last one of each shard; where it comes back with
/// a lower one than it acknowledged, it has lost writes: it shows older data, or a replica that had not
/// got them yet has taken over.
#[derive(Debug, Default)]
pub(super) struct Marks {
    last: AtomicI64,
    acknowledged: Mutex<HashMap<char, i64>>,
}

/// More than any write's number. Exact in the store's numbers, which are doubles.
const NEVER: i64 = 1 << 53;

impl Marks {
    /// The number of a new write.
    pub(super) fn next(&self) -> i64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// The highest number that a shard has acknowledged.
    pub(super) fn known(&self, shard: char) -> i64 {
        let acknowledged = self.acknowledged.lock();
        acknowledged.get(&shard).copied().unwrap_or_default()
    }

    /// A shard has acknowledged a write, by somebody who knew of `known`.
    pub(super) fn acknowledge(&self, shard: char, known: i64, number: i64) {
        let mut acknowledged = self.acknowledged.lock();
        let highest = acknowledged.entry(shard).or_default();
        // Its memory begins anew with this write, unless something else was lost in the meantime.
        if *highest < NEVER || known == NEVER {
            *highest = number.max(if known == NEVER { 0 } else { *highest });
        }
    }

    /// A delivery could not be written: the shard's memory has a gap.
    pub(super) fn forget(&self, shard: char) {
        self.acknowledged.lock().insert(shard, NEVER);
    }
}
