//! A reload that gives notifications other names or terms: what is late and was signed before is unproven, as it
//! would be after a restart, and never reaches the app a second time.

use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::freshness::{from_now_on, let_it_age, strict};
use crate::harness::clinic::{SHOP_KEY, Shop};
use crate::harness::gateway::written;
use crate::harness::{App, Config, Doku, Kawal, Qris, Request, Store, on_every_store, unique};

on_every_store!(
    another_name_or_other_terms_begin_a_new_memory,
    what_came_under_another_name_is_unproven_after_the_way_back,
    a_way_back_within_a_moment_is_no_different,
);

/// The gateways of the story, one route each, and what a reload makes of them.
const CHANGED: [&str; 5] = ["named", "window", "remember", "converted", "shop"];
const UNCHANGED: &str = "doku";

fn shop_scheme(reads: &str) -> Value {
    json!({
        "proof": {"kind": "hmac", "hash": "sha256", "at": "header:X-Shop-Signature",
            "prefix": "sig=", "encoding": "base64url",
            "messages": ["{method} {target}\n{header:X-Shop-Time}\n{header:X-Shop-Note}\n{body}"]},
        "time": {"at": "header:X-Shop-Time", "format": "unix-ms"},
        "identity": reads,
    })
}

/// What a head may take, and what a body may take.
const UNDER_WAY: Duration = Duration::from_secs(1);

fn config(app: &App) -> Config {
    let config = strict(app)
        .set("timeouts.header", "1s")
        .set("timeouts.body", "1s");
    let key = config.secret("shop", SHOP_KEY);
    let mut config = config
        .set("schemes.shop", shop_scheme("{header:X-Shop-Note}"))
        .hook("shop", "shop", json!({"secrets": [key]}))
        .set(
            "gateways.shop.freshness",
            json!({"max_age": "2s", "max_skew": "5m", "late": "1h"}),
        );
    for (name, like) in [
        ("named", "doku"),
        ("window", "doku"),
        ("remember", "doku"),
        ("converted", "doku-qris"),
    ] {
        let gateway = config.value(&format!("gateways.{like}"));
        config = config
            .set(&format!("gateways.{name}"), gateway)
            .route(json!({"path": format!("/payments/{name}"), "gateway": name}));
    }
    config
}

/// Every gateway but one is changed, each in its own way.
fn other(config: &Config) -> Config {
    let named = config.value("gateways.named");
    config
        .clone()
        .without("gateways.named")
        .set("gateways.renamed", named)
        .on_route("/payments/named", "gateway", "renamed")
        .set("gateways.window.freshness.late", "2h")
        .set("gateways.remember.remember", "26h")
        .on_route("/payments/converted", "convert", "json")
        .set(
            "schemes.shop",
            shop_scheme("{header:X-Shop-Time} {header:X-Shop-Note}"),
        )
}

/// Genuine, signed then, and new each time.
fn notification(gateway: &str, signed: Timestamp) -> Request {
    let doku = |path: &str| Doku::new("{}").target(path).at(&written(signed)).sign();
    match gateway {
        "shop" => {
            let mut shop = Shop::new("{}");
            shop.time = format!("{}000", signed.as_second());
            shop.note = unique("note");
            shop.sign()
        }
        "converted" => Qris::new().at(signed).target("/payments/converted").sign(),
        UNCHANGED => doku("/payments/notifications"),
        name => doku(&format!("/payments/{name}")),
    }
}

/// One of each of these gateways.
fn of_each(gateways: &[&'static str], signed: Timestamp) -> Vec<(&'static str, Request)> {
    let each = gateways.iter();
    each.map(|name| (*name, notification(name, signed)))
        .collect()
}

struct Story {
    app: App,
    kawal: Kawal,
}

impl Story {
    fn on(store: Store) -> Self {
        let app = App::start();
        let kawal = Kawal::start(config(&app).on(&store));
        Self { app, kawal }
    }

    #[track_caller]
    fn delivers(&self, all: &[(&str, Request)]) {
        for (name, notification) in all {
            let before = self.app.count();
            let answer = self.kawal.send(notification);
            assert_eq!(answer.status, 200, "{name}: {}", self.kawal.output());
            assert_eq!(self.app.count(), before + 1, "{name} was known");
        }
    }

    #[track_caller]
    fn knows(&self, all: &[(&str, Request)]) {
        for (name, notification) in all {
            let before = self.app.count();
            let answer = self.kawal.send(notification);
            assert_eq!(answer.status, 200, "{name}: {}", self.kawal.output());
            assert_eq!(self.app.count(), before, "{name} reached the app again");
        }
    }

    #[track_caller]
    fn cannot_prove(&self, all: &[(&str, Request)]) {
        for (name, notification) in all {
            let so_far = self.unproven();
            let before = self.app.count();
            assert_eq!(self.kawal.send(notification).status, 401, "{name}");
            assert_eq!(self.app.count(), before, "{name} reached the app");
            let told = |line: &Value| line["reason"] == "unproven";
            self.kawal.notifications_where(so_far + 1, told);
        }
    }

    fn unproven(&self) -> usize {
        let lines = self.kawal.log();
        lines
            .iter()
            .filter(|line| line["reason"] == "unproven")
            .count()
    }
}

fn another_name_or_other_terms_begin_a_new_memory(store: Store) {
    let story = Story::on(store);
    let signed = from_now_on();
    let delivered = of_each(&CHANGED, signed);
    story.delivers(&delivered);
    let (unseen, control) = (of_each(&CHANGED, signed), of_each(&[UNCHANGED], signed));
    let_it_age(signed);
    story.kawal.reload(&other(&story.kawal.config));
    story.cannot_prove(&unseen);
    story.delivers(&control);
    is_not_delivered_again(&story, &delivered);
    // The new memory is as good as the old one was, once nothing is under way that began before it.
    thread::sleep(2 * UNDER_WAY);
    let signed = from_now_on();
    let (fresh, late) = (of_each(&CHANGED, signed), of_each(&CHANGED, signed));
    story.delivers(&fresh);
    let_it_age(signed);
    story.knows(&fresh);
    story.delivers(&late);
}

fn what_came_under_another_name_is_unproven_after_the_way_back(store: Store) {
    let story = Story::on(store);
    let first = story.kawal.config.clone();
    let signed = from_now_on();
    let before = of_each(&CHANGED, signed);
    story.delivers(&before);
    let unseen = of_each(&CHANGED, signed);
    story.kawal.reload(&other(&first));
    let between = of_each(&CHANGED, signed);
    story.delivers(&between);
    let control = of_each(&[UNCHANGED], signed);
    let_it_age(signed);
    story.kawal.reload(&first);

    story.knows(&before);
    is_not_delivered_again(&story, &between);
    // Nobody knows any more whether these came in between.
    story.cannot_prove(&unseen);
    story.delivers(&control);
}

/// What was delivered under other names and terms. Where those change no identity, it is known.
fn is_not_delivered_again(story: &Story, all: &[(&'static str, Request)]) {
    for (name, notification) in all {
        let before = story.app.count();
        let status = story.kawal.send(notification).status;
        let right: &[u16] = match *name {
            "window" | "remember" => &[200],
            // It may be compared as it came, or as it was converted.
            "converted" => &[200, 409],
            _ => &[401],
        };
        assert!(right.contains(&status), "{name}: {status}");
        assert_eq!(story.app.count(), before, "{name} reached the app again");
    }
}

/// There and back before anything that happens every few seconds has happened.
fn a_way_back_within_a_moment_is_no_different(store: Store) {
    let app = App::start();
    let mut first = config(&app).on(&store);
    for name in CHANGED.into_iter().chain([UNCHANGED]) {
        first = first.set(&format!("gateways.{name}.freshness.max_age"), "3s");
    }
    let kawal = Kawal::start(first.clone());
    let story = Story { app, kawal };
    // The memory begins before all of this can have been delivered: signed times are whole seconds.
    thread::sleep(Duration::from_millis(1100));
    let signed = from_now_on();
    let (unseen, control) = (of_each(&CHANGED, signed), of_each(&[UNCHANGED], signed));
    let between = of_each(&CHANGED, signed);
    story.kawal.reload(&other(&first));
    story.delivers(&between);
    story.kawal.reload(&first);
    let_it_age(signed + Duration::from_secs(1));

    is_not_delivered_again(&story, &between);
    story.cannot_prove(&unseen);
    story.kawal.hang_up();
    is_not_delivered_again(&story, &between);
    story.delivers(&control);
}
