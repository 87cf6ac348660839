//! Limits and timeouts that change while connections are open.

use std::thread;

use serde_json::json;

use crate::harness::{App, Config, Connection, Doku, Kawal, Reply, Request, doku, pivot, until};

/// A genuine notification whose head has this many bytes, its empty line included.
fn padded(size: usize) -> Request {
    let request = doku("").header("X-Pad", "");
    let missing = size - request.bytes().len();
    request.replace("X-Pad", "a".repeat(missing))
}

/// On a connection that is as old as the process, and on a new one.
#[test]
fn a_head_may_be_as_large_as_the_limit_is_by_now() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let mut kept = Connection::open(kawal.addr());
    assert_eq!(kept.send(&padded(8 * 1024)).status, 200);
    let mut refused = Connection::open(kawal.addr());
    assert_eq!(refused.send(&doku("{}")).status, 200);

    kawal.reload(&kawal.config.clone().set("limits.head", "4KiB"));
    assert_eq!(kept.send(&padded(4096)).status, 200);
    assert_eq!(refused.send(&padded(4097)).status, 431);
    assert_eq!(kawal.send(&padded(4097)).status, 431);
    kawal.reload(&kawal.config.clone().set("limits.head", "64KiB"));
    assert_eq!(kept.send(&padded(65_536)).status, 200);
    assert_eq!(kawal.send(&padded(65_536)).status, 200);
    assert_eq!(kawal.send(&padded(65_537)).status, 431);
    assert_eq!(app.count(), 5);
}

#[test]
fn a_body_may_be_as_large_as_the_limit_is_by_now() {
    let app = App::start();
    let own = json!({"path": "/payments/own", "gateway": "doku", "limits": {"body": "2KiB"}});
    let kawal = Kawal::start(Config::new(&app).route(own));
    let mut kept = Connection::open(kawal.addr());
    let sized = |size: usize| doku("a".repeat(size));
    let to_own = |size: usize| Doku::new("a".repeat(size)).target("/payments/own").sign();
    assert_eq!(kept.send(&sized(100_000)).status, 200);

    let small = kawal.config.clone().set("limits.body", "1KiB");
    kawal.reload(&small);
    assert_eq!(kept.send(&sized(1024)).status, 200);
    assert_eq!(kept.send(&to_own(2048)).status, 200);
    assert_eq!(kept.send(&sized(1025)).status, 413);
    kawal.reload(&small.on_route("/payments/own", "limits", json!({"body": "4KiB"})));
    assert_eq!(kawal.send(&to_own(4096)).status, 200);
    assert_eq!(kawal.send(&to_own(4097)).status, 413);
    kawal.reload(&kawal.config.clone().set("limits.body", "2MiB"));
    assert_eq!(kawal.send(&sized(2 * 1024 * 1024)).status, 200);
    assert_eq!(app.count(), 5);
}

/// What is at the app stays there, however few are allowed by now.
#[test]
fn there_are_as_many_connections_as_the_limit_allows_by_now() {
    let app = App::start();
    app.answer_with(|request| match request.text().as_str() {
        "held" => Reply::ok().held(),
        _ => Reply::ok(),
    });
    let kawal = Kawal::start(Config::new(&app).set("limits.connections", 2));
    let mut busy = vec![hold(&kawal, &app, 1), hold(&kawal, &app, 2)];
    assert!(is_turned_away(&kawal));
    kawal.reload(&kawal.config.clone().set("limits.connections", 4));
    busy.push(hold(&kawal, &app, 3));
    assert_eq!(kawal.send(&doku("quick")).status, 200);
    busy.push(hold(&kawal, &app, 5));
    assert!(is_turned_away(&kawal));

    kawal.reload(&kawal.config.clone().set("limits.connections", 1));
    assert!(is_turned_away(&kawal));
    app.release();
    for connection in &mut busy {
        assert_eq!(connection.read("POST").unwrap().status, 200);
    }
    drop(busy);
    until("there is room again", || !is_turned_away(&kawal));
}

/// A notification that the app thinks about.
fn hold(kawal: &Kawal, app: &App, nth: usize) -> Connection {
    let mut connection = Connection::open(kawal.addr());
    connection.write(&doku("held").bytes()).unwrap();
    until("it is at the app", || app.count() >= nth);
    connection
}

/// Whether there is no room for one more.
fn is_turned_away(kawal: &Kawal) -> bool {
    let mut connection = Connection::open(kawal.addr());
    let _ = connection.write(&doku("quick").bytes());
    match connection.read("POST") {
        Ok(answer) => {
            assert!([200, 503].contains(&answer.status), "{answer:?}");
            answer.status == 503
        }
        // Where too many come at once they are closed.
        Err(_) => true,
    }
}

/// Newcomers take their place.
#[test]
fn idle_connections_above_a_lowered_limit_lock_nobody_out() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let mut idle: Vec<_> = (0..20).map(|_| Connection::open(kawal.addr())).collect();
    for connection in &mut idle {
        assert_eq!(connection.send(&doku("{}")).status, 200);
    }
    kawal.reload(&kawal.config.clone().set("limits.connections", 3));
    for _ in 0..10 {
        kawal.serves(&app);
    }
    assert!(idle[0].ends(), "the one that has waited longest stays");
}

#[test]
fn what_takes_too_long_is_given_up_by_the_new_measure() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("timeouts.idle", "1h"));
    let mut kept: Vec<_> = (0..3).map(|_| Connection::open(kawal.addr())).collect();
    for connection in &mut kept {
        assert_eq!(connection.send(&doku("{}")).status, 200);
    }
    let short = json!({"header": "300ms", "body": "300ms", "idle": "1h", "upstream": "300ms"});
    kawal.reload(&kawal.config.clone().set("timeouts", short));
    let bytes = doku("a body").bytes();
    let whole_but_one = &bytes[..bytes.len() - 1];
    for mut connection in [kept.remove(0), Connection::open(kawal.addr())] {
        connection.write(&bytes[..20]).unwrap();
        assert_gives_up(&mut connection);
    }
    for mut connection in [kept.remove(0), Connection::open(kawal.addr())] {
        connection.write(whole_but_one).unwrap();
        assert_gives_up(&mut connection);
    }
    app.answer_with(|_| Reply::ok().held());
    for mut connection in [kept.remove(0), Connection::open(kawal.addr())] {
        assert_eq!(connection.send(&doku("{}")).status, 504);
    }
}

/// 408, or closed without a word; not open for longer.
fn assert_gives_up(connection: &mut Connection) {
    if let Ok(answer) = connection.read("POST") {
        assert_eq!(answer.status, 408);
    }
    assert!(connection.ends());
}

#[test]
fn an_idle_connection_is_closed_by_the_new_measure() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("timeouts.idle", "1h"));
    let mut kept = Connection::open(kawal.addr());
    assert_eq!(kept.send(&doku("{}")).status, 200);
    kawal.reload(&kawal.config.clone().set("timeouts.idle", "200ms"));
    assert!(Connection::open(kawal.addr()).ends());
    // The wait under way may be the old one; the next is not.
    if kept.write(&doku("{}").bytes()).is_ok() {
        let _ = kept.read("POST");
    }
    assert!(kept.ends());
}

/// A route's own measure goes before the general one, after a reload as before.
#[test]
fn a_route_gives_the_app_the_time_that_it_has_by_now() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("timeouts.upstream", "300ms"));
    let route = "/payments/notifications";
    let patient = kawal
        .config
        .clone()
        .on_route(route, "timeouts", json!({"upstream": "1h"}));
    app.next(Reply::ok().held());
    assert_eq!(kawal.send(&doku("{}")).status, 504);
    kawal.reload(&patient);
    app.next(Reply::ok().held());
    thread::scope(|scope| {
        let sent = scope.spawn(|| kawal.send(&doku("{}")).status);
        app.wait_for(2);
        // Longer than it had before: the other gateways still have that.
        app.next(Reply::ok().held());
        assert_eq!(kawal.send(&pivot("{}")).status, 504);
        app.release();
        assert_eq!(sent.join().unwrap(), 200);
    });
}

#[test]
fn the_ledger_has_the_room_that_it_is_given_by_now() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("replay.capacity", 2));
    let mut known = vec![doku("[0]"), doku("[1]")];
    let fills = |known: &[Request]| {
        for (nth, notification) in known.iter().enumerate() {
            assert_eq!(kawal.send(notification).status, 200, "{nth} was forgotten");
        }
        assert_eq!(kawal.send(&doku("one more")).status, 503);
        assert_eq!(app.count(), known.len());
    };
    fills(&known);
    for capacity in [4, 3, 1, 5] {
        kawal.reload(&kawal.config.clone().set("replay.capacity", capacity));
        assert_eq!(kawal.metric("kawal_ledger_capacity"), f64::from(capacity));
        while known.len() < capacity as usize {
            known.push(doku(format!("[{}]", known.len())));
        }
        fills(&known);
    }
}
