//! What one connection carries, how many there may be at once, and who makes room when there are too many.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::harness::*;

#[test]
fn an_unknown_path_is_not_found_and_the_connection_goes_on() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let mut connection = Connection::open(kawal.addr());
    for target in [
        "/elsewhere",
        "/",
        "/payments",
        "/elsewhere?path=/payments/notifications",
    ] {
        let response = connection.send(&Doku::new("{}").target(target).sign());
        assert_eq!(response.status, 404, "{target}");
        assert_eq!(response.json()["error"], "no_route", "{target}");
    }
    assert_eq!(app.count(), 0);
    assert_eq!(connection.send(&doku("{}")).status, 200);
}

#[test]
fn many_notifications_share_a_connection_and_keep_their_answers() {
    let app = App::start();
    app.answer_with(|request| Reply::ok().body(request.text()));
    let kawal = Kawal::start(Config::new(&app));
    let mut connection = Connection::open(kawal.addr());
    for _ in 0..20 {
        let body = unique("body");
        let response = connection.send(&doku(&body));
        assert_eq!((response.status, response.text()), (200, body));
    }
    assert_eq!(app.count(), 20);
}

#[test]
fn pipelined_notifications_are_never_mixed_up() {
    let app = App::start();
    app.answer_with(|request| Reply::ok().body(request.text()));
    let kawal = Kawal::start(Config::new(&app));
    let both = [doku("first").bytes(), doku("second").bytes()].concat();
    let mut connection = Connection::open(kawal.addr());
    connection.write(&both).unwrap();
    assert_eq!(connection.read("POST").unwrap().text(), "first");
    match connection.read("POST") {
        Ok(response) => {
            assert_eq!(
                (response.status, response.text()),
                (200, "second".to_owned())
            );
            assert_eq!(app.count(), 2);
        }
        // A sender whose request was not answered sends it again: then it must not have been delivered.
        Err(error) => {
            assert_ne!(
                error.kind(),
                ErrorKind::WouldBlock,
                "neither answered nor closed"
            );
            assert_eq!(app.count(), 1);
        }
    }
}

#[test]
fn idle_connections_up_to_the_limit_cost_little_and_lock_nobody_out() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    // A first notification pays for what is set up once.
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    let before = resident_kib(kawal.pid());
    let mut idle: Vec<_> = (0..4096).map(|_| open(kawal.addr())).collect();
    for _ in 0..20 {
        assert_eq!(kawal.send(&doku("{}")).status, 200);
    }
    let grown = resident_kib(kawal.pid()).saturating_sub(before);
    assert!(grown < 64 * 1024, "4096 idle connections cost {grown} KiB");
    let mut late: Vec<_> = (0..16).map(|_| open(kawal.addr())).collect();
    assert!(
        closed(&mut idle[0]),
        "the one that has waited longest stays"
    );
    let youngest = late.last_mut().unwrap();
    youngest.write_all(&doku("{}").bytes()).unwrap();
    let mut status = [0; 12];
    youngest.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 200");
    assert_eq!(app.count(), 22);
}

#[test]
fn notifications_pass_while_many_heads_trickle_in() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let slow: Vec<_> = (0..500).map(|_| open(kawal.addr())).collect();
    let done = AtomicBool::new(false);
    let head = b"POST /payments/notifications HTTP/1.1\r\nHost: merchant.example\r\nX-Note: ";
    thread::scope(|scope| {
        scope.spawn(|| trickle(&slow, head, &done));
        for _ in 0..50 {
            assert_eq!(kawal.send(&doku("{}")).status, 200);
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(app.count(), 50);
}

#[test]
fn idle_connections_make_room_and_those_at_the_app_do_not() {
    let app = App::start();
    app.answer_with(hold_some);
    let kawal = Kawal::start(Config::new(&app).set("limits.connections", 8));
    let mut busy = hold(&kawal, &app, 4);
    let mut idle: Vec<_> = (0..4).map(|_| open(kawal.addr())).collect();
    let mut served = Vec::new();
    for _ in 0..12 {
        let mut connection = Connection::open(kawal.addr());
        assert_eq!(connection.send(&doku("quick")).status, 200);
        served.push(connection);
    }
    for stream in &mut idle {
        assert!(
            closed(stream),
            "an idle one stayed while newer ones came and went"
        );
    }
    app.release();
    for connection in &mut busy {
        assert_eq!(connection.read("POST").unwrap().status, 200);
    }
}

#[test]
fn places_are_counted_right_whatever_the_connections_before_did() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("limits.connections", 4));
    for _ in 0..3 {
        let mut refused = Connection::open(kawal.addr());
        for _ in 0..10 {
            assert_eq!(refused.send(&Request::new("GET", "/elsewhere")).status, 404);
        }
        let crowd: Vec<_> = (0..12).map(|_| open(kawal.addr())).collect();
        assert_eq!(kawal.send(&doku("in the crowd")).status, 200);
        drop(crowd);
    }
    for _ in 0..20 {
        assert_eq!(kawal.send(&doku("afterwards")).status, 200);
    }
    assert_eq!(app.count(), 23);
}

#[test]
fn a_slow_body_makes_room_and_holds_no_memory() {
    let app = App::start();
    let config = Config::new(&app).set("limits.connections", 4);
    let kawal = Kawal::start(config.set("timeouts.body", "1h"));
    let head =
        "POST /payments/notifications HTTP/1.1\r\nHost: shop\r\nContent-Length: 1000000\r\n\r\n";
    let part = [head.as_bytes(), &vec![b'x'; 900_000]].concat();
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut stream = open(kawal.addr());
        let _ = stream.write_all(&part);
        slow.push(stream);
    }
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    for stream in &mut slow[..4] {
        assert!(
            closed(stream),
            "a place was given away and its connection kept"
        );
    }
    assert_eq!(app.count(), 1);
}

#[test]
fn refused_senders_that_stay_hold_no_place() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("limits.connections", 4));
    let unsent =
        "PUT /payments/notifications HTTP/1.1\r\nHost: shop\r\nContent-Length: 900000\r\n\r\n";
    let mut forged = doku("{}").header("Connection", "close");
    forged = forged.replace("Signature", "HMACSHA256=forged");
    for bytes in [unsent.as_bytes().to_vec(), forged.bytes()] {
        let mut staying: Vec<_> = (0..4).map(|_| open(kawal.addr())).collect();
        for stream in &mut staying {
            stream.write_all(&bytes).unwrap();
        }
        for _ in 0..8 {
            assert_eq!(kawal.send(&doku("{}")).status, 200);
        }
    }
    assert_eq!(app.count(), 16);
}

#[test]
fn idle_connections_make_way_before_traffic_that_does_something() {
    let app = App::answering(Reply::ok().held());
    let config = Config::new(&app).set("limits.connections", 4);
    let kawal = Kawal::start(config.set("unmatched", "forward"));
    let mut idle: Vec<_> = (0..3).map(|_| open(kawal.addr())).collect();
    let mut relayed = Connection::open(kawal.addr());
    relayed
        .write(&Request::new("GET", "/elsewhere").bytes())
        .unwrap();
    app.wait_for(1);
    let mut more: Vec<_> = (0..3).map(|_| open(kawal.addr())).collect();
    for stream in &mut idle {
        assert!(closed(stream), "an idle one stayed");
    }
    app.release();
    assert_eq!(relayed.read("GET").unwrap().status, 200);
    more.clear();
}

#[test]
fn traffic_that_nobody_verifies_makes_way_too() {
    let app = App::start();
    let config = Config::new(&app).set("limits.connections", 4);
    let kawal = Kawal::start(config.set("unmatched", "forward"));
    let head = b"POST /elsewhere HTTP/1.1\r\nHost: shop\r\nContent-Length: 9\r\n\r\nslow";
    let mut slow: Vec<_> = (0..4).map(|_| open(kawal.addr())).collect();
    for stream in &mut slow {
        stream.write_all(head).unwrap();
    }
    for _ in 0..10 {
        assert_eq!(kawal.send(&doku("{}")).status, 200);
    }
    assert_eq!(app.count(), 10, "half an upload is no request");
}

#[test]
fn connections_at_the_app_end_well_when_all_places_are_taken() {
    let app = App::start();
    app.answer_with(hold_some);
    let kawal = Kawal::start(Config::new(&app).set("limits.connections", 8));
    let mut busy = hold(&kawal, &app, 8);
    // Whether these wait, are refused or are closed is not promised.
    let mut further: Vec<_> = (0..8).map(|_| Connection::open(kawal.addr())).collect();
    for connection in &mut further {
        let _ = connection.write(&doku("quick").bytes());
    }
    app.release();
    for connection in &mut busy {
        assert_eq!(connection.read("POST").unwrap().status, 200);
    }
    drop(further);
    drop(busy);
    assert_eq!(kawal.send(&doku("quick")).status, 200);
}

#[test]
fn half_a_head_holds_no_place_against_a_notification() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("limits.connections", 8));
    let mut slow: Vec<_> = (0..8).map(|_| open(kawal.addr())).collect();
    for stream in &mut slow {
        stream
            .write_all(b"POST /payments/notifications HTTP/1.1\r\n")
            .unwrap();
    }
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    assert_eq!(app.count(), 1);
}

/// Holds what says so and answers the rest at once.
fn hold_some(request: &Recorded) -> Reply {
    match request.text().starts_with("held") {
        true => Reply::ok().held(),
        false => Reply::ok(),
    }
}

/// Connections whose notification is at the app, unanswered.
fn hold(kawal: &Kawal, app: &App, count: usize) -> Vec<Connection> {
    let mut busy: Vec<_> = (0..count).map(|_| Connection::open(kawal.addr())).collect();
    for connection in &mut busy {
        connection.write(&doku("held").bytes()).unwrap();
    }
    app.wait_for(count);
    busy
}

fn open(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Waits for the other side to close a connection on which nothing was sent.
fn closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

/// Sends the head byte by byte on all of these, then one more header byte at a time.
fn trickle(streams: &[TcpStream], head: &[u8], done: &AtomicBool) {
    for byte in head.iter().chain(std::iter::repeat(&b'a')) {
        for mut stream in streams {
            // Those that were given up do not matter: the others go on.
            let _ = stream.write(&[*byte]);
        }
        if done.load(Ordering::Relaxed) {
            return;
        }
        // The pace of a slow sender, not a wait for anything.
        thread::sleep(Duration::from_millis(200));
    }
}

/// What the process holds in memory.
fn resident_kib(pid: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}
