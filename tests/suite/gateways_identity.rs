//! Which notifications of the other gateways are the same, and which are at odds with one that was delivered.

use serde_json::json;

use crate::harness::*;

/// One that was delivered, and one after it that claims to be the same.
struct Odd {
    name: &'static str,
    first: Request,
    second: Request,
}

fn odd(name: &'static str, first: Request, second: Request) -> Odd {
    Odd {
        name,
        first,
        second,
    }
}

#[test]
fn the_same_identity_with_other_content_is_a_conflict() {
    let mut rows = Vec::new();
    // The gateway signs both, so only the identity speaks against the second.
    for name in [
        "standard-webhooks",
        "standard-webhooks-asymmetric",
        "svix",
        "stripe",
    ] {
        let notice = Notice::new(kind(name));
        let other = notice.clone().with("10001", "10002");
        rows.push(odd(name, notice.sign(), other.sign()));
    }
    // The body names it; what stands around the body is not signed.
    for name in ["github", "tripay", "razorpay"] {
        let genuine = Notice::new(kind(name)).sign();
        let target = format!("{}?amount=1", genuine.target);
        rows.push(odd(name, genuine.clone(), genuine.target(&target)));
    }
    // The proof covers a part of the body.
    let unsigned = [
        ("faspay", "3183540500001172", "3183540500001173"),
        ("faspay", r#""10001""#, r#""10002""#),
        ("adyen", r#""reason":"0""#, r#""reason":"1""#),
        ("adyen", r#""live":"false""#, r#""live":"true""#),
    ];
    for (name, old, new) in unsigned {
        let genuine = Notice::new(kind(name)).sign();
        let text = String::from_utf8(genuine.body.clone()).unwrap();
        assert!(text.contains(old), "{name}: {old}");
        let other = genuine.clone().body(text.replace(old, new));
        rows.push(odd(name, genuine, other));
    }
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    for (nth, row) in rows.iter().enumerate() {
        assert_eq!(kawal.send(&row.first).status, 200, "{}", row.name);
        let answer = kawal.send(&row.second);
        assert_eq!(answer.status, 409, "{}", row.name);
        assert_eq!(answer.json(), json!({"error": "conflict"}), "{}", row.name);
        assert_eq!(kawal.reason(3 * nth + 2), "conflict", "{}", row.name);
        // The one that was delivered is still known.
        assert_eq!(kawal.send(&row.first).status, 200, "{}", row.name);
        assert_eq!(app.count(), nth + 1, "{}", row.name);
    }
    assert!(rows.len() >= 11);
}

/// Whoever knows the id of a delivered notification gets nothing for it without a key.
#[test]
fn a_forgery_under_a_delivered_identity_is_no_conflict() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    for (nth, kind) in KINDS.iter().enumerate() {
        let notice = Notice::new(kind);
        assert_eq!(kawal.send(&notice.sign()).status, 200, "{}", kind.scheme);
        let [_, _, stranger] = (kind.keys)();
        let forged = notice.with("0001", "0002").key(stranger).sign();
        let answer = kawal.send(&forged);
        assert_eq!(answer.status, 401, "{}", kind.scheme);
        assert_eq!(answer.json(), json!({"error": "unauthorized"}));
        assert_eq!(kawal.reason(2 * nth + 2), "bad_proof", "{}", kind.scheme);
        assert_eq!(app.count(), nth + 1, "{}", kind.scheme);
    }
}

/// A header that nobody signed cannot make a delivered notification new.
#[test]
fn unsigned_headers_name_nothing() {
    let rows = [
        ("github", "X-GitHub-Delivery"),
        ("github", "X-GitHub-Event"),
        ("tripay", "X-Callback-Event"),
        ("razorpay", "X-Razorpay-Event-Id"),
        ("durianpay-snap", "X-EXTERNAL-ID"),
        ("durianpay-snap", "X-PARTNER-ID"),
    ];
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    for (nth, (name, header)) in rows.into_iter().enumerate() {
        let genuine = Notice::new(kind(name)).sign();
        app.next(Reply::ok().body(header));
        assert_eq!(kawal.send(&genuine).text(), header, "{name}");
        let other = genuine.clone().replace(header, "another-1");
        assert_eq!(kawal.send(&other).text(), header, "{name}");
        let gone = genuine.without(header);
        assert_eq!(kawal.send(&gone).text(), header, "{name}");
        assert_eq!(app.count(), nth + 1, "{name} came again without {header}");
    }
}

/// White space that is not signed makes no other notification.
#[test]
fn a_minified_body_is_the_same_however_it_is_written() {
    let app = App::answering(Reply::ok().body("receipt"));
    let kawal = Kawal::start(Config::kinds(&app));
    let genuine = Notice::new(kind("durianpay-snap")).sign();
    assert_eq!(kawal.send(&genuine).text(), "receipt");
    let text = String::from_utf8(genuine.body.clone()).unwrap();
    for other in [
        text.replace("\":", "\" : "),
        format!("\n{text}\n"),
        text.replace(',', ",\n\t"),
    ] {
        assert_eq!(kawal.send(&genuine.clone().body(other)).text(), "receipt");
        assert_eq!(app.count(), 1);
    }
}

/// Where the proof covers too little to name a notification, other content is another one: the app is told by
/// `X-Kawal-Covers` that it has to look for itself.
#[test]
fn what_is_named_by_its_content_is_new_with_other_content() {
    let rows = [
        ("xendit", r#""status":"PAID""#, r#""status":"EXPIRED""#),
        ("midtrans", "settlement", "refund"),
        ("duitku", "resultCode=00", "resultCode=01"),
        ("nicepay-snap", "10001", "10002"),
    ];
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    for (nth, (name, old, new)) in rows.into_iter().enumerate() {
        let notice = Notice::new(kind(name));
        let other = notice.clone().with(old, new);
        for request in [notice.sign(), other.sign(), notice.sign(), other.sign()] {
            assert_eq!(kawal.send(&request).status, 200, "{name}");
        }
        let seen = app.requests();
        assert_eq!(seen.len(), 2 * nth + 2, "{name}");
        let id = "X-Kawal-Notification-Id";
        assert_ne!(seen[2 * nth].all(id), seen[2 * nth + 1].all(id), "{name}");
        let covers = seen[2 * nth].header("X-Kawal-Covers").unwrap();
        assert_ne!(covers, "body", "{name}");
    }
}

/// Two gateways of one scheme, or two clients of one gateway, do not shadow each other.
#[test]
fn the_same_notification_of_another_gateway_is_another() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    for (nth, kind) in KINDS.iter().enumerate() {
        let notice = Notice::new(kind);
        let [_, _, stranger] = (kind.keys)();
        let other = notice.clone().key(stranger).path(&kind.other_path());
        for request in [notice.sign(), other.sign()] {
            assert_eq!(kawal.send(&request).status, 200, "{}", kind.scheme);
        }
        assert_eq!(app.count(), 2 * nth + 2, "{}", kind.scheme);
    }
}
