//! Each request that is answered is counted once, under what it came to, and has one line that says the same.

use std::io::Write;
use std::net::TcpStream;

use serde_json::Value;

use crate::harness::gateway::{BRN, MCH, MCH_NEW_SECRET, MCH_OLD_SECRET};
use crate::harness::snap::RSA_PAYMENT;
use crate::harness::tokens::{access_token, bearing};
use crate::harness::{
    App, Config, Connection, Doku, Kawal, Notice, Qris, Reply, Request, Snap, Tally, TokenRequest,
    adyen, doku, kind, pivot, pivot_with,
};

/// A proxy, its app, and a tally of what was sent.
pub struct Bench {
    pub app: App,
    pub kawal: Kawal,
    pub sent: Tally,
}

impl Bench {
    pub fn new(change: impl FnOnce(Config) -> Config) -> Self {
        let app = App::start();
        let config = Config::kinds(&app).with_snap();
        let kawal = Kawal::start(change(config));
        Self {
            app,
            kawal,
            sent: Tally::default(),
        }
    }

    /// Sends it, and expects this status, outcome and reason under this gateway.
    #[track_caller]
    pub fn sends(&mut self, request: &Request, status: u16, counted: (&str, &str, &str)) {
        let answer = self.kawal.send(request);
        assert_eq!(answer.status, status, "{counted:?}: {answer:?}");
        self.sent.add(counted.0, counted.1, counted.2);
    }

    #[track_caller]
    pub fn rejects(&mut self, request: &Request, status: u16, gateway: &str, reason: &str) {
        self.sends(request, status, (gateway, "rejected", reason));
    }

    /// Neither a notification nor a token request.
    #[track_caller]
    pub fn turns_away(&mut self, request: &Request, status: u16, reason: &str) {
        self.sends(request, status, ("", "", reason));
    }

    #[track_caller]
    pub fn is_counted(&self) {
        self.kawal.assert_counted(&self.sent);
    }
}

#[test]
fn every_outcome_is_counted_once() {
    let mut bench = Bench::new(|config| config.on_route("/payments/pivot", "duplicate", "reject"));
    for round in 0..3 {
        let known = doku("{}");
        bench.sends(&known, 200, ("doku", "delivered", ""));
        bench.sends(&known, 200, ("doku", "duplicate", "duplicate"));
        let known = pivot(format!("{round}"));
        bench.sends(&known, 200, ("pivot", "delivered", ""));
        bench.sends(&known, 409, ("pivot", "duplicate", "duplicate"));
        bench.sends(&Qris::new().sign(), 200, ("doku-qris", "delivered", ""));
        let refused = doku("{}");
        bench.app.next(Reply::new(500)).next(Reply::new(302));
        bench.sends(&refused, 500, ("doku", "refused_by_app", ""));
        bench.sends(&refused, 302, ("doku", "refused_by_app", ""));
        bench.sends(&refused, 200, ("doku", "delivered", ""));
        bench.app.next(Reply::hangup());
        bench.sends(&doku("{}"), 502, ("doku", "unknown", "upstream_down"));
        let token = TokenRequest::new();
        bench.sends(&token.sign(), 200, ("doku-b2b", "token", ""));
        // What Pivot sends when somebody presses the button that tests.
        let test = pivot(r#"{"event":"PAYMENT.TEST"}"#);
        bench.sends(&test, 200, ("pivot", "test", ""));
        bench.sends(
            &adyen::batch(&[&adyen::item()]),
            200,
            ("adyen", "delivered", ""),
        );
    }
    bench.is_counted();
    assert_eq!(bench.sent.notifications(), 36);
}

/// The app's answer is its own: nothing of ours is refused, and nothing is a notification.
#[test]
fn what_is_only_passed_through_is_not_counted() {
    let mut bench = Bench::new(|config| config.set("unmatched", "forward"));
    for status in [200, 404, 500] {
        bench.app.next(Reply::new(status));
        let answer = bench.kawal.send(&doku("{}").target("/elsewhere"));
        assert_eq!(answer.status, status);
    }
    bench.sends(&doku("{}"), 200, ("doku", "delivered", ""));
    bench.is_counted();
}

/// A gateway that leaves ends nothing, and is counted all the same.
#[test]
fn whoever_leaves_before_the_answer_is_counted() {
    let mut bench = Bench::new(|config| config);
    bench.app.next(Reply::ok().held());
    let mut leaver = TcpStream::connect(bench.kawal.addr()).unwrap();
    leaver.write_all(&doku("{}").bytes()).unwrap();
    bench.app.wait_for(1);
    drop(leaver);
    bench.app.release();
    bench.sent.add("doku", "delivered", "");
    bench.is_counted();
}

/// Eight senders at once, every one with all that can happen: nothing is lost and nothing is counted twice.
#[test]
fn a_mixed_crowd_is_counted_right() {
    const EACH: usize = 25;
    let mut bench = Bench::new(|config| config);
    bench
        .app
        .answer_with(|request| match request.text().as_str() {
            "refuse" => Reply::new(500),
            "leave" => Reply::hangup(),
            _ => Reply::ok(),
        });
    let address = bench.kawal.addr();
    let crowd = |nth: usize| {
        let mut sent = Tally::default();
        let mut connection = Connection::open(address);
        for (request, status, counted) in (0..EACH).flat_map(|_| mixture(nth)) {
            let answer = connection.send(&request);
            assert_eq!(answer.status, status, "{counted:?}");
            sent.add(counted.0, counted.1, counted.2);
            let closes = answer.header("connection").as_deref() == Some("close");
            if closes {
                connection = Connection::open(address);
            }
        }
        sent
    };
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|nth| scope.spawn(move || crowd(nth))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    for tally in tallies {
        bench.sent.merge(&tally);
    }
    bench.is_counted();
    assert_eq!(bench.sent.notifications(), 8 * EACH as u64 * 11);
}

type Row = (Request, u16, (&'static str, &'static str, &'static str));

fn mixture(sender: usize) -> Vec<Row> {
    let known = doku("{}");
    let snap = Snap::new(format!("{{\"n\":\"{}\"}}", crate::harness::unique("n"))).sign();
    let notice = Notice::new(kind("stripe")).sign();
    let mut rows = vec![
        (known.clone(), 200, ("doku", "delivered", "")),
        (known.clone(), 200, ("doku", "duplicate", "duplicate")),
        (doku("refuse"), 500, ("doku", "refused_by_app", "")),
        (doku("leave"), 502, ("doku", "unknown", "upstream_down")),
        (known.body("other"), 401, ("doku", "rejected", "bad_proof")),
        (snap.clone(), 200, ("doku-snap", "delivered", "")),
        (
            snap.without("X-SIGNATURE"),
            401,
            ("doku-snap", "rejected", "missing_proof"),
        ),
        (notice.clone(), 200, ("stripe", "delivered", "")),
        (notice, 200, ("stripe", "duplicate", "duplicate")),
        (
            pivot_with("a-strange-key", "{}"),
            401,
            ("pivot", "rejected", "bad_proof"),
        ),
        (
            doku("{}").method("GET"),
            405,
            ("doku", "rejected", "method"),
        ),
        (doku("{}").target("/nowhere"), 404, ("", "", "no_route")),
    ];
    let places = rows.len();
    rows.rotate_left(sender % places);
    // A copy must come after what it is a copy of.
    let is_copy = |row: &Row| row.2.1 == "duplicate";
    rows.sort_by_key(is_copy);
    rows
}

/// The token of one is the bearer of another, and each is counted under its own gateway.
#[test]
fn token_and_notification_are_two() {
    let mut bench = Bench::new(|config| config);
    let answer = bench.kawal.send(&TokenRequest::new().sign());
    bench.sent.add("doku-b2b", "token", "");
    let token = access_token(&answer);
    bench.sends(&bearing(&token).sign(), 200, ("doku-b2b", "delivered", ""));
    bench.is_counted();
    let lines = bench.kawal.log();
    let routes: Vec<_> = lines
        .iter()
        .filter_map(|line: &Value| line["route"].as_str())
        .collect();
    assert_eq!(routes.len(), 2, "{routes:?}");
}

/// Whoever rotates a secret sees when nobody signs with the old one any more.
#[test]
fn each_proof_that_holds_is_counted_under_its_key() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let by = |secret: &str| Doku::new("{}").client(MCH, secret).sign();
    for _ in 0..3 {
        kawal.send(&by(MCH_NEW_SECRET));
    }
    let old = by(MCH_OLD_SECRET);
    kawal.send(&old);
    // A copy is signed as well as its first.
    kawal.send(&old);
    kawal.send(&by("a-strange-secret"));
    kawal.send(&old.body("other"));
    kawal.send(&Snap::new("{}").target(RSA_PAYMENT).sign_rsa());
    kawal.send(&TokenRequest::new().sign());
    kawal.send(&pivot("{}"));
    kawal.notifications(10);
    let page = kawal.page();
    let count = |gateway: &str, client: &str, kind: &str, position: &str| {
        let labels = [
            ("gateway", gateway),
            ("client", client),
            ("kind", kind),
            ("position", position),
        ];
        page.value("kawal_key_verifications_total", &labels)
    };
    assert_eq!(count("doku", MCH, "secret", "0"), 3.0);
    assert_eq!(count("doku", MCH, "secret", "1"), 2.0);
    assert_eq!(count("doku", BRN, "secret", "0"), 0.0);
    assert_eq!(count("doku-rsa", BRN, "public_key", "0"), 1.0);
    assert_eq!(count("doku-b2b", BRN, "public_key", "0"), 1.0);
    assert_eq!(count("doku-b2b", BRN, "secret", "0"), 0.0);
    assert_eq!(count("pivot", "", "secret", "0"), 1.0);
    assert_eq!(page.sum("kawal_key_verifications_total", &[]), 8.0);
}
