//! Words of `kawal sign` and `kawal send` that cannot be meant so: one line says what to do.

use crate::harness::typist::{DOKU, PIVOT, SIGNABLE, Typist};
use crate::harness::{Config, Vacant, typed};

#[test]
fn unknown_names_are_answered_with_known_ones() {
    let typist = Typist::new();
    let rows: [(&str, &[&str], &str); 9] = [
        (
            "a gateway",
            &["--gateway", "dokku", "--path", DOKU.1],
            "doku",
        ),
        ("no gateway", &["--gateway", "", "--path", DOKU.1], "doku"),
        (
            "a path",
            &["--gateway", "doku", "--path", "/payments/notification"],
            DOKU.1,
        ),
        (
            "another gateway's path",
            &["--gateway", "doku", "--path", PIVOT.1],
            DOKU.1,
        ),
        (
            "a path without a slash",
            &["--gateway", "doku", "--path", "payments/notifications"],
            DOKU.1,
        ),
        (
            "a client",
            &["--gateway", "doku", "--path", DOKU.1, "--client", "BRN-1"],
            "BRN-0201-1690274481481",
        ),
        (
            "a client of a gateway without",
            &["--gateway", "pivot", "--path", PIVOT.1, "--client", "BRN-1"],
            "pivot",
        ),
        (
            "a sample",
            &["--gateway", "doku", "--path", DOKU.1, "--sample", "va-bcaa"],
            "va-bca",
        ),
        (
            "a body",
            &[
                "--gateway",
                "doku",
                "--path",
                DOKU.1,
                "--body",
                "no-such-file",
            ],
            "no-such-file",
        ),
    ];
    for (name, words, helps) in rows {
        let line = typist.types("sign", words, b"").complaint(name, 64);
        assert!(line.contains(helps), "{name}: {line}");
        let to = Vacant::new().url();
        let sending = [words, &["--to", &to]].concat();
        let line = typist.types("send", &sending, b"").complaint(name, 64);
        assert!(line.contains(helps), "{name}: {line}");
    }
    typist
        .sign(DOKU, &["--body", "."])
        .complaint("a folder as a body", 64);
}

#[test]
fn words_that_are_none_have_their_exit_code() {
    let typist = Typist::new();
    let rows: [&[&str]; 8] = [
        &[],
        &["--gateway", "doku"],
        &["--path", DOKU.1],
        &["--gateway", "doku", "--path", DOKU.1, "--as", "xml"],
        &[
            "--gateway",
            "doku",
            "--path",
            DOKU.1,
            "--sample",
            "va-bca",
            "--body",
            "config.yaml",
        ],
        &["--gateway", "doku", "--path", DOKU.1, "--nope"],
        &["--gateway", "doku", "--path", DOKU.1, "twice"],
        &[
            "--gateway",
            "doku",
            "--path",
            DOKU.1,
            "--to",
            "http://127.0.0.1:1",
        ],
    ];
    for words in rows {
        let typed = typist.types("sign", words, b"");
        assert_eq!(typed.code, Some(64), "{words:?}: {}", typed.shown());
        assert!(
            !typed.stderr.is_empty() && typed.stdout.is_empty(),
            "{words:?}"
        );
    }
}

#[test]
fn an_id_that_would_break_the_message_is_refused() {
    let typist = Typist::new();
    for route in SIGNABLE {
        for id in ["a\r\nX-Injected: 1", "a\nb", "\u{1b}[2J", ""] {
            let typed = typist.sign(route, &["--id", id]);
            if typed.code == Some(0) {
                typist.verify(&typed.stdout, &[]).done(route.0);
                let text = String::from_utf8_lossy(&typed.stdout).into_owned();
                let head = text.split("\r\n\r\n").next().unwrap();
                let injected = |line: &str| line.starts_with("X-Injected");
                assert!(!head.split(['\r', '\n']).any(injected), "{route:?}: {text}");
            } else {
                typed.complaint(route.0, 64);
            }
        }
    }
}

#[test]
fn a_wrong_configuration_is_told_before_anything_else() {
    let config = Config::to("http://127.0.0.1:9").set("gateways.doku.scheme", "nope");
    config.write();
    let words = [
        "--config",
        "config.yaml",
        "--gateway",
        "doku",
        "--path",
        DOKU.1,
    ];
    for command in [&["sign"][..], &["send", "--to", "http://127.0.0.1:1"]] {
        let typed = typed(&[command, &words].concat(), config.folder.path(), b"");
        assert_eq!(typed.code, Some(78), "{}", typed.shown());
        assert!(
            typed.stdout.is_empty() && typed.stderr.contains("nope"),
            "{}",
            typed.shown()
        );
    }
}
