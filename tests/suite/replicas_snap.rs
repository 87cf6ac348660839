//! SNAP BI over several replicas: tokens, their notifications, and inquiries.

use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use crate::harness::gateway::{BRN, MCH};
use crate::harness::snap::{B2B_PAYMENT, INQUIRY, PAYMENT, Snap, jakarta_time};
use crate::harness::tokens::access_token;
use crate::harness::{App, Config, Connection, Kawal, Reply, Store, TokenRequest, snap};
use crate::refusals::{assert_snap, assert_snap_head, assert_wait};

fn config(app: &App) -> Config {
    Config::snap(app).on(&Store::Redis)
}

#[test]
fn one_signed_request_gets_one_token_whichever_replica_it_asks() {
    let app = App::start();
    let [one, other] = Kawal::replicas(&config(&app));
    let now = Timestamp::now();
    let request = TokenRequest::new().at(&jakarta_time(now));
    let first = one.send(&request.sign());
    // A token made later would differ by its time of issue.
    while Timestamp::now().as_second() == now.as_second() {
        thread::sleep(Duration::from_millis(20));
    }
    for replica in [&other, &one] {
        let answer = replica.send(&request.sign());
        assert_eq!(answer.text(), first.text());
        assert_eq!(answer.header("x-client-key").as_deref(), Some(BRN));
        assert_snap_head(&answer);
    }
    let stranger = TokenRequest::new().at(&jakarta_time(now)).client(MCH);
    let token = access_token(&other.send(&stranger.sign()));
    assert_ne!(token, access_token(&first));
    assert_eq!(app.connections(), 0);
}

#[test]
fn a_token_of_one_replica_opens_every_other() {
    let app = App::start();
    let [one, other] = Kawal::replicas(&config(&app));
    let token = access_token(&one.send(&TokenRequest::new().sign()));
    let notification = Snap::new("{}").target(B2B_PAYMENT).token(&token).sign();
    assert_eq!(other.send(&notification).status, 200);
    assert_eq!(one.send(&notification).text(), "ok");
    assert_eq!(app.count(), 1);
}

#[test]
fn a_notification_is_one_whatever_is_written_around_it_and_wherever_it_is_sent() {
    let app = App::start();
    let [one, other] = Kawal::replicas(&config(&app));
    app.next(Reply::new(200).body("{\"receipt\":1}").held());
    let captured = snap("{\"trxId\":\"INV-1\"}");
    let disguised = captured
        .clone()
        .replace("X-EXTERNAL-ID", "1")
        .replace("CHANNEL-ID", "VA999");
    let mut first = Connection::open(one.addr());
    first.write(&captured.bytes()).unwrap();
    app.wait_for(1);
    let answer = other.send(&disguised);
    assert_snap(&answer, "5032500", "Service Unavailable");
    assert_wait(&answer);
    app.release();
    assert_eq!(first.read("POST").unwrap().status, 200);
    assert_eq!(other.send(&disguised).text(), "{\"receipt\":1}");
    assert_eq!(app.count(), 1);
}

#[test]
fn a_repeat_is_refused_in_snap_form_at_every_replica() {
    let app = App::start();
    let config = config(&app).on_route(PAYMENT, "duplicate", "reject");
    let [one, other] = Kawal::replicas(&config);
    let notification = snap("{\"trxId\":\"INV-1\"}");
    assert_eq!(one.send(&notification).status, 200);
    assert_snap(&other.send(&notification), "4092500", "Conflict");
    assert_eq!(other.reason(1), "duplicate");
    assert_eq!(app.count(), 1);
}

#[test]
fn an_inquiry_passes_again_at_every_replica() {
    let app = App::start();
    let replicas: [Kawal; 2] = Kawal::replicas(&config(&app));
    let inquiry = Snap::new("{\"inquiryRequestId\":\"1\"}")
        .target(INQUIRY)
        .sign();
    for nth in 0..4 {
        let bill = format!("{{\"bill\":{nth}}}");
        app.next(Reply::ok().body(&bill));
        assert_eq!(replicas[nth % 2].send(&inquiry).text(), bill);
        let seen = app.wait_for(nth + 1).remove(nth);
        assert_eq!(seen.all("x-kawal-attempt"), [(nth + 1).to_string()]);
    }
    // Two at the same time are one too many, as at a single replica.
    app.next(Reply::ok().held());
    let mut first = Connection::open(replicas[0].addr());
    first.write(&inquiry.bytes()).unwrap();
    app.wait_for(5);
    assert_snap(
        &replicas[1].send(&inquiry),
        "5032400",
        "Service Unavailable",
    );
    app.release();
    assert_eq!(first.read("POST").unwrap().status, 200);
    assert_eq!(app.count(), 5);
}
