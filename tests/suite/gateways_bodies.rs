//! Whatever is changed in what the proofs of the other gateways cover, they no longer hold.

use crate::harness::*;
use crate::refusals::{Bench, LACKING, WRONG, one_bit_off};

#[test]
fn one_bit_of_a_covered_body_decides() {
    let mut rows = 0;
    for kind in KINDS.iter().filter(|kind| kind.covers == "body") {
        let mut bench = Bench::with(Config::with_kinds);
        let genuine = Notice::new(kind).sign();
        let text = String::from_utf8(genuine.body.clone()).unwrap();
        let reasons: &[&str] = match kind.scheme {
            // Its id is read out of the body.
            "stripe" => LACKING,
            _ => WRONG,
        };
        for at in 0..text.len() {
            let request = genuine.clone().body(one_bit_off(&text, at));
            bench.unauthorized(&format!("{} at {at}", kind.scheme), &request, reasons);
        }
        bench.admits(&genuine);
        rows += 1;
    }
    assert_eq!(rows, 8);
}

#[test]
fn a_covered_body_is_the_bytes_that_came() {
    let mut bench = Bench::with(Config::with_kinds);
    for kind in KINDS.iter().filter(|kind| kind.covers == "body") {
        let genuine = Notice::new(kind).sign();
        let text = String::from_utf8(genuine.body.clone()).unwrap();
        let minifies = kind.scheme == "durianpay-snap";
        let written = [
            ("a newline more", format!("{text}\n")),
            ("a space before", format!(" {text}")),
            ("written otherwise", text.replace("\":", "\": ")),
        ];
        let others = [
            ("a byte order mark", format!("\u{feff}{text}")),
            ("a zero more", format!("{text}\0")),
            ("cut short", text[..text.len() - 1].to_owned()),
            ("twice", format!("{text}{text}")),
            ("nothing", String::new()),
            (
                "an escape",
                text.replace("PAID", "\\u0050AID")
                    .replace("true", "tru\\u0065"),
            ),
            ("a member more", text.replacen('{', "{\"x\":1,", 1)),
            (
                "a member twice",
                text.replacen('{', "{\"id\":\"evt_1\",", 1),
            ),
        ];
        // White space outside strings is not signed where the body is minified.
        for (name, other) in written.into_iter().filter(|_| !minifies).chain(others) {
            let name = format!("{}: {name}", kind.scheme);
            let request = genuine.clone().body(other);
            bench.unauthorized(&name, &request, LACKING);
        }
    }
    bench.admits_all();
}

/// A table of covered values in a body, and what somebody would like to read there.
const FIELDS: [(&str, &str, &str); 16] = [
    ("midtrans", "order-", "border-"),
    ("midtrans", r#""200""#, r#""201""#),
    ("midtrans", "10001.00", "10001.01"),
    ("midtrans", "10001.00", "10001.0"),
    ("midtrans", r#""10001.00""#, "10001"),
    ("duitku", "amount=10001", "amount=10002"),
    ("duitku", "merchantOrderId=", "merchantOrderId=1"),
    ("faspay", r#"z","#, r#"y","#),
    ("faspay", r#""2""#, r#""3""#),
    ("adyen", "ORIG1", "ORIG2"),
    ("adyen", "TestMerchant", "TestMerchand"),
    ("adyen", "order:1", "order:2"),
    ("adyen", "10001", "10002"),
    ("adyen", "IDR", "USD"),
    ("adyen", "AUTHORISATION", "REFUND"),
    ("adyen", r#""true""#, r#""false""#),
];

#[test]
fn every_covered_field_decides() {
    let mut bench = Bench::with(Config::with_kinds);
    for (name, old, new) in FIELDS {
        let request = Notice::new(kind(name)).sign();
        let text = String::from_utf8(request.body.clone()).unwrap();
        assert!(text.contains(old), "{name}: {old}");
        let request = request.body(text.replace(old, new));
        bench.unauthorized(&format!("{name}: {new}"), &request, WRONG);
    }
    for name in ["midtrans", "duitku", "faspay", "adyen"] {
        // The proof of another notification of the same gateway.
        let (one, other) = (Notice::new(kind(name)), Notice::new(kind(name)));
        bench.unauthorized(name, &one.bearing(&other.proof()), WRONG);
    }
    bench.admits_all();
}

/// Signed over what is left, so that nothing but the absence speaks against it.
#[test]
fn every_covered_field_must_be_there() {
    let rows = [
        ("midtrans", r#""order_id":"#),
        ("midtrans", r#""status_code":"#),
        ("midtrans", r#""gross_amount":"#),
        ("duitku", "merchantCode="),
        ("duitku", "amount="),
        ("duitku", "merchantOrderId="),
        ("faspay", r#""bill_no":"#),
        ("faspay", r#""payment_status_code":"#),
        ("adyen", r#""pspReference":"#),
        ("adyen", r#""merchantAccountCode":"#),
        ("adyen", r#""value":"#),
        ("adyen", r#""currency":"#),
        ("adyen", r#""eventCode":"#),
        ("adyen", r#""success":"#),
    ];
    let mut bench = Bench::with(Config::with_kinds);
    for (name, field) in rows {
        let notice = Notice::new(kind(name));
        let renamed = match field.strip_suffix('=') {
            Some(bare) => format!("x{bare}="),
            None => field.replacen('"', "\"x", 1),
        };
        let gone = notice.clone().with(field, &renamed);
        bench.unauthorized(&format!("{name}: no {field}"), &gone.sign(), LACKING);
        if name == "duitku" {
            continue;
        }
        // Its text is not that of a string or a number.
        let value = notice.body.split(field).nth(1).unwrap();
        let end = value.find([',', '}']).unwrap();
        for odd in ["null", "{}", "[]", "\"\""] {
            let old = format!("{field}{}", &value[..end]);
            let odd_one = notice.clone().with(&old, &format!("{field}{odd}"));
            let name = format!("{name}: {field}{odd}");
            bench.unauthorized(&name, &odd_one.sign(), LACKING);
        }
    }
    bench.admits_all();
}

/// Readers disagree which of two counts.
#[test]
fn no_covered_field_may_be_there_twice() {
    let rows = [
        ("midtrans", r#""order_id":"x","#),
        ("midtrans", r#""gross_amount":"1.00","#),
        ("faspay", r#""bill_no":"x","#),
        ("adyen", r#""notificationItems":[],"#),
    ];
    let mut bench = Bench::with(Config::with_kinds);
    for (name, member) in rows {
        let genuine = Notice::new(kind(name)).sign();
        let text = String::from_utf8(genuine.body.clone()).unwrap();
        let before = text.replacen('{', &format!("{{{member}"), 1);
        let member = member.trim_end_matches(',');
        let after = format!("{},{member}}}", &text[..text.len() - 1]);
        for body in [before, after] {
            bench.unauthorized(name, &genuine.clone().body(body), WRONG);
        }
    }
    let genuine = Notice::new(kind("duitku")).sign();
    let text = String::from_utf8(genuine.body.clone()).unwrap();
    for field in ["amount=1", "merchantOrderId=x", "merchantCode=DXXXX"] {
        for body in [format!("{text}&{field}"), format!("{field}&{text}")] {
            bench.refused(field, &genuine.clone().body(body), &[400, 401]);
        }
        // In the query it would be another reading of the same name.
        let target = format!("{}?{field}", genuine.target);
        let request = genuine.clone().target(&target);
        bench.refused(field, &request, &[400, 401]);
    }
    bench.admits_all();
}

/// The one of them whose proof covers the path.
#[test]
fn a_signed_path_counts_for_one_route() {
    let mut bench = Bench::with(|config| {
        let kind = kind("durianpay-snap");
        let other = serde_json::json!({"path": "/elsewhere", "gateway": kind.scheme});
        config.with_kinds().route(other)
    });
    let notice = Notice::new(kind("durianpay-snap"));
    let elsewhere = notice.sign().target("/elsewhere");
    bench.unauthorized("another route", &elsewhere, WRONG);
    let target = format!("{}?a=1", notice.path);
    let with_query = notice.sign().target(&target);
    bench.unauthorized("a query that nobody signed", &with_query, WRONG);
    bench.admits_all();
}
