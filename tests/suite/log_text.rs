//! The log for people at a terminal: the same facts as in JSON, one event a line, without a trace of colour.

use serde_json::json;

use crate::harness::lines::{self, Line};
use crate::harness::loose::signed_loosely;
use crate::harness::plain::Printed;
use crate::harness::{
    App, Config, Doku, Form, Plain, Reply, Snap, TokenRequest, ago, doku, pivot, until,
};

/// What differs between two runs.
const CHANGING: [&str; 7] = [
    "time",
    "listen",
    "admin",
    "verify_us",
    "upstream_us",
    "total_us",
    "age_s",
];

#[test]
fn both_forms_tell_the_same_facts() {
    let told = [Form::Json, Form::Text].map(|form| {
        let printed = a_day(form);
        assert_eq!(String::from_utf8_lossy(&printed.err), "");
        let lines = lines::read(form, &printed.text());
        lines.iter().map(facts).collect::<Vec<_>>()
    });
    assert!(told[0].len() > 10, "{told:#?}");
    assert_eq!(told[0], told[1]);
}

/// Every fact of a line that is the same on every day.
fn facts(line: &Line) -> Vec<(String, String)> {
    let names = line.0.iter().map(|(name, _)| name.clone());
    let mut facts: Vec<_> = names
        .map(|name| {
            let changes = CHANGING.contains(&name.as_str());
            let value = if changes {
                String::new()
            } else {
                line.text(&name)
            };
            (name, value)
        })
        .collect();
    facts.sort();
    facts
}

/// A bit of everything, the same each time.
fn a_day(form: Form) -> Printed {
    let app = App::start();
    let config = Config::snap(&app)
        .with_loose_references()
        .set("gateways.pivot.allow_from", json!(["192.0.2.0/24"]))
        .arg("--log")
        .arg(form.word());
    let kawal = Plain::start(config);
    until("it says so", || kawal.out().contains("listening"));
    let named = |id: &str| Doku::new("{\"a\": 1}").id(id);
    let long_ago = ago(std::time::Duration::from_secs(3600));
    kawal.send(&named("one").at("2026-01-31T02:00:00Z").sign());
    let event = r#"{"id":"with blanks and \"quotes\""}"#;
    kawal.send(&signed_loosely("loose", event, "nonsense"));
    kawal.send(&named("two").at(&long_ago).sign());
    kawal.send(&named("three").client("stranger", "stranger-key").sign());
    app.next(Reply::new(500));
    for status in [500, 200, 200] {
        let request = Snap::new("{\"a\":1}")
            .external_id("1")
            .at(&snap_now())
            .sign();
        assert_eq!(kawal.send(&request).status, status);
    }
    kawal.send(&TokenRequest::new().with_signature("no"));
    kawal.send(&pivot("{}"));
    kawal.send(&doku("{}").target("/nowhere"));
    kawal.send_raw(b"no request\r\n\r\n");
    kawal.end()
}

/// One moment for all of a process's notifications: copies are equal.
fn snap_now() -> String {
    use std::sync::OnceLock;
    static NOW: OnceLock<String> = OnceLock::new();
    NOW.get_or_init(|| crate::harness::snap::jakarta_time(jiff::Timestamp::now()))
        .clone()
}

#[test]
fn a_line_of_text_reads_from_left_to_right() {
    let printed = a_day(Form::Text).text();
    let found = printed
        .lines()
        .find(|line| line.contains("outcome=delivered"));
    let line = found.expect("a delivery");
    let words: Vec<_> = line.split_whitespace().collect();
    assert!(words[0].parse::<jiff::Timestamp>().is_ok(), "{line}");
    assert!(words[1].eq_ignore_ascii_case("info"), "{line}");
    assert_eq!(words[2], "notification", "{line}");
    for word in [
        "gateway=doku-snap",
        "route=/v1/transfer-va/payment",
        "reference=1",
        "status=200",
    ] {
        assert!(words.contains(&word), "{word}: {line}");
    }
    let quoted = printed.contains(r#"reference="with blanks and \"quotes\"""#);
    assert!(quoted, "{printed}");
    assert!(!printed.contains('\u{1b}'), "{printed}");
}

/// Colours are asked for in many ways; none of them is for a log.
#[test]
fn nothing_makes_it_colourful() {
    let app = App::start();
    for form in [Form::Json, Form::Text] {
        let config = Config::new(&app)
            .arg("--log")
            .arg(form.word())
            .env("CLICOLOR_FORCE", "1")
            .env("FORCE_COLOR", "1")
            .env("TERM", "xterm-256color");
        let kawal = Plain::start(config);
        kawal.send(&doku("{}"));
        kawal.send(&doku("{}").without("Signature"));
        let text = kawal.end().both();
        assert!(
            text.contains("missing_proof") && !text.contains('\u{1b}'),
            "{text}"
        );
    }
}

#[test]
fn without_a_word_it_is_json() {
    let app = App::start();
    let kawal = Plain::start(Config::new(&app));
    kawal.send(&doku("{}"));
    let lines = lines::read(Form::Json, &kawal.end().text());
    assert!(
        lines.iter().any(|line| line.is("notification")),
        "{lines:?}"
    );
}
