//! What cannot be loaded is not: the old state serves on, and one line says what is wrong and what would be right.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::thread;

use serde_json::json;

use crate::harness::Config;
use crate::harness::broken::{Broken, assert_tells};
use crate::harness::gateway::{BRN, BRN_SECRET};
use crate::reload_watch::SEVERAL_LOOKS;

#[test]
fn a_configuration_that_cannot_be_read_is_not_taken_over() {
    let mut broken = Broken::new();
    let text = broken.kawal.config.text();
    let half = &text[..text.len() / 2];
    type Act<'a> = &'a dyn Fn(&Broken);
    let write = |text: &str| {
        let text = text.to_owned();
        move |broken: &Broken| fs::write(broken.file("config.yaml"), &text).unwrap()
    };
    let folder = |broken: &Broken| fs::create_dir(broken.file("config.yaml")).unwrap();
    let nowhere = |broken: &Broken| symlink("nowhere", broken.file("config.yaml")).unwrap();
    let bytes = |broken: &Broken| fs::write(broken.file("config.yaml"), [0xff, 0xfe, 0]).unwrap();
    let rows: [(&str, Act<'_>, &str); 9] = [
        ("removed", &|_| {}, "cannot be read"),
        ("empty", &write(""), "empty"),
        ("only a comment", &write("# later\n"), "empty"),
        ("half written", &write(half), "YAML"),
        ("no YAML", &write("listen: [\n"), "YAML"),
        ("a word", &write("kawal"), "empty|no configuration"),
        ("no text", &bytes, "cannot be read|utf-8"),
        ("a folder", &folder, "cannot be read"),
        ("a link to nowhere", &nowhere, "cannot be read"),
    ];
    for (case, act, words) in rows {
        broken.remove("config.yaml");
        act(&broken);
        broken.is_told(case, &["config.yaml", words]);
        broken.mend();
    }
    assert_eq!(broken.kawal.reload_count("config", "success"), rows.len());
}

/// What is wrong, where, and what would be right.
type Fault = (&'static str, Config, &'static str, &'static str);

fn faulty(good: &Config) -> Vec<Fault> {
    let with = |key: &str, value: &str| good.clone().set(key, value);
    let unknown = good.clone().on_route("/payments/pivot", "gateway", "none");
    let bare = json!([{"id": BRN, "secrets": ["SK-bare-canary-secret-1"]}]);
    let bare = good.clone().set("gateways.doku.clients", bare);
    let without = good.clone().without("upstream");
    let twice = "{\"unmatched\": \"forward\", \"unmatched\": \"forward\",";
    let twice = good.clone().with_text(good.text().replacen('{', twice, 1));
    let (scheme, mode) = ("gateways.pivot.scheme", "gateways.doku.mode");
    vec![
        (
            "an unknown key",
            with("timeouts.upstraem", "1s"),
            "timeouts.upstraem",
            "upstream",
        ),
        ("an unknown scheme", with(scheme, "pivto"), scheme, "pivot"),
        ("an unknown gateway", unknown, "routes[2]", "none"),
        (
            "no address",
            with("listen", "8080"),
            "listen",
            "0.0.0.0:8080",
        ),
        (
            "no number",
            with("replay.capacity", "many"),
            "replay.capacity",
            "number",
        ),
        ("no such mode", with(mode, "watch"), mode, "observe"),
        ("no app", without, "upstream", "required"),
        ("a bare secret", bare, "clients[0].secrets[0]", "file:PATH"),
        ("a key twice", twice, "unmatched", "duplicate"),
    ]
}

/// Nothing of it is applied, however much of it is right: each has a route that must not come.
#[test]
fn a_configuration_with_a_fault_is_not_taken_over_in_part() {
    let mut broken = Broken::new();
    for (case, config, key, right) in faulty(&broken.kawal.config.routed("/payments/new")) {
        config.replace();
        broken.is_told(case, &["config.yaml", key, right]);
        assert_eq!(broken.kawal.status_at("/payments/new"), 404, "{case}");
        broken.mend();
    }
    assert!(!broken.kawal.output().contains("SK-bare-canary"));
}

#[test]
fn several_faults_are_one_line() {
    let mut broken = Broken::new();
    let config = broken.kawal.config.clone().set("limits.connections", 0);
    config.set("timeouts.header", "0s").replace();
    let words = ["config.yaml", "limits.connections", "timeouts.header"];
    broken.is_told("two", &words);
    broken.mend();
}

#[test]
fn a_file_that_may_not_be_read_is_not_taken_over() {
    let mut broken = Broken::new();
    for name in ["config.yaml", "brn"] {
        let file = broken.file(name);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
        // Root may read everything.
        if fs::read(&file).is_err() {
            broken.is_told(name, &[name, "permission|cannot be read"]);
            broken.mend();
        }
    }
    broken.kawal.serves(&broken.app);
}

/// Nobody has to hang up for it, and it is told once, as long as it stays what it is.
#[test]
fn a_broken_file_is_noticed_and_told_once() {
    let mut broken = Broken::new();
    let line = broken
        .kawal
        .notices_a_fault(|| drop(broken.kawal.config.secret("brn", "short")));
    assert_eq!(line["what"], "keys");
    assert_tells(
        "short",
        &line,
        &["brn", "gateways.doku.clients[0].secrets[0]", "shorter"],
    );
    broken.serves();
    thread::sleep(SEVERAL_LOOKS);
    assert_eq!(
        broken.kawal.reloads().len(),
        1,
        "{:?}",
        broken.kawal.reloads()
    );
    assert_eq!(broken.kawal.reload_count("keys", "failure"), 1);
    // Whoever asks is told again.
    broken.is_told("again", &["brn", "shorter"]);

    // Broken in another way is told, though it was broken before.
    let line = broken
        .kawal
        .notices_a_fault(|| drop(broken.kawal.config.secret("brn", "")));
    assert_tells("empty", &line, &["brn", "empty"]);
    broken.serves();
    // What lies there is what is in force, and so nothing is wrong any more.
    broken
        .kawal
        .notices(|| drop(broken.kawal.config.secret("brn", BRN_SECRET)));
    broken.kawal.wait_for_metric("kawal_reload_failed", 0.0);
    broken.kawal.serves(&broken.app);
}

/// The same of the configuration, and of one that is gone altogether.
#[test]
fn a_configuration_that_is_gone_is_noticed_and_so_is_its_return() {
    let broken = Broken::new();
    let kawal = &broken.kawal;
    let line = kawal.notices_a_fault(|| broken.remove("config.yaml"));
    assert_eq!(line["what"], "config");
    assert_tells("gone", &line, &["config.yaml", "cannot be read"]);
    broken.serves();
    thread::sleep(SEVERAL_LOOKS);
    assert_eq!(kawal.reloads().len(), 1, "{:?}", kawal.reloads());
    kawal.notices(|| kawal.config.replace());
    kawal.wait_for_metric("kawal_reload_failed", 0.0);
    let line = kawal.notices_a_fault(|| kawal.config.clone().set("unmatched", "maybe").replace());
    assert_tells("maybe", &line, &["config.yaml", "unmatched", "forward"]);
    broken.serves();
    kawal.notices(|| kawal.config.routed("/payments/new").replace());
    assert_eq!(kawal.status_at("/payments/new"), 200);
    kawal.wait_for_metric("kawal_reload_failed", 0.0);
}
