//! What the other gateways send reaches the app once, as it was sent, with what its proof says.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::gateway::written;
use crate::harness::*;

#[test]
fn a_genuine_notification_arrives_as_it_was_sent() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    let mut ids = BTreeSet::new();
    for (nth, kind) in KINDS.iter().enumerate() {
        let name = kind.scheme;
        let notice = Notice::new(kind);
        let genuine = notice.sign();
        let answer = kawal.send(&genuine);
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (200, "ok"),
            "{name}: {}",
            kawal.reason(nth + 1)
        );
        let seen = app.wait_for(nth + 1).remove(nth);
        assert_eq!((&*seen.method, &seen.target), ("POST", &kind.path()));
        assert_eq!(seen.text(), String::from_utf8_lossy(&genuine.body));
        assert_eq!(seen.all("X-Kawal-Gateway"), [name]);
        assert_eq!(seen.all("X-Kawal-Covers"), [kind.covers], "{name}");
        let client = seen.header("X-Kawal-Client");
        assert_eq!(client.as_deref(), kind.client, "{name}");
        let time = kind.timed.then(|| written(notice.at));
        assert_eq!(seen.header("X-Kawal-Signed-At"), time, "{name}");
        assert_eq!(seen.all("X-Kawal-Attempt"), ["1"], "{name}");
        let id = seen.header("X-Kawal-Notification-Id").unwrap();
        let digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        assert!(id.len() == 64 && id.bytes().all(digit), "{name}: {id}");
        assert!(ids.insert(id), "{name} has another's id");
        for (header, value) in &genuine.headers {
            // The key itself stays with Kawal.
            let sent = (name != "xendit" || header != "x-callback-token")
                .then(|| String::from_utf8(value.clone()).unwrap());
            if header != "Host" {
                assert_eq!(seen.header(header), sent, "{name}: {header}");
            }
        }
    }
    assert_eq!(ids.len(), 14);
}

#[test]
fn a_repeat_gets_the_stored_answer() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    for (nth, kind) in KINDS.iter().enumerate() {
        let name = kind.scheme;
        let receipt = format!("{{\"receipt\":\"{name}\"}}");
        let stored = Reply::new(201).header("Content-Type", "application/json");
        app.next(stored.body(&receipt));
        let genuine = Notice::new(kind).sign();
        for _ in 0..3 {
            let answer = kawal.send(&genuine);
            assert_eq!(answer.status, 201, "{name}");
            assert_eq!(answer.text(), receipt, "{name}");
            let kind = answer.header("content-type");
            assert_eq!(kind.as_deref(), Some("application/json"), "{name}");
        }
        assert_eq!(app.count(), nth + 1, "{name} reached the app again");
        assert_eq!(kawal.reason(nth * 3 + 3), "duplicate", "{name}");
    }
}

/// The time of an attempt is no part of what it is about.
#[test]
fn one_that_is_signed_anew_is_the_same() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    let mut delivered = 0;
    for kind in KINDS.iter().filter(|kind| kind.timed) {
        let name = kind.scheme;
        let notice = Notice::new(kind).later(-30);
        let receipt = format!("receipt of {name}");
        app.next(Reply::ok().body(&receipt));
        let first = notice.sign();
        assert_eq!(kawal.send(&first).text(), receipt, "{name}");
        delivered += 1;
        let anew = notice.later(0).sign();
        assert_ne!(anew.headers, first.headers, "{name}");
        assert_eq!(kawal.send(&anew).text(), receipt, "{name}");
        assert_eq!(app.count(), delivered, "{name} reached the app again");
    }
    assert_eq!(delivered, 6);
}

#[test]
fn a_retry_after_a_failure_reaches_the_app_under_the_same_id() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    for (nth, kind) in KINDS.iter().enumerate() {
        let name = kind.scheme;
        let genuine = Notice::new(kind).sign();
        app.next(Reply::new(500));
        assert_eq!(kawal.send(&genuine).status, 500, "{name}");
        assert_eq!(kawal.send(&genuine).status, 200, "{name}");
        let seen = app.requests();
        let [.., first, second] = &seen[..] else {
            panic!("{name} did not come twice");
        };
        assert_eq!(seen.len(), 2 * nth + 2, "{name}");
        let id = "X-Kawal-Notification-Id";
        assert_eq!(first.all(id), second.all(id), "{name}");
        assert_eq!(second.all("X-Kawal-Attempt"), ["2"], "{name}");
    }
}

#[test]
fn gateways_are_answered_in_the_words_that_they_wait_for() {
    let rows = [
        ("adyen", "[accepted]", Some("text/plain")),
        ("tripay", r#"{"success":true}"#, Some("application/json")),
        ("stripe", "", None),
        ("standard-webhooks", "", None),
        ("midtrans", "", None),
    ];
    let app = App::answering(Reply::new(204));
    let config = rows.iter().fold(Config::kinds(&app), |config, (name, ..)| {
        config.on_route(&kind(name).path(), "respond", "gateway")
    });
    let kawal = Kawal::start(config);
    for (name, body, content_type) in rows {
        let genuine = Notice::new(kind(name)).sign();
        for _ in 0..2 {
            let answer = kawal.send(&genuine);
            assert_eq!((answer.status, &*answer.text()), (200, body), "{name}");
            let given = answer.header("content-type");
            assert_eq!(given.as_deref(), content_type, "{name}");
        }
    }
    assert_eq!(app.count(), rows.len());
    // What the app refuses is passed on as it is.
    app.answer_with(|_| Reply::new(422).body("no such order"));
    let answer = kawal.send(&Notice::new(kind("adyen")).sign());
    assert_eq!((answer.status, &*answer.text()), (422, "no such order"));
}

#[test]
fn a_repeat_is_refused_where_the_configuration_says_so() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app).set("replay.duplicate", "reject"));
    for (nth, kind) in KINDS.iter().enumerate() {
        let genuine = Notice::new(kind).sign();
        assert_eq!(kawal.send(&genuine).status, 200, "{}", kind.scheme);
        let again = kawal.send(&genuine);
        assert_eq!(again.status, 409, "{}", kind.scheme);
        assert_eq!(again.json(), json!({"error": "duplicate"}));
        assert_eq!(app.count(), nth + 1, "{}", kind.scheme);
    }
}
