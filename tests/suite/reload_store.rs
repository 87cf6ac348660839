//! Reloads in front of a store that is slow, away or hung.

use serde_json::json;

use crate::harness::store_steps::{Command, before};
use crate::harness::{App, Config, Kawal, Redis, Script, StoreProxy, doku, until};

/// The same gateway under another name, and one route more.
pub fn renamed(config: &Config) -> Config {
    let gateway = config.value("gateways.doku");
    let route = json!({"path": "/payments/new", "gateway": "renamed"});
    config
        .clone()
        .without("gateways.doku")
        .set("gateways.renamed", gateway)
        .on_route("/payments/notifications", "gateway", "renamed")
        .route(route)
}

/// The names that the store is told of, behind two keys and four other arguments.
fn bases(check: &Command) -> Vec<Vec<u8>> {
    check.arguments()[7..].to_vec()
}

/// Otherwise what is delivered under the new name could be proven unseen under the old one.
#[test]
fn a_new_name_is_not_used_before_the_store_knows_it() {
    let redis = Redis::start();
    let app = App::start();
    let wire = StoreProxy::before(&redis);
    let kawal = Kawal::start(Config::new(&app).on(&wire).patient_with_store());
    kawal.serves(&app);
    let known = wire.wait_for(Script::Check, 1).pop().unwrap();
    renamed(&kawal.config).replace();
    kawal.signal("HUP");
    let held = loop {
        let held = wire.hold(before(Script::Check));
        if bases(&held.wait()) != bases(&known) {
            break held;
        }
        held.pass();
    };
    for _ in 0..20 {
        assert_eq!(kawal.status_at("/payments/new"), 404);
    }
    assert!(kawal.reloads().is_empty(), "{:?}", kawal.reloads());
    held.pass();
    until("it is taken over", || {
        kawal.status_at("/payments/new") == 200
    });
}

/// Nothing can be claimed while it is away, so there is nothing to wait for.
#[test]
fn a_store_that_is_away_holds_up_no_reload() {
    let redis = Redis::start();
    let app = App::start();
    let kawal = Kawal::start(
        Config::new(&app)
            .on(&redis)
            .set("replay.redis.timeout", "1s"),
    );
    kawal.serves(&app);
    redis.signal("STOP");
    kawal.reload(&renamed(&kawal.config));
    assert_eq!(kawal.status_at("/payments/new"), 503);
    kawal.reload(&kawal.config);
    assert_eq!(kawal.status_at("/payments/new"), 404);
    redis.signal("CONT");
    kawal.wait_for_metric("kawal_store_up", 1.0);
    kawal.serves(&app);

    redis.kill();
    kawal.wait_for_metric("kawal_store_up", 0.0);
    kawal.reload(&renamed(&kawal.config));
    assert_eq!(kawal.send(&doku("{}")).status, 503);
    redis.restart();
    kawal.wait_for_metric("kawal_store_up", 1.0);
    kawal.serves(&app);
    assert_eq!(kawal.status_at("/payments/new"), 200);
}
