//! A hangup: what the file says by then is what is done from then on, without a restart.

use serde_json::{Value, json};

use crate::harness::gateway::{BRN, BRN_SECRET, PIVOT_KEY};
use crate::harness::hooks::XENDIT_TOKEN;
use crate::harness::{App, Config, Connection, Doku, Kawal, Reply, Request, doku, pivot, until};

const NEW_SECRET: &str = "SK-brn-canary-secret-new2";
const NOTIFICATIONS: &str = "/payments/notifications";

/// An app, and Kawal in front of it with the template.
fn started() -> (App, Kawal) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    (app, kawal)
}

/// Waits until so many of this gateway are counted as delivered.
fn counts(kawal: &Kawal, gateway: &str, delivered: usize) {
    let labels = [("gateway", gateway), ("outcome", "delivered")];
    let counted = || kawal.series("kawal_notifications_total", &labels) as usize;
    until("the count", || counted() >= delivered);
    assert_eq!(counted(), delivered, "{gateway}");
}

#[test]
fn a_new_route_is_served_after_a_hangup() {
    let (app, kawal) = started();
    let elsewhere = || Doku::new("{}").target("/payments/new").sign();
    assert_eq!(kawal.send(&elsewhere()).status, 404);
    let route = json!({"path": "/payments/new", "gateway": "doku"});
    let line = kawal.reload(&kawal.config.clone().route(route));

    assert_eq!(line["what"], "config", "{line}");
    assert_eq!(kawal.send(&elsewhere()).status, 200);
    kawal.serves(&app);
    assert_eq!(kawal.reload_count("config", "success"), 1);
    for (what, result) in [
        ("config", "failure"),
        ("keys", "success"),
        ("keys", "failure"),
    ] {
        assert_eq!(kawal.reload_count(what, result), 0, "{what}, {result}");
    }
    kawal.wait_for_metric("kawal_reload_failed", 0.0);
    assert_eq!(kawal.stderr(), "");
}

#[test]
fn a_hangup_without_a_change_is_told_and_changes_nothing() {
    let (app, kawal) = started();
    let notification = doku("{}");
    assert_eq!(kawal.send(&notification).status, 200);
    for times in 1..=3 {
        kawal.hang_up();
        assert_eq!(kawal.reload_count("config", "success"), times);
    }
    assert_eq!(kawal.send(&notification).status, 200);
    assert_eq!(app.count(), 1);
    kawal.serves(&app);
}

#[test]
fn a_removed_route_is_gone_and_the_others_stay() {
    let (app, kawal) = started();
    assert_eq!(kawal.send(&pivot("[1]")).status, 200);
    let mut config = kawal.config.clone();
    let routes = config.value("routes");
    let others = routes.as_array().unwrap().iter();
    let others: Vec<_> = others.filter(|route| route["gateway"] != "pivot").collect();
    config = config
        .set("routes", json!(others))
        .without("gateways.pivot");
    kawal.reload(&config);

    let answer = kawal.send(&pivot("[2]"));
    assert_eq!(
        (answer.status, answer.json()),
        (404, json!({"error": "no_route"}))
    );
    assert_eq!(app.count(), 1);
    kawal.serves(&app);
}

#[test]
fn a_new_gateway_counts_from_nothing_and_the_others_count_on() {
    let (_app, kawal) = started();
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    let config = kawal.config.clone();
    let clients = config.value("gateways.doku.clients");
    let shop = json!({"scheme": "doku", "clients": clients});
    let config = config.set("gateways.shop", shop);
    kawal.reload(&config.route(json!({"path": "/payments/shop", "gateway": "shop"})));

    counts(&kawal, "shop", 0);
    counts(&kawal, "doku", 1);
    let notification = Doku::new("{}").target("/payments/shop").sign();
    assert_eq!(kawal.send(&notification).status, 200);
    counts(&kawal, "shop", 1);
    counts(&kawal, "doku", 1);
}

/// A gateway that is gone and comes back was never away from the counters: nothing there may run backwards.
#[test]
fn counters_never_fall() {
    let (app, kawal) = started();
    assert_eq!(kawal.send(&pivot("[1]")).status, 200);
    counts(&kawal, "pivot", 1);
    let first = kawal.config.clone();
    let doku_only = json!([{"path": NOTIFICATIONS, "gateway": "doku"}]);
    let without = first
        .clone()
        .set("routes", doku_only)
        .without("gateways.pivot");
    kawal.reload(&without.without("gateways.doku-qris"));
    kawal.serves(&app);
    kawal.reload(&first);
    counts(&kawal, "pivot", 1);
    counts(&kawal, "doku", 1);
    assert_eq!(kawal.send(&pivot("[2]")).status, 200);
    counts(&kawal, "pivot", 2);
}

#[test]
fn a_gateway_judges_by_its_new_scheme() {
    let (app, kawal) = started();
    let token = kawal.config.secret("xendit", XENDIT_TOKEN);
    let xendit = json!({"scheme": "xendit", "clients": [{"secrets": [token]}]});
    let by_token =
        || Request::post("/payments/pivot", "{}").header("x-callback-token", XENDIT_TOKEN);
    assert_eq!(kawal.send(&by_token()).status, 401);
    kawal.reload(&kawal.config.clone().set("gateways.pivot", xendit));

    assert_eq!(kawal.send(&pivot("{}")).status, 401);
    assert_eq!(kawal.send(&by_token()).status, 200);
    // Another header bears the secret now, and is kept from the app.
    assert!(!app.only().has("x-callback-token"));
    kawal.reload(&kawal.config);
    assert_eq!(kawal.send(&pivot("[2]")).status, 200);
    assert!(!app.requests()[1].has("x-api-key"));
}

#[test]
fn a_declared_scheme_changes() {
    let scheme =
        |header: &str| json!({"proof": {"kind": "static", "at": format!("header:{header}")}});
    let app = App::start();
    let config = Config::new(&app)
        .set("schemes.shop", scheme("X-Old"))
        .set("gateways.pivot.scheme", "shop");
    let kawal = Kawal::start(config.clone());
    let by =
        |name: &str, body: &str| Request::post("/payments/pivot", body).header(name, PIVOT_KEY);
    assert_eq!(kawal.send(&by("X-Old", "[1]")).status, 200);
    assert_eq!(kawal.send(&by("X-New", "[2]")).status, 401);
    kawal.reload(&config.set("schemes.shop", scheme("X-New")));
    assert_eq!(kawal.send(&by("X-Old", "[3]")).status, 401);
    assert_eq!(kawal.send(&by("X-New", "[4]")).status, 200);
    assert_eq!(app.count(), 2);
}

/// On a connection that was opened before as well as on a new one.
#[test]
fn a_new_secret_replaces_the_old_one() {
    let (app, kawal) = started();
    let mut kept = Connection::open(kawal.addr());
    assert_eq!(kept.send(&doku("{}")).status, 200);
    kawal.config.secret("brn", NEW_SECRET);
    kawal.hang_up();

    let by = |secret: &str| Doku::new("{}").client(BRN, secret).sign();
    assert_eq!(kept.send(&by(BRN_SECRET)).status, 401);
    assert_eq!(kept.send(&by(NEW_SECRET)).status, 200);
    assert_eq!(kawal.send(&by(BRN_SECRET)).status, 401);
    assert_eq!(kawal.send(&by(NEW_SECRET)).status, 200);
    assert_eq!(app.count(), 3);
}

#[test]
fn the_app_moves() {
    let (old, kawal) = started();
    let mut kept = Connection::open(kawal.addr());
    assert_eq!(kept.send(&doku("{}")).status, 200);
    let new = App::start();
    kawal.reload(&kawal.config.clone().set("upstream", new.url()));
    assert_eq!(kept.send(&doku("{}")).status, 200);
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    assert_eq!((old.count(), new.count()), (1, 2));
    // Nothing holds on to the old one.
    drop(old);
    kawal.serves(&new);

    let socket = kawal.config.folder.path().join("app.sock");
    let third = App::on_unix_socket(&socket);
    kawal.reload(&kawal.config.clone().set("upstream", third.url()));
    kawal.serves(&third);
    assert_eq!(new.count(), 3);
}

#[test]
fn paths_without_a_route_are_forwarded_or_not_any_more() {
    let (app, kawal) = started();
    let elsewhere = Request::new("GET", "/elsewhere");
    let forwarding = kawal.config.clone().set("unmatched", "forward");
    for (round, config) in [&forwarding, &kawal.config, &forwarding]
        .into_iter()
        .enumerate()
    {
        kawal.reload(config);
        let expected = [200, 404][round % 2];
        assert_eq!(kawal.send(&elsewhere).status, expected, "{round}");
    }
    assert_eq!(app.count(), 2);
}

/// What was delivered is still known; how it is answered changes.
#[test]
fn a_repeat_is_answered_by_the_new_word() {
    let (app, kawal) = started();
    app.next(Reply::new(201).body("taken"));
    let notification = doku("{}");
    assert_eq!(kawal.send(&notification).status, 201);
    for (word, status) in [("reject", 409), ("acknowledge", 201)] {
        kawal.reload(&kawal.config.clone().set("replay.duplicate", word));
        assert_eq!(kawal.send(&notification).status, status, "{word}");
    }
    assert_eq!(app.count(), 1);
}

#[test]
fn an_observed_gateway_is_enforced_again() {
    let (app, kawal) = started();
    let forged = || doku("{}").body("forged");
    assert_eq!(kawal.send(&forged()).status, 401);
    kawal.reload(&kawal.config.clone().set("gateways.doku.mode", "observe"));
    assert_eq!(kawal.send(&forged()).status, 200);
    assert_eq!(
        app.only().all("x-kawal-verdict"),
        ["would-reject:bad_proof"]
    );
    assert_eq!(observing(&kawal), 1.0);
    // Another gateway is not meant.
    assert_eq!(
        kawal
            .send(&pivot("{}").replace("X-API-Key", "forged-key"))
            .status,
        401
    );

    kawal.reload(&kawal.config);
    assert_eq!(kawal.send(&forged()).status, 401);
    assert_eq!(observing(&kawal), 0.0);
    assert_eq!(app.count(), 1);
}

fn observing(kawal: &Kawal) -> f64 {
    kawal.series("kawal_observing", &[("gateway", "doku")])
}

#[test]
fn an_address_is_shut_out_and_let_in() {
    let (app, kawal) = started();
    let from = |addresses: Value| {
        kawal
            .config
            .clone()
            .set("gateways.doku.allow_from", addresses)
    };
    for (addresses, status) in [
        (json!(["192.0.2.0/24"]), 403),
        (json!(["192.0.2.0/24", "127.0.0.1"]), 200),
        (json!(["192.0.2.7"]), 403),
        (json!([]), 200),
    ] {
        kawal.reload(&from(addresses.clone()));
        assert_eq!(kawal.send(&doku("{}")).status, status, "{addresses}");
    }
    // A proxy that is believed speaks for others.
    let believed = from(json!(["192.0.2.7"])).set("trusted_proxies", json!(["127.0.0.1"]));
    let forwarded = || doku("{}").header("X-Forwarded-For", "192.0.2.7");
    assert_eq!(kawal.send(&forwarded()).status, 200);
    kawal.reload(&from(json!(["192.0.2.7"])));
    assert_eq!(kawal.send(&forwarded()).status, 403);
    kawal.reload(&believed);
    assert_eq!(kawal.send(&forwarded()).status, 200);
    assert_eq!(app.count(), 4);
}

/// What the surroundings say still goes before the file, also where the file has changed.
#[test]
fn the_environment_still_goes_first() {
    let app = App::start();
    let config = Config::new(&app).env("KAWAL_LIMITS__BODY", "1KiB");
    let kawal = Kawal::start(config.env("TEST_PIVOT_KEY", PIVOT_KEY));
    let by_name = json!([{"secrets": ["env:TEST_PIVOT_KEY"]}]);
    let config = kawal.config.clone().set("limits.body", "64KiB");
    kawal.reload(&config.set("gateways.pivot.clients", by_name));
    assert_eq!(kawal.send(&doku("a".repeat(1024))).status, 200);
    assert_eq!(kawal.send(&doku("a".repeat(1025))).status, 413);
    assert_eq!(kawal.send(&pivot("{}")).status, 200);
}

/// What is worth a second look is told by the reload that brings it, and not by every one after it.
#[test]
fn a_new_warning_is_told_once() {
    let (app, kawal) = started();
    let told = || {
        let mut lines = kawal.log();
        lines.retain(|line| {
            line["warning"]
                .as_str()
                .is_some_and(|text| text.contains("observe"))
        });
        lines.len()
    };
    assert_eq!(told(), 0);
    kawal.reload(&kawal.config.clone().set("gateways.doku.mode", "observe"));
    until("it is told", || told() == 1);
    kawal.hang_up();
    kawal.reload(&kawal.config);
    kawal.serves(&app);
    assert_eq!(told(), 1);
}
