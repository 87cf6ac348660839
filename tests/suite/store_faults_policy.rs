//! A store that is set up otherwise while Kawal runs: it says what is wrong, and goes on when that is mended.

use crate::harness::{Connection, Deployment, Moment, Redis, Reply, Vacant, doku, fresh};

fn set(shop: &Deployment, key: &str, value: &str) {
    shop.store.command(&["CONFIG", "SET", key, value]);
}

#[test]
fn a_store_that_may_evict_is_not_trusted_until_it_may_not() {
    let shop = Deployment::new();
    let delivered = doku("{}");
    shop.delivers(&delivered);
    for policy in ["allkeys-lru", "volatile-ttl", "allkeys-random"] {
        set(&shop, "maxmemory-policy", policy);
        shop.goes_down_for(&["maxmemory-policy", policy, "noeviction"]);
        let notification = doku("{}");
        shop.misses_its_store(&notification);
        shop.misses_its_store(&delivered);
        set(&shop, "maxmemory-policy", "noeviction");
        shop.comes_back();
        shop.knows(&delivered);
        shop.delivers(&notification);
    }
}

#[test]
fn a_store_that_has_evicted_proves_nothing_of_what_was_before() {
    let shop = Deployment::with(Redis::start(), |config| config.with_short_youth());
    let moment = Moment::to_come();
    let (known, unseen) = (moment.notification(), moment.notification());
    shop.delivers(&known);
    moment.grow_late();
    shop.knows(&known);
    // The reverse of what may happen in an hour: evicting, and as if it had never been.
    set(&shop, "maxmemory-policy", "allkeys-random");
    shop.goes_down_for(&["maxmemory-policy"]);
    set(&shop, "maxmemory", "1");
    // Every write makes room first.
    let _ = shop.store.try_command(&["SET", "other", "x"]);
    assert!(
        shop.store.info("evicted_keys") != "0",
        "nothing was evicted"
    );
    set(&shop, "maxmemory", "0");
    set(&shop, "maxmemory-policy", "noeviction");
    shop.comes_back();
    shop.cannot_prove(&known);
    shop.cannot_prove(&unseen);
    shop.delivers(&fresh());
}

#[test]
fn a_full_store_takes_nothing_new_in_and_still_learns_what_was_delivered() {
    let shop = Deployment::new();
    let delivered = doku("{}");
    shop.delivers(&delivered);
    shop.app.next(Reply::ok().body("taken").held());
    let at_the_app = doku("{}");
    let mut gateway = Connection::open(shop.kawal.addr());
    gateway.write(&at_the_app.bytes()).unwrap();
    shop.app.wait_for(2);

    set(&shop, "maxmemory", "1");
    let notification = doku("{}");
    for _ in 0..5 {
        shop.puts_off(&notification, "saturated");
    }
    shop.app.release();
    assert_eq!(gateway.read("POST").unwrap().status, 200);
    shop.kawal.wait_for_metric("kawal_store_unsettled", 0.0);
    assert_eq!(shop.kawal.metric("kawal_store_lost_outcomes_total"), 0.0);
    // What reads only needs no room.
    assert_eq!(shop.knows(&at_the_app).text(), "taken");
    shop.knows(&delivered);
    shop.was_always_up();

    set(&shop, "maxmemory", "0");
    assert_eq!(shop.knows(&at_the_app).text(), "taken");
    shop.delivers(&notification);
}

/// The app refuses while the store is full: the next copy must reach it as soon as there is room.
#[test]
fn a_full_store_still_learns_what_was_refused() {
    let shop = Deployment::new();
    shop.app.next(Reply::new(500).held());
    let notification = doku("{}");
    let mut gateway = Connection::open(shop.kawal.addr());
    gateway.write(&notification.bytes()).unwrap();
    shop.app.wait_for(1);
    set(&shop, "maxmemory", "1");
    shop.app.release();
    assert_eq!(gateway.read("POST").unwrap().status, 500);
    set(&shop, "maxmemory", "0");
    shop.delivers_in_the_end(&notification);
    let last = shop.app.requests().pop().unwrap();
    assert_eq!(last.all("x-kawal-attempt"), ["2"]);
}

/// Full for good is not an outage: what would be forwarded without the ledger could come twice.
#[test]
fn a_full_store_is_not_got_round() {
    let shop = Deployment::with(Redis::start(), |config| {
        config.set("replay.unavailable", "forward")
    });
    set(&shop, "maxmemory", "1");
    shop.puts_off(&doku("{}"), "saturated");
    assert_eq!(shop.kawal.metric("kawal_store_bypassed_total"), 0.0);
}

#[test]
fn a_primary_that_becomes_a_replica_is_down_until_it_is_one_again() {
    // Of a primary that is not there: it keeps what it has. With the other setting it does not even read.
    for stale in ["yes", "no"] {
        let shop = Deployment::on(Redis::with(&["--replica-serve-stale-data", stale]));
        let delivered = doku("{}");
        shop.delivers(&delivered);
        let nobody = Vacant::new();
        let port = nobody.url().rsplit(':').next().unwrap().to_owned();
        shop.store.command(&["REPLICAOF", "127.0.0.1", &port]);
        let notification = doku("{}");
        shop.goes_down_for(&["replica"]);
        shop.misses_its_store(&notification);
        shop.misses_its_store(&delivered);
        shop.store.command(&["REPLICAOF", "NO", "ONE"]);
        shop.comes_back();
        shop.knows(&delivered);
        shop.delivers_in_the_end(&notification);
    }
}

/// It takes over the data of its primary, and loses its own.
#[test]
fn a_primary_that_was_another_s_replica_for_a_while_proves_nothing() {
    let shop = Deployment::with(Redis::start(), |config| config.with_short_youth());
    let moment = Moment::to_come();
    let (known, unseen) = (moment.notification(), moment.notification());
    shop.delivers(&known);
    moment.grow_late();
    let other = Redis::start();
    shop.store.replica_of(&other);
    shop.goes_down_for(&["replica"]);
    shop.store.command(&["REPLICAOF", "NO", "ONE"]);
    shop.comes_back();
    shop.cannot_prove(&known);
    shop.cannot_prove(&unseen);
    shop.delivers(&fresh());
}

/// A store that wants copies of everything before it takes anything.
#[test]
fn a_store_that_waits_for_replicas_is_down_until_it_does_not() {
    let shop = Deployment::new();
    let delivered = doku("{}");
    shop.delivers(&delivered);
    set(&shop, "min-replicas-to-write", "1");
    let notification = doku("{}");
    shop.goes_down_for(&["replicas"]);
    shop.misses_its_store(&notification);
    set(&shop, "min-replicas-to-write", "0");
    shop.comes_back();
    shop.knows(&delivered);
    shop.delivers_in_the_end(&notification);
}

/// Whoever reads the log at night finds the cause, and finds it once.
#[test]
fn a_store_that_refuses_everybody_is_told_of_once() {
    let shop = Deployment::new();
    for (key, value, message) in [
        (
            "maxmemory",
            "1",
            "the ledger's store is out of memory: raise its maxmemory",
        ),
        ("min-replicas-to-write", "1", "the ledger's store is down"),
    ] {
        set(&shop, key, value);
        for _ in 0..50 {
            assert_eq!(shop.kawal.send(&doku("{}")).status, 503);
        }
        let told = shop.kawal.wait_for_log(|line| line["message"] == message);
        assert_eq!(told["level"], "error", "{told}");
        set(&shop, key, "0");
        shop.delivers_in_the_end(&doku("{}"));
    }
    let told =
        |line: &serde_json::Value| line["message"] != "notification" && line["level"] == "error";
    let lines: Vec<_> = shop.kawal.log().into_iter().filter(told).collect();
    assert!(lines.len() <= 3, "{lines:#?}");
}
