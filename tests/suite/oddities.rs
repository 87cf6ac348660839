//! Requests at the edges of what is genuine, fresh or HTTP.

use std::time::Duration;

use crate::harness::clinic::Shop;
use crate::harness::gateway::{BRN, BRN_SECRET, MCH, MCH_OLD_SECRET};
use crate::harness::hooks::*;
use crate::harness::tokens::bearing;
use crate::harness::{
    Doku, Qris, Request, Snap, TokenRequest, ago, ahead, doku, pivot, pivot_with,
};

/// Heads and bodies that are read in one way or not at all.
pub fn broken() -> Vec<(&'static str, Vec<u8>)> {
    let length = |text: &str| doku("{}").header("Content-Length", text).bytes();
    let raw = |from: &str, to: &str| {
        let bytes = doku("{}").bytes();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1).into_bytes()
    };
    let many = (0..300).fold(doku("{}"), |request, n| {
        request.header(&format!("X-{n}"), "x")
    });
    let chunks = |coding: &str, body: &str| {
        let head = doku("{}").body("").header("Transfer-Encoding", coding);
        [head.bytes(), body.as_bytes().to_vec()].concat()
    };
    vec![
        ("HTTP/1.0", raw("HTTP/1.1", "HTTP/1.0")),
        ("no Host", raw("Host: merchant.example\r\n", "")),
        (
            "two Hosts",
            doku("{}").header("Host", "other.example").bytes(),
        ),
        (
            "both framings",
            doku("{}").chunked(1).header("Content-Length", "2").bytes(),
        ),
        (
            "two lengths",
            doku("{}")
                .header("Content-Length", "2")
                .header("Content-Length", "2")
                .bytes(),
        ),
        ("a length with a plus", length("+2")),
        ("a length in a list", length("2, 2")),
        ("a length in hex", length("0x2")),
        (
            "two codings",
            chunks("gzip, chunked", "2\r\n{}\r\n0\r\n\r\n"),
        ),
        (
            "chunked twice",
            chunks("chunked, chunked", "2\r\n{}\r\n0\r\n\r\n"),
        ),
        (
            "a chunk's size with a plus",
            chunks("chunked", "+2\r\n{}\r\n0\r\n\r\n"),
        ),
        (
            "an unknown expectation",
            doku("{}").header("Expect", "a-miracle").bytes(),
        ),
        ("a blank before a colon", raw("Client-Id:", "Client-Id :")),
        ("a folded line", raw("Client-Id: ", "Client-Id:\r\n ")),
        (
            "a value in Latin-1",
            doku("{}").header("X-Name", b"caf\xe9").bytes(),
        ),
        (
            "a signed value in Latin-1",
            doku("{}").replace("Request-Id", b"caf\xe9").bytes(),
        ),
        (
            "a control character",
            doku("{}").header("X-Name", b"a\x01b").bytes(),
        ),
        (
            "a head above its limit",
            doku("{}").header("X-Long", "x".repeat(40_000)).bytes(),
        ),
        ("very many lines", many.bytes()),
        (
            "a body above its limit",
            doku("x".repeat(1_100_000)).bytes(),
        ),
        (
            "a fragment in the target",
            doku("{}").target("/payments/notifications#x").bytes(),
        ),
        (
            "a space in the target",
            doku("{}").target("/payments/ notifications").bytes(),
        ),
        (
            "a letter beyond ASCII in the target",
            doku("{}").target("/payments/notifications?é").bytes(),
        ),
    ]
}

/// Whole messages that are genuine, or are not.
pub fn odd() -> Vec<(&'static str, Request)> {
    let minute = Duration::from_secs(60);
    let at = |moment: String| Doku::new("{}").at(&moment).sign();
    let shop = Shop::new("{}").sign();
    vec![
        (
            "the old secret of a rotation",
            Doku::new("{}").client(MCH, MCH_OLD_SECRET).sign(),
        ),
        ("a minute old", at(ago(minute))),
        ("almost too old", at(ago(minute * 4))),
        ("two days old", at(ago(minute * 60 * 48))),
        ("a minute ahead", at(ahead(minute))),
        ("an hour ahead", at(ahead(minute * 60))),
        (
            "a time with a fraction",
            at("2026-01-01T00:00:00.5Z".to_owned()),
        ),
        ("no time", doku("{}").without("Request-Timestamp")),
        ("no real time", at("2026-02-30T00:00:00Z".to_owned())),
        (
            "a stranger",
            Doku::new("{}").client("BRN-1", BRN_SECRET).sign(),
        ),
        ("no client", doku("{}").without("Client-Id")),
        ("two clients", doku("{}").double_after("Client-Id", BRN)),
        ("no proof", doku("{}").without("Signature")),
        ("two proofs", doku("{}").double_after("Signature", "x")),
        ("an empty proof", doku("{}").blank("Signature")),
        ("another body", doku("{}").body("{ }")),
        ("no route", doku("{}").target("/nowhere")),
        (
            "dots in the path",
            doku("{}").target("/payments/./notifications"),
        ),
        (
            "another case of the path",
            doku("{}").target("/PAYMENTS/notifications"),
        ),
        ("a GET", doku("{}").method("GET")),
        ("a method of nobody", doku("{}").method("FROB")),
        (
            "a query that is signed",
            Doku::new("{}").target("/payments/notifications?a=1").sign(),
        ),
        (
            "a query that is not signed",
            doku("{}").target("/payments/notifications?a=1"),
        ),
        (
            "a parameter twice",
            Qris::new()
                .set("X", "1")
                .sign()
                .target("/payments/qris?WORDS=1&WORDS=2"),
        ),
        ("QRIS without its words", Qris::new().bare()),
        (
            "QRIS in both places",
            Qris::new().form().target("/payments/qris?A=1"),
        ),
        (
            "QRIS for any merchant",
            Qris::new().set("MERCHANTPAN", "12").sign(),
        ),
        ("a key of nobody", pivot_with("nobody's key at all", "{}")),
        ("no key", pivot("{}").without("X-API-Key")),
        ("a test event", pivot(r#"{"event":"PAYMENT.TEST"}"#)),
        ("a token of nobody", bearing("x.y.z").sign()),
        (
            "a token request, old",
            TokenRequest::new().at(&ago(minute * 60)).sign(),
        ),
        (
            "a token request, unsigned",
            TokenRequest::new().with_signature("AAAA"),
        ),
        (
            "SNAP that is no JSON",
            Snap::new("not json").hashing_raw().sign(),
        ),
        ("SNAP without a body", Snap::new("").sign()),
        (
            "SNAP without X-EXTERNAL-ID",
            Snap::new("{}").sign().without("X-EXTERNAL-ID"),
        ),
        (
            "a shop's note without a value",
            shop.clone().blank("X-Shop-Note"),
        ),
        ("a shop's time in seconds", {
            let mut s = Shop::new("{}");
            s.time = seconds();
            s.sign()
        }),
        ("an item without a proof", adyen(|_| String::new())),
        (
            "stripe without an id",
            stripe(&seconds(), "{}", |t| hex(mac256(STRIPE_KEY, t))),
        ),
        ("a webhook whose id has a stop", {
            let time = seconds();
            let proof = v1(mac256(STANDARD_BYTES, format!("a.b.{time}.{{}}")));
            unsigned("standard-webhooks", "{}")
                .header("webhook-id", "a.b")
                .header("webhook-timestamp", &time)
                .header("webhook-signature", proof)
        }),
    ]
}
