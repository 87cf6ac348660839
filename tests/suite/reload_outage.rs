//! A configuration that came and went while the store was away, and what was forwarded under it.

use std::thread;
use std::time::Duration;

use crate::freshness::{from_now_on, let_it_age, strict};
use crate::harness::gateway::written;
use crate::harness::{App, Doku, Kawal, Redis, StoreProxy};
use crate::reload_store::renamed;

/// What went to the app without the store, under another name of which the store has never heard.
#[test]
fn a_way_back_during_an_outage_forgets_nothing() {
    let redis = Redis::with(&["--appendonly", "yes"]);
    let app = App::start();
    let wire = StoreProxy::before(&redis);
    let config = strict(&app)
        .on(&wire)
        .patient_with_store()
        .set("gateways.doku.freshness.max_age", "5s")
        .set("replay.unavailable", "forward");
    let kawal = Kawal::start(config.clone());
    // The memory begins before all of this can have been delivered.
    thread::sleep(Duration::from_secs(4));
    wire.away();
    kawal.wait_for_metric("kawal_store_up", 0.0);
    let signed = from_now_on();
    let sign = || Doku::new("{}").at(&written(signed)).sign();
    let between: Vec<_> = (0..8).map(|_| sign()).collect();
    kawal.reload(&renamed(&config));
    for notification in &between {
        assert_eq!(kawal.send(notification).status, 200);
    }
    assert_eq!(app.count(), between.len());
    kawal.reload(&config);
    wire.back();
    kawal.wait_for_metric("kawal_store_up", 1.0);
    let_it_age(signed + Duration::from_secs(3));
    let statuses: Vec<_> = between.iter().map(|one| kawal.send(one).status).collect();
    assert_eq!(app.count(), between.len(), "some came twice: {statuses:?}");
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
}
