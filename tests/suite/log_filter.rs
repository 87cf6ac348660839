//! `RUST_LOG` chooses how much is told; what a process says when it cannot run is no part of the log.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::cli::run;
use crate::harness::kawal::command;
use crate::harness::lines::{self, Line};
use crate::harness::{App, Config, Doku, Exit, Form, Plain, Reply, doku};

/// A delivery, a conflict, a wrong proof, a refusal of the app's and a path that nobody knows.
fn told(level: Option<&str>, form: Form) -> Vec<Line> {
    let app = App::start();
    let mut config = Config::new(&app).arg("--log").arg(form.word());
    if let Some(level) = level {
        config = config.env("RUST_LOG", level);
    }
    let kawal = Plain::start(config);
    let signed = Doku::new("{}");
    kawal.send(&signed.sign());
    let mut other = signed.clone();
    other.body.push(b' ');
    kawal.send(&other.sign());
    kawal.send(&doku("{}").without("Signature"));
    app.next(Reply::new(500));
    kawal.send(&doku("{}"));
    kawal.send(&doku("{}").target("/nowhere"));
    let printed = kawal.end();
    assert_eq!(String::from_utf8_lossy(&printed.err), "", "{level:?}");
    lines::read(form, &printed.text())
}

/// How often each message came, with the outcome where it has one.
fn counts(lines: &[Line]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in lines {
        let key = format!("{} {}", line.text("message"), line.text("outcome"));
        *counts.entry(key).or_default() += 1;
    }
    counts
}

#[test]
fn each_level_hides_what_is_below_it() {
    for form in [Form::Json, Form::Text] {
        let usual = told(None, form);
        let of_info =
            |line: &Line| matches!(line.text("level").as_str(), "info" | "warn" | "error");
        assert!(usual.iter().all(of_info), "{usual:?}");
        let all = counts(&usual);
        for (key, count) in [
            ("listening ", 1),
            ("notification delivered", 1),
            ("notification rejected", 2),
            ("notification refused_by_app", 1),
            ("refused ", 1),
            ("ended ", 1),
        ] {
            assert_eq!(all.get(key), Some(&count), "{all:?}");
        }
        for level in ["info", "kawal=info", ""] {
            assert_eq!(counts(&told(Some(level), form)), all, "{level:?}");
        }
        for level in ["warn", "kawal=warn", "WARN"] {
            let warned = told(Some(level), form);
            let loud = |line: &Line| matches!(line.text("level").as_str(), "warn" | "error");
            assert!(warned.iter().all(loud), "{level}: {warned:?}");
            let left = usual.iter().filter(|line| loud(line)).count();
            assert_eq!(warned.len(), left, "{level}: {warned:?}");
            assert!(left >= 3, "{usual:?}");
        }
    }
}

#[test]
fn off_is_silence() {
    for form in [Form::Json, Form::Text] {
        for level in ["off", "kawal=off", "info,kawal=off", "trace,kawal=off"] {
            let lines = told(Some(level), form);
            assert!(lines.is_empty(), "{level}: {lines:?}");
        }
    }
}

/// Lines of libraries may hold what was sent: nobody gets to see them by asking for more.
#[test]
fn no_level_lets_the_libraries_speak() {
    let own = counts(&told(Some("kawal=trace"), Form::Json));
    for level in [
        "trace",
        "kawal=trace,pingora_core=trace,redis=trace,hyper=trace,tokio=trace,mio=trace,h2=trace",
        "trace,kawal=trace",
        "kawal=trace,pingora_core::protocols=trace,pingora_core::connectors=debug",
    ] {
        assert_eq!(counts(&told(Some(level), Form::Json)), own, "{level}");
    }
    // Nor by silencing us.
    for level in ["trace,kawal=off", "pingora_core=trace,kawal=off"] {
        assert!(told(Some(level), Form::Json).is_empty(), "{level}");
    }
}

/// `kawal serve` with this, until it ends by itself.
fn refusal(config: &Config, level: &OsStr, log: &str) -> Exit {
    let file = config.write();
    run(command()
        .args(["serve", "--log", log, "--config"])
        .arg(&file)
        .env("RUST_LOG", level)
        .current_dir(config.folder.path()))
}

#[test]
fn a_filter_that_cannot_be_read_is_wrong_usage() {
    let app = App::start();
    let config = Config::new(&app);
    for level in [
        OsStr::new("kawal=loud"),
        OsStr::new("info,kawal=loud"),
        OsStr::new("kawal=info=debug"),
        OsStr::new("kawal[="),
        OsStr::new("kawal[{client=(}]=info"),
        OsStr::from_bytes(b"kawal=\xff"),
    ] {
        let exit = refusal(&config, level, "json");
        assert_eq!(exit.code, Some(64), "{level:?}: {exit:?}");
        assert_eq!(exit.stderr.lines().count(), 1, "{level:?}: {exit:?}");
        assert!(exit.stderr.contains("RUST_LOG"), "{level:?}: {exit:?}");
        assert_eq!(exit.stdout, "", "{level:?}");
    }
}

#[test]
fn a_form_that_there_is_not_is_wrong_usage() {
    let app = App::start();
    for form in ["yaml", "", "JSON "] {
        let exit = refusal(&Config::new(&app), OsStr::new("info"), form);
        assert_eq!(exit.code, Some(64), "{form:?}: {exit:?}");
        assert!(
            exit.stderr.contains("text"),
            "it names what is right: {exit:?}"
        );
        assert_eq!(exit.stdout, "", "{form:?}");
    }
}

/// Whoever silenced the log still learns why there is no proxy.
#[test]
fn silence_does_not_hide_why_it_does_not_start() {
    let app = App::start();
    let broken = Config::new(&app).set("gateways.doku.scheme", "dokuu");
    let exit = refusal(&broken, OsStr::new("off"), "json");
    assert_eq!(exit.code, Some(78), "{exit:?}");
    assert!(exit.stderr.contains("gateways.doku.scheme"), "{exit:?}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let crowded = Config::new(&app).set("listen", address.as_str());
    let exit = refusal(&crowded, OsStr::new("off"), "text");
    assert_eq!(exit.code, Some(1), "{exit:?}");
    assert!(exit.stderr.contains(&address), "{exit:?}");
}
