//! What is refused at the door of an observed gateway, and what an unverified request must not do to the app.

use serde_json::json;

use crate::harness::*;

fn observed(app: &App) -> Config {
    Config::new(app).set("gateways.doku.mode", "observe")
}

fn hang_up(kawal: &Kawal, config: &Config, reloads: usize) {
    config.write();
    kawal.signal("HUP");
    let labels = "what=\"config\",result=\"success\"";
    kawal.wait_for_metric_with("kawal_reloads_total", labels, reloads as f64);
}

#[test]
fn what_the_app_took_from_a_stranger_s_address_is_known_when_that_is_let_in() {
    let app = App::start();
    let config = observed(&app).set("gateways.doku.allow_from", json!(["192.0.2.1"]));
    let kawal = Kawal::start(config);
    let genuine = doku("{\"amount\":1}");
    assert_eq!(kawal.send(&genuine).status, 200);
    let seen = app.only();
    assert_eq!(
        seen.header("X-Kawal-Verdict").as_deref(),
        Some("would-reject:forbidden")
    );
    assert_eq!(seen.header("X-Kawal-Attempt").as_deref(), Some("1"));
    let line = kawal.notifications(1).remove(0);
    assert_eq!(
        (&line["outcome"], &line["reason"]),
        (&json!("rejected"), &json!("forbidden")),
        "{line}"
    );
    let labels = "gateway=\"doku\",outcome=\"delivered\"";
    assert!((kawal.metric_with("kawal_observed_total", labels) - 1.0).abs() < 0.5);

    hang_up(
        &kawal,
        &Config::clone(&kawal.config)
            .set("gateways.doku", Config::new(&app).value("gateways.doku")),
        1,
    );
    assert_eq!(kawal.send(&genuine).status, 200);
    assert_eq!(app.count(), 1, "it was delivered a second time");
    assert_eq!(kawal.reason(2), "duplicate");
}

#[test]
fn no_unverified_request_names_another_target() {
    let app = App::start();
    let kawal = Kawal::start(observed(&app));
    let forged = doku("{}")
        .replace("Signature", "HMACSHA256=forged")
        .header("X-Original-URL", "/payments/pivot")
        .header("X-Rewrite-URL", "/payments/pivot");
    assert_eq!(kawal.send(&forged).status, 200);
    let seen = app.only();
    assert!(
        !seen.has("X-Original-URL") && !seen.has("X-Rewrite-URL"),
        "{seen:?}"
    );
}

/// An app that leaves a body unread takes it for the next request of the connection.
#[test]
fn a_body_that_nobody_verified_ends_the_connection_to_the_app() {
    let app = App::start();
    let config = observed(&app).set("unmatched", "forward").set("threads", 1);
    let kawal = Kawal::start(config);
    let forged = doku("{}").replace("Signature", "HMACSHA256=forged");
    let relayed = Request::post("/elsewhere", "a body");
    for (nth, (request, ends)) in [
        (forged, true),
        (doku("{\"n\":1}"), false),
        (relayed, true),
        (doku("{\"n\":2}"), false),
        (Request::new("GET", "/elsewhere"), false),
        (doku("{\"n\":3}"), false),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(kawal.send(&request).status, 200, "{nth}");
        let seen = app.requests().remove(nth);
        let close = seen
            .header("Connection")
            .is_some_and(|word| word == "close");
        assert_eq!(close, ends, "{nth}: {seen:?}");
    }
    // Two that ended; one for all that was verified, and one for what was not.
    assert_eq!(app.connections(), 4);
}

#[test]
fn what_nobody_verified_makes_way_for_what_somebody_will() {
    let app = App::answering(Reply::ok().held());
    let kawal = Kawal::start(observed(&app).set("limits.connections", 2));
    let forged =
        |n: usize| doku(format!("{{\"n\":{n}}}")).replace("Signature", "HMACSHA256=forged");
    let mut strangers: Vec<_> = (0..2)
        .map(|n| {
            let mut connection = Connection::open(kawal.addr());
            connection.write(&forged(n).bytes()).unwrap();
            app.wait_for(n + 1);
            connection
        })
        .collect();
    let mut gateway = Connection::open(kawal.addr());
    gateway.write(&pivot("{}").bytes()).unwrap();
    app.wait_for(3);
    app.release();
    assert_eq!(gateway.read("POST").unwrap().status, 200);
    assert!(strangers.remove(0).read("POST").is_err());
}

/// The method is part of what is compared, and of hardly any proof.
#[test]
fn a_copy_of_another_method_takes_nothing_from_the_genuine_one() {
    let app = App::start();
    let kawal = Kawal::start(observed(&app));
    let genuine = doku("{\"amount\":1}");
    assert_eq!(kawal.send(&genuine.clone().method("OPTIONS")).status, 200);
    assert_eq!(kawal.send(&genuine).status, 200);
    let seen = app.requests().remove(1);
    assert_eq!(seen.header("X-Kawal-Verdict").as_deref(), Some("accepted"));
    assert_eq!(seen.header("X-Kawal-Attempt").as_deref(), Some("1"));
}
