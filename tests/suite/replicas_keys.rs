//! What stands in the store: keys under the prefix, for a time, and nothing that is anybody's secret.

use std::collections::BTreeSet;

use crate::harness::gateway::{BRN_SECRET, PIVOT_KEY, QRIS_SECRET};
use crate::harness::snap::SNAP_SECRET;
use crate::harness::tokens::{access_token, b2b_key};
use crate::harness::{
    App, Config, Doku, Kawal, Qris, Recorded, Redis, Reply, Store, TokenRequest, doku, pivot, snap,
};

const PREFIX: &str = "shop.eu-1:kawal_2";

fn config(app: &App, redis: &Redis) -> Config {
    Config::snap(app)
        .on(redis)
        .patient_with_store()
        .set("replay.redis.prefix", PREFIX)
}

#[test]
fn two_prefixes_do_not_see_each_other() {
    let app = App::start();
    // Each configuration has a prefix of its own.
    let [one, other] = [(); 2].map(|()| Kawal::start(Config::new(&app).on(&Store::Redis)));
    let signed = Doku::new("{\"amount\":1}");
    let mut altered = signed.clone();
    altered.body = b"{\"amount\":2}".to_vec();
    assert_eq!(one.send(&signed.sign()).status, 200);
    assert_eq!(other.send(&altered.sign()).status, 200);
    assert_eq!(one.send(&altered.sign()).status, 409);
    assert_eq!(other.send(&signed.sign()).status, 409);
    let seen: Vec<_> = app.requests().iter().map(|r| r.text()).collect();
    assert_eq!(seen, ["{\"amount\":1}", "{\"amount\":2}"]);
    let seen = app.requests();
    let first = |request: &Recorded| request.all("x-kawal-attempt") == ["1"];
    assert!(seen.iter().all(first));
}

#[test]
fn a_prefix_that_begins_another_is_another() {
    let app = App::start();
    let redis = Redis::start();
    let prefixes = ["a", "a:", "a:a", "a.a"];
    let notification = doku("{}");
    for (nth, prefix) in prefixes.iter().enumerate() {
        let config = Config::new(&app)
            .on(&redis)
            .patient_with_store()
            .set("replay.redis.prefix", *prefix);
        let kawal = Kawal::start(config);
        for _ in 0..2 {
            assert_eq!(kawal.send(&notification).text(), "ok");
        }
        assert_eq!(app.count(), nth + 1, "{prefix}");
    }
}

#[test]
fn two_databases_do_not_see_each_other() {
    let app = App::start();
    let redis = Redis::start();
    let address = redis.addr();
    let notification = doku("{}");
    for (nth, place) in ["/0", "/7", "/15"].iter().enumerate() {
        let url = format!("redis://{address}{place}");
        let kawal = Kawal::start(config(&app, &redis).set("replay.redis.url", url));
        for _ in 0..2 {
            assert_eq!(kawal.send(&notification).text(), "ok");
        }
        assert_eq!(app.count(), nth + 1, "{place}");
    }
    // Without a number, the first.
    let url = format!("redis://{address}");
    let kawal = Kawal::start(config(&app, &redis).set("replay.redis.url", url));
    assert_eq!(kawal.send(&notification).text(), "ok");
    assert_eq!(app.count(), 3);
}

/// Nothing stays for ever, and nothing lies where somebody else's keys may be.
#[test]
fn keys_say_what_they_are_for_and_end_by_themselves() {
    let app = App::start();
    let redis = Redis::start();
    redis.command(&["SET", "somebody", "else"]);
    let kawal = Kawal::start(config(&app, &redis));
    app.next(Reply::new(500)).next(Reply::hangup());
    for notification in [
        doku("{}"),
        doku("{}"),
        doku("{}"),
        Qris::new().sign(),
        pivot("{}"),
    ] {
        kawal.send(&notification);
    }
    kawal.send(&TokenRequest::new().sign());
    let ids: BTreeSet<_> = app
        .requests()
        .iter()
        .map(|request| request.header("x-kawal-notification-id").unwrap())
        .collect();
    assert_eq!(ids.len(), 5);

    let mut found = BTreeSet::new();
    for key in redis.keys() {
        if key == "somebody" {
            continue;
        }
        let rest = key
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.strip_prefix(":{"));
        let (shard, name) = rest.and_then(|rest| rest.split_once("}:")).expect(&key);
        assert!(
            shard.len() == 1 && "0123456789abcdef".contains(shard),
            "{key}"
        );
        let kind = redis.command(&["TYPE", &key]).text();
        if name == "memory" {
            assert_eq!(kind, "hash");
            continue;
        }
        assert_eq!(kind, "string", "{key}");
        // The last write of each process.
        if name.starts_with("mark:") {
            let rest = redis.command(&["PTTL", &key]).integer();
            assert!(rest > 0, "{key} has no end: {rest}");
            continue;
        }
        assert!(name.len() == 64 && name.starts_with(shard), "{key}");
        let rest = redis.command(&["PTTL", &key]).integer();
        assert!(rest > 0, "{key} has no end: {rest}");
        found.insert(name.to_owned());
    }
    assert!(ids.is_subset(&found), "{ids:?} are not all in {found:?}");
    assert_eq!(found.len(), 6, "with the request for a token");
    assert_eq!(redis.command(&["GET", "somebody"]).text(), "else");
}

/// Whoever reads the store learns the app's answers, and no way to forge or to read a payment.
#[test]
fn no_secret_no_payload_and_no_token_is_stored() {
    let app = App::answering(Reply::ok().body("the app's own words"));
    let redis = Redis::start();
    let kawal = Kawal::start(config(&app, &redis));
    let signed = Doku::new("{\"name\":\"canary-in-a-body\"}");
    let notification = signed.sign();
    assert_eq!(kawal.send(&notification).status, 200);
    assert_eq!(
        kawal.send(&snap("{\"name\":\"canary-in-a-body\"}")).status,
        200
    );
    assert_eq!(
        kawal.send(&pivot("{\"name\":\"canary-in-a-body\"}")).status,
        200
    );
    app.next(Reply::new(500).body("canary of a refusal"));
    assert_eq!(kawal.send(&doku("canary-in-a-body")).status, 500);
    app.next(Reply::hangup());
    assert_eq!(kawal.send(&doku("canary-in-a-body")).status, 502);
    let request = TokenRequest::new();
    let token = access_token(&kawal.send(&request.sign()));

    let stored = everything(&redis);
    let holds = |text: &[u8]| stored.windows(text.len()).any(|part| part == text);
    assert!(holds(b"the app's own words"), "the check sees nothing");
    let mut canaries: Vec<Vec<u8>> = [
        BRN_SECRET,
        QRIS_SECRET,
        PIVOT_KEY,
        SNAP_SECRET,
        "canary",
        &signed.signature(),
        &signed.request_id,
        &request.sign().value("X-SIGNATURE"),
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    canaries.extend(token.split('.').map(|part| part.as_bytes().to_vec()));
    canaries.push(b2b_key());
    for canary in canaries {
        let text = String::from_utf8_lossy(&canary);
        assert!(!holds(&canary), "{text} is in the store");
    }
}

/// Every key and value, one after the other.
fn everything(redis: &Redis) -> Vec<u8> {
    let mut all = Vec::new();
    for key in redis.keys() {
        all.extend_from_slice(key.as_bytes());
        match &*redis.command(&["TYPE", &key]).text() {
            "string" => all.extend_from_slice(redis.command(&["GET", &key]).bytes()),
            _ => {
                for part in redis.command(&["HGETALL", &key]).list() {
                    all.extend_from_slice(part.bytes());
                }
            }
        }
    }
    all
}
