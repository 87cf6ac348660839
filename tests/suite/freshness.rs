//! Late is not lost: what is old passes only when it was provably never delivered.

use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::json;

use crate::harness::gateway::written;
use crate::harness::{
    App, Config, Doku, Kawal, Qris, Reply, Store, ago, ahead, doku, now, on_every_store,
};

on_every_store!(
    a_late_notification_that_was_never_seen_is_delivered,
    a_late_repeat_of_a_delivered_one_gets_the_stored_answer,
    a_late_retry_of_a_refused_one_reaches_the_app_again,
    what_is_older_than_our_memory_is_unproven,
);

const MAX_AGE: Duration = Duration::from_secs(2);

/// Two seconds of youth, an hour of lateness.
pub fn strict(app: &App) -> Config {
    let window = json!({"max_age": "2s", "max_skew": "5m", "late": "1h"});
    let mut config = Config::new(app);
    for gateway in ["doku", "doku-qris"] {
        config = config
            .set(&format!("gateways.{gateway}.freshness"), window.clone())
            .set(&format!("gateways.{gateway}.remember"), "25h");
    }
    config
}

/// A signed time of whole seconds that surely lies after the start of everything so far, though clocks may
/// differ by as much as what is fresh may be old.
pub fn from_now_on() -> Timestamp {
    let next = Timestamp::now().as_second() + 3;
    Timestamp::from_second(next).unwrap()
}

/// Waits until what was signed then is older than `max_age`. The wait is what these stories are about.
pub fn let_it_age(signed: Timestamp) {
    let old: SystemTime = (signed + MAX_AGE + Duration::from_millis(1100)).into();
    if let Ok(rest) = old.duration_since(SystemTime::now()) {
        thread::sleep(rest);
    }
}

fn a_late_notification_that_was_never_seen_is_delivered(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(strict(&app).on(&store));
    let signed = from_now_on();
    let by_doku = Doku::new("{}").at(&written(signed)).sign();
    let by_qris = Qris::new().at(signed).sign();
    let_it_age(signed);

    for (nth, notification) in [by_doku, by_qris].iter().enumerate() {
        assert_eq!(kawal.send(notification).status, 200);
        let seen = app.wait_for(nth + 1).remove(nth);
        assert_eq!(seen.all("x-kawal-attempt"), ["1"]);
        // Once delivered it is known, late or not.
        assert_eq!(kawal.send(notification).status, 200);
        assert_eq!(app.count(), nth + 1);
    }
}

fn a_late_repeat_of_a_delivered_one_gets_the_stored_answer(store: Store) {
    let app = App::start();
    app.next(Reply::new(201).body("taken"));
    let kawal = Kawal::start(strict(&app).on(&store));
    let signed = from_now_on();
    let notification = Doku::new("{}").at(&written(signed)).sign();
    assert_eq!(kawal.send(&notification).status, 201);
    let_it_age(signed);

    let again = kawal.send(&notification);
    assert_eq!((again.status, again.text().as_str()), (201, "taken"));
    assert_eq!(app.count(), 1);
}

fn a_late_retry_of_a_refused_one_reaches_the_app_again(store: Store) {
    let app = App::start();
    app.next(Reply::new(500));
    let kawal = Kawal::start(strict(&app).on(&store));
    let signed = from_now_on();
    let notification = Doku::new("{}").at(&written(signed)).sign();
    assert_eq!(kawal.send(&notification).status, 500);
    let_it_age(signed);

    assert_eq!(kawal.send(&notification).status, 200);
    assert_eq!(app.requests()[1].all("x-kawal-attempt"), ["2"]);
}

fn what_is_older_than_our_memory_is_unproven(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(strict(&app).on(&store));
    let seconds = Duration::from_secs(10);
    let early = Doku::new("{}").at(&ago(seconds)).sign();
    assert_eq!(kawal.send(&early).status, 401);
    assert_eq!(kawal.reason(1), "unproven");
    let early = Qris::new().at(Timestamp::now() - seconds).sign();
    assert_eq!(kawal.send(&early).status, 401);
    assert_eq!(kawal.reason(2), "unproven");
    assert_eq!(app.count(), 0);
}

#[test]
fn a_restart_does_not_let_a_late_replay_in() {
    let app = App::start();
    let signed = from_now_on();
    let notification = Doku::new("{}").at(&written(signed)).sign();
    let first = Kawal::start(strict(&app));
    assert_eq!(first.send(&notification).status, 200);
    drop(first);
    let_it_age(signed);

    let second = Kawal::start(strict(&app));
    assert_eq!(second.send(&notification).status, 401);
    assert_eq!(second.reason(1), "unproven");
    assert_eq!(app.count(), 1);
}

#[test]
fn what_is_older_than_late_is_stale() {
    let app = App::start();
    let kawal = Kawal::start(strict(&app));
    for (nth, hours) in [2, 24, 24 * 365].iter().enumerate() {
        let old = ago(Duration::from_secs(hours * 3600));
        assert_eq!(kawal.send(&Doku::new("{}").at(&old).sign()).status, 401);
        assert_eq!(kawal.reason(nth + 1), "stale", "{hours} hours");
    }
    assert_eq!(app.count(), 0);
}

#[test]
fn a_signer_whose_clock_runs_ahead_is_believed_for_a_while() {
    let app = App::start();
    let kawal = Kawal::start(strict(&app));
    let minute = Duration::from_secs(60);
    let soon = Doku::new("{}").at(&ahead(4 * minute)).sign();
    assert_eq!(kawal.send(&soon).status, 200);
    let far = Doku::new("{}").at(&ahead(6 * minute)).sign();
    assert_eq!(kawal.send(&far).status, 401);
    assert_eq!(kawal.reason(2), "future");
    assert_eq!(app.count(), 1);
}

#[test]
fn the_edges_belong_to_the_window() {
    let app = App::start();
    let window = json!({"max_age": "60s", "max_skew": "60s", "late": "60s"});
    let kawal = Kawal::start(Config::new(&app).set("gateways.doku.freshness", window));
    let signed = |at: String| Doku::new("{}").at(&at).sign();
    let inside = Duration::from_secs(55);
    let outside = Duration::from_secs(65);
    for at in [now(), ago(inside), ahead(inside)] {
        assert_eq!(kawal.send(&signed(at.clone())).status, 200, "{at}");
    }
    for at in [ago(outside), ahead(outside)] {
        assert_eq!(kawal.send(&signed(at.clone())).status, 401, "{at}");
    }
    assert_eq!(app.count(), 3);
}

#[test]
fn without_lateness_old_is_old() {
    let app = App::start();
    let window = json!({"max_age": "2s", "max_skew": "5m", "late": "0s"});
    let config = Config::new(&app).set("gateways.doku.freshness", window);
    let kawal = Kawal::start(config);
    let signed = from_now_on();
    let notification = Doku::new("{}").at(&written(signed)).sign();
    let_it_age(signed);

    assert_eq!(kawal.send(&notification).status, 401);
    assert_eq!(kawal.reason(1), "stale");
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    assert_eq!(app.count(), 1);
}
