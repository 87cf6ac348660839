//! What was delivered never reaches the app again, in no disguise.

use serde_json::json;

use crate::harness::gateway::{BRN, BRN_SECRET, MCH, MCH_NEW_SECRET};
use crate::harness::{App, Config, Doku, Kawal, Qris, Reply, Store, doku, on_every_store, pivot};

on_every_store!(
    a_repeat_gets_the_stored_answer,
    a_repeat_is_refused_where_the_configuration_says_so,
    a_long_answer_is_remembered_at_least_by_its_status,
    an_encoded_answer_is_not_given_again_as_if_it_were_plain,
    the_same_identity_with_other_content_is_a_conflict,
    the_same_request_id_of_two_clients_is_two_notifications,
    headers_that_nobody_signs_make_nothing_new,
    a_pivot_callback_is_known_by_its_content,
    a_qris_notification_cannot_change_what_nobody_signed,
    a_qris_notification_is_not_new_on_another_route,
);

fn a_repeat_gets_the_stored_answer(store: Store) {
    let stored = Reply::new(201)
        .header("Content-Type", "application/json")
        .body("{\"receipt\":\"R-1\"}");
    let app = App::start();
    app.next(stored.clone());
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notification = doku("{}");

    let first = kawal.send(&notification);
    for _ in 0..3 {
        let again = kawal.send(&notification);
        assert_eq!(again.status, first.status);
        assert_eq!(again.body, first.body);
        assert_eq!(again.header("content-type"), first.header("content-type"));
    }
    assert_eq!(first.body, stored.body);
    assert_eq!(app.count(), 1);
}

fn a_repeat_is_refused_where_the_configuration_says_so(store: Store) {
    let app = App::start();
    let config = Config::new(&app)
        .on(&store)
        .set("replay.duplicate", "reject")
        .on_route("/payments/pivot", "duplicate", "acknowledge");
    let kawal = Kawal::start(config);
    let notification = doku("{}");
    assert_eq!(kawal.send(&notification).status, 200);
    let again = kawal.send(&notification);
    assert_eq!(again.status, 409);
    assert_eq!(again.json(), json!({"error": "duplicate"}));
    assert_eq!(kawal.reason(2), "duplicate");
    assert_eq!(app.count(), 1);

    // The route's own word goes before the general one.
    for _ in 0..2 {
        assert_eq!(kawal.send(&pivot("{}")).status, 200);
    }
    assert_eq!(app.count(), 2);
}

fn a_long_answer_is_remembered_at_least_by_its_status(store: Store) {
    let app = App::start();
    app.next(Reply::new(202).body("s".repeat(4000)))
        .next(Reply::new(202).body("l".repeat(9000)));
    let kawal = Kawal::start(Config::new(&app).on(&store));

    let short = doku("{}");
    assert_eq!(kawal.send(&short).body.len(), 4000);
    assert_eq!(kawal.send(&short).text(), "s".repeat(4000));
    let long = doku("{}");
    assert_eq!(kawal.send(&long).body.len(), 9000);
    assert_eq!(kawal.send(&long).status, 202);
    assert_eq!(app.count(), 2);
}

fn an_encoded_answer_is_not_given_again_as_if_it_were_plain(store: Store) {
    let app = App::start();
    let encoded = Reply::ok()
        .header("Content-Encoding", "gzip")
        .header("Content-Type", "a/b");
    app.next(encoded.body([0x1f, 0x8b, 0x08]));
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notification = doku("{}");
    assert_eq!(
        kawal
            .send(&notification)
            .header("content-encoding")
            .as_deref(),
        Some("gzip")
    );
    let again = kawal.send(&notification);
    assert_eq!((again.status, again.body.len()), (200, 0));
    assert!(!again.has("content-encoding") && !again.has("content-type"));
    assert_eq!(app.count(), 1);
}

fn the_same_identity_with_other_content_is_a_conflict(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let signed = Doku::new("{\"amount\":1}");
    let genuine = signed.sign();
    assert_eq!(kawal.send(&genuine).status, 200);

    let mut other = signed.clone();
    other.body = b"{\"amount\":2}".to_vec();
    let moved = signed.clone().target("/payments/notifications?a=1");
    let rows = [
        ("another body, signed", other.sign()),
        ("another query, signed", moved.sign()),
    ];
    for (nth, (name, request)) in rows.iter().enumerate() {
        let answer = kawal.send(request);
        assert_eq!(answer.status, 409, "{name}");
        assert_eq!(answer.json(), json!({"error": "conflict"}), "{name}");
        assert_eq!(kawal.reason(nth + 2), "conflict", "{name}");
    }
    assert_eq!(app.count(), 1);
    assert_eq!(
        kawal.send(&genuine).status,
        200,
        "the genuine one is still known"
    );
    assert_eq!(app.count(), 1);
}

fn the_same_request_id_of_two_clients_is_two_notifications(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let signed = Doku::new("{}");
    for (client, secret) in [(BRN, BRN_SECRET), (MCH, MCH_NEW_SECRET)] {
        let request = signed.clone().client(client, secret).sign();
        assert_eq!(kawal.send(&request).status, 200, "{client}");
    }
    assert_eq!(app.count(), 2);
}

fn headers_that_nobody_signs_make_nothing_new(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let genuine = doku("{}");
    assert_eq!(kawal.send(&genuine).status, 200);
    let disguises = [
        genuine.clone().header("X-Request-Id", "other"),
        genuine.clone().header("X-Kawal-Attempt", "9"),
        genuine.clone().replace("Content-Type", "text/plain"),
        genuine.clone().replace("Host", "other.example"),
        genuine.clone().rename("Request-Id", "request-id"),
        genuine.clone().chunked(3),
    ];
    for disguised in disguises {
        assert_eq!(kawal.send(&disguised).status, 200);
    }
    assert_eq!(app.count(), 1);
}

fn a_pivot_callback_is_known_by_its_content(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    for body in [
        "{\"a\":1}",
        "{\"a\":1}",
        "{\"a\":2}",
        "{\"a\":1}",
        "{\"a\": 1}",
    ] {
        assert_eq!(kawal.send(&pivot(body)).status, 200, "{body}");
    }
    let bodies: Vec<_> = app.requests().iter().map(|r| r.text()).collect();
    assert_eq!(bodies, ["{\"a\":1}", "{\"a\":2}", "{\"a\": 1}"]);
}

fn a_qris_notification_cannot_change_what_nobody_signed(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let genuine = Qris::new().signed();
    assert_eq!(kawal.send(&genuine.bare()).status, 200);
    let rows = [
        ("AMOUNT", "9000000.00"),
        ("TXNSTATUS", "F"),
        ("TRANSACTIONID", "INVtestaccount08"),
        ("REFERENCEID", ""),
        ("NEWFIELD", "1"),
    ];
    for (nth, (name, value)) in rows.iter().enumerate() {
        let altered = genuine.clone().set(name, value).bare();
        assert_eq!(kawal.send(&altered).status, 409, "{name}");
        assert_eq!(kawal.reason(nth + 2), "conflict", "{name}");
    }
    assert_eq!(app.count(), 1);
}

fn a_qris_notification_is_not_new_on_another_route(store: Store) {
    let app = App::start();
    let second = json!({"path": "/payments/qris-too", "gateway": "doku-qris", "convert": "json"});
    let kawal = Kawal::start(Config::new(&app).on(&store).route(second));
    let genuine = Qris::new().signed();
    assert_eq!(kawal.send(&genuine.bare()).status, 200);

    // Nothing that is signed names the path: whoever saw one could try it everywhere.
    let elsewhere = genuine.target("/payments/qris-too").bare();
    let answer = kawal.send(&elsewhere);
    assert!([200, 409].contains(&answer.status), "{answer:?}");
    assert_eq!(app.count(), 1);
}
