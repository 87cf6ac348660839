//! What is going on right now: requests in flight, connections, entries of the ledger, the last notification.

use jiff::Timestamp;
use serde_json::json;

use crate::harness::{
    App, Config, Connection, Doku, Kawal, Page, Qris, Reply, TokenRequest, doku, pivot, until,
};

#[test]
fn what_hangs_at_the_app_is_in_flight_until_it_is_answered() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    kawal.wait_for_metric("kawal_in_flight", 0.0);
    kawal.wait_for_metric("kawal_connections", 0.0);
    let mut busy = Vec::new();
    for count in 1..=3 {
        app.next(Reply::ok().held());
        let mut connection = Connection::open(kawal.addr());
        connection.write(&doku("{}").bytes()).unwrap();
        app.wait_for(count);
        assert_eq!(kawal.metric("kawal_in_flight"), count as f64);
        assert_eq!(kawal.metric("kawal_connections"), count as f64);
        busy.push(connection);
    }
    app.release();
    for connection in &mut busy {
        assert_eq!(connection.read("POST").unwrap().status, 200);
    }
    // Nothing is in flight on a connection that only waits.
    kawal.wait_for_metric("kawal_in_flight", 0.0);
    assert_eq!(kawal.metric("kawal_connections"), 3.0);
    drop(busy);
    kawal.wait_for_metric("kawal_connections", 0.0);
}

#[test]
fn whoever_leaves_or_is_refused_is_in_flight_no_longer() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("unmatched", "forward"));
    app.next(Reply::hangup());
    kawal.send(&doku("{}"));
    kawal.send(&doku("{}").without("Signature"));
    kawal.send(&doku("{}").target("/elsewhere"));
    kawal.send(&doku("{}").target("/payments/notifications/"));
    for bytes in [
        &b"no request\r\n\r\n"[..],
        b"POST / HT",
        &doku("{}").bytes()[..60],
    ] {
        Connection::open(kawal.addr()).write(bytes).unwrap();
    }
    let mut half = Connection::open(kawal.addr());
    half.write(&doku("{}").header("Content-Length", "1000").bytes())
        .unwrap();
    kawal.wait_for_metric("kawal_in_flight", 1.0);
    drop(half);
    kawal.wait_for_metric("kawal_in_flight", 0.0);
    kawal.wait_for_metric("kawal_connections", 0.0);
}

/// The listener of probes is not the gateways'.
#[test]
fn probes_are_not_counted() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let probes: Vec<_> = (0..5)
        .map(|_| Connection::open(kawal.admin_addr()))
        .collect();
    assert_eq!(kawal.metric("kawal_connections"), 0.0);
    assert_eq!(kawal.metric("kawal_in_flight"), 0.0);
    drop(probes);
}

#[test]
fn the_ledger_has_an_entry_for_each_that_it_remembers() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("replay.capacity", 7));
    assert_eq!(kawal.metric("kawal_ledger_capacity"), 7.0);
    assert_eq!(kawal.metric("kawal_ledger_entries"), 0.0);
    for count in 1..=7 {
        let known = pivot(format!("{count}"));
        for _ in 0..2 {
            assert_eq!(kawal.send(&known).status, 200);
        }
        kawal.send(&doku("{}").without("Signature"));
        kawal.wait_for_metric("kawal_ledger_entries", f64::from(count));
    }
    assert_eq!(kawal.send(&doku("{}")).status, 503);
    kawal.wait_for_metric("kawal_ledger_entries", 7.0);
}

#[test]
fn an_entry_is_there_while_its_notification_is_at_the_app() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    app.next(Reply::new(500).held());
    let mut busy = Connection::open(kawal.addr());
    busy.write(&doku("{}").bytes()).unwrap();
    app.wait_for(1);
    kawal.wait_for_metric("kawal_ledger_entries", 1.0);
    app.release();
    assert_eq!(busy.read("POST").unwrap().status, 500);
}

/// What an alarm looks at when nothing comes any more: genuine ones only.
#[test]
fn the_last_genuine_notification_has_its_time() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let last = |page: &Page, gateway: &str| {
        page.value(
            "kawal_last_notification_timestamp_seconds",
            &[("gateway", gateway)],
        )
    };
    let now = || Timestamp::now().as_millisecond() as f64 / 1e3;
    kawal.send(&doku("{}").without("Signature"));
    kawal.send(&doku("{}").target("/nowhere"));
    let page = kawal.page();
    for gateway in ["doku", "pivot", "doku-qris", "doku-b2b"] {
        assert_eq!(last(&page, gateway), 0.0, "{gateway}");
    }
    let known = doku("{}");
    app.next(Reply::ok()).next(Reply::new(500));
    for (name, request) in [
        ("delivered", known.clone()),
        ("refused_by_app", doku("{}")),
        ("duplicate", known),
    ] {
        let before = now().floor();
        kawal.send(&request);
        let seen = last(&kawal.page(), "doku");
        assert!((before..=now()).contains(&seen), "{name}: {seen}");
    }
    let before = now().floor();
    kawal.send(&TokenRequest::new().sign());
    let page = kawal.page();
    assert!((before..=now()).contains(&last(&page, "doku-b2b")));
    assert_eq!(last(&page, "pivot"), 0.0);
    let seen = last(&page, "doku");
    kawal.send(&Doku::new("{}").client("stranger", "stranger-key").sign());
    assert_eq!(
        last(&kawal.page(), "doku"),
        seen,
        "a forgery is no sign of life"
    );
}

#[test]
fn the_start_has_its_time_and_the_build_its_version() {
    let before = Timestamp::now().as_second() as f64;
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let page = kawal.page();
    let start = page.value("kawal_start_time_seconds", &[]);
    let after = Timestamp::now().as_millisecond() as f64 / 1e3;
    assert!(
        (before..=after).contains(&start),
        "{before} {start} {after}"
    );
    let version = [("version", env!("CARGO_PKG_VERSION"))];
    assert_eq!(page.value("kawal_build_info", &version), 1.0);
    assert_eq!(kawal.page().value("kawal_start_time_seconds", &[]), start);
}

/// Which gateways are watched only, and what the app made of what would have been refused.
#[test]
fn what_is_observed_is_counted_as_what_it_would_have_been() {
    let app = App::start();
    let config = Config::new(&app).set("gateways.doku.mode", "observe");
    let kawal = Kawal::start(config);
    let page = kawal.page();
    for (gateway, value) in [("doku", 1.0), ("pivot", 0.0), ("doku-qris", 0.0)] {
        assert_eq!(
            page.value("kawal_observing", &[("gateway", gateway)]),
            value
        );
    }
    let forged = || doku("{}").body("forged");
    assert_eq!(kawal.send(&forged()).status, 200);
    app.next(Reply::new(500)).next(Reply::hangup());
    assert_eq!(kawal.send(&forged()).status, 500);
    assert_eq!(kawal.send(&forged()).status, 502);
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    assert_eq!(kawal.send(&Qris::new().sign()).status, 200);
    kawal.notifications(5);
    let page = kawal.page();
    let of = |name: &str, label: &str, value: &str| {
        page.sum(name, &[("gateway", "doku"), (label, value)])
    };
    assert_eq!(of("kawal_notifications_total", "outcome", "rejected"), 3.0);
    assert_eq!(of("kawal_notifications_total", "outcome", "delivered"), 1.0);
    assert_eq!(of("kawal_rejections_total", "reason", "bad_proof"), 3.0);
    for outcome in ["delivered", "refused_by_app", "unknown"] {
        assert_eq!(
            of("kawal_observed_total", "outcome", outcome),
            1.0,
            "{outcome}"
        );
    }
    assert_eq!(page.sum("kawal_observed_total", &[]), 3.0);
    let verdicts: Vec<_> = kawal
        .notifications(5)
        .iter()
        .map(|line| line["verdict"].clone())
        .collect();
    let would = json!("would-reject:bad_proof");
    let expected = [
        would.clone(),
        would.clone(),
        would,
        json!("accepted"),
        json!(null),
    ];
    assert_eq!(verdicts, expected);
    until("nothing is in flight", || {
        kawal.metric("kawal_in_flight") == 0.0
    });
}
