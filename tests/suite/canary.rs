//! What proves anything, and what people paid, is in no output: at no level, in no form, whatever becomes of a request.

use std::fs;

use serde_json::{Value, json};

use crate::harness::canary::Needles;
use crate::harness::gateway::PIVOT_KEY;
use crate::harness::tainted::{ANSWER, Taint, app};
use crate::harness::{App, Config, Form, Plain};

/// The lines of the libraries too, if they were let through.
const LIBRARIES: &str =
    "pingora_core=trace,redis=trace,hyper=trace,tokio=trace,rustls=trace,kawal=trace";

#[test]
fn nothing_is_shown_at_the_level_of_production() {
    for form in [Form::Json, Form::Text] {
        Story::new(form, None, "enforce").keeps_silent();
    }
}

#[test]
fn nothing_is_shown_at_the_finest_level() {
    for form in [Form::Json, Form::Text] {
        Story::new(form, Some("trace"), "enforce").keeps_silent();
    }
}

#[test]
fn nothing_is_shown_of_what_libraries_would_tell() {
    Story::new(Form::Json, Some(LIBRARIES), "enforce").keeps_silent();
    Story::new(Form::Text, Some(LIBRARIES), "observe").keeps_silent();
}

#[test]
fn nothing_is_shown_while_it_only_observes() {
    Story::new(Form::Json, Some("trace"), "observe").keeps_silent();
    Story::new(Form::Text, Some("debug"), "observe").keeps_silent();
}

#[test]
fn nothing_is_shown_when_nothing_is_logged() {
    let printed = Story::new(Form::Json, Some("off"), "enforce").keeps_silent();
    assert_eq!(printed, "");
}

/// A life with every kind of request in it.
struct Story {
    app: App,
    kawal: Plain,
    form: Form,
}

impl Story {
    fn new(form: Form, level: Option<&str>, mode: &str) -> Self {
        let app = app();
        let mut config = Config::kinds(&app)
            .with_snap()
            .set("unmatched", "forward")
            .set("timeouts.body", "1s")
            .set(
                "gateways.pivot.clients",
                json!([{"secrets": ["env:SHOP_KEY"]}]),
            )
            .env("SHOP_KEY", PIVOT_KEY)
            .arg("--log")
            .arg(form.word());
        if let Some(level) = level {
            config = config.env("RUST_LOG", level);
        }
        if mode == "observe" {
            config = observing(config);
        }
        Self {
            kawal: Plain::start(config),
            app,
            form,
        }
    }

    /// Gives what was printed.
    fn keeps_silent(self) -> String {
        let mut taint = Taint::new(&self.kawal);
        taint.needles.add(PIVOT_KEY);
        for secret in secrets(&self.kawal.config) {
            taint.needles.add(&secret);
        }
        taint.genuine();
        taint.refused();
        taint.tokens();
        taint.scenes();
        taint.wire(&self.kawal);
        let answered = taint.answered;
        assert!(answered > 100, "{answered}");
        assert!(self.app.count() > 20, "{}", self.app.count());
        let (needles, pages) = (taint.needles.clone(), pages(&self.kawal));
        needles.assert_absent("the admin listener", &pages);
        let printed = self.kawal.end();
        needles.assert_absent("the output", &printed.both());
        assert_eq!(String::from_utf8_lossy(&printed.err), "");
        let text = printed.text();
        let lines = crate::harness::lines::read(self.form, &text);
        let told = lines.iter().filter(|line| line.is("notification"));
        // Else there is nothing to look at.
        assert!(text.is_empty() || told.count() > 70, "{text}");
        text
    }
}

/// Everything that the admin listener can be asked for.
pub fn pages(kawal: &Plain) -> String {
    let mut pages = String::new();
    for path in [
        "/metrics",
        "/status",
        "/status.json",
        "/",
        "/livez",
        "/readyz",
    ] {
        pages += &String::from_utf8_lossy(&kawal.admin(path).raw);
    }
    let open = crate::harness::Request::new("GET", "/metrics")
        .header("Accept", "application/openmetrics-text")
        .send(kawal.admin_addr());
    pages + &open.text()
}

fn observing(mut config: Config) -> Config {
    let gateways = config.value("gateways");
    for name in gateways.as_object().unwrap().keys() {
        config = config.set(&format!("gateways.{name}.mode"), "observe");
    }
    config
}

/// What stands in the secret files of this configuration.
pub fn secrets(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    gather(&config.value("gateways"), &mut found);
    assert!(found.len() > 4, "{found:?}");
    found
}

fn gather(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| gather(value, found)),
        Value::Object(members) => {
            for (name, value) in members {
                if name != "public_keys" {
                    gather(value, found);
                }
            }
        }
        Value::String(text) => {
            if let Some(path) = text.strip_prefix("file:") {
                found.push(fs::read_to_string(path).unwrap());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The search itself: it finds what is hidden.
#[test]
fn a_disguised_word_is_found() {
    let mut needles = Needles::default();
    needles.add(ANSWER);
    needles.add_proof("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=");
    let whole = ANSWER.as_bytes();
    let pairs: Vec<_> = whole.iter().map(|byte| format!("{byte:02x}")).collect();
    for (name, text) in [
        ("plain", format!("a {ANSWER} b")),
        ("hex", format!("a{}b", pairs.concat())),
        ("spaced", pairs.join(" ")),
        ("debug", format!("{whole:?}")),
        ("percent", format!("%{}", pairs.join("%"))),
        (
            "base64",
            crate::harness::hooks::base64(format!("12{ANSWER}34")),
        ),
        (
            "base64",
            crate::harness::hooks::base64(format!("1{ANSWER}345")),
        ),
        (
            "base64url",
            crate::harness::hooks::base64url(format!("{ANSWER}3")),
        ),
        ("the start of a proof", "signature: QUJDREVG...".to_owned()),
        ("the end of a proof", "signature: ...VldYWVo=".to_owned()),
    ] {
        let found = std::panic::catch_unwind(|| needles.assert_absent(name, &text));
        assert!(found.is_err(), "{name} was not found in {text}");
    }
    needles.assert_absent("nothing", "canary-answer QUJDRE VldYW");
}
