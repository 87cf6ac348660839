//! `kawal sign --as curl`: a line that a shell takes as it is.

use std::process::Command;

use crate::harness::Request;
use crate::harness::typed::run;
use crate::harness::typist::{DOKU, PIVOT, Route, SIGNABLE, Typist};

/// Types the line, with the sidecar's address in place of the one that it names.
fn try_it(typist: &Typist, route: Route, words: &[&str]) -> String {
    let signed = typist.signed(route, &[&["--as", "curl"], words].concat());
    let line = String::from_utf8(signed).unwrap();
    let (before, rest) = line
        .split_once("http://")
        .unwrap_or_else(|| panic!("no address: {line}"));
    let rest = &rest[rest.find('/').unwrap()..];
    let line = format!("{before}http://{}{rest}", typist.kawal.addr());
    if !has_curl() {
        assert_eq!(
            typist.kawal.send(&as_curl_would(&line)).status,
            200,
            "{line}"
        );
        return line;
    }
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(&line).current_dir(typist.folder());
    shell
        .env_remove("http_proxy")
        .env("NO_PROXY", "*")
        .env("no_proxy", "*");
    let typed = run(&mut shell, b"");
    assert_eq!(typed.code, Some(0), "{line}\n{}", typed.shown());
    line
}

fn has_curl() -> bool {
    let there = Command::new("curl").arg("--version").output();
    there.is_ok_and(|output| output.status.success())
}

/// The request that curl would make of the line, where there is no curl.
fn as_curl_would(line: &str) -> Request {
    let words = words(line);
    let mut words = words.iter().map(String::as_str);
    assert_eq!(words.next(), Some("curl"), "{line}");
    let mut request = Request::post("", "");
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .unwrap_or_else(|| panic!("{word} lacks its value: {line}"))
        };
        request = match word {
            "-X" => request.method(value()),
            "-H" => {
                let (name, value) = value().split_once(": ").unwrap();
                request.header(name, value)
            }
            "--data-raw" => request.body(value()),
            "--data-binary" | "-d" | "--data" => {
                let body = value();
                assert!(!body.starts_with('@'), "curl would read a file: {line}");
                request.body(body)
            }
            url if url.starts_with("http://") => {
                let rest = &url["http://".len()..];
                request.target(&rest[rest.find('/').unwrap()..])
            }
            option => {
                assert!(option.starts_with('-'), "{option}: {line}");
                request
            }
        };
    }
    request
}

/// Words as a shell divides them: single quotes keep all, a backslash outside keeps one.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if !quoted => word.get_or_insert_default().extend(letters.next()),
            ' ' | '\n' if !quoted => words.extend(word.take()),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

#[test]
fn the_line_has_one_meaning() {
    let typist = Typist::new();
    for (nth, route) in SIGNABLE.into_iter().enumerate() {
        let line = String::from_utf8(typist.signed(route, &["--as", "curl"])).unwrap();
        assert_eq!(
            typist.kawal.send(&as_curl_would(&line)).status,
            200,
            "{line}"
        );
        assert_eq!(typist.app.count(), nth + 1, "{line}");
    }
}

#[test]
fn every_scheme_is_accepted_from_a_shell() {
    let typist = Typist::new();
    for (nth, route) in SIGNABLE.into_iter().enumerate() {
        let line = try_it(&typist, route, &[]);
        assert_eq!(typist.app.count(), nth + 1, "{line}");
    }
}

#[test]
fn a_body_passes_the_shell_untouched() {
    let typist = Typist::new();
    let bodies = [
        "{\"name\":\"Jum'at\",\"who\":\"`id` $HOME ${PATH} \\\\ \\n !! %s %00\"}",
        "@/etc/passwd",
        "'; touch stolen; echo '",
        "line\nafter\r\nline\n\n",
        "-d other",
        "naïve \u{1f4b8}",
        "\ttab\\\\\\",
        "''''",
        "",
    ];
    for (nth, body) in bodies.into_iter().enumerate() {
        std::fs::write(typist.folder().join("body"), body).unwrap();
        for (route, copy) in [(DOKU, 1), (PIVOT, 2)] {
            let line = try_it(&typist, route, &["--body", "body"]);
            let seen = typist.app.requests();
            assert_eq!(seen.len(), nth * 2 + copy, "{line}");
            assert_eq!(
                String::from_utf8_lossy(&seen.last().unwrap().body),
                body,
                "{line}"
            );
        }
    }
    assert!(!typist.folder().join("stolen").exists());
}

#[test]
fn bytes_that_no_shell_takes_are_refused_or_arrive() {
    let typist = Typist::new();
    for body in [&b"\x1b[2J"[..], b"a\0b", b"\xff\xfe"] {
        std::fs::write(typist.folder().join("body"), body).unwrap();
        let typed = typist.sign(DOKU, &["--as", "curl", "--body", "body"]);
        if typed.code == Some(0) {
            assert!(!typed.stdout.contains(&0), "no shell takes this: {body:?}");
            try_it(&typist, DOKU, &["--body", "body"]);
            assert_eq!(typist.app.requests().pop().unwrap().body, body);
        } else {
            typed.complaint("bytes", 64);
        }
    }
}
