//! Whether the store still has what it acknowledged.

use crate::ledger::Key;
use parking_lot::Mutex;

/// Parts of the key space that remember by themselves since when they are complete: in a cluster,
/// one node may lose its data alone.
pub(super) const SHARDS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
];

/// The first hex digit of a key.
pub(super) fn shard(key: Key) -> char {
    char::from_digit(u32::from(key.first() >> 4), 16).unwrap_or('0')
}

/// How many of this process' deliveries each shard has acknowledged. The store counts them too; where it comes
/// back with less, it has lost some: it shows older data, or a replica that had not got them yet has
/// taken over.
#[derive(Debug, Default)]
pub(super) struct Marks(Mutex<[Mark; SHARDS.len()]>);

/// What is known of one shard.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mark {
    /// The most that it has acknowledged.
    pub(super) acknowledged: i64,
    /// Deliveries that will never be recorded.
    missed: u64,
    /// Those of them of which the shard has been told.
    told: u64,
}

impl Mark {
    /// Whether its memory has a gap of which it was not told.
    pub(super) fn lacks(self) -> bool {
        self.told < self.missed
    }
}

impl Marks {
    pub(super) fn of(&self, shard: char) -> Mark {
        self.change(shard, |mark| *mark)
    }

    pub(super) fn acknowledge(&self, shard: char, number: i64) {
        self.change(shard, |mark| {
            mark.acknowledged = mark.acknowledged.max(number);
        });
    }

    /// A delivery will never be recorded.
    pub(super) fn miss(&self, shard: char) {
        self.change(shard, |mark| mark.missed += 1);
    }

    /// The shard was told what was known of it, and has so many by now.
    pub(super) fn told(&self, shard: char, known: Mark, number: i64) {
        self.change(shard, |mark| {
            mark.told = mark.told.max(known.missed);
            mark.acknowledged = mark.acknowledged.max(number);
        });
    }

    fn change<T: Default>(&self, shard: char, how: impl FnOnce(&mut Mark) -> T) -> T {
        let at = SHARDS.iter().position(|other| *other == shard);
        let mut marks = self.0.lock();
        at.and_then(|at| marks.get_mut(at))
            .map(how)
            .unwrap_or_default()
    }
}
