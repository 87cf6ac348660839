//! `kawal sign`: a notification as the gateway would send it.

use crate::harness::clinic::{assert_silent, canaries};
use crate::harness::gateway::{BRN, MCH, PAN};
use crate::harness::kawal::command;
use crate::harness::typed::run;
use crate::harness::typist::{DOKU, PIVOT, SIGNABLE, SNAP, Typist, UNSIGNABLE};

#[test]
fn what_is_signed_is_accepted() {
    let typist = Typist::new();
    for route in SIGNABLE {
        let bytes = typist.signed(route, &[]);
        typist
            .verify(&bytes, &[])
            .done(&format!("{route:?}, verified"));
        let again = typist.signed(route, &["--as", "http"]);
        typist
            .verify(&again, &[])
            .done(&format!("{route:?}, asked for"));
        assert_ne!(bytes, again, "{route:?} has one id");
    }
}

#[test]
fn what_is_signed_reaches_the_app() {
    let typist = Typist::new();
    for (nth, route) in SIGNABLE.into_iter().enumerate() {
        let bytes = typist.signed(route, &[]);
        let answer = typist.deliver(&bytes);
        assert_eq!(answer.status, 200, "{route:?}: {answer:?}");
        let seen = typist.app.requests();
        assert_eq!(seen.len(), nth + 1, "{route:?}");
        if route.0 != "doku-qris" {
            assert!(
                bytes.ends_with(&seen[nth].body),
                "{route:?}: {:?}",
                seen[nth]
            );
            assert!(seen[nth].body.len() > 20, "{route:?} has a body to look at");
        }
    }
}

#[test]
fn it_is_a_whole_request() {
    let typist = Typist::new();
    for route in SIGNABLE {
        let bytes = typist.signed(route, &[]);
        let end = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let body = &bytes[end + 4..];
        let lines: Vec<_> = head.split("\r\n").collect();
        assert!(
            !head.replace("\r\n", "").contains(char::is_control),
            "{head}"
        );
        assert!(lines[0].starts_with(&format!("POST {}", route.1)), "{head}");
        assert!(lines[0].ends_with(" HTTP/1.1"), "{head}");
        assert!(lines.contains(&"Host: localhost"), "{head}");
        let length = |line: &&str| line.to_lowercase().starts_with("content-length:");
        let lengths: Vec<_> = lines.iter().copied().filter(length).collect();
        let said = lengths
            .first()
            .map_or("0", |line| line.split_once(' ').unwrap().1);
        assert_eq!(said, body.len().to_string(), "{head}");
        assert!(lengths.len() <= 1, "{head}");
    }
}

#[test]
fn the_same_words_sign_the_same_notification() {
    let typist = Typist::new();
    for route in SIGNABLE {
        let words = ["--id", "4711", "--at", "2024-02-29T10:00:00Z"];
        let first = typist.signed(route, &words);
        // A token of ours says when it was given.
        if route.0 != "doku-b2b" {
            assert_eq!(first, typist.signed(route, &words), "{route:?}");
        }
    }
}

#[test]
fn every_sample_is_accepted() {
    let typist = Typist::new();
    let samples = [
        ("va-bca", DOKU),
        ("credit-card", DOKU),
        ("qris-json", DOKU),
        ("qris", SIGNABLE[2]),
        ("snap-va", SNAP),
        ("snap-debit", SIGNABLE[5]),
        ("pivot-paid", PIVOT),
        ("pivot-payout", PIVOT),
    ];
    let named = SIGNABLE[7..].iter().map(|route| (route.0, *route));
    let mut delivered = 0;
    for (sample, route) in samples.into_iter().chain(named) {
        let bytes = typist.signed(route, &["--sample", sample]);
        assert_eq!(typist.deliver(&bytes).status, 200, "{sample}");
        delivered += 1;
        assert_eq!(typist.app.count(), delivered, "{sample}");
    }
    assert_eq!(delivered, 19);
}

#[test]
fn the_time_is_the_one_that_was_told() {
    let typist = Typist::new();
    for (route, then) in [
        (DOKU, "2024-02-29T10:00:00Z"),
        (SNAP, "2024-02-29T17:00:00+07:00"),
        (SIGNABLE[2], "1709200800"),
        (SIGNABLE[9], "2024-02-29T10:00:00Z"),
    ] {
        let bytes = typist.signed(route, &["--at", then]);
        typist
            .verify(&bytes, &["--at", "2024-02-29T10:00:30Z"])
            .done("at its time");
        let late = typist.verify(&bytes, &["--json"]);
        assert_eq!(late.code, Some(1), "{route:?}: {}", late.shown());
        assert!(
            late.text().contains("\"stale\""),
            "{route:?}: {}",
            late.shown()
        );
        assert_eq!(typist.deliver(&bytes).status, 401, "{route:?}");
    }
    assert_eq!(typist.app.count(), 0);
    for at in ["yesterday", "", "2024-02-30T10:00:00Z", "12:00"] {
        let typed = typist.sign(DOKU, &["--at", at]);
        assert_eq!(typed.code, Some(64), "{at}: {}", typed.shown());
    }
}

#[test]
fn the_client_is_the_first_or_the_one_that_was_named() {
    let typist = Typist::new();
    for (route, words, client) in [
        (DOKU, &[][..], BRN),
        (DOKU, &["--client", MCH], MCH),
        (SNAP, &["--client", MCH], MCH),
        (SIGNABLE[2], &["--client", PAN], PAN),
    ] {
        let answer = typist.deliver(&typist.signed(route, words));
        assert_eq!(answer.status, 200, "{client}");
        let seen = typist.app.requests().pop().unwrap();
        assert_eq!(seen.header("X-Kawal-Client").as_deref(), Some(client));
    }
    assert_eq!(typist.app.count(), 4);
}

#[test]
fn what_only_the_gateway_can_sign_is_told() {
    let typist = Typist::new();
    for route in UNSIGNABLE {
        for form in ["http", "headers", "curl"] {
            let line = typist.sign(route, &["--as", form]).complaint(route.0, 1);
            assert!(line.contains("key"), "{route:?}: {line}");
        }
        typist.send(route, &[]).complaint(route.0, 1);
    }
}

#[test]
fn stdout_that_takes_nothing_is_told() {
    let typist = Typist::new();
    let file = typist.folder().join("config.yaml");
    let words = ["--gateway", DOKU.0, "--path", DOKU.1];
    let sign = || {
        let mut command = command();
        command.args(["sign", "--config"]).arg(&file).args(words);
        command
    };
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let out = sign().stdout(full).output().unwrap();
    let stderr = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(1), "{stderr}");
    assert!(
        stderr.starts_with("kawal: ") && stderr.lines().count() == 1,
        "{stderr}"
    );

    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let out = sign().stdout(writer).output().unwrap();
    let stderr = String::from_utf8(out.stderr).unwrap();
    assert!(matches!(out.status.code(), Some(0 | 1)), "{stderr}");
    assert!(
        stderr.is_empty() || stderr.starts_with("kawal: "),
        "{stderr}"
    );
}

#[test]
fn signing_tells_no_secret_on_the_side() {
    let (typist, secrets) = (Typist::new(), canaries());
    for route in SIGNABLE.into_iter().chain(UNSIGNABLE) {
        let mut command = command();
        command
            .env("RUST_LOG", "trace")
            .current_dir(typist.folder());
        command.args([
            "sign",
            "--config",
            "config.yaml",
            "--gateway",
            route.0,
            "--path",
            route.1,
        ]);
        let typed = run(&mut command, b"");
        assert_silent(route.0, &typed.stderr, &secrets);
        // A static key is its own proof, and has to be there.
        if !["pivot", "xendit"].contains(&route.0) {
            assert_silent(route.0, &String::from_utf8_lossy(&typed.stdout), &secrets);
        }
    }
}
