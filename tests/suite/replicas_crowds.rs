//! Many at once over several replicas: still each one once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Barrier};
use std::thread;

use crate::harness::adyen::{batch, item};
use crate::harness::tokens::access_token;
use crate::harness::{
    App, Config, Kawal, PATIENCE, Reply, Request, Response, Store, TokenRequest, doku,
};
use crate::refusals::assert_in_flight;

/// Sends copies over all these addresses at one moment; their answers come as they are given.
fn rush(request: &Request, copies: usize, addresses: &[SocketAddr]) -> Receiver<Response> {
    let start = Arc::new(Barrier::new(copies));
    let (sender, answers) = channel();
    for address in addresses.iter().copied().cycle().take(copies) {
        let (start, request, sender) = (Arc::clone(&start), request.clone(), sender.clone());
        thread::spawn(move || {
            start.wait();
            // Nobody listens any more where the test has failed.
            let _ = sender.send(request.send(address));
        });
    }
    answers
}

fn addresses(replicas: &[Kawal]) -> Vec<SocketAddr> {
    replicas.iter().map(Kawal::addr).collect()
}

fn one_of_two_hundred_passes(replicas: &[Kawal], app: &App) {
    const COPIES: usize = 200;
    app.next(Reply::ok().body("taken").held());
    let notification = doku("{}");
    let answers = rush(&notification, COPIES, &addresses(replicas));
    // Everybody but one is turned away while the app still thinks.
    for nth in 1..COPIES {
        let answer = answers.recv_timeout(PATIENCE);
        assert_in_flight(
            &answer.unwrap_or_else(|_| panic!("{nth} answers, {} at the app", app.count())),
        );
    }
    assert_eq!(app.count(), 1);
    app.release();
    let last = answers.recv_timeout(PATIENCE).unwrap();
    assert_eq!((last.status, &*last.text()), (200, "taken"));
    for replica in replicas {
        assert_eq!(replica.send(&notification).text(), "taken");
    }
    assert_eq!(app.count(), 1);
}

#[test]
fn of_two_hundred_copies_at_once_two_replicas_let_one_pass() {
    let app = App::start();
    let replicas: [Kawal; 2] = Kawal::replicas(&Config::new(&app).on(&Store::Redis));
    one_of_two_hundred_passes(&replicas, &app);
}

#[test]
fn of_two_hundred_copies_at_once_four_replicas_let_one_pass() {
    let app = App::start();
    let replicas: [Kawal; 4] = Kawal::replicas(&Config::new(&app).on(&Store::Redis));
    one_of_two_hundred_passes(&replicas, &app);
}

/// Whoever has the batch has its items too: copies do not keep each other out.
#[test]
fn of_copies_of_a_batch_one_passes_at_once() {
    let app = App::start();
    let replicas: [Kawal; 4] = Kawal::replicas(&Config::kinds(&app).on(&Store::Redis));
    for round in 1..=10 {
        let items: Vec<_> = (0..8).map(|_| item()).collect();
        let request = batch(&items.iter().collect::<Vec<_>>());
        let answers = rush(&request, 12, &addresses(&replicas));
        let answers: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert!(answers.contains(&200), "{answers:?}");
        let known = |status: &u16| [200, 503].contains(status);
        assert!(answers.iter().all(known), "{answers:?}");
        assert_eq!(app.count(), round, "one a round");
    }
}

#[test]
fn copies_that_race_with_the_answer_over_replicas_never_reach_the_app() {
    let app = App::start();
    let replicas: [Kawal; 4] = Kawal::replicas(&Config::new(&app).on(&Store::Redis));
    for round in 1..=20 {
        let answers = rush(&doku("{}"), 12, &addresses(&replicas));
        let answers: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        assert!(answers.contains(&200), "{answers:?}");
        let known = |status: &u16| [200, 503].contains(status);
        assert!(answers.iter().all(known), "{answers:?}");
        assert_eq!(app.count(), round, "one a round");
    }
}

/// A refusal sets it free in the middle of the crowd: it comes again, and never two at a time.
#[test]
fn copies_that_race_with_refusals_count_every_attempt() {
    let app = App::start();
    let replicas: [Kawal; 4] = Kawal::replicas(&Config::new(&app).on(&Store::Redis));
    for _ in 0..10 {
        let before = app.count();
        app.answer_with(
            |request| match &*request.header("x-kawal-attempt").unwrap() {
                "3" => Reply::ok(),
                _ => Reply::new(500),
            },
        );
        let notification = doku("{}");
        let answers = rush(&notification, 12, &addresses(&replicas));
        assert_eq!(answers.iter().count(), 12);
        // As many more as it takes, should the crowd have come in too few waves.
        assert!((0..100).any(|_| replicas[0].send(&notification).status == 200));
        let seen = app.requests().split_off(before);
        let attempts: Vec<_> = seen.iter().map(|r| r.all("x-kawal-attempt")).collect();
        assert_eq!(attempts, [["1"], ["2"], ["3"]]);
    }
}

#[test]
fn a_hundred_notifications_over_four_replicas_reach_the_app_once_each() {
    const NOTIFICATIONS: usize = 100;
    let app = App::start();
    let replicas: [Kawal; 4] = Kawal::replicas(&Config::new(&app).on(&Store::Redis));
    let all: Vec<_> = (0..NOTIFICATIONS)
        .map(|n| doku(format!("{{\"n\":{n}}}")))
        .collect();
    // Each replica gets all of them, from another one on.
    thread::scope(|scope| {
        for (nth, replica) in replicas.iter().enumerate() {
            let all = &all;
            scope.spawn(move || {
                for at in 0..NOTIFICATIONS {
                    let notification = &all[(at + nth * NOTIFICATIONS / 16) % NOTIFICATIONS];
                    let status = replica.send(notification).status;
                    assert!([200, 503].contains(&status), "{status}");
                }
            });
        }
    });
    let mut counts = BTreeMap::new();
    for request in app.requests() {
        *counts.entry(request.text()).or_insert(0) += 1;
    }
    assert_eq!(counts.len(), NOTIFICATIONS, "some never came");
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    // What a copy was turned away from is delivered by now, everywhere.
    for (nth, notification) in all.iter().enumerate() {
        assert_eq!(replicas[nth % 4].send(notification).text(), "ok");
    }
    assert_eq!(app.count(), NOTIFICATIONS);
}

#[test]
fn a_request_that_comes_to_all_replicas_at_once_gets_one_token() {
    let app = App::start();
    let replicas: [Kawal; 4] = Kawal::replicas(&Config::snap(&app).on(&Store::Redis));
    let request = TokenRequest::new().sign();
    let answers = rush(&request, 24, &addresses(&replicas));
    let mut tokens: Vec<_> = answers.iter().map(|answer| access_token(&answer)).collect();
    assert_eq!(tokens.len(), 24);
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    assert_eq!(app.connections(), 0);
}
