//! What the doctor shows: all that was signed, and nothing that a terminal would obey.

use crate::harness::clinic::{Shop, clinic};
use crate::harness::genuine::genuine;
use crate::harness::{Doku, Qris, Snap, doku};

#[test]
fn the_string_that_was_signed_is_shown_as_it_is() {
    let doctor = clinic();
    let sent = Doku::new("{}");
    let shown = visible(&sent.component());
    let text = doctor.text(&sent.sign().bytes());
    assert!(text.contains(&shown), "{text}");
    let sent = Snap::new("{ }");
    assert!(doctor.text(&sent.sign().bytes()).contains(&sent.text()));
    let request = Qris::new().sign();
    let text = doctor.text(&request.bytes());
    assert!(text.contains("<secret>"), "{text}");

    let mut shop = Shop::new(b"\0\x1b[2J\r\n\t\x7f\xff\xfe\xc2\x9b2Jend");
    shop.note = "a\ttab".to_owned();
    let request = shop.sign();
    let found = doctor.diagnose(&request.bytes());
    assert!(found.accepted(), "{}", found.typed.shown());
    for typed in [found.typed, doctor.ask(&[], &request.bytes())] {
        let text = typed.text();
        let hidden = |c: char| c.is_control() && c != '\n';
        assert!(!text.contains(hidden), "{text:?}");
        assert!(text.contains(r"\t") && text.contains("u{1b}"), "{text}");
    }
}

#[test]
fn marks_that_turn_text_around_are_shown() {
    let doctor = clinic();
    let request = Shop::new("{\"paid\":\"\u{202e}eslaf\u{2066}\u{feff}\u{200b}\"}").sign();
    for typed in [
        doctor.ask(&[], &request.bytes()),
        doctor.ask(&["--json"], &request.bytes()),
    ] {
        let marks = ['\u{202e}', '\u{2066}', '\u{feff}', '\u{200b}'];
        assert!(!typed.text().contains(marks), "{}", typed.shown());
    }
}

#[test]
fn what_a_stranger_wrote_cannot_speak_to_the_terminal() {
    let doctor = clinic();
    let text = String::from_utf8(doku("{}").bytes()).unwrap();
    for (from, to) in [
        ("HTTP/1.1", "HTTP/\x1b[2J"),
        ("HTTP/1.1", "HTTP/1.1\u{9b}2J"),
        ("/payments/notifications", "/\x1b]0;title\x07"),
        ("/payments/notifications", "/payments/notifications?\x1b[2J"),
        ("BRN-", "\u{9b}2JBRN-"),
        ("BRN-", "\x1b[2JBRN-"),
        ("HMACSHA256=", "\u{9b}2J"),
        ("POST", "\x1b[2J"),
    ] {
        let capture = text.replacen(from, to, 1).into_bytes();
        for words in [&[][..], &["--json"]] {
            let typed = doctor.ask(words, &capture);
            let shown = typed.shown();
            let speaks = |c: char| c.is_control() && c != '\n';
            assert!(!shown.contains(speaks), "{to:?}: {shown:?}");
        }
    }
}

#[test]
fn the_proof_that_came_can_be_compared_with_the_one_that_should_have() {
    let doctor = clinic();
    let mut compared = 0;
    for (name, request) in genuine() {
        let found = doctor.diagnose(&request.bytes());
        let expected: Vec<_> = found.value["signed"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|signed| signed["expected"].as_str())
            .collect();
        if expected.is_empty() {
            continue;
        }
        let given = found.word("given").unwrap();
        assert!(expected.contains(&given), "{name}: {given} of {expected:?}");
        compared += 1;
    }
    assert!(compared > 12, "{compared}");
}

/// As a person is shown it.
fn visible(text: &str) -> String {
    text.replace('\n', r"\n")
}
