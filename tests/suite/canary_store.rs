//! The store's password, and what is kept there, at the levels at which the store's library would tell of it.

use std::fs;

use crate::canary::{pages, secrets};
use crate::harness::tainted::{Taint, app};
use crate::harness::{Config, Form, Plain, Redis, doku, until};

const PASSWORD: &str = "canary-store-password-Kd71wJ";
const WRONG: &str = "canary-wrong-password-Bg20yE";

#[test]
fn the_password_is_not_shown_at_any_level() {
    let rows = [
        (Form::Json, "trace"),
        (
            Form::Text,
            "redis=trace,tokio=trace,tokio_util=trace,mio=trace,rustls=trace,kawal=trace",
        ),
    ];
    for (form, level) in rows {
        let store = Redis::with(&["--requirepass", PASSWORD, "--appendonly", "yes"]);
        let app = app();
        let config = Config::kinds(&app).with_snap().on(&store);
        let reference = config.secret("store-password", PASSWORD);
        let config = config
            .set("replay.redis.password", reference)
            .set("replay.redis.timeout", "2s")
            .set("timeouts.body", "1s")
            .env("RUST_LOG", level)
            .arg("--log")
            .arg(form.word());
        let kawal = Plain::start(config);
        let mut taint = Taint::new(&kawal);
        for word in secrets(&kawal.config).iter().map(String::as_str) {
            taint.needles.add(word);
        }
        taint.needles.add(PASSWORD);
        taint.needles.add(WRONG);
        taint.genuine();
        taint.tokens();
        let needles = taint.needles.clone();
        loses_and_finds(&kawal, &store);
        needles.assert_absent("the admin listener", &pages(&kawal));
        let printed = kawal.end();
        needles.assert_absent("the output", &printed.both());
        let lines = crate::harness::lines::read(form, &printed.text());
        assert!(lines.iter().any(|line| line.text("reason") == "store_down"));
    }
}

/// It goes, comes back with another password, and at last with the right one.
fn loses_and_finds(kawal: &Plain, store: &Redis) {
    let file = kawal.config.folder.path().join("store-password");
    let up = |value: f64| {
        until("the store's state is seen", || {
            kawal.page().value("kawal_store_up", &[]) == value
        });
    };
    store.kill();
    assert_eq!(kawal.send(&doku("{}")).status, 503);
    up(0.0);
    fs::write(&file, WRONG).unwrap();
    store.restart();
    let errors = || kawal.page().sum("kawal_store_errors_total", &[]);
    let before = errors();
    until("the wrong one is tried", || errors() > before + 1.0);
    fs::write(&file, PASSWORD).unwrap();
    up(1.0);
    assert_eq!(kawal.send(&doku("{}")).status, 200);
}
