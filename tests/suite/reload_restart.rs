//! What a reload cannot change: it is named, and everything else is taken over.

use serde_json::{Value, json};

use crate::harness::{App, Backend, Config, Doku, Kawal, Redis, Reply, Vacant, doku, until};

/// Takes this configuration over, and tells of these keys in one line; of none, in no line.
#[track_caller]
fn tells(kawal: &Kawal, config: &Config, expected: &[&str]) {
    let before = kawal.log().len();
    let told = || -> Vec<Value> {
        kawal
            .log()
            .split_off(before)
            .into_iter()
            .filter(is_told)
            .collect()
    };
    kawal.reload(config);
    // Whatever is told of the reload is told before what is told of the next one.
    kawal.hang_up();
    until("the keys are named", || {
        expected.is_empty() || !told().is_empty()
    });
    assert!(told().len() <= 2, "once for each at most: {:?}", told());
    let named = told().first().map(keys).unwrap_or_default();
    assert_eq!(named, expected);
}

fn is_told(line: &Value) -> bool {
    let told = line["message"] == "needs a restart";
    assert!(!told || line["level"] == "warn", "{line}");
    told
}

/// In the order of the alphabet.
fn keys(line: &Value) -> Vec<String> {
    let text = line["keys"].as_str().expect("the keys");
    let mut keys: Vec<_> = text.split(',').map(|key| key.trim().to_owned()).collect();
    keys.sort();
    keys
}

fn vacant() -> (Vacant, String) {
    let place = Vacant::new();
    let address = place.url().replace("http://", "");
    (place, address)
}

#[test]
fn each_key_that_needs_a_restart_is_named_and_the_rest_is_applied() {
    let app = App::start();
    let config = Config::new(&app).set("threads", 2);
    let kawal = Kawal::start(config.clone());
    let ((_here, public), (_there, probes)) = (vacant(), vacant());
    let rows = [
        ("listen", json!(public)),
        ("admin", json!(probes)),
        ("threads", json!(1)),
    ];
    for (nth, (key, value)) in rows.iter().enumerate() {
        let path = format!("/payments/{nth}");
        let route = json!({"path": path, "gateway": "doku"});
        tells(
            &kawal,
            &config.clone().set(key, value.clone()).route(route),
            &[key],
        );
        // It is said to the old address, and heard by the new route.
        let notification = Doku::new("{}").target(&path).sign();
        assert_eq!(kawal.send(&notification).status, 200, "{key}");
        kawal.serves(&app);
    }
    tells(&kawal, &config, &[]);
    let change = |config: Config, (key, value): (&str, Value)| config.set(key, value);
    let all = rows.into_iter().fold(config, change).without("admin");
    tells(&kawal, &all, &["admin", "listen", "threads"]);
    assert_eq!(kawal.admin("/livez").status, 200);
    kawal.wait_for_metric("kawal_reload_failed", 0.0);
}

/// It is neither bound nor tried.
#[test]
fn an_address_that_somebody_else_has_is_no_fault_of_a_reload() {
    let (old, new) = (App::start(), App::start());
    let kawal = Kawal::start(Config::new(&old));
    let taken = format!("127.0.0.1:{}", old.port());
    let moved = kawal.config.clone().set("listen", taken);
    tells(&kawal, &moved.set("upstream", new.url()), &["listen"]);
    kawal.serves(&new);
    assert_eq!(old.count(), 0);
}

/// In either direction: what was delivered is not delivered again, and the store is asked on, or not asked.
#[test]
fn a_change_of_the_store_keeps_the_ledger() {
    let redis = Redis::start();
    let app = App::answering(Reply::new(201).body("taken"));
    let memory = Config::new(&app);
    let shared = redis.configure(memory.clone()).patient_with_store();
    for (from, to) in [(memory.clone(), shared.clone()), (shared, memory)] {
        let kawal = Kawal::start(from);
        let delivered = doku("{}");
        assert_eq!(kawal.send(&delivered).status, 201);
        let before = (app.count(), redis.keys().len());
        kawal.reload(&to);
        let named = keys(&kawal.wait_for_log(is_told));
        for key in ["replay.redis", "replay.store"] {
            assert!(named.iter().any(|named| named == key), "{named:?}");
        }
        let again = kawal.send(&delivered);
        assert_eq!((again.status, &*again.text()), (201, "taken"));
        assert_eq!((app.count(), redis.keys().len()), before);
        let more = doku("{}");
        for _ in 0..2 {
            assert_eq!(kawal.send(&more).status, 201);
        }
        assert_eq!(app.count(), before.0 + 1);
    }
}

/// The store that was named first is the one that is asked.
#[test]
fn another_address_of_the_store_needs_a_restart() {
    let (first, second) = (Redis::start(), Redis::start());
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&first).patient_with_store());
    let delivered = doku("{}");
    assert_eq!(kawal.send(&delivered).status, 200);
    tells(&kawal, &kawal.config, &[]);
    for (key, value, told) in [
        ("redis.url", second.url(), "replay.redis"),
        ("redis.prefix", "another".to_owned(), "replay.redis"),
        ("redis.timeout", "5s".to_owned(), "replay.redis"),
        ("unavailable", "forward".to_owned(), "replay.unavailable"),
    ] {
        let changed = kawal.config.clone().set(&format!("replay.{key}"), value);
        tells(&kawal, &changed, &[told]);
        assert_eq!(kawal.send(&delivered).status, 200);
        assert_eq!(app.count(), 1, "{key}");
    }
    assert!(second.keys().is_empty(), "{:?}", second.keys());
    assert_eq!(kawal.metric("kawal_store_up"), 1.0);
}
