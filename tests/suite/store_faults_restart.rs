//! A store that dies and comes back: with everything, with less than it knew, or with nothing.

use std::fs;
use std::path::Path;

use crate::harness::{Connection, Deployment, Moment, Redis, Reply, doku, fresh};

/// In front of this store, where notifications grow late within seconds.
fn hurried(store: Redis) -> Deployment {
    Deployment::with(store, |config| config.with_short_youth())
}

/// The store dies, which is noticed, and comes back.
fn dies_and_comes_back(shop: &Deployment) {
    shop.store.kill();
    shop.misses_its_store(&fresh());
    shop.goes_down();
    shop.store.restart();
    shop.comes_back();
}

#[test]
fn with_an_append_only_file_a_restart_forgets_nothing() {
    for fsync in ["always", "everysec"] {
        let args = ["--appendonly", "yes", "--appendfsync", fsync];
        let shop = hurried(Redis::with(&args));
        let (delivered, refused) = (fresh(), fresh());
        shop.delivers(&delivered);
        shop.app.next(Reply::new(500));
        assert_eq!(shop.kawal.send(&refused).status, 500);
        let moment = Moment::to_come();
        let (known, unseen) = (moment.notification(), moment.notification());
        shop.delivers(&known);
        moment.grow_late();

        dies_and_comes_back(&shop);
        shop.knows(&delivered);
        shop.knows(&known);
        shop.delivers(&refused);
        let last = shop.app.requests().pop().unwrap();
        assert_eq!(last.all("x-kawal-attempt"), ["2"], "{fsync}");
        // It remembers everything since then, so what it does not know was never delivered.
        shop.delivers_in_the_end(&unseen);
    }
}

#[test]
fn what_is_at_the_app_while_the_store_restarts_is_settled_after_it() {
    let shop = Deployment::on(Redis::with(&[
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
    ]));
    shop.app.next(Reply::ok().body("taken").held());
    let notification = doku("{}");
    let mut gateway = Connection::open(shop.kawal.addr());
    gateway.write(&notification.bytes()).unwrap();
    shop.app.wait_for(1);
    shop.store.kill();
    shop.app.release();
    assert_eq!(gateway.read("POST").unwrap().status, 200);
    shop.goes_down();
    shop.store.restart();
    shop.comes_back();
    shop.kawal.wait_for_metric("kawal_store_unsettled", 0.0);
    assert_eq!(shop.knows(&notification).text(), "taken");
    assert_eq!(shop.kawal.metric("kawal_store_lost_outcomes_total"), 0.0);
}

#[test]
fn without_data_a_late_copy_is_unproven_and_a_fresh_one_may_come_twice() {
    let shop = hurried(Redis::start());
    let lost = fresh();
    shop.delivers(&lost);
    let moment = Moment::to_come();
    let (known, proven, unseen) = (
        moment.notification(),
        moment.notification(),
        moment.notification(),
    );
    shop.delivers(&known);
    moment.grow_late();
    // As long as the store remembers, late ones are told apart.
    shop.knows(&known);
    shop.delivers(&proven);

    dies_and_comes_back(&shop);
    for late in [&known, &proven, &unseen] {
        shop.cannot_prove(late);
    }
    // The one duplicate that a store without an append-only file costs.
    shop.delivers(&lost);
    shop.knows(&lost);

    // From here on it remembers again.
    let moment = Moment::to_come();
    let (known, unseen) = (moment.notification(), moment.notification());
    shop.delivers(&known);
    moment.grow_late();
    shop.knows(&known);
    shop.delivers(&unseen);
}

#[test]
fn an_old_snapshot_proves_nothing() {
    let shop = hurried(Redis::start());
    let (before, after) = (fresh(), fresh());
    let moment = Moment::to_come();
    let (known, forgotten) = (moment.notification(), moment.notification());
    shop.delivers(&before);
    shop.delivers(&known);
    shop.store.command(&["SAVE"]);
    shop.delivers(&after);
    shop.delivers(&forgotten);
    moment.grow_late();

    dies_and_comes_back(&shop);
    assert!(!shop.store.keys().is_empty(), "the snapshot was not loaded");
    // In the snapshot it stands as delivered, and so it stays.
    shop.knows(&before);
    shop.knows(&known);
    shop.cannot_prove(&forgotten);
    shop.cannot_prove(&moment.notification());
    // Data was lost, so this one may come twice, and no more than that.
    shop.delivers(&after);
    shop.knows(&after);
}

/// The file is the state of the day on which it was switched off, and the server believes it.
#[test]
fn an_append_only_file_that_was_switched_off_for_a_while_proves_nothing() {
    let shop = hurried(Redis::with(&["--appendonly", "yes"]));
    let moment = Moment::to_come();
    let (known, forgotten) = (moment.notification(), moment.notification());
    shop.delivers(&known);
    shop.store.command(&["CONFIG", "SET", "appendonly", "no"]);
    shop.delivers(&forgotten);
    moment.grow_late();
    dies_and_comes_back(&shop);
    assert!(!shop.store.keys().is_empty(), "the file was not loaded");
    shop.knows(&known);
    shop.cannot_prove(&forgotten);
}

/// Somebody puts yesterday's backup into the place of today's data.
#[test]
fn a_backup_of_the_append_only_file_proves_nothing() {
    let shop = hurried(Redis::with(&[
        "--appendonly",
        "yes",
        "--appendfsync",
        "always",
    ]));
    let folder = shop.store.folder().path().join("appendonlydir");
    let backup = shop.store.folder().path().join("backup");
    let moment = Moment::to_come();
    let (known, forgotten) = (moment.notification(), moment.notification());
    shop.delivers(&known);
    copy(&folder, &backup);
    shop.delivers(&forgotten);
    moment.grow_late();

    shop.store.kill();
    fs::remove_dir_all(&folder).unwrap();
    copy(&backup, &folder);
    shop.goes_down();
    shop.store.restart();
    shop.comes_back();
    assert!(!shop.store.keys().is_empty(), "the backup was not loaded");
    shop.knows(&known);
    shop.cannot_prove(&forgotten);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
