//! Whoever reads a refusal in the log is told what can be done about it, where something can.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::tokens::bearing;
use crate::harness::{
    App, Config, Connection, Doku, Kawal, Reply, Request, TokenRequest, Vacant, ago, ahead, doku,
    pivot,
};

/// The words that the advice for a reason has at least.
const ADVICE: [(&str, &[&str]); 7] = [
    ("bad_proof", &["kawal verify"]),
    ("unknown_client", &["client"]),
    ("stale", &["clock"]),
    ("future", &["clock"]),
    ("unproven", &["max_age"]),
    ("saturated", &["replay.capacity"]),
    ("store_down", &["store"]),
];

/// Those that end well by themselves.
const WITHOUT: [&str; 4] = ["delivered", "duplicate", "in_flight", "token"];

#[test]
fn what_can_be_done_is_said_and_nothing_where_nothing_can() {
    let mut told = BTreeMap::new();
    usual(&mut told);
    full(&mut told);
    without_store(&mut told);
    for (reason, words) in ADVICE {
        let line = told
            .get(reason)
            .unwrap_or_else(|| panic!("no {reason}: {told:#?}"));
        let advice = line["advice"].as_str().unwrap_or_default().to_lowercase();
        for word in words {
            assert!(advice.contains(word), "{reason}: {line}");
        }
        assert!(advice.len() < 400, "{reason}: {line}");
    }
    for what in WITHOUT {
        let line = told
            .get(what)
            .unwrap_or_else(|| panic!("no {what}: {told:#?}"));
        assert!(line.get("advice").is_none(), "{what}: {line}");
    }
    let risk = told["unproven"]["advice"].as_str().unwrap();
    let named = ["replay", "again", "copy", "deliver"];
    assert!(
        named.iter().any(|word| risk.contains(word)),
        "the risk: {risk}"
    );
}

/// Keeps the line of each reason, or of each outcome without one; the same reason is advised in the same words.
fn keep(told: &mut BTreeMap<String, Value>, kawal: &Kawal, count: usize) {
    for line in kawal.notifications(count) {
        let name = line["reason"].as_str().or(line["outcome"].as_str());
        let name = name.unwrap().to_owned();
        if let Some(other) = told.get(&name) {
            assert_eq!(other["advice"], line["advice"], "{other} {line}");
        }
        told.insert(name, line);
    }
}

fn usual(told: &mut BTreeMap<String, Value>) {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let hours = |n: u64| Duration::from_secs(n * 3600);
    let known = doku("{}");
    let requests = [
        known.clone(),
        known,
        doku("{}").without("Signature"),
        doku("{}").replace("Signature", "HMACSHA256=nonsense"),
        doku("other").replace("Signature", "HMACSHA256=bm9uc2Vuc2U="),
        Doku::new("{}")
            .client("stranger-one", "stranger-key")
            .sign(),
        Doku::new("{}")
            .client("stranger-two", "stranger-key")
            .sign(),
        Doku::new("{}").at(&ago(hours(48))).sign(),
        Doku::new("{}").at(&ago(hours(49))).sign(),
        Doku::new("{}").at(&ago(hours(1))).sign(),
        Doku::new("{}").at(&ahead(hours(1))).sign(),
        bearing("no.token.atall").sign(),
        TokenRequest::new().sign(),
    ];
    for request in &requests {
        kawal.send(request);
    }
    app.next(Reply::ok().held());
    let mut first = Connection::open(kawal.addr());
    let held = doku("{}");
    first.write(&held.bytes()).unwrap();
    app.wait_for(2);
    assert_eq!(kawal.send(&held).status, 503);
    app.release();
    assert_eq!(first.read("POST").unwrap().status, 200);
    keep(told, &kawal, requests.len() + 2);
}

fn full(told: &mut BTreeMap<String, Value>) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("replay.capacity", 1));
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    assert_eq!(kawal.send(&doku("{}")).status, 503);
    keep(told, &kawal, 2);
}

fn without_store(told: &mut BTreeMap<String, Value>) {
    let app = App::start();
    let nobody = Vacant::new();
    let config = Config::new(&app)
        .set("replay.store", "redis")
        .set("replay.redis.url", nobody.url().replace("http", "redis"));
    let kawal = Kawal::start(config);
    assert_eq!(kawal.send(&doku("{}")).status, 503);
    keep(told, &kawal, 1);
}

/// An address outside the list is somebody's mistake, as often as not the list's.
#[test]
fn a_forbidden_address_is_told_with_what_decides_it() {
    let app = App::start();
    let config = Config::new(&app).set("gateways.pivot.allow_from", json!(["192.0.2.0/24"]));
    let kawal = Kawal::start(config);
    assert_eq!(kawal.send(&pivot("{}")).status, 403);
    let line = kawal.notifications(1).remove(0);
    assert_eq!(line["from"], "127.0.0.1", "{line}");
    let advice = line["advice"].as_str().unwrap_or_default();
    assert!(advice.contains("trusted_proxies"), "{line}");
}

/// What is advised is written by us alone.
#[test]
fn advice_holds_nothing_of_the_request() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let word = "word-of-a-stranger";
    let requests = [
        Doku::new(word).client(word, word).id(word).sign(),
        Doku::new(word).id(word).sign().replace("Signature", word),
        Request::post(&format!("/payments/pivot?{word}"), word).header("X-API-Key", word),
    ];
    for request in &requests {
        assert_eq!(kawal.send(request).status, 401);
    }
    for line in kawal.notifications(requests.len()) {
        let advice = line["advice"].as_str().unwrap();
        assert!(!advice.contains(word), "{line}");
    }
}
