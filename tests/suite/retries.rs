//! A retry is not a replay: what the app has not taken, it gets again.

use std::io::{Read, Write};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::gateway::{MCH, MCH_NEW_SECRET, MCH_OLD_SECRET};
use crate::harness::{
    App, Config, Connection, Doku, Kawal, Qris, Recorded, Reply, Request, Store, Vacant, ago, doku,
    now, on_every_store, pivot,
};
use crate::refusals::assert_in_flight;

on_every_store!(
    a_refused_notification_comes_again_until_the_app_takes_it,
    any_whole_refusal_frees_the_notification,
    any_success_settles_the_notification,
    a_retry_that_was_signed_anew_is_the_same_notification,
    the_other_secret_of_a_rotation_makes_no_other_notification,
    an_app_that_was_away_gets_it_as_a_first_attempt,
    a_gateway_that_hangs_up_takes_nothing_back,
    every_scheme_retries_alike,
    after_its_lease_an_unanswered_notification_reaches_the_app_again,
    a_refusal_with_a_huge_page_frees_the_notification,
);

fn attempts(app: &App) -> Vec<String> {
    let seen = app.requests();
    let attempt = |r: &Recorded| r.header("x-kawal-attempt").unwrap();
    seen.iter().map(attempt).collect()
}

fn a_refused_notification_comes_again_until_the_app_takes_it(store: Store) {
    let app = App::start();
    app.next(Reply::new(500).body("not now"))
        .next(Reply::new(503).body("not yet"))
        .next(
            Reply::new(202)
                .header("Content-Type", "text/x-shop")
                .body("taken"),
        );
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notification = doku("{\"story\":1}");

    let answers: Vec<_> = (0..5).map(|_| kawal.send(&notification)).collect();
    let told: Vec<_> = answers.iter().map(|a| (a.status, a.text())).collect();
    let told: Vec<_> = told.iter().map(|(s, t)| (*s, t.as_str())).collect();
    let taken = (202, "taken");
    assert_eq!(
        told,
        [(500, "not now"), (503, "not yet"), taken, taken, taken]
    );
    for repeat in &answers[3..] {
        assert_eq!(
            repeat.header("content-type").as_deref(),
            Some("text/x-shop")
        );
    }

    assert_eq!(attempts(&app), ["1", "2", "3"]);
    let seen = app.requests();
    assert!(seen.iter().all(|r| r.body == notification.body));
    let ids: Vec<_> = seen
        .iter()
        .map(|r| r.all("x-kawal-notification-id"))
        .collect();
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");

    let outcomes: Vec<_> = kawal
        .notifications(5)
        .iter()
        .map(|l| l["outcome"].clone())
        .collect();
    let expected = [
        "refused_by_app",
        "refused_by_app",
        "delivered",
        "duplicate",
        "duplicate",
    ];
    assert_eq!(outcomes, expected);
}

fn any_whole_refusal_frees_the_notification(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let refusals = [
        300, 302, 400, 401, 403, 404, 409, 410, 422, 429, 500, 501, 502, 503, 504,
    ];
    for status in refusals {
        app.next(Reply::new(status));
        let notification = doku(format!("{{\"status\":{status}}}"));
        assert_eq!(kawal.send(&notification).status, status);
        assert_eq!(kawal.send(&notification).status, 200, "after {status}");
        let last = app.requests().pop().unwrap();
        assert_eq!(last.all("x-kawal-attempt"), ["2"], "after {status}");
    }
    assert_eq!(app.count(), 2 * refusals.len());
}

fn any_success_settles_the_notification(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    for status in [200, 201, 202, 203, 204, 206] {
        let before = app.count();
        app.next(Reply::new(status).header("Content-Type", "text/x-shop"));
        let notification = doku(format!("{{\"status\":{status}}}"));
        for _ in 0..2 {
            assert_eq!(kawal.send(&notification).status, status);
        }
        assert_eq!(app.count(), before + 1, "{status}");
    }
}

fn a_retry_that_was_signed_anew_is_the_same_notification(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let old = Doku::new("{}").at(&ago(Duration::from_secs(10)));
    let new = old.clone().at(&now());
    assert_ne!(old.signature(), new.signature());

    app.next(Reply::new(500));
    assert_eq!(kawal.send(&old.sign()).status, 500);
    app.next(Reply::ok().body("taken"));
    assert_eq!(kawal.send(&new.sign()).text(), "taken");
    assert_eq!(attempts(&app), ["1", "2"]);
    for again in [old, new] {
        let answer = kawal.send(&again.sign());
        assert_eq!((answer.status, answer.text().as_str()), (200, "taken"));
    }
    assert_eq!(app.count(), 2);
}

fn the_other_secret_of_a_rotation_makes_no_other_notification(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let signed = Doku::new("{}");
    for secret in [MCH_OLD_SECRET, MCH_NEW_SECRET] {
        let request = signed.clone().client(MCH, secret).sign();
        assert_eq!(kawal.send(&request).status, 200);
    }
    assert_eq!(app.count(), 1);
}

fn an_app_that_was_away_gets_it_as_a_first_attempt(store: Store) {
    let vacant = Vacant::new();
    let kawal = Kawal::start(Config::to(&vacant.url()).on(&store));
    let notification = doku("{\"story\":2}");
    for _ in 0..2 {
        let answer = kawal.send(&notification);
        assert_eq!(answer.status, 502);
    }
    assert_eq!(kawal.reason(2), "upstream_down");

    let app = vacant.open();
    assert_eq!(kawal.send(&notification).status, 200);
    assert_eq!(attempts(&app), ["1"]);
    assert_eq!(app.only().body, notification.body);
}

#[test]
fn an_app_that_started_anew_is_reached_at_once() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    let port = app.port();
    drop(app);
    // A connection kept from before leads nowhere now: it must not cost a notification.
    let app = App::start_on(port);
    let notification = doku("{\"story\":5}");
    assert_eq!(kawal.send(&notification).status, 200);
    assert_eq!(app.only().body, notification.body);
}

fn a_gateway_that_hangs_up_takes_nothing_back(store: Store) {
    let app = App::start();
    app.next(Reply::ok().body("taken").held());
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notification = doku("{\"story\":3}");

    let mut impatient = Connection::open(kawal.addr());
    impatient.write(&notification.bytes()).unwrap();
    app.wait_for(1);
    drop(impatient);
    // The next answer shows that the hangup is behind us while the app still thinks.
    assert_in_flight(&kawal.send(&notification));
    app.release();
    let delivered = |line: &serde_json::Value| line["outcome"] == "delivered";
    kawal.wait_for_log(delivered);

    let answer = kawal.send(&notification);
    assert_eq!((answer.status, answer.text().as_str()), (200, "taken"));
    assert_eq!(app.count(), 1);
}

#[test]
fn a_gateway_that_only_stops_sending_still_gets_its_answer() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let mut connection = Connection::open(kawal.addr());
    connection.write(&doku("{}").bytes()).unwrap();
    connection.finish_writing();
    assert_eq!(connection.read("POST").unwrap().status, 200);
    assert_eq!(app.count(), 1);
}

fn every_scheme_retries_alike(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notifications: [Request; 3] = [doku("{}"), Qris::new().sign(), pivot("{}")];
    for notification in notifications {
        let before = app.count();
        app.next(Reply::new(500));
        assert_eq!(kawal.send(&notification).status, 500);
        for _ in 0..3 {
            assert_eq!(kawal.send(&notification).status, 200);
        }
        assert_eq!(app.count(), before + 2, "{}", notification.target);
        let last = app.requests().pop().unwrap();
        assert_eq!(last.all("x-kawal-attempt"), ["2"]);
    }
}

fn after_its_lease_an_unanswered_notification_reaches_the_app_again(store: Store) {
    let app = App::start();
    app.next(Reply::hangup());
    let timeouts = json!({"upstream": "300ms"});
    let kawal = Kawal::start(Config::new(&app).on(&store).set("timeouts", timeouts));
    let notification = doku("{\"story\":4}");
    assert_eq!(kawal.send(&notification).status, 502);

    let held = kawal.send(&notification);
    assert_in_flight(&held);
    // The wait is the story: a gateway that does as it is told must get through.
    let wait: u64 = held.header("retry-after").unwrap().parse().unwrap();
    assert!(wait <= 30, "a lease of {wait} s for an exchange of 300 ms");
    thread::sleep(Duration::from_secs(wait + 1));
    assert_eq!(kawal.send(&notification).status, 200);
    assert_eq!(attempts(&app), ["1", "2"]);
}

/// Its status is known, whatever there is behind it.
fn a_refusal_with_a_huge_page_frees_the_notification(store: Store) {
    let app = App::start();
    app.next(Reply::new(500).body(vec![b'x'; 3 * 1024 * 1024]));
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notification = doku("{}");
    assert_eq!(kawal.send(&notification).status, 500);
    assert_eq!(kawal.send(&notification).status, 200);
    assert_eq!(attempts(&app), ["1", "2"]);
}

/// The buffer of a unix socket is smaller than a body, so all of it is never written.
#[test]
fn an_app_that_refuses_before_it_reads_is_heard() {
    let folder = std::env::temp_dir().join(format!("kawal-early-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let socket = folder.join("app.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let config = Config::to(&format!("unix:{}", socket.display()));
    let kawal = Kawal::start(config.set("timeouts.upstream", "2s"));
    let app = thread::spawn(move || {
        let (mut early, _) = listener.accept().unwrap();
        let answer = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nlater";
        early.write_all(answer).unwrap();
        // The first connection is open and unread when the retry comes: it takes another.
        let (mut next, _) = listener.accept().unwrap();
        next.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
            .unwrap();
        let mut all = Vec::new();
        next.read_to_end(&mut all).unwrap();
        drop(early);
        all
    });
    let notification = doku(vec![b'x'; 900_000]);
    let refused = kawal.send(&notification);
    assert_eq!((refused.status, refused.text().as_str()), (503, "later"));
    assert_eq!(kawal.send(&notification).status, 200);
    assert!(app.join().unwrap().ends_with(&[b'x'; 1000]));
    let _ = std::fs::remove_dir_all(&folder);
}
