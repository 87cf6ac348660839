//! What the app says to what would be refused goes back, and is counted apart.

use serde_json::json;

use crate::harness::snap::{DEBIT, INQUIRY, PAYMENT, Snap};
use crate::harness::*;
use crate::refusals::assert_snap;

/// A forgery, another at every call.
fn forged() -> Request {
    doku("{}").body("{\"amount\":2}")
}

fn observed(kawal: &Kawal, gateway: &str, outcome: &str) -> f64 {
    let labels = [("gateway", gateway), ("outcome", outcome)];
    kawal.counted("kawal_observed_total", &labels)
}

#[test]
fn every_whole_answer_goes_back_as_it_is() {
    let watch = Watch::new();
    let statuses = [
        200, 201, 202, 204, 302, 400, 401, 404, 409, 422, 500, 502, 503,
    ];
    for status in statuses {
        let body = match status {
            204 => String::new(),
            _ => format!("answer {status}"),
        };
        let reply = Reply::new(status).header("X-Shop", "mine").body(&body);
        watch.app.next(reply.header("Content-Type", "text/x-shop"));
        let request = forged();
        let seen = watch.send(&request);
        assert_eq!((seen.answer.status, seen.answer.text()), (status, body));
        assert_eq!(seen.answer.header("x-shop").as_deref(), Some("mine"));
        let kind = seen.answer.header("content-type");
        assert_eq!(kind.as_deref(), Some("text/x-shop"), "{status}");
        seen.marked("forged", &request, "bad_proof");
        assert_eq!(seen.line["status"], status, "{}", seen.line);
        assert_eq!(seen.line["app_status"], status, "{}", seen.line);
    }
    let taken = observed(&watch.kawal, "doku", "delivered");
    let refused = observed(&watch.kawal, "doku", "refused_by_app");
    assert_eq!((taken, refused), (4.0, statuses.len() as f64 - 4.0));
}

#[test]
fn an_app_that_hangs_up_is_a_bad_gateway() {
    let watch = Watch::with(Config::with_snap);
    for reply in [
        Reply::hangup(),
        Reply::new(500).body("half").broken_after(2),
    ] {
        watch.app.next(reply);
        let request = forged();
        let seen = watch.send(&request);
        assert_eq!(seen.answer.status, 502);
        assert_eq!(seen.answer.json(), json!({"error": "upstream_down"}));
        seen.marked("forged", &request, "bad_proof");
        assert_eq!(seen.line["status"], 502, "{}", seen.line);
    }
    assert_eq!(observed(&watch.kawal, "doku", "unknown"), 2.0);
    watch.app.next(Reply::hangup());
    let request = snap("{}").replace("X-SIGNATURE", "AAAA");
    let seen = watch.send(&request);
    assert_snap(&seen.answer, "5022500", "Bad Gateway");
    seen.marked("forged", &request, "bad_proof");
}

#[test]
fn an_app_that_does_not_answer_in_time_is_a_timeout() {
    let watch = Watch::with(|config| config.set("timeouts.upstream", "300ms"));
    watch.app.next(Reply::ok().held());
    let request = forged();
    let seen = watch.send(&request);
    assert_eq!(seen.answer.status, 504);
    assert_eq!(seen.answer.json(), json!({"error": "upstream_timeout"}));
    seen.marked("forged", &request, "bad_proof");
    assert_eq!(seen.line["status"], 504, "{}", seen.line);
    assert_eq!(observed(&watch.kawal, "doku", "unknown"), 1.0);
}

#[test]
fn an_app_that_is_away_is_a_bad_gateway() {
    let vacant = Vacant::new();
    let kawal = Kawal::start(Config::to(&vacant.url()).observing());
    let request = forged();
    for nth in 0..2 {
        let answer = kawal.send(&request);
        assert_eq!(answer.status, 502);
        assert_eq!(answer.json(), json!({"error": "upstream_down"}));
        let line = kawal.notifications(nth + 1).remove(nth);
        assert_eq!(line["verdict"], "would-reject:bad_proof", "{line}");
        assert_eq!(line["outcome"], "rejected", "{line}");
        assert_eq!(line["reason"], "bad_proof", "{line}");
        assert_eq!(line["status"], 502, "{line}");
    }
    assert_eq!(observed(&kawal, "doku", "rejected"), 2.0);
    let app = vacant.open();
    assert_eq!(kawal.send(&request).status, 200);
    assert_eq!(app.only().body, request.body);
    assert_eq!(observed(&kawal, "doku", "delivered"), 1.0);
}

/// An app that has closed an old connection loses nothing.
#[test]
fn an_app_that_started_anew_is_reached_at_once() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).observing());
    assert_eq!(kawal.send(&forged()).status, 200);
    let port = app.port();
    drop(app);
    let app = App::start_on(port);
    let request = forged();
    assert_eq!(kawal.send(&request).status, 200);
    assert_eq!(app.only().body, request.body);
}

#[test]
fn a_gateway_that_wants_its_own_words_gets_them_for_what_the_app_takes() {
    let watch = Watch::new();
    let genuine = Qris::new().signed();
    let usual = watch.send(&genuine.bare());
    usual.accepted("genuine", &genuine.bare());
    let wrong = genuine.clone().set("WORDS", &"0".repeat(40)).bare();
    let seen = watch.send(&wrong);
    let words = |answer: &Response| (answer.status, answer.text(), answer.header("content-type"));
    assert_eq!(words(&seen.answer), words(&usual.answer));
    assert_eq!(seen.answer.text(), "SUCCESS");
    seen.marked("forged", &wrong, "bad_proof");

    watch.app.next(Reply::new(422).body("no such order"));
    let refused = watch.send(&wrong);
    let told = (refused.answer.status, refused.answer.text());
    assert_eq!(told, (422, "no such order".to_owned()));
    refused.marked("forged", &wrong, "bad_proof");
}

#[test]
fn services_of_snap_acknowledge_what_the_app_takes() {
    let watch = Watch::with(|config| {
        let config = config.with_snap();
        config
            .on_route(PAYMENT, "respond", "gateway")
            .on_route(DEBIT, "respond", "gateway")
    });
    let paid = "{\"virtualAccountNo\":\"77777001\"}";
    for (target, code) in [(PAYMENT, "2002500"), (DEBIT, "2005600")] {
        let genuine = Snap::new(paid).target(target);
        let usual = watch.kawal.send(&genuine.sign());
        assert_eq!(usual.json()["responseCode"], code, "{usual:?}");
        // Neither proven, nor of a shape that an acknowledgement could be made of.
        for body in [paid, "no JSON"] {
            let forged = genuine.sign().replace("X-SIGNATURE", "AAAA").body(body);
            let answer = watch.kawal.send(&forged);
            assert_eq!(answer.status, 200, "{target}: {answer:?}");
            assert_eq!(answer.json()["responseCode"], code, "{answer:?}");
            if target == PAYMENT && body.starts_with('{') {
                assert_eq!(answer.text(), usual.text());
                assert!(answer.text().contains("77777001"), "{answer:?}");
            }
        }
        watch.app.next(Reply::new(500).body("not now"));
        let forged = genuine.sign().replace("X-SIGNATURE", "AAAA");
        let answer = watch.kawal.send(&forged);
        assert_eq!((answer.status, &*answer.text()), (500, "not now"));
    }
    let untouched = Snap::new("{}").target(INQUIRY).sign();
    let answer = watch.kawal.send(&untouched.replace("X-SIGNATURE", "AAAA"));
    assert_eq!((answer.status, &*answer.text()), (200, "ok"));
}

#[test]
fn methods_without_a_body_stay_without_one() {
    let watch = Watch::new();
    let mut gateway = Connection::open(watch.kawal.addr());
    for (method, text) in [("GET", "ok"), ("HEAD", ""), ("DELETE", "ok"), ("HEAD", "")] {
        let before = watch.app.count();
        let request = Request::new(method, "/payments/notifications?a=%20b");
        let answer = gateway.send(&request);
        assert_eq!((answer.status, &*answer.text()), (200, text), "{method}");
        let seen = watch.app.wait_for(before + 1).remove(before);
        assert_eq!((&*seen.method, &seen.target), (method, &request.target));
        assert_eq!(seen.all("X-Kawal-Verdict"), ["would-reject:method"]);
    }
    // An answer whose end was misread would show here.
    assert_eq!(gateway.send(&doku("{}")).text(), "ok");
}

/// A large body is taken to its end, and nothing of it is read as the next request.
#[test]
fn a_connection_goes_on_after_what_would_be_refused() {
    let watch = Watch::with(|config| config.set("limits.body", "1KiB"));
    let mut gateway = Connection::open(watch.kawal.addr());
    for (nth, request) in [
        forged(),
        doku("x".repeat(5000)),
        doku("x".repeat(5000)).chunked(700),
        doku("{}").method("PUT"),
        doku("{}"),
    ]
    .iter()
    .enumerate()
    {
        let answer = gateway.send(request);
        assert_eq!(answer.status, 200, "{nth}");
        // Whoever is told that it ends opens another.
        if answer.header("connection").as_deref() == Some("close") {
            gateway = Connection::open(watch.kawal.addr());
        }
        let seen = watch.app.wait_for(nth + 1);
        assert!(seen[nth].body == request.body, "{nth}");
    }
    assert_eq!(watch.app.count(), 5);
}

/// Test events of a gateway are no business of the app's in either mode.
#[test]
fn a_test_event_is_acknowledged_without_the_app() {
    let watch = Watch::new();
    let event = pivot("{\"event\":\"PAYMENT.TEST\"}");
    assert_eq!(watch.keeps_from_the_app("a test", &event).status, 200);
    let line = watch.kawal.notifications(1).remove(0);
    assert_eq!(line["outcome"], "test", "{line}");
    let forged = event.replace("X-API-Key", "a-key-of-nobody");
    watch.lets_through("a forged test", &forged, "bad_proof");
}
