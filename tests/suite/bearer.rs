//! A Pivot callback is as good as its key: nothing near the key will do.

use crate::harness::gateway::PIVOT_KEY;
use crate::harness::{App, Config, Kawal, Request, pivot, pivot_with};
use crate::refusals::{Bench, LACKING, MISSING, WRONG, one_bit_off};

#[test]
fn the_key_must_be_there() {
    let mut bench = Bench::new();
    let genuine = pivot("{}");
    bench.unauthorized("missing", &genuine.clone().without("X-API-Key"), MISSING);
    bench.unauthorized("empty", &genuine.clone().blank("X-API-Key"), LACKING);
    bench.unauthorized(
        "spaces",
        &genuine.clone().replace("X-API-Key", "  "),
        LACKING,
    );
    let elsewhere = [
        "X-Callback-Api-Key",
        "X_API_Key",
        "X-API_Key",
        "Api-Key",
        "X-API-Key-",
    ];
    for name in elsewhere {
        let request = genuine.clone().rename("X-API-Key", name);
        bench.unauthorized(name, &request, MISSING);
    }
    let bearer = Request::post("/payments/pivot", "{}")
        .header("Authorization", format!("Bearer {PIVOT_KEY}"))
        .header("Cookie", format!("X-API-Key={PIVOT_KEY}"));
    bench.unauthorized("where others carry keys", &bearer, MISSING);
    let query = genuine
        .clone()
        .without("X-API-Key")
        .target(&format!("/payments/pivot?X-API-Key={PIVOT_KEY}"));
    bench.unauthorized("in the query", &query, MISSING);
    bench.admits(&genuine);
}

#[test]
fn the_key_must_be_exact() {
    let mut bench = Bench::new();
    for at in 0..PIVOT_KEY.len() {
        let key = one_bit_off(PIVOT_KEY, at);
        bench.unauthorized(
            &format!("one bit off at {at}"),
            &pivot_with(key, "{}"),
            WRONG,
        );
    }
    let half = &PIVOT_KEY[..PIVOT_KEY.len() / 2];
    let rows = [
        ("a prefix", half.to_owned()),
        ("a byte short", PIVOT_KEY[..PIVOT_KEY.len() - 1].to_owned()),
        ("a byte long", format!("{PIVOT_KEY}x")),
        ("twice", format!("{PIVOT_KEY}{PIVOT_KEY}")),
        ("a comma and itself", format!("{PIVOT_KEY},{PIVOT_KEY}")),
        ("a comma and a space", format!("{PIVOT_KEY}, {PIVOT_KEY}")),
        ("upper case", PIVOT_KEY.to_uppercase()),
        ("quoted", format!("\"{PIVOT_KEY}\"")),
        ("as a bearer token", format!("Bearer {PIVOT_KEY}")),
        ("one letter", "x".to_owned()),
        ("very long", "x".repeat(8000)),
        (
            "of another gateway",
            crate::harness::gateway::BRN_SECRET.to_owned(),
        ),
    ];
    for (name, key) in rows {
        bench.unauthorized(name, &pivot_with(key, "{}"), WRONG);
    }
    bench.admits(&pivot("{}"));
}

#[test]
fn the_key_comes_once() {
    let mut bench = Bench::new();
    let genuine = pivot("{}");
    for other in [PIVOT_KEY, "another-key-entirely", ""] {
        let before = genuine.clone().double_before("X-API-Key", other);
        bench.unauthorized("before", &before, WRONG);
        let after = genuine.clone().double_after("X-API-Key", other);
        bench.unauthorized("after", &after, WRONG);
        let spelt = genuine.clone().header("x-api-key", other);
        bench.unauthorized("in small letters", &spelt, WRONG);
    }
    bench.admits(&genuine);
}

#[test]
fn both_keys_of_a_rotation_are_accepted_and_neither_goes_on() {
    let app = App::start();
    let config = Config::new(&app);
    let keys = ["pivot-new-callback-key", "pivot-old-callback-key"];
    let secrets = [config.secret("new", keys[0]), config.secret("old", keys[1])];
    let clients = serde_json::json!([{ "secrets": secrets }]);
    let kawal = Kawal::start(config.set("gateways.pivot.clients", clients));
    for (nth, key) in keys.iter().enumerate() {
        let request = pivot_with(key, format!("{{\"n\":{nth}}}"));
        assert_eq!(kawal.send(&request).status, 200, "{key}");
        let seen = app.wait_for(nth + 1).remove(nth);
        let raw = String::from_utf8_lossy(&seen.raw).into_owned();
        assert!(!raw.contains(key), "the key went through");
    }
    assert_eq!(kawal.send(&pivot("{}")).status, 401);
    assert_eq!(app.count(), 2);
}
