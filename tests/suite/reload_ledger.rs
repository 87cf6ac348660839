//! The ledger outlives every reload: what it knows and what it holds, and what is late and provably new.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::freshness::{from_now_on, let_it_age, strict};
use crate::harness::gateway::written;
use crate::harness::snap::jakarta_time;
use crate::harness::{
    App, Config, Connection, Doku, Kawal, Qris, Reply, Store, TokenRequest, doku, on_every_store,
};
use crate::refusals::assert_in_flight;

on_every_store!(
    what_was_delivered_is_known_after_one_reload_and_after_many,
    what_was_refused_comes_again_as_the_next_attempt,
    what_is_at_the_app_stays_in_flight_and_settles,
    an_outcome_that_is_unknown_stays_so,
    a_reload_that_changes_no_name_lets_late_ones_pass,
    a_token_is_granted_once,
);

/// One more route and one more secret, or none of both.
fn changed(kawal: &Kawal, round: usize) -> Config {
    let config = kawal.config.clone();
    if round.is_multiple_of(2) {
        return config;
    }
    let secrets = config.value("gateways.doku.clients.0.secrets");
    let more = config.secret("more", "SK-one-more-canary-secret");
    let mut clients = config.value("gateways.doku.clients");
    clients[0]["secrets"] = json!([more, secrets[0]]);
    config
        .set("gateways.doku.clients", clients)
        .set("timeouts.upstream", "29s")
        .route(json!({"path": "/payments/more", "gateway": "doku"}))
}

fn what_was_delivered_is_known_after_one_reload_and_after_many(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    app.next(Reply::new(201).body("taken"));
    let signed = Doku::new("{}");
    let delivered = signed.sign();
    let mut other = signed;
    other.body = b"another".to_vec();
    assert_eq!(kawal.send(&delivered).status, 201);
    for round in 1..=20 {
        kawal.reload(&changed(&kawal, round));
        let again = kawal.send(&delivered);
        assert_eq!((again.status, &*again.text()), (201, "taken"), "{round}");
        assert_eq!(kawal.send(&other.sign()).status, 409, "{round}");
    }
    assert_eq!(app.count(), 1);
    kawal.serves(&app);
}

fn what_was_refused_comes_again_as_the_next_attempt(store: Store) {
    let app = App::answering(Reply::new(500));
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notification = doku("{}");
    for round in 1..=3 {
        assert_eq!(kawal.send(&notification).status, 500);
        let seen = app.wait_for(round).remove(round - 1);
        assert_eq!(seen.all("x-kawal-attempt"), [round.to_string()]);
        kawal.reload(&changed(&kawal, round));
    }
}

fn what_is_at_the_app_stays_in_flight_and_settles(store: Store) {
    let app = App::start();
    app.next(Reply::new(201).body("taken").held());
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notification = doku("{}");
    let mut gateway = Connection::open(kawal.addr());
    gateway.write(&notification.bytes()).unwrap();
    app.wait_for(1);
    for round in 1..=3 {
        kawal.reload(&changed(&kawal, round));
        assert_in_flight(&kawal.send(&notification));
    }
    app.release();
    assert_eq!(gateway.read("POST").unwrap().text(), "taken");
    let again = kawal.send(&notification);
    assert_eq!((again.status, &*again.text()), (201, "taken"));
    assert_eq!(app.count(), 1);
}

fn an_outcome_that_is_unknown_stays_so(store: Store) {
    let app = App::start();
    app.next(Reply::hangup());
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let notification = doku("{}");
    assert_eq!(kawal.send(&notification).status, 502);
    // A shorter lease is the next claim's.
    kawal.reload(&kawal.config.clone().set("timeouts.upstream", "1ms"));
    assert_in_flight(&kawal.send(&notification));
    kawal.reload(&kawal.config);
    assert_in_flight(&kawal.send(&notification));
    assert_eq!(app.count(), 1);
}

/// The reloads come when the notifications are late: a memory that began with one of them would be too young.
fn a_reload_that_changes_no_name_lets_late_ones_pass(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(strict(&app).on(&store));
    let signed = from_now_on();
    let by_doku = || Doku::new("{}").at(&written(signed)).sign();
    let delivered = by_doku();
    assert_eq!(kawal.send(&delivered).status, 200);
    let (first, second) = (by_doku(), by_doku());
    let by_qris = Qris::new().at(signed).sign();
    let_it_age(signed);

    let mut seen = 1;
    for (round, late) in [first, by_qris, second].iter().enumerate() {
        kawal.reload(&changed(&kawal, round));
        // One that is refused is no change either.
        kawal.config.clone().with_text("nonsense").replace();
        kawal.hang_up_in_vain();
        assert_eq!(kawal.send(&delivered).status, 200, "{round}");
        assert_eq!(app.count(), seen, "{round}");
        for _ in 0..2 {
            assert_eq!(kawal.send(late).status, 200, "{}", kawal.output());
        }
        seen += 1;
        assert_eq!(app.count(), seen, "{round}");
    }
}

/// The same request gets the same token, whatever was loaded in between.
fn a_token_is_granted_once(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).on(&store));
    let request = TokenRequest::new().sign();
    let token = kawal.send(&request).text();
    kawal.reload(&changed(&kawal, 1));
    assert_eq!(kawal.send(&request).text(), token);
    // Another request gets another one.
    let other = TokenRequest::new().at(&jakarta_time(Timestamp::now() - Duration::from_secs(9)));
    assert_ne!(kawal.send(&other.sign()).text(), token);
}
