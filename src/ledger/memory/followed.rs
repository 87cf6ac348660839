//! Since when the memory is complete, for each basis.

use crate::ledger::Basis;
use jiff::Timestamp;
use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet};

/// What was delivered under another basis is not found under this one: a basis that was not in use for a while
/// is complete only since it is in use again.
#[derive(Debug)]
pub(super) struct Followed {
    started: Timestamp,
    bases: RwLock<Bases>,
}

#[derive(Debug, Default)]
struct Bases {
    /// `None` before the first were named.
    in_use: Option<BTreeSet<Basis>>,
    /// Those that came into use later than the memory itself.
    since: BTreeMap<Basis, Timestamp>,
}

impl Followed {
    /// A memory that begins then, with whatever bases are in use from its beginning.
    pub(super) fn new(started: Timestamp) -> Self {
        Self {
            started,
            bases: RwLock::default(),
        }
    }

    /// From now on, these are in use.
    pub(super) fn follow(&self, bases: &[Basis], now: Timestamp) {
        let next: BTreeSet<Basis> = bases.iter().copied().collect();
        let mut followed = self.bases.write();
        if let Some(before) = followed.in_use.replace(next.clone()) {
            let new = next.difference(&before).map(|basis| (*basis, now));
            followed.since.extend(new);
        }
    }

    /// Since when nothing that was delivered under this basis is missing.
    pub(super) fn since(&self, basis: Basis) -> Timestamp {
        let bases = self.bases.read();
        bases.since.get(&basis).copied().unwrap_or(self.started)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_basis_is_complete_since_it_is_in_use() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let [a, b, c] = [b"a", b"b", b"c"].map(|name| Basis::of([&name[..]]));
        let memory = Followed::new(at(0));
        memory.follow(&[a, b], at(0));
        let since = |all: [Basis; 3]| all.map(|basis| memory.since(basis).as_second());
        assert_eq!(since([a, b, a]), [0, 0, 0]);
        memory.follow(&[b, c], at(10));
        assert_eq!(since([b, c, b]), [0, 10, 0]);
        memory.follow(&[a, b], at(20));
        assert_eq!(since([a, b, b]), [20, 0, 0]);
        memory.follow(&[], at(30));
        memory.follow(&[a, c], at(40));
        assert_eq!(since([a, b, c]), [40, 0, 40]);
    }
}
