//! The doctor's verdict is the sidecar's, for the same bytes.

use std::time::Duration;

use crate::harness::clinic::{Shop, furnished};
use crate::harness::gateway::{BRN, BRN_SECRET, MCH, MCH_OLD_SECRET};
use crate::harness::genuine::genuine;
use crate::harness::hooks::*;
use crate::harness::tokens::bearing;
use crate::harness::wire::Connection;
use crate::harness::{
    App, Config, Doctor, Doku, Kawal, Qris, Request, Snap, TokenRequest, ago, ahead, doku, pivot,
    pivot_with,
};
use crate::mistakes::mistakes;

/// The sidecar, its app, and a doctor with the same configuration.
struct Pair {
    app: App,
    kawal: Kawal,
    doctor: Doctor,
    told: usize,
}

impl Pair {
    fn new() -> Self {
        let app = App::start();
        let kawal = Kawal::start(furnished(Config::new(&app)));
        let doctor = Doctor {
            file: kawal.config.folder.path().join("config.yaml"),
            config: kawal.config.clone(),
        };
        Self {
            app,
            kawal,
            doctor,
            told: 0,
        }
    }

    /// Shows both the same bytes; the difference, if there is one. The doctor comes first, so that
    /// nothing is told by time that has passed.
    fn differ(&mut self, name: &str, request: &Request) -> Option<String> {
        let bytes = request.bytes();
        let before = self.app.count();
        let found = self.doctor.diagnose(&bytes);
        let mut connection = Connection::open(self.kawal.addr());
        let _ = connection.write(&bytes);
        let answer = connection.read(&request.method).unwrap();
        self.told += 1;
        let line = self.kawal.notifications(self.told)[self.told - 1].clone();
        let accepted = (200..300).contains(&answer.status);
        let reason = line["reason"].as_str();
        let ours = ["token", "test"].contains(&line["outcome"].as_str().unwrap());
        let delivered = ours || self.app.count() > before;
        assert_eq!(accepted, delivered, "{name}: {answer:?}, {line}");
        let same = found.accepted() == accepted && found.reason() == reason;
        let shown = || {
            format!(
                "{name}: {} {reason:?}, but {}",
                answer.status,
                found.typed.shown()
            )
        };
        (!same).then(shown)
    }
}

#[test]
fn of_what_is_genuine() {
    let mut pair = Pair::new();
    let all = genuine();
    let differences: Vec<_> = all.iter().filter_map(|(n, r)| pair.differ(n, r)).collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn of_usual_mistakes() {
    let mut pair = Pair::new();
    let all = mistakes();
    let differences: Vec<_> = all
        .iter()
        .filter_map(|m| pair.differ(m.name, &m.request))
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
    assert_eq!(pair.app.count(), 0, "a mistake reached the app");
}

#[test]
fn of_everything_else() {
    let mut pair = Pair::new();
    let differences: Vec<_> = odd()
        .iter()
        .filter_map(|(n, r)| pair.differ(n, r))
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

fn odd() -> Vec<(&'static str, Request)> {
    let minute = Duration::from_secs(60);
    let at = |moment: String| Doku::new("{}").at(&moment).sign();
    let shop = Shop::new("{}").sign();
    vec![
        (
            "the old secret of a rotation",
            Doku::new("{}").client(MCH, MCH_OLD_SECRET).sign(),
        ),
        ("a minute old", at(ago(minute))),
        (
            "almost too old",
            at(ago(minute * 5 - Duration::from_secs(20))),
        ),
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
