//! What the gateway gets back: the app's own answer, or the acknowledgement it expects.

use crate::harness::{App, Config, Connection, Kawal, Qris, Reply, doku, pivot, unique};

#[test]
fn the_apps_answer_comes_back_as_it_was() {
    let answer = Reply::new(201)
        .header("Content-Type", "application/vnd.shop+json; charset=utf-8")
        .header("X-Shop", "yes")
        .header("Set-Cookie", "a=1")
        .header("Set-Cookie", "b=2")
        .body(b"{\"ok\":true}\n\xff");
    let app = App::answering(answer.clone());
    let kawal = Kawal::start(Config::new(&app));

    let got = kawal.send(&doku("{}"));
    assert_eq!(got.status, 201);
    assert_eq!(got.body, answer.body);
    for (name, value) in &answer.headers {
        let kept = |(n, v): &(String, Vec<u8>)| n.eq_ignore_ascii_case(name) && v == value;
        assert!(got.headers.iter().any(kept), "{name} is gone: {got:?}");
    }
}

#[test]
fn lines_of_the_apps_connection_and_of_our_name_stay_inside() {
    let app = App::answering(
        Reply::ok()
            .header("Connection", "X-Nominated, keep-alive")
            .header("X-Nominated", "hop")
            .header("Keep-Alive", "timeout=5")
            .header("Proxy-Connection", "keep-alive")
            .header("Trailer", "X-Later")
            .header("X-Kawal-Gateway", "forged")
            .header("x-kawal-other", "forged"),
    );
    let kawal = Kawal::start(Config::new(&app));

    let got = kawal.send(&doku("{}"));
    assert_eq!((got.status, got.text().as_str()), (200, "ok"));
    for name in [
        "x-nominated",
        "proxy-connection",
        "trailer",
        "x-kawal-gateway",
        "x-kawal-other",
    ] {
        assert!(!got.has(name), "{name} went through");
    }
    assert_ne!(got.header("keep-alive").as_deref(), Some("timeout=5"));
}

#[test]
fn every_way_to_frame_an_answer_is_understood() {
    let body = "a body long enough for several chunks";
    let full = Reply::new(200).body(body);
    let rows = [
        ("a length", full.clone()),
        ("chunks", full.clone().chunked()),
        ("the end of the connection", full.clone().until_close()),
        ("after 1xx", full.clone().after_interim(&[100, 103])),
        ("closing afterwards", full.header("Connection", "close")),
    ];
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let mut connection = Connection::open(kawal.addr());
    for (name, reply) in rows {
        app.next(reply);
        let got = connection.send(&doku("{}"));
        assert_eq!((got.status, got.text().as_str()), (200, body), "{name}");
        assert!(!got.has("x-early"), "{name}: a line of a 1xx went through");
    }
    assert_eq!(app.count(), 5);
}

#[test]
fn an_answer_without_a_body_keeps_the_connection_in_step() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let mut connection = Connection::open(kawal.addr());
    app.next(Reply::new(204)).next(Reply::new(200));

    let empty = connection.send(&doku("{}"));
    assert_eq!(empty.status, 204);
    assert!(!empty.has("content-length"), "{empty:?}");
    assert!(!empty.has("transfer-encoding"), "{empty:?}");
    let nothing = connection.send(&doku("{}"));
    assert_eq!((nothing.status, nothing.body.len()), (200, 0));
    assert_eq!(connection.send(&doku("{}")).text(), "ok");
}

#[test]
fn a_refusal_of_the_app_comes_back_as_it_was() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let statuses = [301, 302, 400, 401, 404, 409, 422, 429, 500, 503];
    for status in statuses {
        let reply = Reply::new(status).header("Location", "/elsewhere");
        app.next(reply.body("no"));
        let got = kawal.send(&doku("{}"));
        assert_eq!((got.status, got.text().as_str()), (status, "no"));
        assert_eq!(got.header("location").as_deref(), Some("/elsewhere"));
    }
    let lines = kawal.notifications(statuses.len());
    assert!(lines.iter().all(|line| line["outcome"] == "refused_by_app"));
}

#[test]
fn an_answer_that_is_no_http_is_a_bad_gateway() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let rows = [
        "what?\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nbad name: 1\r\nContent-Length: 0\r\n\r\n",
    ];
    for row in rows {
        app.next(Reply::raw(row));
        assert_eq!(kawal.send(&doku(unique("b"))).status, 502, "{row:?}");
    }
    assert_eq!(app.count(), rows.len());
}

#[test]
fn the_acknowledgement_of_qris_is_the_word_success() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for status in [200, 201, 204] {
        let reply = Reply::new(status).header("X-Shop", "inside");
        app.next(if status == 204 {
            reply
        } else {
            reply.body("{}")
        });
        let notification = Qris::new().sign();
        let first = kawal.send(&notification);
        let again = kawal.send(&notification);
        for got in [first, again] {
            assert_eq!((got.status, got.text().as_str()), (200, "SUCCESS"));
            let kind = got.header("content-type").unwrap_or_default();
            assert!(kind.starts_with("text/plain"), "{kind}");
            assert!(!got.has("x-shop"), "the app's own line went through");
        }
    }
    assert_eq!(app.count(), 3);
}

#[test]
fn a_refusal_is_not_turned_into_an_acknowledgement() {
    let app = App::answering(Reply::new(500).body("broken"));
    let kawal = Kawal::start(Config::new(&app));

    let got = kawal.send(&Qris::new().sign());
    assert_eq!((got.status, got.text().as_str()), (500, "broken"));
}

#[test]
fn pivot_gets_200_where_the_app_says_less() {
    let app = App::answering(Reply::new(204));
    let config = Config::new(&app).on_route("/payments/pivot", "respond", "gateway");
    let kawal = Kawal::start(config);

    assert_eq!(kawal.send(&pivot("{}")).status, 200);
    assert_eq!(app.count(), 1);
}
