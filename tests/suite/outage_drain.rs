//! The process ends while its store is away: it writes down what it still can, and ends in any case.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::kawal::command;
use crate::harness::{App, Config, Connection, Deployment, Kawal, PATIENCE, Redis, Reply, doku};
use crate::outage::in_the_dark;

#[test]
fn an_idle_process_ends_well_without_its_store() {
    for signal in ["TERM", "INT"] {
        let mut shop = in_the_dark(|config| config.set("timeouts.drain", "1h"));
        shop.misses_its_store(&doku("{}"));
        shop.kawal.signal(signal);
        assert_eq!(shop.kawal.wait_exit().code(), Some(0), "{signal}");
    }
}

#[test]
fn a_process_that_never_saw_its_store_ends_well() {
    let store = Redis::start();
    store.kill();
    let mut shop = Deployment::with(store, |config| config.set("timeouts.drain", "1h"));
    shop.goes_down();
    shop.kawal.signal_term();
    assert_eq!(shop.kawal.wait_exit().code(), Some(0));
}

/// A notification at the app, with the gateway that waits for its answer.
fn at_the_app(shop: &Deployment) -> (crate::harness::Request, Connection) {
    shop.app.next(Reply::ok().body("taken").held());
    let notification = doku("{}");
    let mut gateway = Connection::open(shop.kawal.addr());
    gateway.write(&notification.bytes()).unwrap();
    shop.app.wait_for(1);
    (notification, gateway)
}

/// A notification that the app took while the store was away, so that its outcome waits.
fn taken_without_a_store(shop: &Deployment) -> crate::harness::Request {
    let (notification, mut gateway) = at_the_app(shop);
    shop.store.signal("STOP");
    shop.goes_down();
    shop.app.release();
    assert_eq!(gateway.read("POST").unwrap().status, 200);
    notification
}

#[test]
fn what_was_taken_is_written_down_before_the_process_ends() {
    let mut shop = Deployment::with(Redis::start(), |config| config.set("timeouts.drain", "1h"));
    let notification = taken_without_a_store(&shop);
    shop.kawal.wait_for_metric("kawal_store_unsettled", 1.0);
    shop.kawal.signal_term();
    until("it drains", || shop.kawal.admin("/readyz").status == 503);
    assert!(shop.kawal.runs(), "it left an outcome behind");
    shop.store.signal("CONT");
    assert_eq!(shop.kawal.wait_exit().code(), Some(0));

    // Whoever comes next knows it.
    let app = App::start();
    let next = Kawal::start(Config::new(&app).on(&shop.store));
    let answer = next.send(&notification);
    assert_eq!((answer.status, answer.text().as_str()), (200, "taken"));
    assert_eq!(app.count() + shop.app.count(), 1);
}

#[test]
fn a_drain_that_waits_for_a_store_has_an_end() {
    let mut shop = Deployment::with(Redis::start(), |config| {
        config.set("timeouts.drain", "300ms")
    });
    let notification = taken_without_a_store(&shop);
    shop.kawal.wait_for_metric("kawal_store_unsettled", 1.0);
    shop.kawal.signal_term();
    assert!(shop.kawal.wait_exit().code().is_some(), "by itself");
    // Somebody has to hear that an outcome was left behind.
    let line = shop.kawal.wait_for_log(|line| line["deliveries"] == 1);
    assert_eq!(
        (&line["level"], &line["requests"]),
        (&"warn".into(), &0.into())
    );
    let [request] = &shop.app.requests()[..] else {
        panic!("one came");
    };
    let id = request.header("X-Kawal-Notification-Id").unwrap();
    let recorded = |line: &serde_json::Value| line["level"] == "error" && line["id"] == id;
    shop.kawal.wait_for_log(recorded);

    // The claim holds until its lease ends: a copy waits, and does not come twice before.
    shop.store.signal("CONT");
    let app = App::start();
    let next = Kawal::start(Config::new(&app).on(&shop.store));
    assert_eq!(next.send(&notification).status, 503);
    assert_eq!(app.count(), 0);
}

/// Whoever rolls out while the store hangs does not wait for the start.
#[test]
fn a_start_that_waits_for_its_store_ends_when_it_is_told_to() {
    let store = Redis::start();
    store.signal("STOP");
    let config = Config::to("http://127.0.0.1:9")
        .on(&store)
        .set("replay.redis.timeout", "10s");
    let mut serve = command()
        .args(["serve", "--config"])
        .arg(config.write())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let id = serve.id().to_string();
    until("it listens to signals", || catches_term(&id));
    let killed = Command::new("kill").args(["-s", "TERM", &id]).status();
    assert!(killed.unwrap().success());
    let mut ended = None;
    until("it ends", || {
        ended = serve.try_wait().unwrap();
        ended.is_some()
    });
    assert_eq!(ended.unwrap().code(), Some(0));
}

#[test]
fn whoever_asks_twice_does_not_wait_for_a_store() {
    let mut shop = Deployment::with(Redis::start(), |config| config.set("timeouts.drain", "1h"));
    taken_without_a_store(&shop);
    shop.kawal.signal_term();
    shop.kawal
        .wait_for_log(|line| line["message"] == "draining");
    shop.kawal.signal_term();
    assert!(shop.kawal.wait_exit().code().is_some());
}

/// The app is still at it when the process is told to end, and says yes while the store is away.
#[test]
fn a_call_in_flight_is_finished_without_a_store() {
    let mut shop = Deployment::with(Redis::start(), |config| config.set("timeouts.drain", "1h"));
    let (notification, mut gateway) = at_the_app(&shop);
    shop.store.signal("STOP");
    shop.goes_down();
    shop.kawal.signal_term();
    until("it drains", || shop.kawal.admin("/readyz").status == 503);
    shop.app.release();
    let answer = gateway.read("POST").unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "taken"));
    shop.store.signal("CONT");
    assert_eq!(shop.kawal.wait_exit().code(), Some(0));
    let app = App::start();
    let next = Kawal::start(Config::new(&app).on(&shop.store));
    assert_eq!(next.send(&notification).status, 200);
    assert_eq!(app.count(), 0);
}

/// Whether SIGTERM, the fifteenth, would be caught. Source: `man 5 proc_pid_status`
fn catches_term(id: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    u64::from_str_radix(caught.unwrap().trim(), 16).unwrap() & (1 << 14) != 0
}

/// Waits for what must come about.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what}: not yet");
        thread::sleep(Duration::from_millis(10));
    }
}
