//! A store that is there and does not answer: nothing passes, nothing is lost, and nothing stays held.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Connection, Deployment, Redis, Reply, doku};
use crate::refusals::assert_in_flight;

#[test]
fn a_store_that_hangs_holds_up_nobody_for_long_and_is_missed_by_nobody_when_it_is_back() {
    let shop = Deployment::new();
    let delivered = doku("{}");
    shop.delivers(&delivered);

    shop.store.signal("STOP");
    let notification = doku("{}");
    for _ in 0..5 {
        shop.misses_its_store(&notification);
        shop.misses_its_store(&delivered);
    }
    shop.goes_down();
    let failed = r#"operation="claim""#;
    assert!(shop.kawal.metric_with("kawal_store_errors_total", failed) >= 1.0);

    shop.store.signal("CONT");
    shop.comes_back();
    shop.knows(&delivered);
    shop.delivers_in_the_end(&notification);
    shop.knows(&notification);
}

/// The store takes the claim after its sender has given up: whoever comes again must not wait for the
/// end of a lease that nobody holds. Nobody would live to see the end of this one.
#[test]
fn a_claim_whose_reply_never_came_holds_nothing() {
    let long = json!({"upstream": "1h", "drain": "2h"});
    let shop = Deployment::with(Redis::start(), |config| config.set("timeouts", long));
    let notifications: Vec<_> = (0..4).map(|_| doku("{}")).collect();
    shop.store.signal("STOP");
    for notification in &notifications {
        shop.misses_its_store(notification);
    }
    shop.goes_down();
    shop.store.signal("CONT");
    shop.comes_back();
    for notification in &notifications {
        shop.delivers_in_the_end(notification);
    }
    // What never reached the app is no attempt.
    let attempts = |request: &crate::harness::Recorded| request.all("x-kawal-attempt");
    let attempts: Vec<_> = shop.app.requests().iter().map(attempts).collect();
    assert_eq!(attempts, vec![["1"]; 4]);
}

#[test]
fn what_is_at_the_app_when_the_store_falls_silent_is_settled_when_it_speaks_again() {
    let shop = Deployment::new();
    shop.app.next(Reply::ok().body("taken").held());
    let notification = doku("{}");
    let mut gateway = Connection::open(shop.kawal.addr());
    gateway.write(&notification.bytes()).unwrap();
    shop.app.wait_for(1);

    shop.store.signal("STOP");
    shop.goes_down();
    shop.app.release();
    // The app has taken it: the gateway hears so, whatever the store does.
    let answer = gateway.read("POST").unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "taken"));
    shop.misses_its_store(&notification);
    shop.kawal.wait_for_metric("kawal_store_unsettled", 1.0);

    shop.store.signal("CONT");
    shop.comes_back();
    shop.kawal.wait_for_metric("kawal_store_unsettled", 0.0);
    assert_eq!(shop.knows(&notification).text(), "taken");
    assert_eq!(shop.kawal.metric("kawal_store_lost_outcomes_total"), 0.0);
    assert_eq!(shop.app.count(), 1);
}

#[test]
fn a_store_that_pauses_its_clients_is_waited_for_within_the_timeout() {
    let config = |config: crate::harness::Config| config.set("replay.redis.timeout", "10s");
    let shop = Deployment::with(Redis::start(), config);
    shop.store.command(&["CLIENT", "PAUSE", "1000", "ALL"]);
    let notification = doku("{}");
    shop.delivers(&notification);
    shop.knows(&notification);
    shop.was_always_up();
    // The pause was there: it is what these claims waited for.
    let claims = r#"operation="claim""#;
    let waited = shop.kawal.metric_with("kawal_store_seconds_sum", claims);
    assert!(waited > 0.5, "{waited} s");
    assert_eq!(
        shop.kawal.metric_with("kawal_store_errors_total", claims),
        0.0
    );
}

#[test]
fn a_store_that_pauses_its_clients_for_longer_is_down_until_it_goes_on() {
    let shop = Deployment::new();
    let delivered = doku("{}");
    shop.delivers(&delivered);
    for what in ["WRITE", "ALL"] {
        // A pause of everything cannot be ended, since its end would have to wait for itself.
        let millis = if what == "ALL" { "5000" } else { "600000" };
        shop.store.command(&["CLIENT", "PAUSE", millis, what]);
        let notification = doku("{}");
        shop.misses_its_store(&notification);
        shop.goes_down();
        if what == "WRITE" {
            shop.store.command(&["CLIENT", "UNPAUSE"]);
        }
        shop.comes_back();
        shop.delivers_in_the_end(&notification);
        shop.knows(&delivered);
    }
}

/// One script that never ends makes a server refuse everybody else's.
#[test]
fn a_store_that_is_busy_with_a_script_of_others_is_down_until_it_is_stopped() {
    let shop = Deployment::on(Redis::with(&["--busy-reply-threshold", "50"]));
    let mut other = shop.store.connect();
    let endless = thread::spawn(move || other.call(&["EVAL", "while true do end", "0"]));
    let notification = doku("{}");
    shop.goes_down_for(&["script"]);
    shop.misses_its_store(&notification);
    shop.store.command(&["SCRIPT", "KILL"]);
    endless.join().unwrap().unwrap();
    shop.comes_back();
    shop.delivers_in_the_end(&notification);
}

/// A claim that was made, as opposed to one whose reply never came, holds as it always did.
#[test]
fn an_unknown_outcome_is_held_through_a_silence_of_the_store() {
    let shop = Deployment::new();
    shop.app.next(Reply::hangup());
    let notification = doku("{}");
    assert_eq!(shop.kawal.send(&notification).status, 502);
    shop.store.signal("STOP");
    shop.misses_its_store(&notification);
    shop.goes_down();
    shop.store.signal("CONT");
    shop.comes_back();
    assert_in_flight(&shop.kawal.send(&notification));
    assert_eq!(shop.app.count(), 1);
}

/// Outcomes are written first on every new connection, and claims wait for them. No step is hit twice.
#[test]
fn connections_that_are_cut_put_nobody_off() {
    let shop = Deployment::new();
    let (kawal, done) = (&shop.kawal, AtomicBool::new(false));
    let delivered: [AtomicUsize; 8] = Default::default();
    let told = || {
        delivered
            .each_ref()
            .map(|count| count.load(Ordering::Relaxed))
    };
    thread::scope(|scope| {
        for count in &delivered {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let answer = kawal.send(&doku("{}"));
                    let _ = count.fetch_add(1, Ordering::Relaxed);
                    if answer.status != 200 {
                        done.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
        for _ in 0..12 {
            let before = told();
            let kill = ["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"];
            shop.store.command(&kill);
            let went_on = || {
                told()
                    .iter()
                    .zip(before)
                    .all(|(now, before)| *now > before + 1)
            };
            while !went_on() && !done.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(5));
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    let all = told().iter().sum::<usize>();
    for line in kawal.notifications(all) {
        assert_eq!(line["outcome"], "delivered", "{line}");
    }
    assert_eq!(shop.app.count(), all);
}
