//! When nobody knows whether the app took it, a copy waits instead of being delivered twice.

use std::time::Duration;

use serde_json::json;

use crate::harness::{App, Config, Connection, Doku, Kawal, Reply, Store, doku, on_every_store};
use crate::refusals::assert_in_flight;

on_every_store!(
    an_app_that_does_not_answer_in_time_holds_the_notification,
    an_app_that_breaks_off_holds_the_notification,
    an_app_that_closes_at_the_door_is_a_bad_gateway,
    an_interim_answer_is_no_answer,
    a_second_notification_does_not_wait_for_the_first,
    success_counts_from_the_head_of_the_answer,
    a_body_that_dawdles_past_the_deadline_takes_no_success_back,
    other_content_under_an_identity_in_flight_stays_outside,
);

fn hurried(app: &App, store: Store) -> Kawal {
    Kawal::start(
        Config::new(app)
            .on(&store)
            .set("timeouts", json!({"upstream": "300ms"})),
    )
}

fn an_app_that_does_not_answer_in_time_holds_the_notification(store: Store) {
    let app = App::start();
    app.next(Reply::ok().held());
    let kawal = hurried(&app, store);
    let notification = doku("{}");

    let answer = kawal.send(&notification);
    assert_eq!(answer.status, 504);
    assert_eq!(answer.json(), json!({"error": "upstream_timeout"}));
    assert_in_flight(&kawal.send(&notification));
    assert_eq!(app.count(), 1);
    let lines = kawal.notifications(2);
    assert_eq!(lines[0]["outcome"], "unknown");
    assert_eq!(lines[0]["reason"], "upstream_timeout");
    assert_eq!(lines[1]["outcome"], "rejected");
    assert_eq!(lines[1]["reason"], "in_flight");
}

fn an_app_that_breaks_off_holds_the_notification(store: Store) {
    let partial = "HTTP/1.1 200 OK\r\nContent-Le";
    for reply in [
        Reply::hangup(),
        Reply::raw(partial),
        Reply::raw("HTTP/1.1 "),
    ] {
        let app = App::start();
        app.next(reply.clone());
        let kawal = Kawal::start(Config::new(&app).on(&store));
        let notification = doku("{}");

        let answer = kawal.send(&notification);
        assert_eq!(answer.status, 502, "{reply:?}");
        assert_eq!(answer.json(), json!({"error": "upstream_down"}));
        assert_in_flight(&kawal.send(&notification));
        assert_eq!(app.count(), 1);
        assert_eq!(kawal.notifications(1)[0]["outcome"], "unknown");
    }
}

fn an_app_that_closes_at_the_door_is_a_bad_gateway(store: Store) {
    let app = App::start();
    app.slam(1);
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notification = doku("{}");
    assert_eq!(kawal.send(&notification).status, 502);
    // Whether a byte was on its way by then decides if a copy must wait; it is not lost either way.
    let again = kawal.send(&notification).status;
    assert!([200, 503].contains(&again), "{again}");
    assert_eq!(app.count(), usize::from(again == 200));
}

fn an_interim_answer_is_no_answer(store: Store) {
    let app = App::start();
    app.next(Reply::raw(
        "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n",
    ));
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notification = doku("{}");
    assert_eq!(kawal.send(&notification).status, 502);
    assert_in_flight(&kawal.send(&notification));
    assert_eq!(app.count(), 1);
}

fn a_second_notification_does_not_wait_for_the_first(store: Store) {
    let app = App::start();
    app.next(Reply::ok().held());
    let kawal = hurried(&app, store);
    assert_eq!(kawal.send(&doku("{}")).status, 504);
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    assert_eq!(app.count(), 2);
}

fn success_counts_from_the_head_of_the_answer(store: Store) {
    let app = App::start();
    let body = "a body that never arrives whole";
    app.next(Reply::new(200).body(body).broken_after(9));
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notification = doku("{}");

    // What the first sender gets is not the point: half an answer, or none.
    let mut first = Connection::open(kawal.addr());
    first.write(&notification.bytes()).unwrap();
    let _ = first.read("POST");
    let again = kawal.send(&notification);
    assert_eq!(again.status, 200, "{again:?}");
    assert_eq!(app.count(), 1);
}

fn a_body_that_dawdles_past_the_deadline_takes_no_success_back(store: Store) {
    let app = App::start();
    // Says 200 at once and then keeps the connection open without the body it announced.
    app.next(Reply::new(200).body("announced").stalled_after(3));
    let kawal = hurried(&app, store);
    let notification = doku("{}");

    let mut first = Connection::open(kawal.addr());
    first.write(&notification.bytes()).unwrap();
    let _ = first.read("POST");
    assert_eq!(kawal.send(&notification).status, 200);
    assert_eq!(app.count(), 1);
}

#[test]
fn a_late_answer_of_the_app_is_never_given_to_another() {
    let app = App::start();
    app.next(
        Reply::ok()
            .body("for the first")
            .delayed(Duration::from_millis(600)),
    );
    let kawal = hurried(&app, Store::Memory);
    assert_eq!(kawal.send(&doku("{}")).status, 504);
    app.answer_with(|request| Reply::ok().body(&request.body));
    for n in 0..20 {
        let body = format!("{{\"n\":{n}}}");
        assert_eq!(kawal.send(&doku(&body)).text(), body);
    }
}

fn other_content_under_an_identity_in_flight_stays_outside(store: Store) {
    let app = App::start();
    app.next(Reply::hangup());
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let signed = Doku::new("{\"amount\":1}");
    assert_eq!(kawal.send(&signed.sign()).status, 502);

    let mut other = signed;
    other.body = b"{\"amount\":2}".to_vec();
    let answer = kawal.send(&other.sign());
    assert!([409, 503].contains(&answer.status), "{answer:?}");
    assert_eq!(app.count(), 1);
}
