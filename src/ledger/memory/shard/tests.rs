//! The order in which entries leave, against a plain list of when each of them ends.

use super::*;
use crate::ledger::claim::Ending;
use crate::ledger::tests::{answer, attempt, memory_of};
use crate::rejection::Stored;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

const SECOND: Duration = Duration::from_secs(1);

#[derive(Clone, Debug)]
enum Step {
    /// Found where it is there, taken in where it is not.
    Add(u8, u32),
    Renew(u8, u32),
    Remove(u8),
    /// Up to so many of each queue.
    Forget(usize),
    Wait(u32),
}

fn step() -> impl Strategy<Value = Step> {
    // Three lengths of time at once, and sometimes another.
    let remember = || prop_oneof![9 => (1u32..4).prop_map(|n| n * 10), 1 => 1u32..100];
    prop_oneof![
        8 => (0u8..40, remember()).prop_map(|(key, remember)| Step::Add(key, remember)),
        4 => (0u8..40, remember()).prop_map(|(key, remember)| Step::Renew(key, remember)),
        2 => (0u8..40).prop_map(Step::Remove),
        2 => prop_oneof![Just(1), Just(2), Just(usize::MAX)].prop_map(Step::Forget),
        4 => (0u32..20).prop_map(Step::Wait),
    ]
}

/// Some have the same hash.
fn name(n: u8) -> Name {
    let (key, hash) = (Key([n; 32]), u32::from(n / 2));
    Name { key, hash }
}

fn entry(n: u8, phase: Phase, ends: Instant) -> Entry {
    Entry::new(name(n), [0; 32], phase, ends)
}

fn shard() -> (Shard, Capacity, Instant) {
    (Shard::new(), Capacity::new(usize::MAX), Instant::now())
}

impl Shard {
    /// Takes in an entry that counts.
    fn take(&mut self, n: u8, remember: Duration, now: Instant, capacity: &Capacity) {
        assert!(capacity.take(&capacity.live));
        self.add(entry(n, Phase::Granted(0), now + remember), remember);
    }

    /// Every entry stands in one queue, once, and nothing leaves before what it stands behind.
    fn is_in_order(&mut self) -> Result<(), TestCaseError> {
        let mut seen = 0;
        for number in 0..self.queues.len() {
            let Some(first) = self.queues[number].first else {
                continue;
            };
            let (mut place, mut before) = (first, None);
            loop {
                let ends = self.entries.get(index(place)).unwrap().ends;
                prop_assert!(before.is_none_or(|before| before <= ends));
                let order = *self.order(place).unwrap();
                prop_assert_eq!(index(order.queue), number);
                prop_assert_eq!(self.order(order.after).unwrap().before, place);
                (seen, before, place) = (seen + 1, Some(ends), order.after);
                prop_assert!(seen <= self.entries.len(), "a circle without an end");
                if place == first {
                    break;
                }
            }
        }
        prop_assert_eq!(seen, self.entries.len());
        Ok(())
    }
}

proptest! {
    #[test]
    fn everything_leaves_in_its_time(steps in proptest::collection::vec(step(), 1..200)) {
        let (mut shard, capacity, mut now) = shard();
        let mut ends = BTreeMap::new();
        for step in steps {
            match step {
                Step::Add(n, remember) => {
                    let is_there = ends.get(&n).is_some_and(|ends| *ends > now);
                    let found = shard.find(name(n), now, &capacity).map(|(_, entry)| entry.ends);
                    prop_assert_eq!(found, is_there.then(|| ends[&n]));
                    if !is_there {
                        shard.take(n, SECOND * remember, now, &capacity);
                        ends.insert(n, now + SECOND * remember);
                    }
                }
                Step::Renew(n, remember) => if let Some((place, _)) = shard.find_kept(name(n)) {
                    shard.renew(place, SECOND * remember, now);
                    let ends = ends.get_mut(&n).unwrap();
                    *ends = (*ends).max(now + SECOND * remember);
                },
                Step::Remove(n) => if let Some((place, _)) = shard.find_kept(name(n)) {
                    shard.remove(place, &capacity);
                    ends.remove(&n);
                },
                Step::Forget(most) => {
                    let before = shard.entries.len();
                    let forgotten = shard.forget(now, most, &capacity);
                    prop_assert_eq!(before - shard.entries.len(), forgotten);
                    let over = ends.values().filter(|ends| **ends <= now).count();
                    prop_assert!(forgotten == over || forgotten >= most);
                    ends.retain(|n, ends| *ends > now || shard.find_kept(name(*n)).is_some());
                }
                Step::Wait(seconds) => now += SECOND * seconds,
            }
            shard.is_in_order()?;
            prop_assert_eq!((shard.entries.len(), shard.table.len()), (ends.len(), ends.len()));
            for (n, ends) in &ends {
                let kept = shard.find_kept(name(*n)).map(|(_, entry)| (entry.name().key, entry.ends));
                prop_assert_eq!(kept, Some((name(*n).key, *ends)));
            }
            prop_assert_eq!(capacity.live.load(Ordering::Relaxed), ends.len());
        }
    }
}

#[test]
fn room_for_entries_is_given_back_when_they_leave() {
    let (mut shard, capacity, now) = shard();
    let empty = shard.table.num_buckets();
    for n in 0..200 {
        shard.take(n, SECOND * u32::from(n / 100 + 1), now, &capacity);
    }
    let full = shard.table.num_buckets();
    shard.forget(now + SECOND, usize::MAX, &capacity);
    assert_eq!(shard.entries.len(), 100);
    shard.forget(now + SECOND * 2, 70, &capacity);
    assert_eq!(shard.entries.len(), 30);
    assert!(shard.table.num_buckets() < full);
    // As many again come without more.
    assert!(shard.table.capacity() >= 60, "{}", shard.table.capacity());
    shard.forget(now + SECOND * 2, usize::MAX, &capacity);
    let left = (shard.entries.capacity(), shard.table.num_buckets());
    assert_eq!(left, (0, empty));
}

/// Configurations come and go, and with them the times for which entries are remembered.
#[test]
fn queues_are_not_more_than_times_in_use() {
    let (mut shard, capacity, mut now) = shard();
    for seconds in 1..100 {
        shard.take(1, SECOND * seconds, now, &capacity);
        now += SECOND * seconds;
        shard.forget(now, 1, &capacity);
    }
    assert_eq!(shard.queues.len(), 1);
}

#[test]
fn an_answer_that_was_given_before_is_kept_once() {
    let (mut shard, capacity, now) = shard();
    let stored = |body: &[u8]| {
        let (status, body) = (200, body.into());
        Packed::of(&Stored {
            status,
            content_type: None,
            body,
        })
    };
    let mut give = |n, body: &[u8]| {
        let answer = shard.shared(stored(body));
        assert!(capacity.take(&capacity.live));
        let delivered = entry(n, Phase::Delivered(answer.clone()), now + SECOND);
        let place = shard.add(delivered, SECOND);
        shard.answered(place);
        answer
    };
    let [first, second, other] = [give(1, b"OK"), give(2, b"OK"), give(3, b"no")];
    assert!(first.is(&second));
    assert!(!other.is(&first));
    assert_eq!(other, stored(b"no"));
    // Whatever stands in that place when it has left.
    shard.forget(now + SECOND, usize::MAX, &capacity);
    assert_eq!(shard.shared(stored(b"no")), stored(b"no"));
}

#[test]
fn a_memory_of_equal_answers_keeps_few_of_them() {
    let (memory, now) = (memory_of(1000), Instant::now());
    for n in 0..250 {
        let claimed = attempt(n, n, now);
        let hold = memory.claim(&claimed).unwrap();
        // From the fiftieth on the app says something else.
        let answer = answer(if n < 50 { 200 } else { 202 });
        memory.end(&claimed, hold, Ending::Delivered { answer, at: now });
    }
    let mut kept: Vec<Packed> = Vec::new();
    for shard in &*memory.shards {
        let shard = shard.lock();
        for place in 0..shard.entries.len() {
            match shard.entries.get(place).map(Entry::phase) {
                Some(Phase::Delivered(answer)) if !kept.iter().any(|one| one.is(answer)) => {
                    kept.push(answer.clone());
                }
                Some(Phase::Delivered(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    let most = 2 * memory.shards.len();
    assert!((2..=most).contains(&kept.len()), "{} of {most}", kept.len());
}
