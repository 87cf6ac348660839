//! `kawal send`: signed notifications on their way to the sidecar.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::harness::clinic::{assert_silent, canaries};
use crate::harness::gateway::now;
use crate::harness::kawal::command;
use crate::harness::typed::run;
use crate::harness::typist::{DOKU, PIVOT, SIGNABLE, Typist};
use crate::harness::{App, Recorded, Reply, Vacant};

/// The ids under which the app knows these.
fn ids(requests: &[Recorded]) -> BTreeSet<String> {
    let ids = requests.iter().map(|r| r.header("X-Kawal-Notification-Id"));
    ids.map(|id| id.expect("an id")).collect()
}

#[test]
fn what_is_sent_reaches_the_app_and_its_answer_is_printed() {
    let typist = Typist::new();
    typist
        .app
        .answer_with(|_| Reply::new(200).body("the app says so"));
    for (nth, route) in SIGNABLE.into_iter().enumerate() {
        let typed = typist.send(route, &[]);
        assert_eq!(typed.code, Some(0), "{route:?}: {}", typed.shown());
        assert_eq!(typist.app.count(), nth + 1, "{route:?}");
        assert!(typed.text().contains("200"), "{route:?}: {}", typed.shown());
        if route.0 != "doku-qris" {
            assert!(
                typed.text().contains("the app says so"),
                "{}",
                typed.shown()
            );
        }
    }
}

#[test]
fn many_are_different_and_come_at_their_rate() {
    let typist = Typist::new();
    let began = Instant::now();
    let typed = typist.send(DOKU, &["--count", "20", "--rate", "50"]);
    let took = began.elapsed();
    assert_eq!(typed.code, Some(0), "{}", typed.shown());
    assert_eq!(typed.text().trim(), "200: 20");
    assert_eq!(ids(&typist.app.requests()).len(), 20);
    assert_eq!(typist.app.count(), 20);
    // The twentieth leaves 19 gaps of 20 ms after the first.
    assert!(took >= Duration::from_millis(350), "{took:?}");
}

#[test]
fn many_of_every_scheme_are_different() {
    let typist = Typist::new();
    let mut before = 0;
    for route in SIGNABLE {
        let typed = typist.send(route, &["--count", "3"]);
        assert_eq!(typed.code, Some(0), "{route:?}: {}", typed.shown());
        assert_eq!(typed.text().trim(), "200: 3", "{route:?}");
        let seen = typist.app.requests();
        assert_eq!(seen.len(), before + 3, "{route:?}");
        assert_eq!(ids(&seen[before..]).len(), 3, "{route:?}");
        before += 3;
    }
}

#[test]
fn one_id_is_one_notification() {
    let typist = Typist::new();
    for (nth, route) in SIGNABLE.into_iter().enumerate() {
        // What signs its time into what it is has to be told the time too.
        let at = now();
        let id = format!("4711-{nth}");
        let words = ["--id", &id, "--at", &at];
        for copy in ["the first", "its repeat"] {
            let typed = typist.send(route, &words);
            assert_eq!(typed.code, Some(0), "{route:?}, {copy}: {}", typed.shown());
            assert_eq!(typist.app.count(), nth + 1, "{route:?}, {copy}");
        }
    }
}

#[test]
fn repeats_follow_each_other() {
    let typist = Typist::new();
    let typed = typist.send(DOKU, &["--id", "4712", "--count", "5"]);
    assert_eq!(typist.app.count(), 1);
    assert_eq!(typed.text().trim(), "200: 5", "{}", typed.shown());
    assert_eq!(typed.code, Some(0), "{}", typed.shown());
}

#[test]
fn an_answer_that_is_a_no_is_a_no() {
    let typist = Typist::new();
    let typed = typist.send(DOKU, &["--at", "2024-02-29T10:00:00Z"]);
    assert_eq!(typed.code, Some(1), "{}", typed.shown());
    assert!(typed.text().contains("401"), "{}", typed.shown());
    assert_eq!(typist.app.count(), 0);
    typist.app.next(Reply::new(500).body("no room"));
    let typed = typist.send(DOKU, &[]);
    assert_eq!(typed.code, Some(1), "{}", typed.shown());
    assert!(
        typed.text().contains("500") && typed.text().contains("no room"),
        "{}",
        typed.shown()
    );
    typist.app.next(Reply::new(500)).next(Reply::new(500));
    let typed = typist.send(DOKU, &["--count", "5"]);
    assert_eq!(typed.code, Some(1), "{}", typed.shown());
    let lines: BTreeSet<_> = typed.stdout.split(|byte| *byte == b'\n').collect();
    assert!(
        lines.contains(&b"200: 3"[..]) && lines.contains(&b"500: 2"[..]),
        "{}",
        typed.shown()
    );
}

#[test]
fn nobody_at_the_address_is_told() {
    let typist = Typist::new();
    let vacant = Vacant::new();
    let to = vacant.url();
    let words = ["--gateway", DOKU.0, "--path", DOKU.1, "--to", &to];
    let line = typist.types("send", &words, b"").complaint("refused", 1);
    let address = to.trim_start_matches("http://");
    assert!(line.contains(address), "{line}");
    let many = typist.types("send", &[&words[..], &["--count", "3"]].concat(), b"");
    assert_eq!(many.code, Some(1), "{}", many.shown());

    let app = App::start();
    app.slam(1);
    let to = app.url();
    let words = ["--gateway", DOKU.0, "--path", DOKU.1, "--to", &to];
    typist.types("send", &words, b"").complaint("broken off", 1);
    app.next(Reply::hangup());
    typist
        .types("send", &words, b"")
        .complaint("broken off later", 1);
}

#[test]
fn an_address_or_a_number_that_cannot_be_meant_is_refused() {
    let typist = Typist::new();
    for to in [
        "https://127.0.0.1:1",
        "127.0.0.1:1",
        "http://",
        "",
        "ftp://127.0.0.1:1",
        "http://127.0.0.1:99999",
    ] {
        let words = ["--gateway", DOKU.0, "--path", DOKU.1, "--to", to];
        let typed = typist.types("send", &words, b"");
        assert_eq!(typed.code, Some(64), "{to}: {}", typed.shown());
        assert!(!typed.stderr.is_empty(), "{to}");
    }
    for words in [
        ["--count", "0"],
        ["--count", "-1"],
        ["--count", "many"],
        ["--rate", "0"],
        ["--rate", "-1"],
        ["--rate", "NaN"],
        ["--rate", "inf"],
        ["--rate", "fast"],
    ] {
        let typed = typist.send(DOKU, &words);
        assert_eq!(typed.code, Some(64), "{words:?}: {}", typed.shown());
    }
    let typed = typist.types("send", &["--gateway", DOKU.0, "--path", DOKU.1], b"");
    assert_eq!(typed.code, Some(64), "no address: {}", typed.shown());
    assert_eq!(typist.app.count(), 0);
}

#[test]
fn sending_tells_no_secret() {
    let (typist, secrets) = (Typist::new(), canaries());
    let to = format!("http://{}", typist.kawal.addr());
    for route in [DOKU, PIVOT, SIGNABLE[2], SIGNABLE[11]] {
        for count in ["1", "2"] {
            let mut command = command();
            command
                .env("RUST_LOG", "trace")
                .current_dir(typist.folder());
            command.args(["send", "--config", "config.yaml", "--gateway", route.0]);
            command.args(["--path", route.1, "--to", &to, "--count", count]);
            let typed = run(&mut command, b"");
            assert_eq!(typed.code, Some(0), "{route:?}: {}", typed.shown());
            assert_silent(route.0, &typed.shown(), &secrets);
        }
    }
    assert_silent("the sidecar's log", &typist.kawal.output(), &secrets);
}

#[test]
fn a_body_of_ones_own_is_sent() {
    let typist = Typist::new();
    let to = format!("http://{}", typist.kawal.addr());
    let words = [
        "--gateway",
        DOKU.0,
        "--path",
        DOKU.1,
        "--to",
        &to,
        "--body",
        "-",
        "--count",
        "2",
    ];
    let body = "{\"mine\":\0é}".as_bytes();
    typist.types("send", &words, body).done("mine");
    let seen = typist.app.requests();
    assert_eq!(seen.len(), 2);
    assert!(seen.iter().all(|request| request.body == body));
}
