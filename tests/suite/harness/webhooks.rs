//! Notifications that bear headers of Standard Webhooks, Svix or Stripe: made and judged by their own
//! libraries, made by `kawal sign`, and with one character changed.

use std::io::Write;
use std::process::Stdio;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::kawal::command;
use super::{Kawal, Library, Request, unique};

/// Where the tests send them.
pub const PATH: &str = "/webhooks";

/// The libraries for Node and for Python.
pub fn languages() -> [Library; 2] {
    [
        Library::node("webhooks.js", "UTC"),
        Library::python("webhooks.py"),
    ]
}

/// What the library makes of this body, at this time, with an id of its own.
pub fn library_signs(
    library: &Library,
    scheme: &str,
    secret: &str,
    at: Timestamp,
    body: &str,
) -> Request {
    let sign = json!({"id": unique("msg"), "at": at.as_second(), "body": body});
    let headers = library.ask(&json!({"scheme": scheme, "secret": secret, "sign": sign}));
    let request = Request::post(PATH, body).header("Content-Type", "application/json");
    let headers = headers.as_object().unwrap();
    headers.iter().fold(request, |request, (name, value)| {
        request.header(name, value.as_str().unwrap())
    })
}

/// What the library says of each.
pub fn verdicts<'a>(
    library: &Library,
    scheme: &str,
    secret: &str,
    requests: impl IntoIterator<Item = &'a Request>,
) -> Vec<bool> {
    let judge = requests.into_iter().map(|request| {
        let headers = proof_headers(request).into_iter();
        let headers: Map<_, Value> = headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.into()))
            .collect();
        json!({"headers": headers, "body": String::from_utf8(request.body.clone()).unwrap()})
    });
    let judge: Vec<_> = judge.collect();
    let answer = library.ask(&json!({"scheme": scheme, "secret": secret, "judge": judge}));
    serde_json::from_value(answer).unwrap()
}

/// What `kawal sign --as http` makes of this body, or of its sample.
pub fn kawal_signs(kawal: &Kawal, gateway: &str, at: Timestamp, body: Option<&str>) -> Request {
    let mut sign = command();
    sign.args(["sign", "--config"])
        .arg(kawal.config.write())
        .args(["--gateway", gateway, "--path", PATH])
        .args(["--at", &at.as_second().to_string(), "--as", "http"])
        .args(body.map(|_| ["--body", "-"]).into_iter().flatten());
    let mut child = sign
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin
        .write_all(body.unwrap_or_default().as_bytes())
        .unwrap();
    drop(stdin);
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "kawal sign failed for {gateway}");
    let text = String::from_utf8(done.stdout).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.split("\r\n");
    assert_eq!(lines.next(), Some("POST /webhooks HTTP/1.1"));
    let request = Request::post(PATH, body).without("Host");
    let request = lines.fold(request, |request, line| {
        let (name, value) = line.split_once(": ").unwrap();
        request.header(name, value)
    });
    // A changed copy may have another length.
    assert_eq!(request.value("Content-Length"), body.len().to_string());
    request.without("Content-Length")
}

/// Every character of the body and of the headers that belong to the proof, each changed by itself.
pub fn tampered(genuine: &Request) -> Vec<Request> {
    let body = String::from_utf8(genuine.body.clone()).unwrap();
    let bodies = changed(&body, 0, 0);
    let mut all: Vec<_> = bodies.map(|body| genuine.clone().body(body)).collect();
    for (name, value) in proof_headers(genuine) {
        // The last letter of base64 has bits that mean nothing, and a library for Python breaks down
        // over an entry without a version.
        let (from, end) = match value.ends_with('=') {
            true => (value.find(',').unwrap() + 1, 3),
            false => (0, 0),
        };
        let values = changed(&value, from, end);
        all.extend(values.map(|value| genuine.clone().replace(&name, value)));
    }
    all
}

/// The text with one character changed, once for each but the first and last ones.
fn changed(text: &str, from: usize, end: usize) -> impl Iterator<Item = String> {
    let last = text.chars().count() - end;
    (from..last).map(move |at| {
        let bend = |(place, c): (usize, char)| if place == at { other(c) } else { c };
        text.chars().enumerate().map(bend).collect()
    })
}

/// Another character, of the same kind where it is a letter or a digit.
fn other(c: char) -> char {
    match c {
        '0'..='8' | 'a'..='y' | 'A'..='Y' => char::from(c as u8 + 1),
        '9' => '0',
        'z' => 'a',
        'Z' => 'A',
        _ => 'Z',
    }
}

fn proof_headers(request: &Request) -> Vec<(String, String)> {
    let of_proof = |name: &str| {
        let name = name.to_ascii_lowercase();
        let starts = ["webhook-", "svix-", "stripe-"];
        starts.iter().any(|start| name.starts_with(start))
    };
    let headers = request.headers.iter().filter(|(name, _)| of_proof(name));
    headers
        .map(|(name, value)| (name.clone(), String::from_utf8(value.clone()).unwrap()))
        .collect()
}
