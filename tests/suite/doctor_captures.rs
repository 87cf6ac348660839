//! What people save as a request, and what is none.

use std::fs::File;

use crate::harness::clinic::{Shop, clinic};
use crate::harness::gateway::PIVOT_KEY;
use crate::harness::{Doctor, Request, doku, pivot};

/// The same with its head in bare LF; the body stays.
fn bare(request: &Request) -> Vec<u8> {
    let bytes = request.bytes();
    let end = head_end(&bytes);
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    [head.replace("\r\n", "\n").as_bytes(), &bytes[end..]].concat()
}

fn head_end(bytes: &[u8]) -> usize {
    bytes
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap()
        + 4
}

#[track_caller]
fn accepted(doctor: &Doctor, name: &str, capture: &[u8]) {
    let found = doctor.diagnose(capture);
    assert!(found.accepted(), "{name}: {}", found.typed.shown());
}

#[test]
fn a_head_may_end_its_lines_either_way() {
    let doctor = clinic();
    let body = b"{\r\n  \"n\": 1,\n\n\r\n \"m\": 2 }\r\n";
    accepted(&doctor, "CRLF", &doku(body).bytes());
    accepted(&doctor, "LF", &bare(&doku(body)));
    accepted(&doctor, "LF and no body", &bare(&doku("")));
    accepted(&doctor, "LF and chunks", &bare(&doku(body).chunked(5)));
    accepted(
        &doctor,
        "anything in a body",
        &bare(&Shop::new(b"\0\n\r\n\xff").sign()),
    );
}

#[test]
fn chunks_are_put_together() {
    let doctor = clinic();
    for size in [1, 2, 16, 4096] {
        accepted(
            &doctor,
            "chunks",
            &doku("{\"a\":\"longer than a chunk\"}")
                .chunked(size)
                .bytes(),
        );
    }
    let extended = doku("{}").header("Transfer-Encoding", "chunked").body("");
    let mut bytes = extended.bytes();
    bytes.extend(b"2;name=value\r\n{}\r\n0\r\nTrailer: x\r\n\r\n");
    accepted(&doctor, "extensions and trailers", &bytes);
}

#[test]
fn an_editors_newline_at_the_end_is_not_the_bodys() {
    let doctor = clinic();
    for end in ["\n", "\r\n"] {
        let mut capture = doku("{\"n\":1}").bytes();
        capture.extend(end.as_bytes());
        accepted(&doctor, "after the length", &capture);
        let mut capture = doku("{\"n\":1}").chunked(3).bytes();
        capture.extend(end.as_bytes());
        accepted(&doctor, "after the chunks", &capture);
    }
}

#[test]
fn what_is_no_request_is_told_in_one_line() {
    let doctor = clinic();
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("a newline", b"\n".to_vec()),
        ("noise", (0..=255).cycle().take(4000).collect()),
        ("zeros", vec![0; 100_000]),
        (
            "prose",
            b"The gateway says that it sent us something.\n".to_vec(),
        ),
        (
            "a body alone",
            b"{\"order\":{\"invoice_number\":\"INV-1\"}}".to_vec(),
        ),
        (
            "an answer",
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec(),
        ),
        (
            "a PEM file",
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n".to_vec(),
        ),
    ];
    for (name, capture) in rows {
        for words in [&[][..], &["--json"]] {
            doctor.ask(words, &capture).complaint(name, 64);
        }
    }
}

#[test]
fn what_cannot_be_read_is_told_in_one_line() {
    let doctor = clinic();
    let folder = doctor.config.folder.path();
    let missing = folder.join("no-such.http");
    let line = doctor
        .ask_file(&[], &missing)
        .complaint("a missing file", 64);
    assert!(line.contains("no-such.http"), "{line}");
    doctor.ask_file(&[], folder).complaint("a folder", 64);
    let empty = folder.join("empty.http");
    File::create(&empty).unwrap();
    doctor.ask_file(&[], &empty).complaint("an empty file", 64);
    // Sparse, so that only whoever reads all of it pays for it.
    let huge = folder.join("huge.http");
    File::create(&huge).unwrap().set_len(1 << 36).unwrap();
    doctor.ask_file(&[], &huge).complaint("a huge file", 64);
}

#[test]
fn a_capture_that_was_cut_off_is_not_accepted() {
    let doctor = clinic();
    for request in [doku("{\"n\":1}"), doku("{\"n\":1}").chunked(3)] {
        let whole = request.bytes();
        let end = head_end(&whole);
        let inside = (10..end).step_by(23).chain(end..whole.len());
        for cut in inside {
            let typed = doctor.ask(&[], &whole[..cut]);
            // What editors take away at the end is not missed.
            if whole[cut..].trim_ascii().is_empty() {
                continue;
            }
            let code = typed.code.unwrap();
            assert!([1, 64].contains(&code), "at {cut}: {}", typed.shown());
        }
    }
}

#[test]
fn a_wrong_configuration_is_told_as_everywhere() {
    let config = clinic().config.set("gateways.doku.scheme", "nope");
    let typed = Doctor::new(config).ask(&["--json"], &doku("{}").bytes());
    assert_eq!(typed.code, Some(78), "{}", typed.shown());
    assert!(
        typed.stdout.is_empty() && typed.stderr.contains("nope"),
        "{}",
        typed.shown()
    );
}

#[test]
fn a_body_above_its_limit_is_told() {
    let doctor = Doctor::new(clinic().config.set("limits.body", "1KiB"));
    accepted(&doctor, "at the limit", &pivot(vec![b'x'; 1024]).bytes());
    let found = doctor.diagnose(&pivot(vec![b'x'; 1025]).bytes());
    assert_eq!(found.reason(), Some("too_large"), "{}", found.typed.shown());
    assert!(!found.typed.shown().contains(PIVOT_KEY));
}

#[test]
fn a_body_that_is_hard_to_read_is_diagnosed_all_the_same() {
    let doctor = clinic();
    let items = format!("{{\"notificationItems\":[{}{{}}]}}", "{},".repeat(100_000));
    for (name, body) in [
        ("lists in lists", "[".repeat(400_000)),
        ("objects in objects", "{\"a\":".repeat(100_000)),
        (
            "one long string",
            format!("\"{}\"", "\\u00e9".repeat(100_000)),
        ),
        ("a long number", "9".repeat(400_000)),
        (
            "many members",
            format!("{{{}\"z\":1}}", "\"a\":1.50,".repeat(50_000)),
        ),
        ("many items", items),
    ] {
        for path in [
            "/payments/notifications",
            "/hooks/github",
            "/hooks/midtrans",
            "/hooks/adyen",
        ] {
            let request = doku("{}").header("X-Hub-Signature-256", "sha256=00");
            let found = doctor.diagnose(&request.target(path).body(&body).bytes());
            assert!(!found.accepted(), "{name} at {path}");
        }
    }
}
