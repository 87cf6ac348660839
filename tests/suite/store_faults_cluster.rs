//! A cluster: notifications lie on all masters, and one that dies takes only its own with it.

use crate::harness::{App, Cluster, Config, Kawal, Moment, Redis, Request, doku, fresh};

/// Kawal in front of a cluster, whose first node stands for the store.
fn in_front_of(cluster: &Cluster, change: impl FnOnce(Config) -> Config) -> (Kawal, App) {
    let app = App::start();
    let config = Config::new(&app)
        .set("replay.store", "redis")
        .set("replay.redis.url", cluster.url())
        .set("replay.redis.timeout", "2s");
    (Kawal::start(change(config)), app)
}

fn send_all(kawal: &Kawal, requests: &[Request]) -> Vec<u16> {
    requests
        .iter()
        .map(|request| kawal.send(request).status)
        .collect()
}

#[test]
fn notifications_lie_on_all_masters_and_are_known_everywhere() {
    let cluster = Cluster::start(&[]);
    let (kawal, app) = in_front_of(&cluster, Config::with_short_youth);
    let moment = Moment::to_come();
    let late: Vec<_> = (0..20).map(|_| moment.notification()).collect();
    let requests: Vec<_> = (0..40).map(|_| fresh()).collect();
    assert_eq!(send_all(&kawal, &requests), vec![200; 40]);
    assert_eq!(app.count(), 40);
    assert_eq!(send_all(&kawal, &requests), vec![200; 40]);
    assert_eq!(app.count(), 40);
    for (node, keys) in cluster.keys().iter().enumerate() {
        assert!(!keys.is_empty(), "nothing lies on node {node}");
    }
    // No shard lacks a memory, also none that nobody had asked so far.
    moment.grow_late();
    assert_eq!(send_all(&kawal, &late), vec![200; 20]);
    assert_eq!(app.count(), 60);
    // Another sidecar finds all of it.
    let (second, other_app) = in_front_of(&cluster, Config::with_short_youth);
    assert_eq!(send_all(&second, &requests), vec![200; 40]);
    assert_eq!(send_all(&second, &late), vec![200; 20]);
    assert_eq!(other_app.count(), 0);
    assert_eq!(kawal.metric("kawal_store_up"), 1.0);
}

#[test]
fn a_master_that_dies_takes_its_own_notifications_away_until_it_is_back() {
    // A cluster may refuse everything when a part of it is missing, or only what lay there.
    for whole in ["yes", "no"] {
        let cluster = Cluster::start(&[
            "--cluster-require-full-coverage",
            whole,
            "--appendonly",
            "yes",
        ]);
        let (kawal, app) = in_front_of(&cluster, |config| config);
        let requests: Vec<_> = (0..40).map(|_| doku("{}")).collect();
        assert_eq!(send_all(&kawal, &requests), vec![200; 40]);
        cluster.nodes[2].kill();
        let fresh: Vec<_> = (0..40).map(|_| doku("{}")).collect();
        let answers = send_all(&kawal, &fresh);
        assert!(
            answers.iter().all(|s| [200, 503].contains(s)),
            "{answers:?}"
        );
        assert!(answers.contains(&503), "{answers:?}");
        let delivered = answers.iter().filter(|status| **status == 200).count();
        assert_eq!(app.count(), 40 + delivered, "{whole}");
        let answers = send_all(&kawal, &requests);
        assert!(
            answers.iter().all(|s| [200, 503].contains(s)),
            "{answers:?}"
        );
        assert_eq!(app.count(), 40 + delivered, "{whole}: a copy got through");

        cluster.nodes[2].restart();
        cluster.wait_until_whole();
        kawal.wait_for_metric("kawal_store_up", 1.0);
        in_the_end(&kawal, &requests);
        in_the_end(&kawal, &fresh);
        assert_eq!(app.count(), 80, "{whole}");
        assert_eq!(send_all(&kawal, &fresh), vec![200; 40]);
        assert_eq!(app.count(), 80, "{whole}");
        // Of what the library has to say there is no end.
        let others = |line: &serde_json::Value| !line["log.target"].is_null();
        assert!(!kawal.log().iter().any(others), "{}", kawal.output());
    }
}

/// Every one of them comes again until it gets through.
fn in_the_end(kawal: &Kawal, requests: &[Request]) {
    let until = std::time::Instant::now() + crate::harness::PATIENCE;
    for request in requests {
        while kawal.send(request).status != 200 {
            assert!(std::time::Instant::now() < until, "{}", kawal.output());
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
}

/// Slots move while notifications come: nobody sees it.
#[test]
fn slots_that_move_to_another_master_are_followed() {
    let cluster = Cluster::start(&[]);
    let (kawal, app) = in_front_of(&cluster, |config| config);
    let requests: Vec<_> = (0..30).map(|_| doku("{}")).collect();
    assert_eq!(send_all(&kawal, &requests), vec![200; 30]);
    let [from, to, bystander] = &cluster.nodes[..] else {
        unreachable!("there are three")
    };
    let moved = from.keys();
    assert!(!moved.is_empty());
    for slot in slots(from, &moved) {
        migrate(&slot, from, to);
        for node in [from, to, bystander] {
            node.command(&["CLUSTER", "SETSLOT", &slot, "NODE", &id(to)]);
        }
    }
    assert!(from.keys().is_empty(), "nothing moved");
    assert_eq!(send_all(&kawal, &requests), vec![200; 30]);
    assert_eq!(app.count(), 30, "a copy got through");
    let more: Vec<_> = (0..30).map(|_| doku("{}")).collect();
    assert_eq!(send_all(&kawal, &more), vec![200; 30]);
    assert_eq!(app.count(), 60);
}

/// While a slot is on its way, what has left it is asked for at its new place.
#[test]
fn a_slot_that_is_half_moved_delivers_nothing_twice() {
    let cluster = Cluster::start(&[]);
    let (kawal, app) = in_front_of(&cluster, |config| config);
    let requests: Vec<_> = (0..30).map(|_| doku("{}")).collect();
    assert_eq!(send_all(&kawal, &requests), vec![200; 30]);
    let [from, to, bystander] = &cluster.nodes[..] else {
        unreachable!("there are three")
    };
    let keys = from.keys();
    let all = slots(from, &keys);
    for slot in &all {
        migrate(slot, from, to);
    }
    // Some of their keys are here and some there: 503 until the move is over, and never a second delivery.
    let answers = send_all(&kawal, &requests);
    assert!(
        answers.iter().all(|s| [200, 503].contains(s)),
        "{answers:?}"
    );
    assert_eq!(app.count(), 30, "a copy got through");
    for slot in &all {
        for node in [from, to, bystander] {
            node.command(&["CLUSTER", "SETSLOT", slot, "NODE", &id(to)]);
        }
    }
    in_the_end(&kawal, &requests);
    assert_eq!(app.count(), 30, "a copy got through");
}

fn slots(node: &Redis, keys: &[String]) -> Vec<String> {
    let slot = |key: &String| node.command(&["CLUSTER", "KEYSLOT", key]).text();
    let mut slots: Vec<_> = keys.iter().map(slot).collect();
    slots.sort();
    slots.dedup();
    slots
}

fn id(node: &Redis) -> String {
    node.command(&["CLUSTER", "MYID"]).text()
}

/// Moves every key of a slot, without saying that the slot has moved.
fn migrate(slot: &str, from: &Redis, to: &Redis) {
    to.command(&["CLUSTER", "SETSLOT", slot, "IMPORTING", &id(from)]);
    from.command(&["CLUSTER", "SETSLOT", slot, "MIGRATING", &id(to)]);
    let keys = from
        .command(&["CLUSTER", "GETKEYSINSLOT", slot, "100"])
        .texts();
    let port = to.port().to_string();
    for key in keys {
        from.command(&["MIGRATE", "127.0.0.1", &port, &key, "0", "5000"]);
    }
}

/// It has a third of the slots: whoever asked only it would be sent away for most notifications.
#[test]
fn a_node_of_a_cluster_that_is_addressed_as_a_server_says_so() {
    let cluster = Cluster::start(&[]);
    let app = App::start();
    let config = Config::new(&app).on(&cluster.nodes[0]);
    match Kawal::try_start(config) {
        Err(exit) => {
            assert_eq!(exit.code, Some(78), "{exit:?}");
            assert!(exit.stderr.contains("redis-cluster://"), "{exit:?}");
        }
        Ok(kawal) => {
            let line =
                kawal.wait_for_log(|line| line["message"] == crate::harness::deployment::DOWN);
            assert!(
                line["why"].as_str().unwrap().contains("redis-cluster://"),
                "{line}"
            );
        }
    }
    assert_eq!(app.count(), 0);
}
