//! Since when a shard has forgotten nothing, on a real server.

use super::super::marks::Marks;
use super::{LEASE, Server, Store, attempt};
use crate::ledger::{Attempt, Basis};
use crate::rejection::Rejection;
use ::redis::cmd;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use std::time::Duration;

/// Of all keys that tests make.
pub(super) const SHARD: char = '0';

/// What is looked at, as told by one process.
fn look(store: &mut Store, marks: &Marks, bases: &[Basis], ours: Timestamp) {
    let mark = marks.of(SHARD);
    let call = store.scripts.check((SHARD, mark), true, bases, ours);
    let number = call.invoke(&mut store.connection).unwrap();
    marks.told(SHARD, mark, number);
}

/// One in the shard that passes only if nothing was forgotten since so long ago.
fn late(key: u8, ago: Duration, basis: Basis) -> Attempt {
    let ago = SignedDuration::try_from(ago).unwrap();
    Attempt {
        unseen_since: Some(Timestamp::now() - ago),
        basis,
        ..attempt(key, 0)
    }
}

/// The shard has been complete for an hour, it says.
fn age(store: &mut Store) {
    let since = (Timestamp::now() - 1.hours()).as_millisecond();
    let key = format!("test:{{{SHARD}}}:memory");
    let bases: String = cmd("HGET")
        .arg(&key)
        .arg("bases")
        .query(&mut store.connection)
        .unwrap();
    let aged = |entry: &str| format!("{} {since}", entry.split_once(' ').unwrap().0);
    let bases: Vec<_> = bases.split(',').map(aged).collect();
    let set = cmd("HSET")
        .arg(&key)
        .arg(&[("since", since), ("turned", since)])
        .arg("bases")
        .arg(bases.join(","))
        .to_owned();
    set.exec(&mut store.connection).unwrap();
}

const AGO: Duration = Duration::from_secs(600);

/// A delivery that the store acknowledged.
fn deliver(store: &mut Store, marks: &Marks, key: u8) {
    let attempt = attempt(key, 0);
    store.claim(&attempt, 1).unwrap();
    let answer = super::answer("taken");
    let call = store.scripts.settle(&attempt, 1, &answer);
    let (_, _, number): (i64, i64, i64) = call.invoke(&mut store.connection).unwrap();
    marks.acknowledge(SHARD, number);
}

#[test]
fn looks_that_come_late_or_twice_take_nothing_away() {
    let server = Server::start();
    let (mut store, marks, early) = (server.store(), Marks::default(), Marks::default());
    look(&mut store, &marks, &[Basis::default()], Timestamp::now());
    age(&mut store);
    deliver(&mut store, &marks, 1);
    deliver(&mut store, &marks, 2);
    // Sent before both, executed after them.
    look(&mut store, &early, &[Basis::default()], Timestamp::now());
    look(&mut store, &marks, &[Basis::default()], Timestamp::now());
    let claimed = store.claim(&late(3, AGO, Basis::default()), 2);
    assert_eq!(claimed, Ok(1), "nothing was lost");
}

#[test]
fn a_store_with_less_than_it_acknowledged_begins_anew() {
    let server = Server::start();
    let (mut store, marks) = (server.store(), Marks::default());
    look(&mut store, &marks, &[Basis::default()], Timestamp::now());
    deliver(&mut store, &marks, 1);
    let dump = format!("test:{{{SHARD}}}:mark:process");
    let before: Vec<u8> = cmd("DUMP").arg(&dump).query(&mut store.connection).unwrap();
    deliver(&mut store, &marks, 2);
    let back = cmd("RESTORE")
        .arg(&dump)
        .arg(0)
        .arg(before)
        .arg("REPLACE")
        .to_owned();
    back.exec(&mut store.connection).unwrap();
    age(&mut store);
    look(&mut store, &marks, &[Basis::default()], Timestamp::now());
    let claimed = store.claim(&late(3, AGO, Basis::default()), 2);
    assert_eq!(claimed, Err(Rejection::Unproven));
    // Once: it is complete from then on.
    age(&mut store);
    look(&mut store, &marks, &[Basis::default()], Timestamp::now());
    assert_eq!(store.claim(&late(3, AGO, Basis::default()), 2), Ok(1));
}

#[test]
fn a_delivery_that_is_never_recorded_is_a_gap_that_is_told_once() {
    let server = Server::start();
    let (mut store, marks) = (server.store(), Marks::default());
    look(&mut store, &marks, &[Basis::default()], Timestamp::now());
    age(&mut store);
    marks.miss(SHARD);
    look(&mut store, &marks, &[Basis::default()], Timestamp::now());
    let late = late(1, AGO, Basis::default());
    assert_eq!(store.claim(&late, 1), Err(Rejection::Unproven));
    age(&mut store);
    look(&mut store, &marks, &[Basis::default()], Timestamp::now());
    assert_eq!(store.claim(&late, 1), Ok(1));
}

#[test]
fn whoever_has_no_bases_strikes_none_out() {
    let server = Server::start();
    let (mut store, marks) = (server.store(), Marks::default());
    let basis = Basis::of([&b"ours"[..]]);
    look(&mut store, &marks, &[basis], Timestamp::now());
    age(&mut store);
    look(&mut store, &Marks::default(), &[], Timestamp::now());
    assert_eq!(store.claim(&late(1, AGO, basis), 1), Ok(1));
}

#[test]
fn each_basis_is_known_since_it_was_first_seen() {
    let server = Server::start();
    let (mut store, marks) = (server.store(), Marks::default());
    let [old, new] = ["old", "new"].map(|name| Basis::of([name.as_bytes()]));
    look(&mut store, &marks, &[old], Timestamp::now());
    age(&mut store);
    look(&mut store, &marks, &[old, new], Timestamp::now());
    assert_eq!(store.claim(&late(1, AGO, old), 1), Ok(1));
    let unproven = Err(Rejection::Unproven);
    assert_eq!(store.claim(&late(2, AGO, new), 1), unproven);
    let other = Basis::of([]);
    assert_eq!(store.claim(&late(2, AGO, other), 1), unproven);
}

/// While replicas of two configurations run, and when one of them was rolled back.
#[test]
fn a_basis_that_somebody_does_without_begins_anew() {
    let server = Server::start();
    let (mut store, marks) = (server.store(), Marks::default());
    let [common, old, new] = ["common", "old", "new"].map(|name| Basis::of([name.as_bytes()]));
    look(&mut store, &marks, &[common, old], Timestamp::now());
    age(&mut store);
    look(&mut store, &marks, &[common, new], Timestamp::now());
    look(&mut store, &marks, &[common, old], Timestamp::now());
    let unproven = Err(Rejection::Unproven);
    assert_eq!(store.claim(&late(1, AGO, old), 1), unproven);
    assert_eq!(store.claim(&late(1, AGO, new), 1), unproven);
    assert_eq!(store.claim(&late(1, AGO, common), 1), Ok(1));
}

/// Whoever knows that it lacks something has to have looked first.
#[test]
fn what_is_late_waits_until_all_have_looked_at_a_store_that_was_started_anew() {
    let server = Server::start();
    let (mut store, marks) = (server.store(), Marks::default());
    look(&mut store, &marks, &[Basis::default()], Timestamp::now());
    age(&mut store);
    let memory = format!("test:{{{SHARD}}}:memory");
    let now = Timestamp::now().as_millisecond();
    let turned = cmd("HSET").arg(&memory).arg("turned").arg(now).to_owned();
    turned.exec(&mut store.connection).unwrap();
    let late = late(1, AGO, Basis::default());
    assert_eq!(store.claim(&late, 1), Err(Rejection::StoreDown));
    age(&mut store);
    assert_eq!(store.claim(&late, 1), Ok(1));
}

/// What was signed is measured by our clock, and the store's may be behind.
#[test]
fn it_begins_by_the_later_of_two_clocks() {
    let server = Server::start();
    let (mut store, marks) = (server.store(), Marks::default());
    let ahead = Timestamp::now() + 20.seconds();
    look(&mut store, &marks, &[Basis::default()], ahead);
    let mut signed = late(1, Duration::ZERO, Basis::default());
    signed.unseen_since = Some(Timestamp::now() + 10.seconds());
    let call = store.scripts.claim(&signed, 1, ahead);
    let claimed = call.invoke(&mut store.connection).unwrap();
    assert!(matches!(claimed, super::Claimed::Not(Rejection::Unproven)));
}

#[test]
fn a_clock_that_is_set_back_holds_nothing_beyond_its_lease() {
    let server = Server::start();
    let mut store = server.store();
    let held = attempt(1, 0);
    store.claim(&held, 1).unwrap();
    store.change_entries("entry[5] = entry[5] + 3600000");
    let again = store.claim(&held, 2);
    let Err(Rejection::InFlight { wait }) = again else {
        panic!("{again:?}");
    };
    assert!(wait <= LEASE, "{wait:?}");
}
