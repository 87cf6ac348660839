//! What is remembered of a batch: each of its items, under whatever others it comes again.

use serde_json::{Value, json};

use crate::harness::adyen::{batch, item};
use crate::harness::*;
use crate::refusals::assert_in_flight;

on_every_store!(
    an_item_twice_in_a_batch_is_malformed,
    a_delivered_item_in_another_batch_is_a_conflict,
    a_batch_that_the_app_refused_comes_again,
    an_item_that_is_at_the_app_is_claimed,
    a_batch_has_a_limit,
    batches_have_ids_of_their_own,
);

fn an_item_twice_in_a_batch_is_malformed(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app).on(&store));
    let (a, b) = (item(), item());
    for (nth, items) in [vec![&a, &a], vec![&a, &b, &a]].iter().enumerate() {
        let answer = kawal.send(&batch(items));
        assert_eq!(answer.status, 400, "{nth}: {answer:?}");
        assert_eq!(answer.json(), json!({"error": "malformed"}));
        assert_eq!(app.count(), 0);
    }
    // Other words around it do not make it another.
    let reason = {
        let mut item = a.clone();
        item["reason"] = "other".into();
        item
    };
    assert_eq!(kawal.send(&batch(&[&a, &reason])).status, 400);
    assert_eq!(app.count(), 0);
    // Nothing of it was taken for delivered.
    assert_eq!(kawal.send(&batch(&[&a, &b])).status, 200);
    assert_eq!(app.count(), 1);
}

fn a_delivered_item_in_another_batch_is_a_conflict(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app).on(&store));
    let (a, b, c) = (item(), item(), item());
    assert_eq!(kawal.send(&batch(&[&a, &b])).status, 200);
    let rows = [
        vec![&a],
        vec![&b],
        vec![&b, &a],
        vec![&a, &b, &c],
        vec![&c, &a],
        vec![&c, &b],
    ];
    for (nth, items) in rows.iter().enumerate() {
        let answer = kawal.send(&batch(items));
        assert_eq!(answer.status, 409, "{nth}: {answer:?}");
        assert_eq!(answer.json(), json!({"error": "conflict"}));
        assert_eq!(kawal.reason(nth + 2), "conflict");
        assert_eq!(app.count(), 1, "{nth} reached the app");
    }
    // None of those claimed what was new in it.
    assert_eq!(kawal.send(&batch(&[&c])).status, 200);
    assert_eq!(app.count(), 2);
    assert_eq!(kawal.send(&batch(&[&a, &b])).status, 200);
    assert_eq!(app.count(), 2);
}

fn a_batch_that_the_app_refused_comes_again(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app).on(&store));
    let (a, b) = (item(), item());
    app.next(Reply::new(500));
    assert_eq!(kawal.send(&batch(&[&a, &b])).status, 500);
    // All its items are free, together or apart.
    assert_eq!(kawal.send(&batch(&[&b])).status, 200);
    assert_eq!(kawal.send(&batch(&[&a, &b])).status, 409);
    assert_eq!(kawal.send(&batch(&[&a])).status, 200);
    assert_eq!(app.count(), 3);
}

fn an_item_that_is_at_the_app_is_claimed(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app).on(&store));
    let (a, b, c) = (item(), item(), item());
    app.next(Reply::ok().held());
    std::thread::scope(|scope| {
        let first = scope.spawn(|| kawal.send(&batch(&[&a, &b])));
        app.wait_for(1);
        assert_in_flight(&kawal.send(&batch(&[&a, &b])));
        // As for any notification, other content is at odds with what is on its way.
        for items in [vec![&b], vec![&c, &a]] {
            assert_eq!(kawal.send(&batch(&items)).status, 409);
        }
        assert_eq!(app.count(), 1);
        app.release();
        assert_eq!(first.join().unwrap().status, 200);
    });
    // The new one was not taken with it.
    assert_eq!(kawal.send(&batch(&[&c])).status, 200);
    assert_eq!(app.count(), 2);
}

fn a_batch_has_a_limit(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app).on(&store));
    let items: Vec<Value> = (0..65).map(|_| item()).collect();
    let all: Vec<&Value> = items.iter().collect();
    assert_eq!(kawal.send(&batch(&all)).status, 400);
    assert_eq!(app.count(), 0);
    assert_eq!(kawal.send(&batch(&all[1..])).status, 200);
    assert_eq!(kawal.send(&batch(&all[..1])).status, 200);
    assert_eq!(kawal.send(&batch(&all[64..])).status, 409);
    assert_eq!(app.count(), 2);
}

/// Apps know a notification by its id: batches with the same first item are not the same.
fn batches_have_ids_of_their_own(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app).on(&store));
    let (a, b, c) = (item(), item(), item());
    let mut ids = std::collections::BTreeSet::new();
    let batches = [vec![&a, &b], vec![&a, &c], vec![&a]];
    for (nth, items) in batches.iter().enumerate() {
        app.next(Reply::new(500));
        assert_eq!(kawal.send(&batch(items)).status, 500);
        let seen = app.wait_for(nth + 1).remove(nth);
        let id = seen.header("X-Kawal-Notification-Id").unwrap();
        assert!(ids.insert(id), "batch {nth} has the id of another");
    }
}
