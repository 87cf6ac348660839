//! Requests that are genuine but for their framing, sent byte for byte, and what the app must not see of them.

use std::io::{BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpStream};

use serde::Deserialize;

use crate::harness::wire::{read_head, read_response};
use crate::harness::*;

const ROUTE: &str = "/payments/notifications";

/// A request of the corpus. One character of `raw` is one byte; words in braces are filled in per sending.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    raw: String,
    /// None: the connection is closed, with a refusal before that or without.
    expect_status: Option<u16>,
    /// None: not asserted.
    expect_close: Option<bool>,
    app_sees: usize,
    /// The sender says after the last byte that nothing more will come.
    #[serde(default)]
    hang_up: bool,
}

#[test]
fn only_sound_framing_reaches_the_app() {
    let app = App::start();
    let kawal = Kawal::start(patient(&app));
    run(&kawal, &app, &corpus());
}

#[test]
fn only_sound_framing_reaches_the_app_when_unknown_paths_are_forwarded() {
    let app = App::start();
    let kawal = Kawal::start(patient(&app).set("unmatched", "forward"));
    run(&kawal, &app, &corpus());
}

#[test]
fn broken_framing_is_not_forwarded_on_a_path_without_a_route_either() {
    let app = App::start();
    let kawal = Kawal::start(patient(&app).set("unmatched", "forward"));
    let mut rows = corpus();
    rows.retain(|row| row.expect_close == Some(true));
    assert!(rows.len() > 80, "the table is thinner than it was");
    for row in &mut rows {
        row.raw = row.raw.replace(ROUTE, "/elsewhere");
        // While a body is streamed the app may break off first: that it is refused is all that counts.
        row.expect_status = None;
    }
    run(&kawal, &app, &rows);
}

#[test]
fn a_sender_that_waits_for_leave_is_asked_for_the_body_and_delivered() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for expectation in ["100-continue", "100-Continue"] {
        let request = doku(unique("body")).header("Expect", expectation);
        let (mut stream, mut reader) = open(kawal.addr());
        let bytes = request.bytes();
        let (head, body) = bytes.split_at(bytes.len() - request.body.len());
        stream.write_all(head).unwrap();
        let leave = read_head(&mut reader).unwrap().unwrap();
        assert_eq!(leave.first, "HTTP/1.1 100 Continue");
        stream.write_all(body).unwrap();
        assert_eq!(read_response(&mut reader, "POST").unwrap().status, 200);
    }
    for seen in app.wait_for(2) {
        assert!(!seen.has("Expect"), "{:?}", seen.names());
    }
}

#[test]
fn nobody_is_asked_for_a_body_that_will_be_refused() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let waiting = |request: Request| {
        let bytes = request.header("Expect", "100-continue").bytes();
        let mut connection = Connection::open(kawal.addr());
        connection.write(&bytes[..bytes.len() - 2]).unwrap();
        let response = connection.read("POST").unwrap();
        assert!(response.interim.is_empty(), "{:?}", response.interim);
        response.status
    };
    assert_eq!(waiting(Doku::new("{}").target("/elsewhere").sign()), 404);
    assert_eq!(waiting(doku("{}").method("PUT")), 405);
    assert_eq!(app.count(), 0);
}

#[test]
fn a_route_is_never_upgraded() {
    let app = App::answering(Reply::ok());
    let kawal = Kawal::start(Config::new(&app));
    for protocol in ["websocket", "h2c", "TLS/1.0"] {
        let request = doku(unique("body"))
            .header("Connection", "Upgrade, HTTP2-Settings")
            .header("Upgrade", protocol)
            .header("HTTP2-Settings", "AAMAAABkAAQAAP__")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
            .header("Sec-WebSocket-Version", "13");
        assert_ne!(kawal.send(&request).status, 101, "{protocol}");
    }
    for seen in app.requests() {
        assert!(!seen.has("Upgrade"), "{:?}", seen.names());
        assert!(!seen.has("HTTP2-Settings"), "{:?}", seen.names());
    }
}

fn corpus() -> Vec<Row> {
    let rows: Vec<Row> = serde_json::from_str(include_str!("wire_corpus.json")).unwrap();
    assert!(rows.len() > 130, "the table is thinner than it was");
    rows
}

/// Bytes that never become a head must not hold the test for the default of ten seconds.
fn patient(app: &App) -> Config {
    Config::new(app).set("timeouts.header", "3s")
}

/// Sends every row, then tells of all that went wrong.
fn run(kawal: &Kawal, app: &App, rows: &[Row]) {
    let mut faults = Vec::new();
    let mut delivered = 0;
    for row in rows {
        let before = app.count();
        let proof = Doku::new(format!("{{\"invoice\":\"{}\"}}", unique("wire")));
        if let Err(fault) = send(kawal, row, &proof) {
            faults.push(format!("{}: {fault}", row.name));
        }
        let sees = app.requests().split_off(before);
        let follow_up = usize::from(row.expect_close == Some(false));
        if sees.len() != row.app_sees + follow_up {
            faults.push(format!("{}: the app saw {} requests", row.name, sees.len()));
        }
        let first = sees.first().filter(|_| row.app_sees == 1);
        if let Some(fault) = first.and_then(|seen| altered(seen, &proof)) {
            faults.push(format!("{}: {fault}", row.name));
        }
        delivered += row.app_sees + follow_up;
    }
    // The last one goes through after all others: what was on its way to the app has come by then.
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(app.count(), delivered + 1, "a refused one came later");
}

fn send(kawal: &Kawal, row: &Row, proof: &Doku) -> Result<(), String> {
    let mut connection = Connection::open(kawal.addr());
    // A refusal may come before the last byte was taken; the answer tells.
    let _ = connection.write(&fill(&row.raw, proof));
    if row.hang_up {
        connection.finish_writing();
    }
    let answer = connection.read("POST");
    if let Err(error) = &answer
        && error.kind() == ErrorKind::WouldBlock
    {
        return Err("neither answered nor closed".to_owned());
    }
    match (row.expect_status, answer) {
        (Some(status), Ok(answer)) if answer.status != status => {
            return Err(format!("{} for {status}: {}", answer.status, answer.text()));
        }
        (Some(status), Ok(answer)) => {
            let word = reason(status);
            if word.is_some_and(|word| answer.text() != format!("{{\"error\":\"{word}\"}}")) {
                return Err(format!("{status} with the body {}", answer.text()));
            }
        }
        (Some(status), Err(error)) => return Err(format!("closed ({error}) for {status}")),
        (None, Ok(answer)) if answer.status < 400 => {
            return Err(format!("{} for a refusal", answer.status));
        }
        (None, Err(_)) => return Ok(()),
        (None, Ok(_)) => {}
    }
    match row.expect_close {
        Some(true) if !connection.ends() => Err("the connection stays open".to_owned()),
        Some(false) => match connection.send(&doku(unique("next"))).status {
            200 => Ok(()),
            status => Err(format!("{status} for the next one on the connection")),
        },
        Some(true) | None => Ok(()),
    }
}

/// The word in the body of a refusal, where the status has only one.
fn reason(status: u16) -> Option<&'static str> {
    match status {
        400 => Some("malformed"),
        401 => Some("unauthorized"),
        405 => Some("method"),
        _ => None,
    }
}

/// What the app should have seen otherwise.
fn altered(seen: &Recorded, proof: &Doku) -> Option<String> {
    let sound = seen.body == proof.body
        && seen.all("Signature") == [proof.signature()]
        && seen.all("X-Kawal-Gateway") == ["doku"]
        && seen.all("Content-Length") == [proof.body.len().to_string()]
        && !seen.has("Transfer-Encoding")
        && !seen.has("Trailer");
    (!sound).then(|| format!("altered: {}", String::from_utf8_lossy(&seen.raw)))
}

fn fill(raw: &str, proof: &Doku) -> Vec<u8> {
    let body = String::from_utf8(proof.body.clone()).unwrap();
    let claims = format!(
        "Client-Id: {}\r\nRequest-Id: {}\r\nRequest-Timestamp: {}\r\n",
        proof.client, proof.request_id, proof.timestamp
    );
    let signature = proof.signature();
    let whole = format!("{claims}Signature: {signature}\r\n");
    let size = format!("{:x}", body.len());
    raw.replace("{PROOF}", &whole)
        .replace("{PROOF_LF}", &whole.replace('\r', ""))
        .replace("{CLAIMS}", &claims)
        .replace("{SIGNATURE}", &signature)
        .replace("{CHUNKED}", &format!("{size}\r\n{body}\r\n0\r\n\r\n"))
        .replace("{LENGTH}", &body.len().to_string())
        .replace("{SIZE}", &size)
        .replace("{BODY}", &body)
        .chars()
        .map(|c| u8::try_from(u32::from(c)).expect("one character is one byte"))
        .collect()
}

fn open(address: SocketAddr) -> (TcpStream, BufReader<TcpStream>) {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let reader = BufReader::new(stream.try_clone().unwrap());
    (stream, reader)
}
