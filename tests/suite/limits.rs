//! How large and how slow a notification may be, to the byte, and what is left of it when it is more.

use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::*;

const ROUTE: &str = "/payments/notifications";

#[test]
fn a_body_of_any_size_up_to_the_limit_arrives_byte_for_byte() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let sizes = [0, 1, 65_535, 65_536, 65_537, 200_000, 1_048_575, 1_048_576];
    for (number, size) in sizes.into_iter().enumerate() {
        for (way, request) in framings(size).into_iter().enumerate() {
            let response = kawal.send(&request);
            assert_eq!(response.status, 200, "{size} bytes, framing {way}");
            let seen = app.wait_for(number * 4 + way + 1).pop().unwrap();
            // Compared without printing: a mebibyte helps nobody.
            assert!(seen.body == request.body, "{size} bytes, framing {way}");
        }
    }
    assert_eq!(app.count(), sizes.len() * 4);
}

#[test]
fn a_body_over_the_limit_is_refused_however_it_is_framed() {
    let app = App::start();
    let default = Kawal::start(Config::new(&app));
    let small = Kawal::start(Config::new(&app).set("limits.body", "200KiB"));
    for (kawal, limit) in [(&default, 1_048_576), (&small, 204_800)] {
        for size in [limit + 1, limit * 3] {
            for (way, request) in framings(size).into_iter().enumerate() {
                let mut connection = Connection::open(kawal.addr());
                let response = connection.send(&request);
                assert_eq!(response.status, 413, "{size} bytes, framing {way}");
                assert_eq!(response.json()["error"], "too_large");
                // What is left of the body must not be read as the next request.
                assert!(connection.ends(), "{size} bytes, framing {way}: stays open");
            }
        }
    }
    assert_eq!(app.count(), 0);
    for request in framings(204_800) {
        assert_eq!(small.send(&request).status, 200);
    }
    assert_eq!(app.count(), 4);
}

#[test]
fn a_body_announced_too_large_is_refused_before_it_is_sent() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for length in ["1048577", "4294967296", "9223372036854775807"] {
        for expect in [true, false] {
            let mut request = doku("").header("Content-Length", length);
            if expect {
                request = request.header("Expect", "100-continue");
            }
            let mut connection = Connection::open(kawal.addr());
            let response = connection.send(&request);
            assert_eq!(response.status, 413, "{length}");
            assert!(response.interim.is_empty(), "{:?}", response.interim);
            assert!(connection.ends(), "{length}: stays open");
        }
    }
    assert_eq!(app.count(), 0);
}

#[test]
fn a_route_has_a_limit_of_its_own() {
    let app = App::start();
    let config = Config::new(&app)
        .set("limits.body", "64KiB")
        .on_route(ROUTE, "limits", json!({"body": "1KiB"}))
        .route(json!({"path": "/payments/large", "gateway": "doku", "limits": {"body": "128KiB"}}))
        .route(json!({"path": "/payments/plain", "gateway": "doku"}));
    let kawal = Kawal::start(config);
    let mut delivered = 0;
    for (path, limit) in [
        (ROUTE, 1024),
        ("/payments/large", 131_072),
        ("/payments/plain", 65_536),
    ] {
        for (size, status) in [(limit, 200), (limit + 1, 413)] {
            let request = Doku::new(body(size)).target(path).sign();
            for request in [request.clone().chunked(1000), request] {
                // The second of two equal ones is known, once the first was delivered.
                assert_eq!(kawal.send(&request).status, status, "{path}, {size} bytes");
            }
        }
        delivered += 1;
        assert_eq!(app.count(), delivered, "{path}");
    }
}

#[test]
fn a_head_may_be_as_large_as_the_limit_and_no_larger() {
    let app = App::start();
    let default = Kawal::start(Config::new(&app));
    let small = Kawal::start(Config::new(&app).set("limits.head", "4KiB"));
    for (kawal, limit) in [(&default, 32_768), (&small, 4_096)] {
        let before = app.count();
        assert_eq!(kawal.send(&padded(limit)).status, 200, "{limit}");
        for size in [limit + 1, limit * 2, limit * 40] {
            let mut connection = Connection::open(kawal.addr());
            let response = connection.send(&padded(size));
            assert_eq!(response.status, 431, "{size} over {limit}");
            assert_eq!(response.json()["error"], "too_large");
            assert!(connection.ends(), "{size} over {limit}: stays open");
        }
        assert_eq!(app.count(), before + 1, "{limit}");
    }
}

#[test]
fn a_target_or_a_number_of_headers_out_of_all_proportion_is_refused() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("unmatched", "forward"));
    let long = format!("{ROUTE}?a={}", "b".repeat(40_000));
    let status = kawal.send(&doku("{}").target(&long)).status;
    assert!(matches!(status, 414 | 431), "{status}");
    for (count, refused) in [(60, false), (300, true), (3_000, true)] {
        let mut request = doku("{}");
        for number in 0..count {
            request = request.header(&format!("X-{number}"), "a");
        }
        let status = kawal.send(&request).status;
        assert_eq!(
            matches!(status, 400 | 431),
            refused,
            "{count} headers: {status}"
        );
    }
    assert_eq!(app.count(), 1);
}

#[test]
fn a_head_that_trickles_in_is_given_up() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("timeouts.header", "500ms"));
    let bytes = doku("{}").bytes();
    trickled(&kawal, &[], &bytes, &[408]);
    // The deadline is the whole head's, also for the second request on a connection.
    let mut connection = Connection::open(kawal.addr());
    assert_eq!(connection.send(&doku("{}")).status, 200);
    connection.write(&bytes[..20]).unwrap();
    given_up(&mut connection, &[408]);
    assert_eq!(app.count(), 2);
}

#[test]
fn a_body_that_trickles_in_is_given_up() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("timeouts.body", "500ms"));
    let plain = doku(body(300));
    let chunked = plain.clone().chunked(1);
    for request in [plain, chunked] {
        let bytes = request.bytes();
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap()
            + 4;
        let (head, body) = bytes.split_at(end);
        trickled(&kawal, head, body, &[408]);
        // One that stops altogether is no different.
        let mut connection = Connection::open(kawal.addr());
        connection.write(head).unwrap();
        connection.write(&body[..10]).unwrap();
        given_up(&mut connection, &[408]);
    }
    assert_eq!(
        app.count(),
        2,
        "one notification passed beside each trickle"
    );
}

#[test]
fn a_connection_without_a_request_is_closed() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("timeouts.idle", "1s"));
    let mut used = Connection::open(kawal.addr());
    let mut unused = Connection::open(kawal.addr());
    assert_eq!(used.send(&doku("{}")).status, 200);
    assert!(used.ends());
    assert!(unused.ends());
    assert_eq!(kawal.send(&doku("{}")).status, 200);
}

/// The same size in each framing: by length, in many small chunks, in chunks of a usual buffer, in one.
fn framings(size: usize) -> [Request; 4] {
    let request = || doku(body(size));
    [
        request(),
        request().chunked(61),
        request().chunked(65_536),
        request().chunked(size.max(1)),
    ]
}

/// Bytes that show a shift, a gap or a repetition.
fn body(size: usize) -> Vec<u8> {
    (0..size).map(|i| (i % 251) as u8).collect()
}

/// A genuine notification whose head has this many bytes, its empty line included.
fn padded(size: usize) -> Request {
    let request = doku("").header("X-Pad", "");
    let missing = size - request.bytes().len();
    request.replace("X-Pad", "a".repeat(missing))
}

/// Sends `whole` at once and `slowly` byte by byte; a genuine notification passes meanwhile.
fn trickled(kawal: &Kawal, whole: &[u8], slowly: &[u8], statuses: &[u16]) {
    let mut connection = Connection::open(kawal.addr());
    connection.write(whole).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| assert_eq!(kawal.send(&doku("{}")).status, 200));
        for byte in slowly {
            if connection.write(&[*byte]).is_err() {
                break;
            }
            // The pace of a slow sender, not a wait for anything: all of it takes many times the deadline.
            thread::sleep(Duration::from_millis(20));
        }
    });
    given_up(&mut connection, statuses);
}

/// One of these statuses, or nothing; then the connection is closed.
fn given_up(connection: &mut Connection, statuses: &[u16]) {
    match connection.read("POST") {
        Ok(response) => {
            assert!(statuses.contains(&response.status), "{}", response.status);
            assert_eq!(response.json()["error"], "timeout");
            assert!(connection.ends(), "the connection stays open");
        }
        Err(error) => assert_ne!(error.kind(), ErrorKind::WouldBlock, "still open"),
    }
}
