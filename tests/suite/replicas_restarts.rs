//! Replicas come and go; what the store knows stays.

use crate::freshness::{from_now_on, let_it_age, strict};
use crate::harness::gateway::written;
use crate::harness::{
    App, Config, Connection, Doku, Kawal, Qris, Reply, Store, TokenRequest, doku,
};
use crate::refusals::assert_in_flight;

/// Ends it in either way and starts it anew.
fn restarted(mut kawal: Kawal, signal: &str) -> Kawal {
    let config = kawal.config.clone();
    kawal.signal(signal);
    kawal.wait_exit();
    Kawal::start(config)
}

#[test]
fn a_restart_forgets_nothing() {
    for signal in ["TERM", "KILL"] {
        let app = App::start();
        let kawal = Kawal::start(Config::snap(&app).on(&Store::Redis));
        let delivered = doku("{}");
        app.next(Reply::new(201).body("taken"));
        assert_eq!(kawal.send(&delivered).status, 201);
        let refused = doku("{}");
        app.next(Reply::new(500));
        assert_eq!(kawal.send(&refused).status, 500);
        let unknown = doku("{}");
        app.next(Reply::hangup());
        assert_eq!(kawal.send(&unknown).status, 502);
        let request = TokenRequest::new().sign();
        let token = kawal.send(&request).text();

        let kawal = restarted(kawal, signal);
        let again = kawal.send(&delivered);
        assert_eq!((again.status, &*again.text()), (201, "taken"), "{signal}");
        assert_in_flight(&kawal.send(&unknown));
        assert_eq!(kawal.send(&request).text(), token, "{signal}");
        assert_eq!(app.count(), 3);
        assert_eq!(kawal.send(&refused).status, 200);
        let last = app.wait_for(4).remove(3);
        assert_eq!(last.all("x-kawal-attempt"), ["2"], "{signal}");
    }
}

/// Its memory is the store's, which is older than the process.
#[test]
fn a_late_one_that_was_signed_before_the_restart_is_delivered() {
    let app = App::start();
    let kawal = Kawal::start(strict(&app).on(&Store::Redis));
    let signed = from_now_on();
    let known = Doku::new("{}").at(&written(signed)).sign();
    app.next(Reply::new(201).body("taken"));
    assert_eq!(kawal.send(&known).status, 201);
    let by_doku = Doku::new("{}").at(&written(signed)).sign();
    let by_qris = Qris::new().at(signed).sign();
    let_it_age(signed);

    let kawal = restarted(kawal, "KILL");
    let late = [by_doku, by_qris];
    for (nth, notification) in late.iter().enumerate() {
        assert_eq!(kawal.send(notification).status, 200, "{}", kawal.output());
        assert_eq!(kawal.send(notification).status, 200);
        assert_eq!(app.count(), nth + 2);
    }
    // The replay that a restart must not let in.
    let again = kawal.send(&known);
    assert_eq!((again.status, &*again.text()), (201, "taken"));
    assert_eq!(app.count(), 3);
}

#[test]
fn a_replica_that_comes_later_knows_what_the_others_know() {
    let app = App::start();
    let config = strict(&app).on(&Store::Redis);
    let first = Kawal::start(config.clone());
    let signed = from_now_on();
    let known = Doku::new("{}").at(&written(signed)).sign();
    let late = Doku::new("{}").at(&written(signed)).sign();
    assert_eq!(first.send(&known).status, 200);
    let_it_age(signed);

    let second = Kawal::start(config);
    assert_eq!(second.send(&late).status, 200);
    assert_eq!(second.send(&known).text(), "ok");
    assert_eq!(first.send(&late).text(), "ok");
    assert_eq!(app.count(), 2);
}

/// A store that nobody has used before knows of nothing that is older than its first replica.
#[test]
fn what_is_older_than_the_first_replica_is_unproven_at_all() {
    let app = App::start();
    let signed = from_now_on();
    let early = Doku::new("{}").at(&written(signed)).sign();
    let_it_age(signed);
    let replicas: [Kawal; 2] = Kawal::replicas(&strict(&app).on(&Store::Redis));
    for replica in &replicas {
        assert_eq!(replica.send(&early).status, 401);
        assert_eq!(replica.reason(1), "unproven");
    }
    assert_eq!(app.count(), 0);
}

#[test]
fn a_replica_that_is_told_to_stop_finishes_what_it_has_at_the_app() {
    let app = App::start();
    app.next(Reply::new(201).body("taken").held());
    let [mut leaving, staying] = Kawal::replicas(&Config::new(&app).on(&Store::Redis));
    let notification = doku("{}");
    let mut first = Connection::open(leaving.addr());
    first.write(&notification.bytes()).unwrap();
    app.wait_for(1);
    leaving.signal_term();
    assert_in_flight(&staying.send(&notification));
    app.release();
    assert_eq!(first.read("POST").unwrap().status, 201);
    assert_eq!(leaving.wait_exit().code(), Some(0));
    let again = staying.send(&notification);
    assert_eq!((again.status, &*again.text()), (201, "taken"));
    assert_eq!(app.count(), 1);
}

/// A rolling update: one after the other is replaced while a gateway sends, and tries again.
#[test]
fn replicas_that_are_replaced_one_by_one_deliver_everything_once() {
    let app = App::start();
    let config = Config::new(&app).on(&Store::Redis);
    let mut replicas: [Kawal; 2] = Kawal::replicas(&config);
    let all: Vec<_> = (0..30).map(|n| doku(format!("{{\"n\":{n}}}"))).collect();
    for (nth, notification) in all.iter().enumerate() {
        assert_eq!(replicas[nth % 2].send(notification).status, 200);
        if nth % 10 == 9 {
            let leaving = &mut replicas[(nth / 10) % 2];
            leaving.signal_term();
            assert_eq!(leaving.wait_exit().code(), Some(0));
            *leaving = Kawal::start(config.clone());
        }
        assert_eq!(replicas[(nth + 1) % 2].send(notification).text(), "ok");
    }
    let bodies: Vec<_> = app.requests().iter().map(|r| r.text()).collect();
    let sent: Vec<_> = (0..30).map(|n| format!("{{\"n\":{n}}}")).collect();
    assert_eq!(bodies, sent);
}
