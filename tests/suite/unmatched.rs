//! Paths without a route: refused by default, or streamed to the app and back without ever looking verified.

use std::io::{BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use crate::harness::wire::{find, read_head, read_response};
use crate::harness::*;

const MEBIBYTE: usize = 1024 * 1024;

#[test]
fn the_app_does_not_see_a_path_without_a_route() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for method in ["GET", "POST", "DELETE", "OPTIONS"] {
        let response = kawal.send(&Request::new(method, "/elsewhere?a=b"));
        assert_eq!(response.status, 404, "{method}");
        assert_eq!(response.json()["error"], "no_route", "{method}");
    }
    assert_eq!(app.count(), 0);
}

#[test]
fn what_is_forwarded_arrives_as_it_was_sent_and_never_looks_verified() {
    let app = App::answering(Reply::new(404).header("X-From", "app").body("not here"));
    let kawal = forwarding(&app);
    let request = Doku::new("a=b&c=%20")
        .target("/Else//where;x/%2e?b=2&a=1")
        .sign()
        .method("PUT")
        .header("X-MiXed", "case")
        .header("X-Kawal-Gateway", "doku")
        .header("x-kawal-verdict", "accepted")
        .header("X-KAWAL-Notification-Id", "0".repeat(64))
        .header("X_Kawal_Gateway", "doku")
        .header("Connection", "close, X-Hop")
        .header("X-Hop", "dropped");
    let response = kawal.send(&request);
    assert_eq!(
        (response.status, response.text()),
        (404, "not here".to_owned())
    );
    assert_eq!(response.header("X-From").as_deref(), Some("app"));
    let seen = app.only();
    assert_eq!(
        (seen.method.as_str(), &seen.target),
        ("PUT", &request.target)
    );
    assert_eq!(seen.body, request.body);
    assert!(seen.names().contains(&"X-MiXed"), "{:?}", seen.names());
    assert_eq!(seen.header("Signature"), Some(request.value("Signature")));
    for name in seen.names() {
        let name = name.to_ascii_lowercase().replace('_', "-");
        assert!(!name.starts_with("x-kawal-") && name != "x-hop", "{name}");
    }
}

#[test]
fn large_bodies_pass_in_both_directions() {
    let app = App::start();
    let answer: Vec<u8> = (0..5 * MEBIBYTE).map(|i| (i % 251) as u8).collect();
    let kept = answer.clone();
    app.answer_with(move |request| match request.target.as_str() {
        "/chunked" => Reply::ok().body(&kept).chunked(),
        _ => Reply::ok().body(&kept),
    });
    let kawal = Kawal::start(
        Config::new(&app)
            .set("unmatched", "forward")
            .set("limits.body", "64KiB"),
    );
    let upload: Vec<u8> = (0..3 * MEBIBYTE).map(|i| (i % 241) as u8).collect();
    for target in ["/whole", "/chunked"] {
        for request in [
            Request::post(target, &upload),
            Request::post(target, &upload).chunked(50_000),
        ] {
            let response = kawal.send(&request);
            assert_eq!(response.status, 200, "{target}");
            // Compared without printing: megabytes help nobody.
            assert!(response.body == answer, "{target}: {}", response.body.len());
            assert!(app.requests().pop().unwrap().body == upload, "{target}");
        }
    }
    assert_eq!(app.count(), 4);
}

#[test]
fn answers_without_a_body_stay_without_one() {
    let app = App::start();
    let kawal = forwarding(&app);
    let mut connection = Connection::open(kawal.addr());
    for (method, status) in [("HEAD", 200), ("GET", 204), ("GET", 304), ("POST", 204)] {
        app.next(Reply::new(status));
        let response = connection.send(&Request::new(method, "/elsewhere"));
        assert_eq!(
            (response.status, response.text().as_str()),
            (status, ""),
            "{method}"
        );
    }
    // An answer whose end was misread would show here.
    assert_eq!(connection.send(&doku("{}")).text(), "ok");
}

#[test]
fn an_app_that_is_away_is_a_bad_gateway_on_these_paths_too() {
    let vacant = Vacant::new();
    let kawal = Kawal::start(Config::to(&vacant.url()).set("unmatched", "forward"));
    assert_eq!(kawal.send(&Request::new("GET", "/elsewhere")).status, 502);
}

/// An app that answers before it has read a body still takes what comes next for the rest of it.
#[test]
fn a_connection_whose_request_was_not_sent_whole_is_never_used_again() {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", door.local_addr().unwrap());
    let kawal = Kawal::start(Config::to(&url).set("unmatched", "forward"));
    let app = thread::spawn(move || {
        // The first connection answers early and stays open; a sound one follows on another.
        let (mut early, mut early_reader) = accepted(&door);
        read_head(&mut early_reader).unwrap().unwrap();
        let mut begun = [0];
        early_reader.read_exact(&mut begun).unwrap();
        let answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno";
        early.write_all(answer).unwrap();
        let (mut next, mut next_reader) = accepted(&door);
        let head = read_head(&mut next_reader).unwrap().unwrap();
        next.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            .unwrap();
        let mut rest = Vec::new();
        early_reader.read_to_end(&mut rest).unwrap();
        (head, rest)
    });
    let mut half = TcpStream::connect(kawal.addr()).unwrap();
    let head = b"POST /other HTTP/1.1\r\nHost: shop\r\nContent-Length: 300\r\n\r\nx";
    half.write_all(head).unwrap();
    let mut reader = BufReader::new(half.try_clone().unwrap());
    assert_eq!(read_response(&mut reader, "POST").unwrap().status, 404);

    let notification = doku("{}");
    assert_eq!(kawal.send(&notification).status, 200);
    let (head, rest) = app.join().unwrap();
    assert!(find(&head.headers, "X-Kawal-Gateway").is_some());
    assert_eq!(rest, b"", "more came over the half-used connection");
}

/// Reverse proxies that still speak HTTP/1.0 to what is behind them cannot read chunks.
#[test]
fn an_answer_without_a_length_reaches_an_old_client_without_chunks() {
    let app = App::answering(Reply::ok().body("in chunks").chunked());
    let kawal = forwarding(&app);
    let mut stream = TcpStream::connect(kawal.addr()).unwrap();
    let request = b"GET /events HTTP/1.0\r\nHost: shop\r\nConnection: keep-alive\r\n\r\n";
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(
        !head.to_ascii_lowercase().contains("transfer-encoding"),
        "{head}"
    );
    assert_eq!(body, "in chunks");
}

#[test]
fn the_first_part_of_an_answer_passes_before_the_app_sends_the_second() {
    let (go_on, told) = mpsc::channel();
    let framings = [
        "Content-Length: 11\r\n\r\nfirst ",
        "Transfer-Encoding: chunked\r\n\r\n6\r\nfirst \r\n",
    ];
    let ends = ["later", "5\r\nlater\r\n0\r\n\r\n"];
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let kawal = Kawal::start(
        Config::to(&format!("http://{}", door.local_addr().unwrap())).set("unmatched", "forward"),
    );
    let app = thread::spawn(move || {
        for (begin, end) in framings.into_iter().zip(ends) {
            let (mut stream, mut reader) = accepted(&door);
            read_head(&mut reader).unwrap().unwrap();
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\n{begin}").unwrap();
            told.recv_timeout(PATIENCE).unwrap();
            stream.write_all(end.as_bytes()).unwrap();
        }
    });
    for _ in framings {
        let (mut stream, mut reader) = split(TcpStream::connect(kawal.addr()).unwrap());
        stream
            .write_all(&Request::new("GET", "/events").bytes())
            .unwrap();
        let head = read_head(&mut reader).unwrap().unwrap();
        let chunked = find(&head.headers, "Transfer-Encoding").is_some();
        let mut first = vec![0; if chunked { 9 } else { 6 }];
        reader.read_exact(&mut first).unwrap();
        assert!(first.ends_with(b"first "), "{first:?}");
        go_on.send(()).unwrap();
        let mut second = vec![0; if chunked { 10 } else { 5 }];
        reader.read_exact(&mut second).unwrap();
        assert!(second.ends_with(b"later"), "{second:?}");
    }
    app.join().unwrap();
}

#[test]
fn the_first_part_of_a_request_reaches_the_app_before_the_second_is_sent() {
    let (arrived, told) = mpsc::channel();
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let kawal = Kawal::start(
        Config::to(&format!("http://{}", door.local_addr().unwrap())).set("unmatched", "forward"),
    );
    let app = thread::spawn(move || {
        let (mut stream, mut reader) = accepted(&door);
        let head = read_head(&mut reader).unwrap().unwrap();
        assert_eq!(find(&head.headers, "Content-Length").as_deref(), Some("11"));
        let mut first = [0; 6];
        reader.read_exact(&mut first).unwrap();
        arrived.send(first).unwrap();
        let mut second = [0; 5];
        reader.read_exact(&mut second).unwrap();
        assert_eq!(&second, b"later");
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .unwrap();
    });
    let (mut stream, mut reader) = split(TcpStream::connect(kawal.addr()).unwrap());
    let request = Request::post("/upload", "first later").bytes();
    let (begin, end) = request.split_at(request.len() - 5);
    stream.write_all(begin).unwrap();
    assert_eq!(&told.recv_timeout(PATIENCE).unwrap(), b"first ");
    stream.write_all(end).unwrap();
    assert_eq!(read_response(&mut reader, "POST").unwrap().status, 204);
    app.join().unwrap();
}

fn forwarding(app: &App) -> Kawal {
    Kawal::start(Config::new(app).set("unmatched", "forward"))
}

fn accepted(door: &TcpListener) -> (TcpStream, BufReader<TcpStream>) {
    split(door.accept().unwrap().0)
}

fn split(stream: TcpStream) -> (TcpStream, BufReader<TcpStream>) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let reader = BufReader::new(stream.try_clone().unwrap());
    (stream, reader)
}
