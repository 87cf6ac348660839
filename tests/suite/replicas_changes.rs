//! A configuration that changes, in front of a store that remembers.

use crate::freshness::{from_now_on, let_it_age, strict};
use crate::harness::gateway::written;
use crate::harness::{App, Config, Doku, Kawal, Request, Store};
use jiff::Timestamp;
use serde_json::json;

/// One that was delivered, another that was not, and Kawal with the changed configuration after both are late.
fn after(change: impl FnOnce(Config) -> Config) -> (Kawal, App, Request, Request) {
    let app = App::start();
    let store = Store::Redis;
    let kawal = Kawal::start(strict(&app).on(&store));
    let signed: Timestamp = from_now_on();
    let delivered = Doku::new("{}").at(&written(signed)).sign();
    let unseen = Doku::new("{}").at(&written(signed)).sign();
    assert_eq!(kawal.send(&delivered).status, 200);
    let config = change(kawal.config.clone());
    drop(kawal);
    let_it_age(signed);
    (Kawal::start(config), app, delivered, unseen)
}

/// Under another name it is another notification, of which nobody knows whether it came before.
#[test]
fn what_was_delivered_under_another_name_is_unproven_when_it_is_late() {
    let (kawal, app, delivered, unseen) = after(|config| {
        let window = json!({"max_age": "2s", "max_skew": "5m", "late": "1h"});
        let clients = config.value("gateways.doku.clients");
        config
            .set(
                "gateways.shop",
                json!({"scheme": "doku", "freshness": window, "remember": "25h"}),
            )
            .set("gateways.shop.clients", clients)
            .on_route("/payments/notifications", "gateway", "shop")
    });
    for notification in [delivered, unseen] {
        assert_eq!(kawal.send(&notification).status, 401);
    }
    assert_eq!(kawal.reason(1), "unproven");
    assert_eq!(app.count(), 1);
}

/// What was kept for a shorter time may be gone before it is too late.
#[test]
fn what_was_to_be_remembered_for_less_proves_nothing_of_before() {
    let (kawal, app, delivered, unseen) =
        after(|config| config.set("gateways.doku.remember", "26h"));
    assert_eq!(kawal.send(&unseen).status, 401);
    assert_eq!(kawal.reason(1), "unproven");
    assert_eq!(kawal.send(&delivered).status, 200, "it is still known");
    assert_eq!(app.count(), 1);
}

#[test]
fn a_change_of_anything_else_forgets_nothing() {
    let (kawal, app, delivered, unseen) = after(|config| {
        config
            .set("timeouts.upstream", "20s")
            .set("gateways.pivot.remember", "50h")
            .route(json!({"path": "/payments/other", "gateway": "doku"}))
    });
    assert_eq!(kawal.send(&delivered).status, 200);
    assert_eq!(app.count(), 1);
    assert_eq!(kawal.send(&unseen).status, 200);
    assert_eq!(app.count(), 2);
}
