//! What the app sees in header lines: the sender's own, less what a stranger could abuse, and ours.

use jiff::Timestamp;

use crate::harness::gateway::{BRN, PAN};
use crate::harness::{App, Config, Doku, Kawal, Qris, Request, doku, pivot, unique};

/// Everything that Kawal adds.
const OURS: [&str; 6] = [
    "X-Kawal-Gateway",
    "X-Kawal-Client",
    "X-Kawal-Notification-Id",
    "X-Kawal-Signed-At",
    "X-Kawal-Covers",
    "X-Kawal-Attempt",
];

#[test]
fn names_keep_the_letter_case_of_the_sender() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let request = doku("{}")
        .header("x-oDD-CaSe", "kept")
        .header("lower-case", "kept");

    assert_eq!(kawal.send(&request).status, 200);
    let seen = app.only();
    for (name, value) in &request.headers {
        let line = (name.clone(), value.clone());
        assert!(seen.headers.contains(&line), "{name} changed: {seen:?}");
    }
}

#[test]
fn names_of_the_proof_are_read_in_any_letter_case_and_kept_so() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let request = doku("{}")
        .rename("Client-Id", "client-id")
        .rename("Request-Id", "REQUEST-ID")
        .rename("Signature", "signaturE");

    assert_eq!(kawal.send(&request).status, 200);
    let seen = app.only();
    for name in ["client-id", "REQUEST-ID", "Request-Timestamp", "signaturE"] {
        assert!(seen.names().contains(&name), "{name}: {:?}", seen.names());
    }
}

#[test]
fn nothing_is_added_that_is_not_documented() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let request = doku("{}");

    assert_eq!(kawal.send(&request).status, 200);
    let seen = app.only();
    for name in seen.names() {
        let sent = request.headers.iter().any(|(n, _)| n == name);
        // A connection's own lines are between Kawal and the app.
        let framing = ["content-length", "connection"].contains(&&*name.to_ascii_lowercase());
        assert!(sent || framing || OURS.contains(&name), "{name} came up");
        assert_eq!(seen.all(name).len(), 1, "{name} is there twice");
    }
}

#[test]
fn a_doku_notification_carries_what_its_proof_says() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let signed = Doku::new("{}");

    assert_eq!(kawal.send(&signed.sign()).status, 200);
    let seen = app.only();
    assert_eq!(seen.all("x-kawal-gateway"), ["doku"]);
    assert_eq!(seen.all("x-kawal-client"), [BRN]);
    assert_eq!(seen.all("x-kawal-covers"), ["body"]);
    assert_eq!(seen.all("x-kawal-attempt"), ["1"]);
    assert!(!seen.has("x-kawal-verdict"));
    let at = seen.header("x-kawal-signed-at").unwrap();
    assert!(at.ends_with('Z'), "{at} is not written in UTC");
    let moments = [at, signed.timestamp].map(|text| text.parse::<Timestamp>().unwrap());
    assert_eq!(moments[0], moments[1]);
    assert_is_identity(&seen.header("x-kawal-notification-id").unwrap());

    let line = kawal.notifications(1).remove(0);
    assert_eq!(line["gateway"], "doku");
    assert_eq!(line["route"], "/payments/notifications");
    assert_eq!(line["client"], BRN);
    assert_eq!(line["outcome"], "delivered");
    assert_eq!(line["id"], seen.header("x-kawal-notification-id").unwrap());
    assert!(line.get("reason").is_none(), "{line}");
}

#[test]
fn a_qris_notification_names_the_fields_that_are_covered() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));

    assert_eq!(kawal.send(&Qris::new().sign()).status, 200);
    let seen = app.only();
    assert_eq!(seen.all("x-kawal-gateway"), ["doku-qris"]);
    assert_eq!(seen.all("x-kawal-client"), [PAN]);
    let covers = seen.header("x-kawal-covers").unwrap();
    assert_eq!(covers, "fields:ISSUERID,TXNDATE,MERCHANTPAN,INVOICE");
    assert_is_identity(&seen.header("x-kawal-notification-id").unwrap());
}

#[test]
fn a_pivot_callback_is_covered_by_nothing_and_loses_its_key() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for (nth, name) in ["X-API-Key", "x-api-key"].iter().enumerate() {
        let request = pivot(unique("body")).rename("X-API-Key", name);
        assert_eq!(kawal.send(&request).status, 200);
        let seen = app.wait_for(nth + 1).remove(nth);
        assert!(!seen.has("x-api-key"), "the key went through");
        assert!(!seen.has("x-kawal-client"));
        assert!(!seen.has("x-kawal-signed-at"));
        assert_eq!(seen.all("x-kawal-gateway"), ["pivot"]);
        assert_eq!(seen.all("x-kawal-covers"), ["nothing"]);
        assert_eq!(seen.all("accept"), ["application/JSON"]);
        assert_is_identity(&seen.header("x-kawal-notification-id").unwrap());
    }
}

#[test]
fn two_notifications_have_two_identities() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for _ in 0..2 {
        assert_eq!(kawal.send(&doku("{}")).status, 200);
    }
    let seen = app.wait_for(2);
    let ids = seen.iter().map(|s| s.header("x-kawal-notification-id"));
    let ids: Vec<_> = ids.collect();
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn nobody_else_speaks_in_our_name() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let request = doku("{}")
        .header("X-Kawal-Gateway", "forged")
        .header("x-kawal-client", "forged")
        .header("X-KAWAL-VERDICT", "forged")
        .header("X-Kawal-Attempt", "forged")
        .header("X-Kawal-Anything", "forged")
        .header("X_Kawal_Gateway", "forged")
        .header("x_kawal-notification_id", "forged");

    assert_eq!(kawal.send(&request).status, 200);
    let seen = app.only();
    let forged: Vec<_> = seen
        .headers
        .iter()
        .filter(|(_, v)| v == b"forged")
        .collect();
    assert!(forged.is_empty(), "{forged:?}");
    assert_eq!(seen.all("x-kawal-gateway"), ["doku"]);
}

#[test]
fn names_with_an_underscore_are_dropped_and_never_read() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let genuine = doku("{}");
    let aliased = genuine.clone().rename("Signature", "Signature_");
    let spelt = genuine.clone().rename("Client-Id", "Client_Id");
    for request in [aliased, spelt] {
        assert_eq!(kawal.send(&request).status, 401);
    }
    assert_eq!(app.count(), 0);

    // PHP reads each of these as the name with a hyphen.
    let beside = genuine
        .header("Client_Id", "other")
        .header("Client.Id", "other")
        .header("X.Kawal.Gateway", "other")
        .header("_", "other");
    assert_eq!(kawal.send(&beside).status, 200);
    let names = app.only();
    let names: Vec<_> = names.names();
    assert!(
        names.iter().all(|name| !name.contains(['_', '.'])),
        "{names:?}"
    );
}

#[test]
fn nobody_can_take_a_proven_header_from_the_app() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let genuine = doku("{}");
    for name in ["Client-Id", "request-id", "Request-Timestamp", "Signature"] {
        let taken = genuine
            .clone()
            .header("Connection", format!("close, {name}"));
        assert_eq!(kawal.send(&taken).status, 401, "{name}");
    }
    for name in ["Host", "content-type", "Content-Length"] {
        let taken = genuine
            .clone()
            .header("Connection", format!("close, {name}"));
        assert_eq!(kawal.send(&taken).status, 400, "{name}");
    }
    assert_eq!(app.count(), 0);
    assert_eq!(kawal.send(&genuine).status, 200);
}

#[test]
fn lines_of_one_connection_end_with_it() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let request = doku("{}")
        .header("Connection", "keep-alive, X-Nominated , X-Kawal-Gateway")
        .header("X-Nominated", "hop")
        .header("Keep-Alive", "timeout=5")
        .header("Proxy-Connection", "keep-alive")
        .header("TE", "trailers")
        .header("Trailer", "X-Later");

    assert_eq!(kawal.send(&request).status, 200);
    let seen = app.only();
    for name in [
        "x-nominated",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
    ] {
        assert!(!seen.has(name), "{name} went through");
    }
    let connection = seen.header("connection").unwrap_or_default();
    assert!(
        !connection.to_ascii_lowercase().contains("x-"),
        "{connection}"
    );
    // What we add is not the sender's to take away.
    assert_eq!(seen.all("x-kawal-gateway"), ["doku"]);
}

#[test]
fn the_host_stays_what_the_gateway_asked_for() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let request = doku("{}").replace("Host", "pay.merchant.example:8443");

    assert_eq!(kawal.send(&request).status, 200);
    assert_eq!(app.only().all("host"), ["pay.merchant.example:8443"]);
}

#[test]
fn a_repeated_line_that_proves_nothing_arrives_twice_in_order() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let request: Request = doku("{}").header("X-Trace", "a").header("X-Trace", "b");

    assert_eq!(kawal.send(&request).status, 200);
    assert_eq!(app.only().all("x-trace"), ["a", "b"]);
}

fn assert_is_identity(text: &str) {
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    assert_eq!(text.len(), 64, "{text}");
    assert!(text.bytes().all(hex), "{text}");
}
