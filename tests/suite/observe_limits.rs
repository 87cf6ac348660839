//! What even a watcher refuses: that which cannot be forwarded. And how large that may be which can.

use serde_json::json;

use crate::harness::*;

const ROUTE: &str = "/payments/notifications";
const MEBIBYTE: usize = 1024 * 1024;

/// Both ways to frame a body.
fn framings(request: Request) -> [Request; 2] {
    [request.clone(), request.chunked(100_000)]
}

fn body(size: usize) -> Vec<u8> {
    (0..size).map(|i| b'a' + (i % 23) as u8).collect()
}

/// A large one that is genuine is delivered, and known from then on.
fn claimed_once(watch: &Watch, request: Request) {
    let [plain, chunked] = framings(request);
    let first = watch.claims("large", &plain, "too_large");
    assert_eq!(first.all("X-Kawal-Attempt"), ["1"]);
    let again = watch.lets_through("large, again", &chunked, "too_large");
    assert_eq!(again.proven(), first.proven());
}

#[test]
fn a_body_over_the_limit_reaches_the_app_whole() {
    let watch = Watch::with(|config| config.set("limits.body", "1KiB"));
    for size in [1025, 100_000, 3 * MEBIBYTE] {
        claimed_once(&watch, doku(body(size)));
        for forged in framings(doku("{}").body(body(size))) {
            let seen = watch.lets_through("large and forged", &forged, "too_large");
            assert_eq!(seen.proven(), [None, None], "{size}");
        }
    }
    let [plain, chunked] = framings(doku(body(1024)));
    watch.accepts("at the limit", &plain);
    watch.lets_through("at the limit, again", &chunked, "duplicate");
}

#[test]
fn a_route_s_own_limit_is_watched_too() {
    let watch = Watch::with(|config| config.on_route(ROUTE, "limits", json!({"body": "1KiB"})));
    claimed_once(&watch, doku(body(1025)));
    watch.accepts("at the limit", &doku(body(1024)));
}

#[test]
fn sixteen_mebibytes_are_the_most() {
    let watch = Watch::new();
    let most = 16 * MEBIBYTE;
    claimed_once(&watch, doku(body(most)));
    for request in framings(doku(body(most + 1))) {
        let before = watch.app.count();
        let mut gateway = Connection::open(watch.kawal.addr());
        let answer = gateway.send(&request);
        assert_eq!(answer.status, 413, "{answer:?}");
        assert_eq!(answer.json(), json!({"error": "too_large"}));
        assert!(gateway.ends());
        assert_eq!(watch.app.count(), before);
    }
    // Announced, it is refused before a byte of it is sent.
    let announced = doku("").header("Content-Length", (most + 1).to_string());
    let announced = announced.header("Expect", "100-continue");
    let answer = watch.keeps_from_the_app("announced", &announced);
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(answer.interim.is_empty());
    watch.accepts("the next", &doku("{}"));
}

/// A watcher refuses nothing that a guard would let pass.
#[test]
fn a_limit_above_sixteen_mebibytes_holds() {
    let watch = Watch::with(|config| config.set("limits.body", "17MiB"));
    let size = 16 * MEBIBYTE + 1;
    watch.accepts("large and allowed", &doku(body(size)));
    let forged = doku("{}").body(body(size));
    watch.lets_through("large and forged", &forged, "bad_proof");
    let answer = watch.keeps_from_the_app("too large", &doku(body(17 * MEBIBYTE + 1)));
    assert_eq!(answer.status, 413, "{answer:?}");
}

#[test]
fn what_waits_to_be_asked_for_its_body_is_asked() {
    let watch = Watch::with(|config| config.set("limits.body", "1KiB"));
    let forged = doku("{}").body(body(500)).header("Expect", "100-continue");
    let seen = watch.send(&forged);
    assert_eq!(seen.answer.interim, [100]);
    seen.marked("forged", &forged, "bad_proof");
    let large = doku(body(2000)).header("Expect", "100-continue");
    let seen = watch.send(&large);
    assert_eq!(seen.answer.interim, [100]);
    seen.claimed("large", &large, "too_large");
}

/// Whatever is not a request as we accept it has no bytes that could be forwarded.
#[test]
fn broken_framing_is_refused() {
    let watch = Watch::new();
    let genuine = doku("{}");
    let both = genuine.clone().header("Transfer-Encoding", "chunked");
    let both = both.header("Content-Length", "2");
    let twice = genuine.clone().header("Content-Length", "2");
    let twice = twice.header("Content-Length", "3");
    let odd = genuine.clone().header("Transfer-Encoding", "gzip");
    for (name, request) in [("both", both), ("twice", twice), ("odd", odd)] {
        let answer = watch.keeps_from_the_app(name, &request);
        assert_eq!(answer.status, 400, "{name}: {answer:?}");
    }
    let chunked = genuine.clone().header("Transfer-Encoding", "chunked");
    let mut broken = Connection::open(watch.kawal.addr());
    let head = chunked.body("").bytes();
    broken.write(&[&head[..], b"zz\r\n"].concat()).unwrap();
    assert_eq!(broken.read("POST").unwrap().status, 400);
    assert_eq!(watch.app.connections(), 0);
    watch.accepts("genuine", &genuine);
}

#[test]
fn a_body_that_does_not_come_whole_is_refused() {
    let watch = Watch::with(|config| config.set("timeouts.body", "300ms"));
    let genuine = doku("{\"amount\":1}");
    let bytes = genuine.bytes();
    let mut slow = Connection::open(watch.kawal.addr());
    slow.write(&bytes[..bytes.len() - 3]).unwrap();
    let answer = slow.read("POST").unwrap();
    assert_eq!(answer.status, 408, "{answer:?}");
    assert_eq!(answer.json(), json!({"error": "timeout"}));
    assert!(slow.ends());

    let mut gone = Connection::open(watch.kawal.addr());
    gone.write(&bytes[..bytes.len() - 3]).unwrap();
    gone.finish_writing();
    assert_eq!(gone.read("POST").unwrap().status, 400);
    assert_eq!(watch.app.connections(), 0);
    watch.accepts("genuine", &genuine);
}

/// The same must not be forwarded piecemeal where it is refused before its body is read.
#[test]
fn half_a_request_of_a_stranger_is_refused() {
    let watch = Watch::with(|config| {
        let config = config.set("timeouts.body", "300ms");
        config.every_gateway("allow_from", &json!(["192.0.2.0/24"]))
    });
    for (name, reason, request) in [
        ("an address", "forbidden", doku("{\"amount\":1}")),
        ("a method", "method", doku("{\"amount\":1}").method("PUT")),
    ] {
        let (bytes, before) = (request.bytes(), watch.app.connections());
        let mut slow = Connection::open(watch.kawal.addr());
        slow.write(&bytes[..bytes.len() - 3]).unwrap();
        let answer = slow.read("POST").unwrap();
        assert_eq!(answer.status, 408, "{name}: {answer:?}");
        assert_eq!(watch.app.connections(), before, "{name}");
        match reason {
            "method" => drop(watch.lets_through(name, &request, reason)),
            _ => drop(watch.claims(name, &request, reason)),
        }
    }
}

#[test]
fn paths_are_judged_as_ever() {
    let watch = Watch::new();
    for (path, status) in [
        ("/elsewhere", 404),
        ("/payments/notifications/", 400),
        ("/payments//notifications", 400),
        ("/PAYMENTS/notifications", 400),
        ("/payments/%6eotifications", 400),
        ("/x/../payments/notifications", 400),
    ] {
        let request = doku("{}").target(path);
        let answer = watch.keeps_from_the_app(path, &request);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
    let large = doku("{}").header("X-Pad", "x".repeat(33_000));
    let answer = watch.keeps_from_the_app("a large head", &large);
    assert_eq!(answer.status, 431, "{answer:?}");
}

#[test]
fn whoever_comes_while_it_ends_is_sent_away() {
    let mut watch = Watch::new();
    watch.app.next(Reply::ok().held());
    let mut busy = Connection::open(watch.kawal.addr());
    let forged = doku("{}").body("{\"amount\":2}");
    busy.write(&forged.bytes()).unwrap();
    watch.app.wait_for(1);
    let mut half = Connection::open(watch.kawal.addr());
    let bytes = doku("{}").body("{\"amount\":3}").bytes();
    half.write(&bytes[..40]).unwrap();

    watch.kawal.signal_term();
    let readiness = || watch.kawal.admin("/readyz").status;
    until("readiness says no", || readiness() == 503);
    let _ = half.write(&bytes[40..]);
    if let Ok(answer) = half.read("POST") {
        assert_eq!(answer.status, 503);
        assert_eq!(answer.json(), json!({"error": "draining"}));
        assert!(answer.has("Retry-After"));
    }
    // One that is at the app is waited for, although it would have been refused.
    assert!(watch.kawal.runs());
    watch.app.release();
    assert_eq!(busy.read("POST").unwrap().status, 200);
    assert_eq!(watch.kawal.wait_exit().code(), Some(0));
    assert_eq!(watch.app.count(), 1);
}

/// Or a few senders would fill the memory of what stands in front of the whole shop.
#[test]
fn large_ones_go_by_twos_and_keep_nobody_else_waiting() {
    let app = App::start();
    let config = Config::new(&app).set("limits.body", "1KiB");
    let kawal = Kawal::start(config.observing());
    let send = |request: Request| {
        let mut gateway = Connection::open(kawal.addr());
        gateway.write(&request.bytes()).unwrap();
        gateway
    };
    app.next(Reply::ok().held()).next(Reply::ok().held());
    let mut held = framings(doku(body(2000))).map(send);
    let seen = app.wait_for(2);

    let mut third = send(doku(body(2001)).chunked(500));
    assert_eq!(kawal.send(&doku(body(1024))).status, 200);
    let forged = doku("{}").body(body(1000));
    assert_eq!(kawal.send(&forged).status, 200);
    assert_eq!(app.count(), seen.len() + 2, "the third did not wait");
    app.release();
    for gateway in &mut held {
        assert_eq!(gateway.read("POST").unwrap().status, 200);
    }
    assert_eq!(third.read("POST").unwrap().status, 200);
    assert_eq!(app.requests().pop().unwrap().body, body(2001));
}

#[test]
fn a_large_one_does_not_wait_for_ever() {
    let app = App::start();
    let config = Config::new(&app).set("limits.body", "1KiB");
    let kawal = Kawal::start(config.set("timeouts.body", "300ms").observing());
    app.next(Reply::ok().held()).next(Reply::ok().held());
    let large = || doku(body(2000));
    let mut held = [large(), large()].map(|request| {
        let mut gateway = Connection::open(kawal.addr());
        gateway.write(&request.bytes()).unwrap();
        gateway
    });
    app.wait_for(2);
    for third in framings(large()) {
        let answer = kawal.send(&third);
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.json(), json!({"error": "saturated"}));
        assert!(answer.has("Retry-After"));
    }
    app.release();
    for gateway in &mut held {
        assert_eq!(gateway.read("POST").unwrap().status, 200);
    }
    assert_eq!(app.count(), 2);
    assert_eq!(kawal.send(&large()).status, 200);
}
