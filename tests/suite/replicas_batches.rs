//! Batches over several replicas: whoever has an item has it for all of them.

use std::thread;

use serde_json::json;

use crate::harness::adyen::{batch, item};
use crate::harness::{App, Config, Kawal, Reply, Store};
use crate::refusals::assert_in_flight;

fn config(app: &App) -> Config {
    Config::kinds(app).on(&Store::Redis)
}

#[test]
fn an_item_that_was_delivered_at_another_replica_is_a_conflict_in_another_batch() {
    let app = App::start();
    let [one, other] = Kawal::replicas(&config(&app));
    let (a, b, c) = (item(), item(), item());
    assert_eq!(one.send(&batch(&[&a, &b])).status, 200);
    assert_eq!(other.send(&batch(&[&a, &b])).text(), "ok");
    let rows = [
        vec![&a],
        vec![&b, &a],
        vec![&a, &b, &c],
        vec![&c, &a],
        vec![&c, &b],
    ];
    for (nth, items) in rows.iter().enumerate() {
        for replica in [&other, &one] {
            let answer = replica.send(&batch(items));
            assert_eq!(answer.status, 409, "{nth}: {answer:?}");
            assert_eq!(answer.json(), json!({"error": "conflict"}));
        }
        assert_eq!(app.count(), 1, "{nth} reached the app");
    }
    // None of those claimed what was new in it.
    assert_eq!(one.send(&batch(&[&c])).status, 200);
    assert_eq!(app.count(), 2);
}

#[test]
fn a_batch_that_was_refused_at_one_replica_is_free_at_another() {
    let app = App::start();
    let [one, other] = Kawal::replicas(&config(&app));
    let (a, b) = (item(), item());
    for (replica, attempt) in [(&one, "1"), (&other, "2")] {
        app.next(Reply::new(500));
        assert_eq!(replica.send(&batch(&[&a, &b])).status, 500);
        let last = app.requests().pop().unwrap();
        assert_eq!(last.all("x-kawal-attempt"), [attempt]);
    }
    // All its items are free, together or apart, and were at the app twice.
    assert_eq!(one.send(&batch(&[&b])).status, 200);
    let last = app.requests().pop().unwrap();
    assert_eq!(last.all("x-kawal-attempt"), ["3"]);
    assert_eq!(other.send(&batch(&[&a, &b])).status, 409);
    assert_eq!(other.send(&batch(&[&a])).status, 200);
    assert_eq!(app.count(), 4);
}

#[test]
fn an_item_at_the_app_is_claimed_at_every_replica() {
    let app = App::start();
    let [one, other] = Kawal::replicas(&config(&app));
    let (a, b, c) = (item(), item(), item());
    app.next(Reply::ok().held());
    thread::scope(|scope| {
        let first = scope.spawn(|| one.send(&batch(&[&a, &b])));
        app.wait_for(1);
        assert_in_flight(&other.send(&batch(&[&a, &b])));
        for items in [vec![&b], vec![&c, &a]] {
            assert_eq!(other.send(&batch(&items)).status, 409);
        }
        assert_eq!(app.count(), 1);
        app.release();
        assert_eq!(first.join().unwrap().status, 200);
    });
    assert_eq!(other.send(&batch(&[&c])).status, 200);
    assert_eq!(app.count(), 2);
}

/// Each takes first what the other takes last: neither waits for the other, and no item arrives twice.
#[test]
fn of_batches_that_share_items_one_passes() {
    let app = App::start();
    let replicas: [Kawal; 2] = Kawal::replicas(&config(&app));
    for _ in 0..20 {
        let before = app.count();
        let items: Vec<_> = (0..8).map(|_| item()).collect();
        let there: Vec<_> = items.iter().collect();
        let back: Vec<_> = items.iter().rev().collect();
        let batches = [batch(&there), batch(&back)];
        thread::scope(|scope| {
            for (replica, batch) in replicas.iter().zip(&batches) {
                scope.spawn(move || {
                    let status = replica.send(batch).status;
                    assert!([200, 409, 503].contains(&status), "{status}");
                });
            }
        });
        assert!(app.count() - before <= 1, "both reached the app");
        // Where each had kept the other out, both are free again.
        let first = replicas[0].send(&batches[1]).status;
        let second = replicas[1].send(&batches[0]).status;
        let mut statuses = [first, second];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "one is delivered");
        assert_eq!(app.count() - before, 1, "each item once");
    }
}
