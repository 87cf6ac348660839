//! `kawal sign` with a body of one's own, whole or as headers for it.

use crate::harness::Request;
use crate::harness::typist::{DOKU, INSIDE, SIGNABLE, Typist};

#[test]
fn a_body_of_ones_own_is_signed_as_it_is() {
    let typist = Typist::new();
    let bodies: [&[u8]; 5] = [
        b"{ \"a\" : 1 }\n",
        b"",
        b"not json",
        "\0\u{9b}\r\n\r\n".as_bytes(),
        b"@/etc/passwd",
    ];
    for (nth, body) in bodies.into_iter().enumerate() {
        let file = typist.folder().join("body");
        std::fs::write(&file, body).unwrap();
        let from_file = typist.signed(DOKU, &["--body", "body"]);
        assert!(from_file.ends_with(body));
        let words = ["--gateway", DOKU.0, "--path", DOKU.1, "--body", "-"];
        let from_stdin = typist.types("sign", &words, body).done("from stdin").stdout;
        for (copy, bytes) in [from_file, from_stdin].into_iter().enumerate() {
            assert_eq!(typist.deliver(&bytes).status, 200);
            let seen = typist.app.requests();
            assert_eq!(seen.len(), nth * 2 + copy + 1);
            assert_eq!(seen.last().unwrap().body, body);
        }
    }
}

#[test]
fn a_body_that_is_no_text_is_refused() {
    let typist = Typist::new();
    std::fs::write(typist.folder().join("body"), b"{\"a\":\"\xff\"}").unwrap();
    for form in ["http", "headers", "curl"] {
        let typed = typist.sign(DOKU, &["--as", form, "--body", "body"]);
        assert!(typed.complaint(form, 64).contains("body"));
    }
}

#[test]
fn a_proof_is_written_into_a_body_of_ones_own() {
    let typist = Typist::new();
    let body = r#"{"order_id":"A-1", "status_code":"200","gross_amount":"10.00","more":[1.50]}"#;
    std::fs::write(typist.folder().join("body"), body).unwrap();
    let bytes = typist.signed(("midtrans", "/hooks/midtrans"), &["--body", "body"]);
    assert_eq!(typist.deliver(&bytes).status, 200);
    let seen: serde_json::Value = serde_json::from_slice(&typist.app.only().body).unwrap();
    assert_eq!(seen["order_id"], "A-1");
    assert_eq!(seen["signature_key"].as_str().unwrap().len(), 128);
    std::fs::write(typist.folder().join("body"), "not json").unwrap();
    let typed = typist.sign(("midtrans", "/hooks/midtrans"), &["--body", "body"]);
    typed.complaint("not json", 64);
}

#[test]
fn headers_alone_sign_a_body_of_ones_own() {
    let typist = Typist::new();
    let body = "{\"mine\":true,\"id\":\"evt_4711\"}";
    std::fs::write(typist.folder().join("body"), body).unwrap();
    let mut delivered = 0;
    for route in SIGNABLE {
        let words = ["--as", "headers", "--body", "body"];
        if INSIDE.contains(&route) {
            typist.sign(route, &words).complaint(route.0, 64);
            continue;
        }
        let text = String::from_utf8(typist.signed(route, &words)).unwrap();
        let mut request = Request::post(route.1, body);
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line}"));
            if !["host", "content-length"].contains(&name.to_lowercase().as_str()) {
                request = request.header(name, value.trim_end());
            }
        }
        let answer = typist.kawal.send(&request);
        assert_eq!(answer.status, 200, "{route:?}: {text}");
        delivered += 1;
        assert_eq!(typist.app.count(), delivered, "{route:?}");
    }
    assert_eq!(delivered, SIGNABLE.len() - INSIDE.len());
}
