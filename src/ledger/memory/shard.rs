//! A part of the memory: its entries, and the order in which they leave.

mod order;

pub(super) use order::Order;

use super::answer::Packed;
use super::chunks::Chunks;
use super::entry::{Capacity, Entry, Phase};
use crate::ledger::Key;
use hashbrown::HashTable;
use order::{Queue, index, number};
use std::time::{Duration, Instant};

/// Entries, side by side and without gaps, and a table that finds them. What is remembered for equally long
/// stands in one queue, in the order in which its time began, so that whatever is over stands in front.
///
/// A queue is a circle of entries that know their neighbours by their places. An entry that leaves has its
/// place taken by the last one, so a place is good until something leaves.
#[derive(Debug)]
pub(super) struct Shard {
    table: HashTable<u32>,
    entries: Chunks<Entry>,
    queues: Vec<Queue>,
    /// The place in which an answer was given last.
    answered: u32,
}

/// A key and a part of its hash, which nobody can choose.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    pub(super) key: Key,
    pub(super) hash: u32,
}

impl Name {
    /// A table looks at the lowest and at the highest bits.
    fn spread(self) -> u64 {
        u64::from(self.hash) << 32 | u64::from(self.hash)
    }
}

impl Shard {
    pub(super) const fn new() -> Self {
        Self {
            table: HashTable::new(),
            entries: Chunks::new(),
            queues: Vec::new(),
            answered: 0,
        }
    }

    /// What is known then, and its place.
    pub(super) fn find(
        &mut self,
        name: Name,
        now: Instant,
        capacity: &Capacity,
    ) -> Option<(u32, &mut Entry)> {
        let place = self.place(name)?;
        if self.is_over(place, now) {
            self.remove(place, capacity);
            return None;
        }
        Some((place, self.entries.get_mut(index(place))?))
    }

    /// Whatever is kept, perhaps for longer than it had to be, and its place.
    pub(super) fn find_kept(&mut self, name: Name) -> Option<(u32, &mut Entry)> {
        let place = self.place(name)?;
        Some((place, self.entries.get_mut(index(place))?))
    }

    /// Takes in what is not kept yet, for so long.
    pub(super) fn add(&mut self, entry: Entry, remember: Duration) -> u32 {
        let (place, hash) = (number(self.entries.len()), entry.name().spread());
        self.entries.push(entry);
        let entries = &self.entries;
        self.table
            .insert_unique(hash, place, |place| spread(entries, *place));
        self.append(place, remember);
        place
    }

    /// Its time begins anew, if it does not end earlier by that: under another configuration, entries may be
    /// remembered for less.
    pub(super) fn renew(&mut self, place: u32, remember: Duration, now: Instant) {
        let ends = now + remember;
        if self
            .entries
            .get(index(place))
            .is_some_and(|entry| entry.ends < ends)
        {
            self.detach(place);
            if let Some(entry) = self.entries.get_mut(index(place)) {
                entry.ends = ends;
            }
            self.append(place, remember);
        }
    }

    /// Removes an entry; another one may be in its place then.
    pub(super) fn remove(&mut self, place: u32, capacity: &Capacity) {
        self.detach(place);
        let last = number(self.entries.len().saturating_sub(1));
        let Some(entry) = self.entries.swap_remove(index(place)) else {
            return;
        };
        capacity.leave(&entry);
        let is_it = |other: &u32| *other == place;
        if let Ok(found) = self.table.find_entry(entry.name().spread(), is_it) {
            found.remove();
        }
        if let Some(moved) = self.entries.get(index(place)) {
            let was_last = |other: &u32| *other == last;
            if let Some(found) = self.table.find_mut(moved.name().spread(), was_last) {
                *found = place;
            }
            self.moved(last, place);
        }
    }

    /// Removes what is over, up to so many of each queue: how many there were.
    pub(super) fn forget(&mut self, now: Instant, most: usize, capacity: &Capacity) -> usize {
        let mut forgotten = 0;
        for queue in 0..self.queues.len() {
            for _ in 0..most {
                match self.queues.get(queue).and_then(|queue| queue.first) {
                    Some(place) if self.is_over(place, now) => self.remove(place, capacity),
                    Some(_) | None => break,
                }
                forgotten += 1;
            }
        }
        if forgotten > 0 {
            self.shrink();
        }
        forgotten
    }

    /// The same answer; the very one that was given last, where it is the same: most apps have only one, and
    /// it is kept once.
    pub(super) fn shared(&self, answer: Packed) -> Packed {
        match self.entries.get(index(self.answered)).map(Entry::phase) {
            Some(Phase::Delivered(known)) if *known == answer => known.clone(),
            Some(_) | None => answer,
        }
    }

    /// In this place an answer was given.
    pub(super) fn answered(&mut self, place: u32) {
        self.answered = place;
    }

    fn place(&self, name: Name) -> Option<u32> {
        let is_it = |place: &u32| {
            let entry = self.entries.get(index(*place));
            entry.is_some_and(|entry| entry.name().key == name.key)
        };
        self.table.find(name.spread(), is_it).copied()
    }

    fn is_over(&self, place: u32, now: Instant) -> bool {
        let entry = self.entries.get(index(place));
        entry.is_some_and(|entry| entry.ends <= now)
    }

    /// Gives memory of the table back when three quarters are empty; room for as many as are left stays.
    fn shrink(&mut self) {
        let taken = self.entries.len();
        if taken < self.table.num_buckets() / 4 {
            let entries = &self.entries;
            self.table
                .shrink_to(taken * 2, |place| spread(entries, *place));
        }
    }
}

/// The hash of the entry in a place.
fn spread(entries: &Chunks<Entry>, place: u32) -> u64 {
    let entry = entries.get(index(place));
    entry.map_or(0, |entry| entry.name().spread())
}

#[cfg(test)]
mod tests;
