//! Between SIGTERM and the end of the listeners: those who send have not heard of it yet, and lose nothing.

use std::net::TcpStream;

use crate::harness::*;

#[test]
fn whoever_has_not_heard_of_the_end_is_served_as_before() {
    let app = App::start();
    let mut kawal = delayed(Config::new(&app));
    let mut known = Connection::open(kawal.addr());
    assert_eq!(known.send(&doku("before")).status, 200);

    ending(&kawal);
    let answer = known.send(&doku("on a connection that was open"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("Connection"), Some("close".to_owned()));
    assert!(known.ends());
    let mut new = Connection::open(kawal.addr());
    assert_eq!(new.send(&doku("on a new one")).status, 200);
    assert!(new.ends());
    assert_eq!(kawal.send(&forged()).status, 401);

    let bodies: Vec<_> = app.requests().iter().map(Recorded::text).collect();
    assert_eq!(
        bodies,
        ["before", "on a connection that was open", "on a new one"]
    );
    assert!(kawal.runs());
}

#[test]
fn what_nobody_verifies_is_served_as_well_and_ends_its_connection() {
    let app = App::start();
    let kawal = delayed(Config::new(&app).set("unmatched", "forward"));
    ending(&kawal);
    let mut connection = Connection::open(kawal.addr());
    let page = Request::new("GET", "/shop");
    assert_eq!(connection.send(&page).status, 200);
    assert!(connection.ends());
    assert_eq!(app.only().target, "/shop");
}

#[test]
fn an_app_that_went_first_is_no_failure_but_a_reason_to_come_again() {
    let vacant = Vacant::new();
    let config = Config::to(&vacant.url()).set("unmatched", "forward");
    let kawal = delayed(config);
    let (notification, page) = (doku("{}"), Request::new("GET", "/shop"));
    for request in [&notification, &page] {
        let before = kawal.send(request);
        assert_eq!(before.status, 502);
        assert_eq!(before.json()["error"], "upstream_down");
    }

    ending(&kawal);
    for request in [&notification, &page] {
        let mut connection = Connection::open(kawal.addr());
        let after = connection.send(request);
        assert_eq!(after.status, 503);
        assert_eq!(after.json()["error"], "draining");
        assert!(after.has("Retry-After"));
        assert!(connection.ends());
    }
    // Nothing was taken for delivered, or for under way.
    let app = vacant.open();
    assert_eq!(kawal.send(&notification).status, 200);
    assert_eq!(app.only().text(), "{}");
}

#[test]
fn an_observed_one_that_finds_no_app_comes_again_too() {
    let vacant = Vacant::new();
    let kawal = delayed(Config::to(&vacant.url()).set("gateways.doku.mode", "observe"));
    ending(&kawal);
    for request in [doku("{}"), forged()] {
        let answer = kawal.send(&request);
        assert_eq!(answer.status, 503);
        assert_eq!(answer.json()["error"], "draining");
    }
}

#[test]
fn the_delay_has_an_end_and_only_then_listeners_close() {
    let app = App::answering(Reply::ok().held());
    let mut kawal = Kawal::start(Config::new(&app).set("timeouts.drain_delay", "300ms"));
    let mut idle = Connection::open(kawal.addr());
    let mut busy = Connection::open(kawal.addr());
    busy.write(&doku("in flight").bytes()).unwrap();
    app.wait_for(1);
    kawal.signal_term();
    assert!(idle.ends());
    until("the listener is closed", || {
        TcpStream::connect(kawal.addr()).is_err()
    });
    assert!(kawal.runs());
    app.release();
    assert_eq!(busy.read("POST").unwrap().status, 200);
    assert_eq!(kawal.wait_exit().code(), Some(0));
}

#[test]
fn whoever_asks_twice_waits_for_no_delay() {
    let app = App::start();
    let mut kawal = delayed(Config::new(&app));
    ending(&kawal);
    kawal.signal_term();
    assert_eq!(kawal.wait_exit().code(), Some(0));
}

fn delayed(config: Config) -> Kawal {
    Kawal::start(config.set("timeouts.drain_delay", "1h"))
}

fn ending(kawal: &Kawal) {
    kawal.signal_term();
    until("readiness says no", || kawal.admin("/readyz").status == 503);
    assert_eq!(kawal.admin("/livez").status, 200);
}

fn forged() -> Request {
    doku("forged").replace("Signature", "HMACSHA256=AAAA")
}
