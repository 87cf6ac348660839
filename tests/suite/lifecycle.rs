//! Start, health and end of the process: nothing in flight is lost, and nothing new is taken in.

use std::fs;
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use crate::harness::kawal::command;
use crate::harness::*;

#[test]
fn an_idle_process_ends_well_on_either_signal() {
    for signal in ["TERM", "INT"] {
        let app = App::start();
        let mut kawal = Kawal::start(Config::new(&app));
        let mut connection = Connection::open(kawal.addr());
        assert_eq!(connection.send(&doku("{}")).status, 200);
        kawal.signal(signal);
        assert_eq!(kawal.wait_exit().code(), Some(0), "{signal}");
        assert!(connection.ends(), "{signal}");
        let refused = TcpStream::connect(kawal.addr()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused, "{signal}");
    }
}

/// As the first process of its container it would not even be killed by a signal that nobody hears.
#[test]
fn an_end_that_is_asked_for_before_the_start_is_an_end() {
    let app = App::start();
    let config = Config::new(&app);
    let file = config.write();
    for signal in ["TERM", "INT"] {
        let mut kawal = command()
            .args(["serve", "--config"])
            .arg(&file)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let pid = kawal.id();
        until("it listens to signals", || outlives_hangups(pid));
        let pid = pid.to_string();
        let told = Command::new("kill").args(["-s", signal, &pid]).status();
        assert!(told.unwrap().success());
        assert_eq!(kawal.wait().unwrap().code(), Some(0), "{signal}");
    }
}

/// Whether SIGHUP, the last one that is listened to before anything is loaded, has a handler. Source: `man 5 proc`
fn outlives_hangups(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    u64::from_str_radix(caught.unwrap().trim(), 16).unwrap() & 1 == 1
}

#[test]
fn a_call_in_flight_is_finished_and_nothing_new_comes_in() {
    let app = App::answering(Reply::ok().held());
    let mut kawal = Kawal::start(Config::new(&app));
    assert_eq!(kawal.admin("/readyz").status, 200);
    let mut busy = Connection::open(kawal.addr());
    busy.write(&doku("in flight").bytes()).unwrap();
    app.wait_for(1);

    kawal.signal_term();
    until("readiness says no", || kawal.admin("/readyz").status == 503);
    assert_eq!(kawal.admin("/livez").status, 200);
    until("the listener is closed", || {
        TcpStream::connect(kawal.addr()).is_err()
    });
    assert!(kawal.runs());

    app.release();
    assert_eq!(busy.read("POST").unwrap().status, 200);
    assert!(busy.ends());
    assert_eq!(kawal.wait_exit().code(), Some(0));
    assert_eq!(app.only().text(), "in flight");
}

#[test]
fn connections_that_wait_are_closed_while_a_call_is_still_in_flight() {
    let app = App::start();
    let mut kawal = Kawal::start(Config::new(&app));
    let mut waiting = Connection::open(kawal.addr());
    assert_eq!(waiting.send(&doku("{}")).status, 200);
    let mut unused = Connection::open(kawal.addr());
    let mut busy = Connection::open(kawal.addr());
    app.next(Reply::ok().held());
    busy.write(&doku("in flight").bytes()).unwrap();
    app.wait_for(2);

    kawal.signal_term();
    assert!(waiting.ends());
    assert!(unused.ends());
    assert!(kawal.runs());
    app.release();
    assert_eq!(busy.read("POST").unwrap().status, 200);
    assert_eq!(kawal.wait_exit().code(), Some(0));
}

#[test]
fn a_notification_completed_during_the_drain_is_sent_away_to_come_again() {
    let app = App::answering(Reply::ok().held());
    let mut kawal = Kawal::start(Config::new(&app));
    let mut busy = Connection::open(kawal.addr());
    busy.write(&doku("in flight").bytes()).unwrap();
    app.wait_for(1);
    let mut half = Connection::open(kawal.addr());
    let bytes = doku("late").bytes();
    half.write(&bytes[..40]).unwrap();

    kawal.signal_term();
    until("readiness says no", || kawal.admin("/readyz").status == 503);
    // It may have been closed meanwhile, which sends the gateway away just as well.
    let _ = half.write(&bytes[40..]);
    if let Ok(response) = half.read("POST") {
        assert_eq!(response.status, 503);
        assert_eq!(response.json()["error"], "draining");
        assert!(response.has("Retry-After"));
        assert!(half.ends());
    }
    app.release();
    assert_eq!(busy.read("POST").unwrap().status, 200);
    assert_eq!(kawal.wait_exit().code(), Some(0));
    assert_eq!(app.only().text(), "in flight");
}

#[test]
fn the_drain_has_an_end() {
    let app = App::answering(Reply::ok().held());
    let mut kawal = Kawal::start(Config::new(&app).set("timeouts.drain", "300ms"));
    let mut busy = Connection::open(kawal.addr());
    busy.write(&doku("in flight").bytes()).unwrap();
    app.wait_for(1);
    kawal.signal_term();
    // By itself, though the app has not answered: an exit code, not a signal.
    assert!(kawal.wait_exit().code().is_some());
    assert!(busy.read("POST").is_err());
}

#[test]
fn a_hangup_ends_nothing() {
    let app = App::start();
    let mut kawal = Kawal::start(Config::new(&app));
    kawal.signal("HUP");
    kawal.wait_for_log(|line| line["message"] == "reloaded");
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    assert!(kawal.runs());
}

#[test]
fn whoever_asks_twice_means_now() {
    let app = App::answering(Reply::ok().held());
    let mut kawal = Kawal::start(Config::new(&app).set("timeouts.drain", "1h"));
    let mut busy = Connection::open(kawal.addr());
    busy.write(&doku("in flight").bytes()).unwrap();
    app.wait_for(1);
    kawal.signal_term();
    kawal.wait_for_log(|line| line["message"] == "draining");
    kawal.signal_term();
    assert!(kawal.wait_exit().code().is_some());
}

#[test]
fn the_first_notification_already_finds_an_app_that_is_known_by_name() {
    let app = App::start();
    let port = app.port();
    let kawal = Kawal::start(Config::to(&format!("http://localhost:{port}")));
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    assert_eq!(app.count(), 1);
}

#[test]
fn an_address_in_use_is_named_and_ends_the_start() {
    let app = App::start();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for key in ["listen", "admin"] {
        let config = Config::new(&app).set(key, address.as_str());
        let Err(exit) = Kawal::try_start(config) else {
            panic!("{key}: it started");
        };
        assert_eq!(exit.code, Some(1), "{key}: {exit:?}");
        assert!(exit.stderr.starts_with("kawal: "), "{key}: {exit:?}");
        assert!(exit.stderr.contains(&address), "{key}: {exit:?}");
        assert_eq!(exit.stderr.lines().count(), 1, "{key}: {exit:?}");
    }
}

#[test]
fn the_admin_listener_forwards_nothing() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("unmatched", "forward"));
    for path in ["/livez", "/readyz"] {
        assert_eq!(kawal.admin(path).status, 200, "{path}");
        let posted = Request::post(path, "").send(kawal.admin_addr());
        assert_eq!(posted.status, 405, "{path}");
    }
    for path in ["/elsewhere", "/livez/", "/payments/notifications"] {
        assert_eq!(kawal.admin(path).status, 404, "{path}");
    }
    let home = kawal.admin("/");
    assert_eq!(
        (home.status, home.header("Location")),
        (302, Some("/status".to_owned()))
    );
    let status = doku("{}").send(kawal.admin_addr()).status;
    assert!(matches!(status, 404 | 405), "{status}");
    assert_eq!(app.count(), 0);
}

#[test]
fn health_is_not_told_to_gateways() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for path in ["/livez", "/readyz", "/metrics"] {
        assert_eq!(kawal.send(&Request::new("GET", path)).status, 404, "{path}");
    }
}

#[test]
fn readiness_does_not_depend_on_the_app() {
    let vacant = Vacant::new();
    let kawal = Kawal::start(Config::to(&vacant.url()));
    assert_eq!(kawal.admin("/livez").status, 200);
    assert_eq!(kawal.admin("/readyz").status, 200);
}

#[test]
fn without_an_admin_address_there_is_no_admin_listener() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).without("admin"));
    let line = kawal.wait_for_log(|line| line["message"] == "listening");
    assert!(line["admin"].is_null(), "{line}");
    assert_eq!(kawal.send(&doku("{}")).status, 200);
}
