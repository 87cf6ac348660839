//! What one replica knows of a notification, every other knows at once.

use serde_json::json;

use crate::harness::{
    App, Config, Connection, Doku, Kawal, Qris, Recorded, Reply, Request, Store, Vacant, doku,
    pivot,
};
use crate::refusals::assert_in_flight;

fn config(app: &App) -> Config {
    Config::new(app).on(&Store::Redis)
}

fn taken() -> Reply {
    Reply::new(201)
        .header("Content-Type", "application/vnd.shop+json")
        .body("{\"receipt\":\"R-1\"}")
}

#[test]
fn a_repeat_at_another_replica_gets_the_stored_answer() {
    let app = App::start();
    let [one, other] = Kawal::replicas(&config(&app));
    let notifications: [Request; 3] = [doku("{}"), Qris::new().form(), pivot("{}")];
    for (nth, notification) in notifications.iter().enumerate() {
        app.next(taken());
        let first = one.send(notification);
        for again in [other.send(notification), one.send(notification)] {
            assert_eq!(again.status, first.status);
            assert_eq!(again.body, first.body);
            assert_eq!(again.header("content-type"), first.header("content-type"));
        }
        assert_eq!(app.count(), nth + 1, "{}", notification.target);
        assert_eq!(other.reason(nth + 1), "duplicate");
    }
    assert_eq!(one.send(&doku("{}")).text(), "ok");
}

/// Eight KiB are kept, and no byte of them is taken for text.
#[test]
fn any_bytes_that_the_app_says_come_back_from_another_replica() {
    let app = App::start();
    let [one, other] = Kawal::replicas(&config(&app));
    let bytes: Vec<u8> = (0..=255).cycle().take(8 * 1024).collect();
    let rows = [
        (200, &b""[..]),
        (202, b"\0\r\n$-1\r\n"),
        (204, b""),
        (206, &bytes),
    ];
    for (status, body) in rows {
        app.next(
            Reply::new(status)
                .header("Content-Type", "a/b; c=\"d e\"")
                .body(body),
        );
        let notification = doku("{}");
        assert_eq!(one.send(&notification).status, status);
        let again = other.send(&notification);
        assert_eq!((again.status, &*again.body), (status, body));
        let kind = again.header("content-type");
        assert_eq!(kind.as_deref(), Some("a/b; c=\"d e\""), "{status}");
    }
    assert_eq!(app.count(), rows.len());
}

#[test]
fn each_replica_says_its_own_word_about_repeats() {
    let app = App::start();
    let lenient = config(&app);
    let strict = lenient.clone().set("replay.duplicate", "reject");
    let [lenient, strict] = [lenient, strict].map(Kawal::start);
    let notification = doku("{}");
    assert_eq!(lenient.send(&notification).status, 200);
    let answer = strict.send(&notification);
    assert_eq!(answer.status, 409);
    assert_eq!(answer.json(), json!({"error": "duplicate"}));
    assert_eq!(lenient.send(&notification).text(), "ok");
    assert_eq!(app.count(), 1);
}

#[test]
fn other_content_is_a_conflict_at_every_replica() {
    let app = App::start();
    app.next(Reply::ok().held());
    let [one, other] = Kawal::replicas(&config(&app));
    let signed = Doku::new("{\"amount\":1}");
    let mut altered = signed.clone();
    altered.body = b"{\"amount\":2}".to_vec();

    let mut first = Connection::open(one.addr());
    first.write(&signed.sign().bytes()).unwrap();
    app.wait_for(1);
    let early = other.send(&altered.sign());
    assert_eq!(early.json(), json!({"error": "conflict"}));
    app.release();
    assert_eq!(first.read("POST").unwrap().status, 200);

    for replica in [&other, &one] {
        let answer = replica.send(&altered.sign());
        assert_eq!(answer.status, 409);
        assert_eq!(answer.json(), json!({"error": "conflict"}));
        assert_eq!(replica.send(&signed.sign()).text(), "ok");
    }
    assert_eq!(app.count(), 1);
    assert_eq!(other.reason(1), "conflict");
}

#[test]
fn what_was_refused_at_one_replica_is_the_next_attempt_at_another() {
    let app = App::start();
    let replicas: [Kawal; 3] = Kawal::replicas(&config(&app));
    let notification = doku("{}");
    for nth in 0..5 {
        app.next(Reply::new(500).body("not now"));
        let answer = replicas[nth % 3].send(&notification);
        assert_eq!((answer.status, &*answer.text()), (500, "not now"));
    }
    for replica in &replicas {
        assert_eq!(replica.send(&notification).status, 200);
    }
    let seen = app.requests();
    let all = |name: &str| -> Vec<_> {
        let value = |request: &Recorded| request.header(name).unwrap();
        seen.iter().map(value).collect()
    };
    assert_eq!(all("x-kawal-attempt"), ["1", "2", "3", "4", "5", "6"]);
    let mut ids = all("x-kawal-notification-id");
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert!(seen.iter().all(|request| request.body == notification.body));
}

#[test]
fn while_it_is_at_the_app_a_copy_waits_at_every_replica() {
    let app = App::start();
    app.next(taken().held());
    let [one, other] = Kawal::replicas(&config(&app));
    let notification = doku("{}");
    let mut first = Connection::open(one.addr());
    first.write(&notification.bytes()).unwrap();
    app.wait_for(1);
    for replica in [&other, &one, &other] {
        assert_in_flight(&replica.send(&notification));
    }
    assert_eq!(other.reason(2), "in_flight");
    assert_eq!(app.count(), 1);
    app.release();
    assert_eq!(first.read("POST").unwrap().status, 201);
    assert_eq!(other.send(&notification).body, taken().body);
    assert_eq!(app.count(), 1);
}

#[test]
fn an_unknown_outcome_at_one_replica_holds_at_every_other() {
    let app = App::start();
    app.next(Reply::hangup());
    let [one, other] = Kawal::replicas(&config(&app));
    let notification = doku("{}");
    assert_eq!(one.send(&notification).status, 502);
    assert_in_flight(&other.send(&notification));
    assert_in_flight(&one.send(&notification));
    assert_eq!(app.count(), 1);
}

/// An app that is down for one of them has seen nothing.
#[test]
fn what_was_never_sent_is_a_first_attempt_at_another_replica() {
    let app = App::start();
    let vacant = Vacant::new();
    let reaching = config(&app);
    let missing = reaching.clone().set("upstream", vacant.url());
    let [missing, reaching] = [missing, reaching].map(Kawal::start);
    let notification = doku("{}");
    for _ in 0..3 {
        assert_eq!(missing.send(&notification).status, 502);
    }
    assert_eq!(reaching.send(&notification).status, 200);
    assert_eq!(app.only().all("x-kawal-attempt"), ["1"]);
    assert_eq!(missing.send(&notification).text(), "ok");
}
