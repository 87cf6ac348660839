//! What DOKU sends in SNAP form reaches the app as it was sent, byte for byte.

use serde_json::Value;

use crate::harness::gateway::{BRN, MCH};
use crate::harness::snap::{
    APP_TOKEN, DEBIT, INQUIRY, PAYMENT, QR, RSA_PAYMENT, SNAP_NEW_SECRET, SNAP_OLD_SECRET, Snap,
    minify,
};
use crate::harness::{App, Config, Kawal, Recorded, Request, samples, snap};

/// The samples of requests, each with the route that it is for.
fn requests() -> Vec<(String, &'static str, Vec<u8>)> {
    let mut found = Vec::new();
    for (name, body) in samples("snap-") {
        let path = match name.as_str() {
            _ if name.contains("-response-") || name.starts_with("snap-token-") => continue,
            _ if name.starts_with("snap-va-payment") => PAYMENT,
            _ if name.starts_with("snap-va-inquiry") => INQUIRY,
            _ if name.starts_with("snap-debit-notify") => DEBIT,
            other => panic!("which route is {other} for?"),
        };
        found.push((name, path, body));
    }
    assert!(found.len() >= 8, "the table is thinner than it was");
    found
}

/// The last of this many requests, which must be this one as it was sent.
fn assert_arrived(app: &App, count: usize, name: &str, sent: &Request) -> Recorded {
    let mut seen = app.wait_for(count);
    assert_eq!(seen.len(), count, "{name}");
    let seen = seen.remove(count - 1);
    assert!(seen.body == sent.body, "{name}: another body");
    assert_eq!(seen.method, sent.method, "{name}");
    assert_eq!(seen.target, sent.target, "{name}");
    for (line, value) in &sent.headers {
        if line != "Host" {
            let value = String::from_utf8_lossy(value).into_owned();
            assert_eq!(seen.all(line), [value], "{name}");
            assert!(seen.names().contains(&line.as_str()), "{name}: {line}");
        }
    }
    seen
}

#[test]
fn every_sample_arrives_in_every_form_it_may_be_written_in() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let mut sent = 0;
    for (name, path, pretty) in requests() {
        let compact = minify(&pretty);
        assert_ne!(pretty, compact, "{name} is compact already");
        let value: Value = serde_json::from_slice(&pretty).unwrap();
        assert_eq!(value, serde_json::from_slice::<Value>(&compact).unwrap());
        // One notification each: the digest of its minified body is part of what it is.
        let forms = [
            ("as printed", pretty.clone(), false, "1"),
            ("compact", compact.clone(), false, "2"),
            ("as printed, signed so", pretty, true, "3"),
            ("compact, signed so", compact, true, "4"),
        ];
        for (form, body, raw, mark) in forms {
            let body = marked(&body, mark);
            let signed = Snap::new(&body).target(path);
            let request = if raw { signed.hashing_raw() } else { signed }.sign();
            let answer = kawal.send(&request);
            assert_eq!(answer.status, 200, "{name}, {form}: {answer:?}");
            sent += 1;
            assert_arrived(&app, sent, &format!("{name}, {form}"), &request);
        }
    }
}

/// The same with one more member at the end, so that it is another notification.
fn marked(body: &[u8], mark: &str) -> Vec<u8> {
    let end = body.iter().rposition(|byte| *byte == b'}').unwrap();
    let member = format!(",\"mark\":\"{mark}\"");
    [&body[..end], member.as_bytes(), &body[end..]].concat()
}

#[test]
fn every_sample_arrives_under_an_asymmetric_signature() {
    let app = App::start();
    let mut config = Config::snap(&app);
    for path in [PAYMENT, INQUIRY, DEBIT] {
        config = config.on_route(path, "gateway", "doku-rsa");
    }
    let kawal = Kawal::start(config);
    let mut sent = 0;
    for (name, path, pretty) in requests() {
        for (mark, raw) in [("1", false), ("2", true)] {
            let signed = Snap::new(marked(&pretty, mark)).target(path);
            // The printed sample of such a notification has no token at all.
            let signed = if raw {
                signed.hashing_raw()
            } else {
                signed.without_token()
            };
            let request = signed.sign_rsa();
            let answer = kawal.send(&request);
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            sent += 1;
            assert_arrived(&app, sent, &name, &request);
        }
    }
}

#[test]
fn a_payment_and_its_refund_on_one_path_are_two_notifications() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let refund = samples("snap-debit-notify-refund").remove(0).1;
    let refund = String::from_utf8(refund).unwrap();
    let payment = refund.replace(
        "\"latestTransactionStatus\": \"04\"",
        "\"latestTransactionStatus\": \"00\"",
    );
    assert_ne!(payment, refund);
    // A second refund of the same payment differs by its number alone.
    let second = refund.replace("\"refundNo\": \"\"", "\"refundNo\": \"R-2\"");
    assert_ne!(second, refund);
    for (nth, body) in [&payment, &refund, &second].into_iter().enumerate() {
        let request = Snap::new(body).target(DEBIT).sign();
        assert_eq!(kawal.send(&request).status, 200);
        let seen = assert_arrived(&app, nth + 1, "refunds", &request);
        assert_eq!(seen.all("x-kawal-attempt"), ["1"]);
        // And each of them once.
        assert_eq!(kawal.send(&request).status, 200);
        assert_eq!(app.count(), nth + 1);
    }
    let ids = app
        .requests()
        .iter()
        .map(|r| r.header("x-kawal-notification-id"))
        .collect::<Vec<_>>();
    assert!(
        ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2],
        "{ids:?}"
    );
}

#[test]
fn the_app_is_told_what_was_proven() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let rows = [
        (Snap::new("{\"n\":1}"), "doku-snap", BRN),
        (
            Snap::new("{\"n\":2}").client(MCH, SNAP_NEW_SECRET),
            "doku-snap",
            MCH,
        ),
        (
            Snap::new("{\"n\":3}").client(MCH, SNAP_OLD_SECRET),
            "doku-snap",
            MCH,
        ),
        (Snap::new("{\"n\":4}").target(RSA_PAYMENT), "doku-rsa", BRN),
        (
            Snap::new("{\"n\":5}")
                .target(RSA_PAYMENT)
                .client(MCH, "unused-here"),
            "doku-rsa",
            MCH,
        ),
    ];
    for (nth, (signed, gateway, client)) in rows.iter().enumerate() {
        let signed = signed.clone().at("TIME");
        let time = crate::harness::now();
        let signed = signed.at(&time);
        let request = if *gateway == "doku-rsa" {
            signed.sign_rsa()
        } else {
            signed.sign()
        };
        assert_eq!(kawal.send(&request).status, 200, "{nth}");
        let seen = assert_arrived(&app, nth + 1, gateway, &request);
        assert_eq!(seen.all("x-kawal-gateway"), [*gateway]);
        assert_eq!(seen.all("x-kawal-client"), [*client]);
        assert_eq!(seen.all("x-kawal-covers"), ["body"]);
        assert_eq!(seen.all("x-kawal-attempt"), ["1"]);
        assert_eq!(seen.all("x-kawal-signed-at"), [time]);
        let id = seen.header("x-kawal-notification-id").unwrap();
        assert!(
            id.len() == 64 && id.bytes().all(|b| b.is_ascii_hexdigit()),
            "{id}"
        );

        // Nobody signs it, so it is for people who trace a payment, and only in the log.
        let line = kawal.notifications(nth + 1).remove(nth);
        assert_eq!(line["reference"], signed.external_id.as_str());
        assert_eq!(line["client"], *client);
        assert_eq!(line["outcome"], "delivered");
    }
}

#[test]
fn headers_that_are_not_demanded_may_be_missing() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let spare = [
        "CHANNEL-ID",
        "X-DEVICE-ID",
        "X-IP-ADDRESS",
        "Authorization-customer",
    ];
    let request = spare
        .iter()
        .fold(snap("{}"), |request, name| request.without(name));
    assert_eq!(kawal.send(&request).status, 200);
    let request = Snap::new("{}").target(QR).sign().without("Content-Type");
    assert_eq!(kawal.send(&request).status, 200);
    assert_eq!(app.count(), 2);
}

#[test]
fn the_scheme_word_is_spelt_in_any_case_and_stripped_once() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let words = ["Bearer", "bearer", "BEARER", "bEaReR"];
    let mut rows = words
        .map(|word| (format!("{word} {APP_TOKEN}"), APP_TOKEN.to_owned()))
        .to_vec();
    rows.push((APP_TOKEN.to_owned(), APP_TOKEN.to_owned()));
    rows.push((format!("Token {APP_TOKEN}"), format!("Token {APP_TOKEN}")));
    rows.push((
        format!("Bearer Bearer {APP_TOKEN}"),
        format!("Bearer {APP_TOKEN}"),
    ));
    rows.push((format!("Bearer{APP_TOKEN}"), format!("Bearer{APP_TOKEN}")));
    for (nth, (header, token)) in rows.iter().enumerate() {
        let signed = Snap::new(format!("{{\"n\":{nth}}}"))
            .token(token)
            .authorization(header);
        assert_eq!(kawal.send(&signed.sign()).status, 200, "{header}");
        assert_eq!(
            app.wait_for(nth + 1)[nth].all("authorization"),
            [header.as_str()]
        );
    }
    // Stripped once and no more: what is left is the token.
    let twice = format!("Bearer Bearer {APP_TOKEN}");
    let signed = Snap::new("{\"n\":\"twice\"}").authorization(&twice);
    assert_eq!(kawal.send(&signed.sign()).status, 401);
    assert_eq!(app.count(), rows.len());
}
