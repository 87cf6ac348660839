//! Every refusal on a SNAP BI route is told in SNAP BI's form, with the status that its code begins with.

use std::time::Duration;

use serde_json::json;

use crate::harness::snap::{B2B_TOKEN, DEBIT, INQUIRY, PAYMENT, QR, RSA_PAYMENT, Snap};
use crate::harness::{App, Config, Connection, Kawal, Reply, Request, TokenRequest, Vacant, snap};
use crate::refusals::{assert_snap, assert_wait};

/// Every route that has a service, with the middle of its codes.
const SERVICES: [(&str, &str); 6] = [
    (PAYMENT, "25"),
    (INQUIRY, "24"),
    (DEBIT, "56"),
    (QR, "52"),
    (RSA_PAYMENT, "25"),
    (B2B_TOKEN, "73"),
];

/// What is genuine on this route.
fn genuine(target: &str, body: &str) -> Request {
    match target {
        B2B_TOKEN => TokenRequest::new().sign(),
        RSA_PAYMENT => Snap::new(body).target(target).sign_rsa(),
        _ => Snap::new(body).target(target).sign(),
    }
}

#[test]
fn what_stops_before_the_app_is_told_with_the_code_of_its_service() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).set("limits.body", "1KiB"));
    for (target, service) in SERVICES {
        let forged = genuine(target, "{}").replace("X-SIGNATURE", "AAAA");
        let answer = kawal.send(&forged);
        assert_snap(&answer, &format!("401{service}00"), "Unauthorized");
        for method in ["GET", "PUT", "DELETE"] {
            let answer = kawal.send(&genuine(target, "{}").method(method));
            assert_snap(&answer, &format!("405{service}00"), "Method Not Allowed");
            assert_eq!(answer.header("allow").as_deref(), Some("POST"));
        }
        let answer = kawal.send(&genuine(target, "{}").body("x".repeat(2000)));
        assert_snap(&answer, &format!("413{service}00"), "Content Too Large");
        assert_eq!(app.connections(), 0, "{target}");
    }
}

#[test]
fn an_address_that_is_not_allowed_is_told_so() {
    let app = App::start();
    let mut config = Config::snap(&app);
    for gateway in ["doku-snap", "doku-rsa", "doku-b2b"] {
        let key = format!("gateways.{gateway}.allow_from");
        config = config.set(&key, json!(["192.0.2.0/24"]));
    }
    let kawal = Kawal::start(config);
    for (target, service) in SERVICES {
        let answer = kawal.send(&genuine(target, "{}"));
        assert_snap(&answer, &format!("403{service}01"), "Forbidden");
    }
    assert_eq!(app.connections(), 0);
}

#[test]
fn a_body_that_does_not_come_is_told_so() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).set("timeouts.body", "300ms"));
    for (target, service) in SERVICES {
        let bytes = genuine(target, "{\"a\":1}").bytes();
        let mut slow = Connection::open(kawal.addr());
        slow.write(&bytes[..bytes.len() - 3]).unwrap();
        let answer = slow.read("POST").unwrap();
        assert_snap(&answer, &format!("408{service}00"), "Request Timeout");
        assert!(slow.ends(), "{target}");
    }
    assert_eq!(app.connections(), 0);
}

#[test]
fn an_expectation_that_nobody_meets_is_told_so() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    for (target, service) in SERVICES {
        let odd = genuine(target, "{}").header("Expect", "the-moon");
        let answer = kawal.send(&odd);
        assert_snap(&answer, &format!("417{service}00"), "Expectation Failed");
    }
    assert_eq!(app.connections(), 0);
}

#[test]
fn a_broken_chunk_is_told_so() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    for (target, service) in SERVICES {
        let broken = genuine(target, "").header("Transfer-Encoding", "chunked");
        let head = broken.body("").bytes();
        // With the head, behind it, and behind a sound one.
        for pieces in [
            vec![[&head[..], b"zz\r\n"].concat()],
            vec![head.clone(), b"zz\r\n".to_vec()],
            vec![[&head[..], b"1\r\n{\r\n"].concat(), b"zz\r\n".to_vec()],
        ] {
            let mut connection = Connection::open(kawal.addr());
            for piece in &pieces {
                connection.write(piece).unwrap();
            }
            let answer = connection.read("POST").unwrap();
            assert_snap(&answer, &format!("400{service}00"), "Bad Request");
            assert!(connection.ends(), "{target}");
        }
    }
    assert_eq!(app.connections(), 0);
}

#[test]
fn an_app_that_is_not_there_is_told_so() {
    let vacant = Vacant::new();
    let kawal = Kawal::start(Config::to(&vacant.url()).with_snap());
    for (target, service) in SERVICES.into_iter().filter(|(t, _)| *t != B2B_TOKEN) {
        let answer = kawal.send(&genuine(target, "{}"));
        assert_snap(&answer, &format!("502{service}00"), "Bad Gateway");
    }
    // A token needs no app.
    assert_eq!(kawal.send(&genuine(B2B_TOKEN, "")).status, 200);
}

#[test]
fn an_app_that_breaks_off_is_told_so() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    for (target, service) in SERVICES.into_iter().filter(|(t, _)| *t != B2B_TOKEN) {
        app.next(Reply::hangup());
        let request = genuine(target, "{}");
        let answer = kawal.send(&request);
        assert_snap(&answer, &format!("502{service}00"), "Bad Gateway");
        // Nobody knows what the app did with it: the next copy waits.
        let answer = kawal.send(&request);
        assert_snap(&answer, &format!("503{service}00"), "Service Unavailable");
        assert_wait(&answer);
    }
    assert_eq!(app.count(), 5);
}

#[test]
fn an_app_that_does_not_answer_in_time_is_told_so() {
    let app = App::answering(Reply::ok().held());
    let kawal = Kawal::start(Config::snap(&app).set("timeouts.upstream", "300ms"));
    let targets = SERVICES.into_iter().filter(|(t, _)| *t != B2B_TOKEN);
    for (nth, (target, service)) in targets.enumerate() {
        let answer = kawal.send(&genuine(target, "{}"));
        assert_snap(&answer, &format!("504{service}00"), "Gateway Timeout");
        app.wait_for(nth + 1);
        let answer = kawal.send(&genuine(target, "{}"));
        assert_snap(&answer, &format!("503{service}00"), "Service Unavailable");
    }
    assert_eq!(app.count(), 5);
}

#[test]
fn a_full_memory_is_told_so() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).set("replay.capacity", 1));
    assert_eq!(kawal.send(&snap("{}")).status, 200);
    for (target, service) in SERVICES {
        let answer = kawal.send(&genuine(target, "[]"));
        assert_snap(&answer, &format!("503{service}00"), "Service Unavailable");
        assert_wait(&answer);
    }
    assert_eq!(app.count(), 1);
}

#[test]
fn a_process_that_ends_says_so() {
    for (target, service) in [(PAYMENT, "25"), (B2B_TOKEN, "73")] {
        let app = App::answering(Reply::ok().held());
        let mut kawal = Kawal::start(Config::snap(&app));
        let mut busy = Connection::open(kawal.addr());
        busy.write(&snap("{\"n\":1}").bytes()).unwrap();
        app.wait_for(1);
        let mut half = Connection::open(kawal.addr());
        let bytes = genuine(target, "{\"n\":2}").bytes();
        half.write(&bytes[..40]).unwrap();

        kawal.signal_term();
        while kawal.admin("/readyz").status != 503 {
            std::thread::sleep(Duration::from_millis(5));
        }
        // It may have been closed meanwhile, which sends the gateway away just as well.
        let _ = half.write(&bytes[40..]);
        if let Ok(answer) = half.read("POST") {
            assert_snap(&answer, &format!("503{service}00"), "Service Unavailable");
            assert_wait(&answer);
        }
        app.release();
        assert_eq!(busy.read("POST").unwrap().status, 200);
        assert_eq!(kawal.wait_exit().code(), Some(0));
        assert_eq!(app.only().text(), "{\"n\":1}");
    }
}

#[test]
fn a_route_without_a_service_and_a_path_without_a_route_are_told_plainly() {
    let app = App::start();
    let plain = json!({"path": "/plain", "gateway": "doku-snap"});
    let kawal = Kawal::start(Config::snap(&app).route(plain));
    let signed = Snap::new("{}").target("/plain");
    let forged = signed.sign().replace("X-SIGNATURE", "AAAA");
    let answer = kawal.send(&forged);
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json(), json!({"error": "unauthorized"}));
    assert!(!answer.has("x-timestamp"));
    let nowhere = kawal.send(&snap("{}").target("/v1/transfer-va"));
    assert_eq!(nowhere.json(), json!({"error": "no_route"}));
    assert_eq!(app.count(), 0);
    assert_eq!(kawal.send(&signed.sign()).text(), "ok");
}

#[test]
fn what_the_app_answers_is_left_alone() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let body = "{ \"responseCode\":\"2002500\", \"responseMessage\":\"Success\",\"x\":\"\\/\" }\n";
    let own = [
        Reply::new(200)
            .header("Content-Type", "application/json")
            .body(body),
        Reply::new(201).body("no JSON"),
        Reply::new(401)
            .header("Content-Type", "application/json")
            .body("{\"responseCode\":\"4012501\"}"),
        Reply::new(404).body("{\"error\":\"not here\"}"),
        Reply::new(409).body("{\"responseCode\":2002700}"),
        Reply::new(500).body("broken"),
    ];
    let targets = SERVICES.into_iter().filter(|(t, _)| *t != B2B_TOKEN);
    for (target, _) in targets {
        for (nth, reply) in own.iter().enumerate() {
            app.next(reply.clone());
            let answer = kawal.send(&genuine(target, &format!("[{nth}]")));
            assert_eq!(answer.status, reply.status, "{target}");
            assert!(answer.body == reply.body, "{target}: {}", answer.text());
            let kind = reply.headers.first().map(|(_, value)| value.clone());
            let kind = kind.map(|value| String::from_utf8(value).unwrap());
            assert_eq!(answer.header("content-type"), kind, "{target}");
            assert!(!answer.has("x-timestamp"), "{target}");
        }
    }
}
