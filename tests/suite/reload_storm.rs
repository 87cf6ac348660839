//! Hangups that come all at once, or while a reload is under way: the newest configuration wins.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::harness::gateway::BRN;
use crate::harness::keys::key_text;
use crate::harness::load::Next;
use crate::harness::reloads::TAKEN;
use crate::harness::{App, Config, Doku, Kawal, Load, doku, until};

#[test]
fn of_many_hangups_at_once_the_last_configuration_wins() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for number in 0..40 {
        kawal
            .config
            .routed(&format!("/payments/{number}"))
            .replace();
        kawal.signal("HUP");
    }
    until("the last is there", || {
        kawal.status_at("/payments/39") == 200
    });
    // Nothing that is still on its way brings an older one back.
    kawal.hang_up();
    for number in 0..39 {
        assert_eq!(kawal.status_at(&format!("/payments/{number}")), 404);
    }
    assert_eq!(kawal.status_at("/payments/39"), 200);
    assert!(kawal.reloads().iter().all(|line| line["message"] == TAKEN));
    until("all are counted", || {
        kawal.reload_count("config", "success") == kawal.reloads().len()
    });
    kawal.serves(&app);
}

#[test]
fn many_hangups_without_a_change_do_no_harm() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let delivered = doku("{}");
    assert_eq!(kawal.send(&delivered).status, 200);
    for _ in 0..100 {
        kawal.signal("HUP");
    }
    kawal.hang_up();
    assert_eq!(kawal.send(&delivered).status, 200);
    assert_eq!(app.count(), 1);
    kawal.serves(&app);
    assert_eq!(kawal.reload_count("config", "failure"), 0);
}

/// So many gateways, each with an RSA key, that reading it takes a while.
fn large(config: &Config) -> Config {
    let secret = config.secret("large", "SK-large-canary-secret-01");
    let key = config.secret("large.pem", key_text("other-public.pem"));
    let client = json!({"id": BRN, "secrets": [secret], "public_keys": [key]});
    let names = (0..200).map(|number| format!("large-{number}"));
    names.fold(config.clone(), |config, name| {
        let route = json!({"path": format!("/{name}"), "gateway": name});
        let gateway = json!({"scheme": "snap", "clients": [client]});
        config
            .set(&format!("gateways.{name}"), gateway)
            .route(route)
    })
}

/// Notifications pass meanwhile.
#[test]
fn a_hangup_during_a_slow_reload_is_not_lost() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let slow = large(&kawal.config).routed("/payments/slow");
    let load = Load::on(kawal.addr(), (0..2).map(|_| next()).collect());
    for round in 0..5 {
        slow.replace();
        kawal.signal("HUP");
        let path = format!("/payments/{round}");
        kawal.config.routed(&path).replace();
        kawal.signal("HUP");
        until("the last is there", || kawal.status_at(&path) == 200);
        kawal.hang_up();
        assert_eq!(kawal.status_at(&path), 200);
        assert_eq!(kawal.status_at("/payments/slow"), 404);
    }
    load.passes(1);
    assert_eq!(load.end() + 10, app.count());
    assert!(kawal.reloads().iter().all(|line| line["message"] == TAKEN));
}

fn next() -> Next {
    Box::new(|| doku("{}"))
}

/// Whoever hangs up does not have to wait for somebody to look.
#[test]
fn a_hangup_during_a_slow_reload_is_not_left_to_the_watch() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    kawal.reload(&large(&kawal.config));
    for round in 0..6 {
        kawal.signal("HUP");
        // At different moments of the reload under way.
        thread::sleep(Duration::from_millis(40 * round));
        let secret = format!("SK-changed-canary-secret-{round}");
        kawal.config.secret("brn", &secret);
        kawal.signal("HUP");
        let signed = || Doku::new("{}").client(BRN, &secret).sign();
        until("the secret is there", || {
            kawal.send(&signed()).status == 200
        });
    }
    // What the watch had found would be counted so.
    assert_eq!(kawal.reload_count("keys", "success"), 0);
}

/// A broken one while the good one is under way, and the other way round: what lay there last is what counts.
#[test]
fn a_broken_configuration_between_good_ones_leaves_the_last_good_one() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let slow = large(&kawal.config).routed("/payments/slow");
    slow.replace();
    kawal.signal("HUP");
    kawal.config.clone().with_text("nonsense").replace();
    kawal.signal("HUP");
    until("the fault is told", || {
        kawal.metric("kawal_reload_failed") == 1.0
    });
    kawal.serves(&app);
    let last = kawal.config.routed("/payments/last");
    last.replace();
    kawal.signal("HUP");
    until("the last is there", || {
        kawal.status_at("/payments/last") == 200
    });
    until("nothing is wrong", || {
        kawal.metric("kawal_reload_failed") == 0.0
    });
}
