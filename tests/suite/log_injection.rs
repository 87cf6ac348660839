//! Whatever stands in a request, each event stays one line that says what happened and is of a bounded length.

use serde_json::json;

use crate::harness::lines::{self, Line};
use crate::harness::loose::{loose_proof, signed_loosely};
use crate::harness::{App, Config, Doku, Form, Plain, Request, doku, pivot, unique};

/// Longer than any line has a reason to be.
const LONGEST_LINE: usize = 4096;
/// Of what a sender chose, as much is shown.
const LONGEST_VALUE: usize = 256;

/// What would break a line, a reader or a terminal.
fn nasty() -> Vec<String> {
    let mut values: Vec<String> = [
        "a\tb",
        "a\rb",
        "a\r\nX-B: b",
        "a\n{\"message\":\"notification\",\"outcome\":\"delivered\"}",
        "\",\"outcome\":\"delivered\",\"x\":\"",
        "\" outcome=\"delivered\" x=\"",
        "x outcome=delivered status=200",
        "outcome=delivered",
        "a\\",
        "\\\"",
        "\\n\\u000a",
        "\0",
        "\u{1b}[2J\u{1b}[31mred",
        "\u{7f}\u{8}\u{8}",
        "\u{9b}31m",
        "\u{85}next",
        "a\u{2028}b\u{2029}c",
        "\u{202e}drowssap",
        "\u{feff}mark",
        "%0a%0d%s%n",
        "${jndi:ldap://127.0.0.1/a}",
        "{}",
        "null",
        "",
    ]
    .map(str::to_owned)
    .to_vec();
    for long in ["A", "\"", "\\", "\t", "é", "\u{1f600}", "\u{85}"] {
        values.push(long.repeat(10_000 / long.len()));
    }
    values
}

#[test]
fn a_line_of_json_stays_one_true_line() {
    Story::new(Form::Json).withstands_all();
}

#[test]
fn a_line_of_text_stays_one_true_line() {
    Story::new(Form::Text).withstands_all();
}

/// A proxy in front of an app that says yes to everything.
struct Story {
    app: App,
    kawal: Plain,
    form: Form,
}

impl Story {
    fn new(form: Form) -> Self {
        let app = App::start();
        let config = Config::kinds(&app)
            .with_loose_references()
            .set("trusted_proxies", json!(["127.0.0.0/8"]))
            .env("RUST_LOG", "trace")
            .arg("--log")
            .arg(form.word());
        Self {
            kawal: Plain::start(config),
            app,
            form,
        }
    }

    fn withstands_all(self) {
        for value in nasty() {
            self.signed(&value);
            self.forged(value.as_bytes());
            self.elsewhere(value.as_bytes());
        }
        self.forged(b"\xff\xfe\x80");
        self.elsewhere(b"\xff\xfe\x80");
        self.signed("the last one, as it is");
        let (app, form) = (self.app.count(), self.form);
        let counted = self.kawal.page().sum("kawal_notifications_total", &[]);
        let printed = self.kawal.end();
        assert_eq!(String::from_utf8_lossy(&printed.err), "");
        let lines = lines::read(form, &printed.text());
        let is_true = |line: &&Line| line.is("notification") && line.text("outcome") == "delivered";
        assert_eq!(lines.iter().filter(is_true).count(), app);
        assert!(app > 20, "{app}");
        let told = lines.iter().filter(|line| line.is("notification"));
        assert_eq!(told.count() as f64, counted, "each has one line");
        assert_references(&lines);
        for line in printed.text().lines() {
            assert!(line.len() < LONGEST_LINE, "{} bytes: {line}", line.len());
        }
    }

    /// It may be no request any more.
    fn send(&self, request: &Request) {
        self.kawal.send_raw(&request.bytes());
    }

    /// Signed right, so that the value is believed as far as one can be.
    fn signed(&self, value: &str) {
        self.send(&Doku::new(unique("n")).id(value).sign());
        // In JSON, any character may be written.
        let event = json!({"id": value, "n": unique("n")}).to_string();
        let proof = loose_proof(&event);
        self.send(&signed_loosely("loose", &event, &proof));
        let by_header = signed_loosely("loose-header", &event, &proof);
        self.send(&by_header.header("X-Reference", value));
    }

    /// In the places of a proof.
    fn forged(&self, value: &[u8]) {
        let text = String::from_utf8_lossy(value);
        let event = json!({"id": text}).to_string();
        self.send(&signed_loosely("loose", &event, "nonsense"));
        let by_header = signed_loosely("loose-header", &event, "nonsense");
        self.send(&by_header.header("X-Reference", value));
        for name in ["Client-Id", "Request-Id", "Request-Timestamp", "Signature"] {
            self.send(&doku("{}").replace(name, value));
        }
    }

    /// In places that nobody signs.
    fn elsewhere(&self, value: &[u8]) {
        for name in [
            "X-Forwarded-For",
            "X-Real-IP",
            "Forwarded",
            "Host",
            "User-Agent",
        ] {
            let request = pivot(unique("p"));
            let request = match name {
                "Host" => request.replace(name, value),
                _ => request.header(name, value),
            };
            self.send(&request);
        }
        // A path, a query and a method are text here; as bytes they are in the corpus of broken heads.
        let text = String::from_utf8_lossy(value);
        self.send(&doku("{}").target(&format!("/payments/notifications?a={text}")));
        self.send(&doku("{}").target(&format!("/{text}")));
        self.send(&doku("{}").method(&text));
    }
}

/// What was sent as a reference is told as it was, up to a length.
fn assert_references(lines: &[Line]) {
    let told: Vec<_> = lines.iter().map(|line| line.text("reference")).collect();
    for reference in &told {
        let length = reference.chars().count();
        assert!(length <= LONGEST_VALUE + 1, "{length}: {reference}");
    }
    for value in nasty().into_iter().filter(|value| !value.is_empty()) {
        let cut: String = value.chars().take(LONGEST_VALUE).collect();
        let expected = if cut == value { value } else { cut + "…" };
        assert!(told.contains(&expected), "not told: {expected:?}");
    }
    let last = told.iter().rfind(|reference| !reference.is_empty());
    assert_eq!(last.unwrap(), "the last one, as it is");
}
