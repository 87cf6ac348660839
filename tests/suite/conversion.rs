//! A QRIS notification becomes one JSON object that says no more and no less.

use crate::harness::gateway::jakarta;
use crate::harness::{App, Config, Kawal, Pairs, Qris, samples};

#[test]
fn the_documented_qris_query_arrives_as_json_in_its_order() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let text = samples("qris-archive-notify-query").remove(0).1;
    let mut notification = Qris::new();
    let invoice = notification.field("INVOICE").to_owned();
    let moment = notification.field("TXNDATE").to_owned();
    notification.fields = Pairs::read(&text).0;
    let notification = notification
        .set("INVOICE", &invoice)
        .set("TXNDATE", &moment)
        .signed();
    assert_eq!(notification.fields.len(), 16, "the sample is whole");

    assert_eq!(kawal.send(&notification.bare()).status, 200);
    let seen = app.only();
    assert_eq!(Pairs::read(&seen.body).0, notification.fields);
    assert_eq!(seen.method, "POST");
    assert_eq!(seen.target, "/payments/qris");
    assert_eq!(seen.all("content-type"), ["application/json"]);
}

#[test]
fn a_qris_form_body_arrives_as_json_in_its_order() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let notification = Qris::new();
    let expected = notification.clone().signed().fields;

    assert_eq!(kawal.send(&notification.form()).status, 200);
    let seen = app.only();
    assert_eq!(Pairs::read(&seen.body).0, expected);
    assert_eq!(seen.all("content-type"), ["application/json"]);
}

#[test]
fn values_stay_text_whatever_they_hold() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let notification = Qris::new()
        .set("AMOUNT", "0002000.00")
        .set("CUSTOMERNAME", "José \"O'Hara\" \\ & =%+ 😀")
        .set("NEWFIELD", "true")
        .set("EMPTY", "");
    let expected = notification.clone().signed().fields;

    assert_eq!(kawal.send(&notification.sign()).status, 200);
    assert_eq!(Pairs::read(&app.only().body).0, expected);
}

#[test]
fn a_qris_time_is_read_on_jakarta_clocks() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let signed = Qris::new();
    let written = signed.field("TXNDATE").to_owned();

    assert_eq!(kawal.send(&signed.sign()).status, 200);
    let at = app.only().header("x-kawal-signed-at").unwrap();
    assert_eq!(jakarta(at.parse().unwrap()), written);
}
