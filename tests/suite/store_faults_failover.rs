//! Another server takes the primary's place: what it knows is known, and what it may not know proves nothing.

use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{
    App, Config, Connection, Deployment, Kawal, Moment, PATIENCE, Redis, Reply, Sentinel, Service,
    doku, fresh,
};

/// A primary and its replica behind one address.
struct Pair {
    shop: Deployment,
    replica: Redis,
    service: Service,
}

impl Pair {
    fn start() -> Self {
        Self::with(&[])
    }

    fn with(args: &[&str]) -> Self {
        let (primary, replica) = (Redis::with(args), Redis::with(args));
        replica.replica_of(&primary);
        let service = Service::to(primary.addr());
        let app = App::start();
        let config = Config::new(&app).on(&primary).with_short_youth();
        let kawal = Kawal::start(config.set("replay.redis.url", service.url()));
        let shop = Deployment::of(kawal, app, primary);
        Self {
            shop,
            replica,
            service,
        }
    }

    fn promote(&self) {
        self.replica.command(&["REPLICAOF", "NO", "ONE"]);
        self.service.turn_to(self.replica.addr());
    }
}

/// Waits until the replica has everything that the primary has.
fn catch_up(primary: &Redis, replica: &Redis) {
    let until = Instant::now() + PATIENCE;
    while primary.info("master_repl_offset") != replica.info("slave_repl_offset") {
        assert!(Instant::now() < until, "the replica lags behind");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_replica_that_is_promoted_at_the_same_address_knows_what_was_delivered() {
    let pair = Pair::start();
    let shop = &pair.shop;
    let (delivered, refused) = (fresh(), fresh());
    shop.delivers(&delivered);
    shop.app.next(Reply::new(500));
    assert_eq!(shop.kawal.send(&refused).status, 500);
    let moment = Moment::to_come();
    let (known, unseen) = (moment.notification(), moment.notification());
    shop.delivers(&known);
    catch_up(&shop.store, &pair.replica);
    moment.grow_late();

    shop.store.kill();
    shop.goes_down();
    pair.promote();
    shop.comes_back();
    shop.knows(&delivered);
    shop.knows(&known);
    // It may lack the last that the old one took in: whether this one was among it, nobody can prove.
    shop.cannot_prove(&unseen);
    shop.delivers(&refused);
    let last = shop.app.requests().pop().unwrap();
    assert_eq!(last.all("x-kawal-attempt"), ["2"]);
}

/// The network broke between the two before the primary died: what came in between is gone.
#[test]
fn what_a_promoted_replica_never_got_is_unproven_when_it_is_late() {
    for file in ["no", "yes"] {
        let pair = Pair::with(&["--appendonly", file]);
        let shop = &pair.shop;
        let moment = Moment::to_come();
        let (known, forgotten) = (moment.notification(), moment.notification());
        shop.delivers(&known);
        catch_up(&shop.store, &pair.replica);
        pair.replica.command(&["REPLICAOF", "NO", "ONE"]);
        shop.delivers(&forgotten);
        let lost = fresh();
        shop.delivers(&lost);
        moment.grow_late();
        shop.store.kill();
        shop.goes_down();
        pair.service.turn_to(pair.replica.addr());
        shop.comes_back();
        shop.knows(&known);
        shop.cannot_prove(&forgotten);
        // The one possible duplicate of a failover, which is asynchronous.
        shop.delivers(&lost);
        shop.knows(&lost);
    }
}

/// Nothing was killed: the old primary is healthy, and somebody points the address elsewhere.
#[test]
fn an_address_that_leads_to_an_empty_server_proves_nothing() {
    let pair = Pair::start();
    let shop = &pair.shop;
    let moment = Moment::to_come();
    let (known, unseen) = (moment.notification(), moment.notification());
    shop.delivers(&known);
    moment.grow_late();
    shop.knows(&known);
    let empty = Redis::start();
    pair.service.turn_to(empty.addr());
    shop.delivers_in_the_end(&fresh());
    shop.cannot_prove(&known);
    shop.cannot_prove(&unseen);
}

#[test]
fn a_sentinel_leads_to_the_new_primary() {
    let (primary, replica) = (Redis::start(), Redis::start());
    replica.replica_of(&primary);
    let sentinel = Sentinel::watching(&primary);
    let app = App::start();
    let config = Config::new(&app)
        .on(&primary)
        .set("replay.redis.url", sentinel.url());
    let kawal = Kawal::start(config);
    let shop = Deployment::of(kawal, app, primary);
    let delivered = doku("{}");
    shop.delivers(&delivered);
    assert!(!shop.store.keys().is_empty(), "the replica was written to");
    shop.app.next(Reply::ok().body("taken").held());
    let at_the_app = doku("{}");
    let mut gateway = Connection::open(shop.kawal.addr());
    gateway.write(&at_the_app.bytes()).unwrap();
    shop.app.wait_for(2);
    catch_up(&shop.store, &replica);

    shop.store.kill();
    shop.app.release();
    assert_eq!(gateway.read("POST").unwrap().status, 200);
    shop.goes_down();
    shop.misses_its_store(&delivered);
    sentinel.wait_for_primary(&replica);
    shop.comes_back();
    shop.knows(&delivered);
    shop.kawal.wait_for_metric("kawal_store_unsettled", 0.0);
    assert_eq!(shop.knows(&at_the_app).text(), "taken");
    shop.delivers(&doku("{}"));

    // The old one comes back as a replica, and nobody asks it.
    shop.store.restart();
    shop.delivers(&doku("{}"));
    shop.knows(&delivered);
}

#[test]
fn a_sentinel_that_does_not_know_the_master_is_told_with_its_name() {
    let (primary, replica) = (Redis::start(), Redis::start());
    replica.replica_of(&primary);
    let sentinel = Sentinel::watching(&primary);
    let url = sentinel.url().replace("/shop", "/stranger");
    let app = App::start();
    let config = Config::new(&app).on(&primary).set("replay.redis.url", url);
    match Kawal::try_start(config) {
        Err(exit) => {
            assert_eq!(exit.code, Some(78), "{exit:?}");
            assert!(exit.stderr.contains("replay.redis.url"), "{exit:?}");
            assert!(exit.stderr.contains("stranger"), "{exit:?}");
        }
        Ok(kawal) => {
            let shop = Deployment::of(kawal, app, primary);
            shop.goes_down_for(&["master"]);
            shop.misses_its_store(&doku("{}"));
        }
    }
}
