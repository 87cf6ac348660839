//! Adyen's batches: every item bears a proof of its own, and all of them hold or nothing passes.

use serde_json::{Value, json};

use crate::harness::adyen::{altered, bare, batch, item, signed, text};
use crate::harness::hashes::{base64, hmac_sha256};
use crate::harness::*;
use crate::refusals::{Bench, LACKING, WRONG};

#[test]
fn a_batch_whose_every_item_holds_is_delivered_as_a_whole() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    let (a, b, c) = (item(), item(), item());
    let request = batch(&[&a, &b, &c]);
    assert_eq!(kawal.send(&request).status, 200, "{}", kawal.reason(1));
    let seen = app.only();
    assert_eq!(seen.body, request.body);
    let covers = seen.header("X-Kawal-Covers").unwrap();
    assert!(covers.starts_with("fields:"), "{covers}");
    assert!(covers.contains("pspReference"), "{covers}");
    // The same batch again is a repeat.
    assert_eq!(kawal.send(&request).status, 200);
    assert_eq!(app.count(), 1);
}

#[test]
fn values_that_are_not_there_are_signed_as_nothing() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    let mut lacking = bare();
    lacking.as_object_mut().unwrap().remove("originalReference");
    lacking.as_object_mut().unwrap().remove("merchantReference");
    let original = {
        let mut item = bare();
        item["originalReference"] = "8825408195409505".into();
        item["success"] = "false".into();
        item["eventCode"] = "REFUND".into();
        item
    };
    let (lacking, original) = (signed(lacking), signed(original));
    for (nth, item) in [&lacking, &original].into_iter().enumerate() {
        let answer = kawal.send(&batch(&[item]));
        assert_eq!(answer.status, 200, "{item}: {}", kawal.reason(nth + 1));
        assert_eq!(app.count(), nth + 1);
    }
}

#[test]
fn one_item_that_does_not_hold_spoils_the_batch() {
    let mut bench = Bench::with(Config::with_kinds);
    let [_, _, stranger] = (kind("adyen").keys)();
    let proof = hmac_sha256(&stranger.bytes(), b"");
    let no_proof = {
        let mut item = item();
        item["additionalData"] = json!({});
        item
    };
    let no_data = {
        let mut item = item();
        item.as_object_mut().unwrap().remove("additionalData");
        item
    };
    let place = "/additionalData/hmacSignature";
    let spoilt = [
        ("no proof", no_proof, LACKING),
        ("no place for a proof", no_data, LACKING),
        ("an empty proof", altered(item(), place, ""), LACKING),
        (
            "a stranger's proof",
            altered(item(), place, base64(&proof)),
            WRONG,
        ),
        ("another amount", altered(item(), "/amount/value", 1), WRONG),
        (
            "another result",
            altered(item(), "/success", "false"),
            WRONG,
        ),
        ("no object", json!("item"), LACKING),
        ("no item", Value::Null, LACKING),
        ("an empty one", json!({}), LACKING),
    ];
    for (name, wrong, reasons) in &spoilt {
        for place in 0..3 {
            let genuine = [item(), item()];
            let mut items = vec![&genuine[0], &genuine[1]];
            items.insert(place, wrong);
            bench.unauthorized(&format!("{name} at {place}"), &batch(&items), reasons);
        }
        bench.unauthorized(name, &batch(&[wrong]), reasons);
    }
    // One item's proof under another.
    let (a, b) = (item(), item());
    let lent = altered(
        a.clone(),
        place,
        b["additionalData"]["hmacSignature"].clone(),
    );
    bench.unauthorized("lent", &batch(&[&lent, &b]), WRONG);
    bench.admits_all();
}

#[test]
fn what_is_no_list_of_items_is_refused() {
    let mut bench = Bench::with(Config::with_kinds);
    let wrapped = json!({"NotificationRequestItem": item()});
    let rows = [
        ("an empty list", json!({"notificationItems": []})),
        ("no list", json!({"live": "false"})),
        ("null", json!({"notificationItems": null})),
        (
            "the item for the list",
            json!({"notificationItems": wrapped}),
        ),
        (
            "a list of its numbers",
            json!({"notificationItems": {"0": wrapped}}),
        ),
        ("text", json!({"notificationItems": "[]"})),
        (
            "a list in a list",
            json!({"notificationItems": [[wrapped]]}),
        ),
        ("the item at the top", wrapped.clone()),
        ("a list at the top", json!([wrapped])),
        ("bare items", json!({"notificationItems": [item()]})),
    ];
    for (name, body) in rows {
        let request = batch(&[]).body(body.to_string());
        bench.unauthorized(name, &request, LACKING);
    }
    for body in ["", "{", "[accepted]", "notificationItems=1"] {
        bench.unauthorized(body, &batch(&[]).body(body), LACKING);
    }
    // A second list, which another reader may take for the one.
    let text = json!({ "notificationItems": [wrapped] }).to_string();
    let forged = r#""notificationItems":[]"#;
    let after = format!("{},{forged}}}", &text[..text.len() - 1]);
    bench.unauthorized("a list after", &batch(&[]).body(after), WRONG);
    let before = text.replacen('{', &format!("{{{forged},"), 1);
    bench.unauthorized("a list before", &batch(&[]).body(before), WRONG);
    // The same of an item, and of a value in it.
    for (old, new) in [
        (
            r#"{"NotificationRequestItem":"#,
            r#"{"NotificationRequestItem":{},"NotificationRequestItem":"#,
        ),
        (
            r#""pspReference":"#,
            r#""pspReference":"X","pspReference":"#,
        ),
        (r#""value":"#, r#""value":1,"value":"#),
        (r#""amount":"#, r#""amount":{},"amount":"#),
    ] {
        assert!(text.contains(old), "{old}");
        let request = batch(&[]).body(text.replacen(old, new, 1));
        bench.unauthorized(new, &request, WRONG);
    }
    bench.admits_all();
}

/// A colon inside a value could be a border, and be moved to the next.
#[test]
fn values_cannot_run_into_one_another() {
    let mut bench = Bench::with(Config::with_kinds);
    // The colon that stands for nothing moves in front of the account, or the original's takes it over.
    for (original, moved) in [("", ":TestMerchant"), ("ORIG1", "ORIG1:TestMerchant")] {
        let mut genuine = bare();
        genuine["originalReference"] = original.into();
        genuine["merchantReference"] = "Other:order-1".into();
        let genuine = signed(genuine);
        let forged = altered(genuine.clone(), "/originalReference", moved);
        let forged = altered(forged, "/merchantAccountCode", "Other");
        let forged = altered(forged, "/merchantReference", "order-1");
        assert_eq!(text(&forged), text(&genuine), "only borders moved");
        bench.unauthorized("another account", &batch(&[&forged]), LACKING);
    }
    bench.admits_all();
}
