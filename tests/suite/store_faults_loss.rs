//! A store that lost what it had acknowledged, without anybody being cut off.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{Deployment, Moment, PATIENCE, Redis, fresh};

/// What is written at all keys of this kind, by shard.
fn values(store: &Redis, kind: &str, read: &[&str]) -> BTreeMap<String, u64> {
    let keys = store.keys().into_iter().filter(|key| key.contains(kind));
    keys.map(|key| {
        let (shard, _) = key.split_once('}').unwrap();
        let words: Vec<_> = [&read[..1], &[&*key], &read[1..]].concat();
        let number = store.command(&words).text().parse().unwrap();
        (shard.to_owned(), number)
    })
    .collect()
}

fn recorded(store: &Redis) -> BTreeMap<String, u64> {
    values(store, "}:mark:", &["GET"])
}

fn began(store: &Redis) -> BTreeMap<String, u64> {
    values(store, "}:memory", &["HGET", "since"])
}

/// Delivers until the marks are as wanted.
fn deliver_until(shop: &Deployment, holds: impl Fn(&BTreeMap<String, u64>) -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds(&recorded(&shop.store)) {
        assert!(Instant::now() < until, "{:?}", recorded(&shop.store));
        shop.delivers(&fresh());
    }
}

/// A node of a cluster may be taken over by one that lacks the last deliveries, and those that follow
/// make up for their number before anybody looks.
#[test]
fn a_loss_that_later_deliveries_make_up_for_is_noticed() {
    let shop = Deployment::with(Redis::start(), |config| config.with_short_youth());
    let moment = Moment::to_come();
    let unseen = moment.notification();
    deliver_until(&shop, |marks| marks.len() == 16);
    moment.grow_late();
    let (before, marks) = (began(&shop.store), recorded(&shop.store));
    for key in shop
        .store
        .keys()
        .iter()
        .filter(|key| key.contains("}:mark:"))
    {
        shop.store.command(&["DECR", key]);
    }
    deliver_until(&shop, |now| {
        now.iter().all(|(shard, number)| *number >= marks[shard])
    });
    let until = Instant::now() + PATIENCE;
    let anew = |now: BTreeMap<String, u64>| now.iter().all(|(shard, since)| *since > before[shard]);
    while !anew(began(&shop.store)) {
        assert!(Instant::now() < until, "{:?}", began(&shop.store));
        thread::sleep(Duration::from_millis(20));
    }
    shop.cannot_prove(&unseen);
    shop.was_always_up();
}
