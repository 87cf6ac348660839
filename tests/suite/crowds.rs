//! Many at once, or more than there is room for: still each one once.

use std::sync::{Arc, Barrier};
use std::thread;

use serde_json::json;

use crate::harness::{App, Config, Kawal, Reply, Store, doku, on_every_store};
use crate::refusals::assert_in_flight;

on_every_store!(
    of_fifty_copies_at_once_one_reaches_the_app,
    copies_that_race_with_the_answer_never_reach_the_app,
);

fn of_fifty_copies_at_once_one_reaches_the_app(store: Store) {
    const COPIES: usize = 50;
    let app = App::start();
    app.next(Reply::ok().body("taken").held());
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notification = doku("{}");
    let start = Arc::new(Barrier::new(COPIES));
    let address = kawal.addr();
    let senders: Vec<_> = (0..COPIES)
        .map(|_| {
            let (start, notification) = (Arc::clone(&start), notification.clone());
            thread::spawn(move || {
                start.wait();
                notification.send(address)
            })
        })
        .collect();
    // Everybody but one is turned away while the app still thinks.
    let turned_away = kawal.notifications(COPIES - 1);
    app.release();
    let answers: Vec<_> = senders.into_iter().map(|s| s.join().unwrap()).collect();

    let (taken, others): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 200);
    assert_eq!(taken.len(), 1);
    assert_eq!(others.len(), COPIES - 1);
    others.into_iter().for_each(assert_in_flight);
    assert!(turned_away.iter().all(|line| line["reason"] == "in_flight"));
    assert_eq!(app.count(), 1);
    assert_eq!(kawal.send(&notification).text(), "taken");
    assert_eq!(app.count(), 1);
}

fn copies_that_race_with_the_answer_never_reach_the_app(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    for round in 1..=10 {
        let notification = doku("{}");
        let address = kawal.addr();
        let senders: Vec<_> = (0..8)
            .map(|_| notification.clone())
            .map(|copy| thread::spawn(move || copy.send(address).status))
            .collect();
        let answers: Vec<_> = senders.into_iter().map(|s| s.join().unwrap()).collect();
        assert!(answers.contains(&200), "{answers:?}");
        assert!(
            answers.iter().all(|s| [200, 503].contains(s)),
            "{answers:?}"
        );
        assert_eq!(app.count(), round, "one a round");
    }
}

#[test]
fn a_full_ledger_refuses_and_forgets_nobody() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("replay.capacity", 3));
    let known: Vec<_> = (0..3).map(|n| doku(format!("{{\"n\":{n}}}"))).collect();
    for notification in &known {
        assert_eq!(kawal.send(notification).status, 200);
    }
    let more: Vec<_> = (3..20).map(|n| doku(format!("{{\"n\":{n}}}"))).collect();
    for (nth, notification) in more.iter().enumerate() {
        let answer = kawal.send(notification);
        assert_eq!(answer.status, 503);
        assert!(answer.has("retry-after"));
        assert_eq!(answer.json(), json!({"error": "saturated"}));
        assert_eq!(kawal.reason(nth + 4), "saturated");
    }
    for notification in &known {
        assert_eq!(
            kawal.send(notification).status,
            200,
            "a live one was forgotten"
        );
    }
    assert_eq!(app.count(), 3);
}

#[test]
fn what_the_app_refused_takes_no_place_in_the_ledger() {
    let app = App::answering(Reply::new(500));
    let kawal = Kawal::start(Config::new(&app).set("replay.capacity", 3));
    for n in 0..10 {
        assert_eq!(kawal.send(&doku(format!("{{\"n\":{n}}}"))).status, 500);
    }
    app.answer_with(|_| Reply::ok());
    assert_eq!(kawal.send(&doku("{}")).status, 200);
}
