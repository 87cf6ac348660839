//! Two hundred reloads while gateways send: nothing fails, nothing comes twice, and nothing is left behind.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use crate::harness::gateway::BRN;
use crate::harness::load::Next;
use crate::harness::{App, Config, Kawal, Load, Store, doku, on_every_store, unique, until};

on_every_store!(nothing_is_lost_or_left_behind_under_two_hundred_reloads);

const SENDERS: usize = 4;

fn senders() -> Vec<Next> {
    let next = || -> Next { Box::new(|| doku(unique("paid"))) };
    (0..SENDERS).map(|_| next()).collect()
}

/// Another route and another secret each time; every tenth cannot be loaded.
fn configuration(first: &Config, number: usize) -> Config {
    if number.is_multiple_of(10) {
        return first.clone().set("gateways.doku.scheme", "none");
    }
    let other = first.secret("other", format!("SK-canary-secret-of-round-{number}"));
    let known = first.value("gateways.doku.clients.0.secrets.0");
    let clients = json!([{"id": BRN, "secrets": [other, known]}]);
    first
        .clone()
        .set("gateways.doku.clients", clients)
        .route(json!({"path": format!("/payments/{number}"), "gateway": "doku"}))
}

/// Sends while all these reloads happen, and gives the number of notifications.
fn sends_during(kawal: &Kawal, numbers: std::ops::RangeInclusive<usize>) -> usize {
    let load = Load::on(kawal.addr(), senders());
    load.passes(3);
    for number in numbers {
        kawal.reload_quickly(&configuration(&kawal.config, number));
    }
    load.passes(3);
    load.end()
}

fn nothing_is_lost_or_left_behind_under_two_hundred_reloads(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let mut sent = sends_during(&kawal, 1..=50);
    let before = (kawal.descriptors(), kawal.threads());
    sent += sends_during(&kawal, 51..=200);

    let seen: Vec<_> = app
        .requests()
        .iter()
        .map(|request| request.text())
        .collect();
    assert_eq!(seen.len(), sent);
    assert_eq!(
        seen.iter().collect::<BTreeSet<_>>().len(),
        sent,
        "one came twice"
    );
    assert!(
        app.requests()
            .iter()
            .all(|request| request.all("x-kawal-attempt") == ["1"])
    );
    // Pools of connections and threads breathe; one for each reload would be fifteen times as many.
    until("descriptors are given back", || {
        kawal.descriptors() < before.0 + 10
    });
    until("threads are given back", || kawal.threads() < before.1 + 10);
    let failed = kawal.reload_count("config", "failure");
    let succeeded = kawal.reload_count("config", "success");
    assert!(failed >= 15 && succeeded >= 150, "{failed}, {succeeded}");
    is_in_its_last_state(&kawal, &app);
}

/// The last one was broken, so it is the one before that is in force.
fn is_in_its_last_state(kawal: &Kawal, app: &App) {
    kawal.wait_for_metric("kawal_reload_failed", 1.0);
    assert_eq!(kawal.status_at("/payments/199"), 200);
    for number in [1, 50, 198, 200] {
        assert_eq!(
            kawal.status_at(&format!("/payments/{number}")),
            404,
            "{number}"
        );
    }
    kawal.serves(app);
}

/// The same at the pace of the watch: secrets that change in their files while gateways send.
#[test]
fn nothing_is_lost_while_the_watch_reloads() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let load = Load::on(kawal.addr(), senders());
    kawal.notices(|| drop(kawal.config.secret("mch-old", "SK-changed-canary-secret-1")));
    kawal.notices_a_fault(|| fs::remove_file(kawal.config.folder.path().join("qris")).unwrap());
    kawal.notices(|| drop(kawal.config.secret("qris", "SK-changed-canary-secret-2")));
    load.passes(3);
    assert_eq!(load.end(), app.count());
}
