//! Between SIGTERM and the end of the listeners: those who send have not heard of it yet, and lose nothing.

use std::net::TcpStream;
use std::process::Command;

use crate::harness::kawal::command;
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

/// As a preStop hook, while the app still sleeps and Kawal has not been asked to end.
#[test]
fn an_announced_end_sends_connections_elsewhere_and_takes_all_that_comes() {
    let app = App::start();
    let mut kawal = Kawal::start(Config::new(&app).set("unmatched", "forward"));
    let mut known = Connection::open(kawal.addr());
    assert_eq!(known.send(&doku("before")).status, 200);
    announce(&kawal);
    announce(&kawal);

    assert_eq!(kawal.admin("/readyz").status, 503);
    assert_eq!(kawal.admin("/livez").status, 200);
    assert_eq!(known.send(&doku("after")).status, 200);
    assert!(known.ends());
    assert_eq!(kawal.send(&doku("new")).status, 200);
    assert_eq!(kawal.send(&forged()).status, 401);
    assert_eq!(app.count(), 3);
    kawal.signal_term();
    assert_eq!(kawal.wait_exit().code(), Some(0));
}

#[test]
fn an_app_that_is_gone_after_an_announced_end_is_no_failure() {
    let vacant = Vacant::new();
    let kawal = Kawal::start(Config::to(&vacant.url()));
    announce(&kawal);
    let answer = kawal.send(&doku("{}"));
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["error"], "draining");
}

/// It was on its way when the end came, and its connection would be cut under the next one.
#[test]
fn a_page_that_was_on_its_way_ends_its_connection_too() {
    let app = App::answering(Reply::ok().held());
    let kawal = Kawal::start(Config::new(&app).set("unmatched", "forward"));
    let mut reader = Connection::open(kawal.addr());
    reader.write(&Request::new("GET", "/shop").bytes()).unwrap();
    app.wait_for(1);
    announce(&kawal);
    app.release();
    let page = reader.read("GET").unwrap();
    assert_eq!(page.status, 200);
    assert_eq!(page.header("Connection"), Some("close".to_owned()));
    assert!(reader.ends());
}

#[test]
fn nobody_else_is_told() {
    let mut other = Command::new("sleep").arg("100").spawn().unwrap();
    for pid in [other.id().to_string(), i32::MAX.to_string()] {
        let told = command().args(["drain", "--pid", &pid]).output().unwrap();
        assert_eq!(told.status.code(), Some(1), "{told:?}");
        let words = String::from_utf8(told.stderr).unwrap();
        assert!(words.contains(&pid) && words.contains("--pid"), "{words}");
    }
    assert_eq!(other.try_wait().unwrap(), None);
    other.kill().unwrap();
    other.wait().unwrap();
    let zero = command().args(["drain", "--pid", "0"]).output().unwrap();
    assert_eq!(zero.status.code(), Some(64), "{zero:?}");
}

fn announce(kawal: &Kawal) {
    let pid = kawal.pid().to_string();
    let told = command().args(["drain", "--pid", &pid]).output().unwrap();
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    assert!(told.stdout.is_empty() && told.stderr.is_empty(), "{told:?}");
    until("readiness says no", || kawal.admin("/readyz").status == 503);
}
