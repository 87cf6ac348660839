//! When a token counts: beside a right signature, until its end, and only where Kawal gives tokens.

use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use serde_json::json;

use crate::harness::gateway::{BRN, written};
use crate::harness::snap::{B2B_PAYMENT, B2B_RSA_PAYMENT, PAYMENT, Snap};
use crate::harness::tokens::{access_token, b2b_jwt, b2b_key, bearing};
use crate::harness::{App, Config, Kawal, TokenRequest};
use crate::refusals::{Bench, assert_snap};

const BAD: &[&str] = &["bad_token"];

#[test]
fn a_token_does_not_stand_in_for_a_signature_nor_a_signature_for_a_token() {
    let mut bench = Bench::with(Config::with_snap);
    let token = access_token(&bench.kawal.send(&TokenRequest::new().sign()));
    let right = bearing(&token);
    let forged = right.clone().client(BRN, "SK-of-somebody-else-1");
    bench.unauthorized_snap("25", "a forged signature", &forged.sign(), &["bad_proof"]);
    // Where both are wrong, the signature is what is told of.
    let both = forged.token("token");
    bench.unauthorized_snap("25", "both", &both.sign(), &["bad_proof"]);
    let asymmetric = Snap::new("{}").target(B2B_RSA_PAYMENT);
    let missing = asymmetric.clone().without_token().sign_rsa();
    bench.unauthorized_snap("25", "no token", &missing, &["bad_token", "missing_proof"]);
    bench.unauthorized_snap("25", "an app's token", &asymmetric.sign_rsa(), BAD);
    bench.unauthorized_snap(
        "25",
        "another gateway's",
        &asymmetric.token(&token).sign_rsa(),
        BAD,
    );
    bench.unauthorized_snap("25", "an app's token", &bearing("token").sign(), BAD);
    bench.admits(&right.sign());
}

#[test]
fn without_a_token_route_the_token_is_the_apps_affair() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let ended = b2b_jwt().claim("exp", 1).hs256(&b2b_key());
    for (nth, token) in ["x", "a b", "e30.e30.", &ended].iter().enumerate() {
        let signed = Snap::new(format!("[{nth}]")).target(PAYMENT).token(token);
        assert_eq!(kawal.send(&signed.sign()).status, 200, "{token}");
        assert_eq!(app.count(), nth + 1);
    }
}

#[test]
fn an_end_is_an_end_by_the_signed_time_and_by_the_clock() {
    let mut bench = Bench::with(Config::with_snap);
    let second =
        |offset: i64| Timestamp::from_second(Timestamp::now().as_second() + offset).unwrap();
    // Signed so long ago, with a token that ended so long after or before that.
    let rows = [
        ("at its very end", second(-60), 0),
        ("a second after", second(-60), -1),
        ("just now, a minute after", second(0), -60),
        ("by a clock that is ahead, a second ago", second(200), -201),
    ];
    for (name, at, ends) in rows {
        let token = b2b_jwt()
            .claim("exp", at.as_second() + ends)
            .hs256(&b2b_key());
        let request = bearing(&token).at(&written(at)).sign();
        bench.unauthorized_snap("25", name, &request, BAD);
    }
    let good = [
        (second(-60), 1),
        (second(-60), 30),
        // A gateway's clock that is ahead takes nothing from its token.
        (second(200), -100),
    ];
    for (nth, (at, ends)) in good.into_iter().enumerate() {
        let token = b2b_jwt()
            .claim("exp", at.as_second() + ends)
            .hs256(&b2b_key());
        let signed = Snap::new(format!("[{nth}]"))
            .target(B2B_PAYMENT)
            .token(&token);
        let answer = bench.kawal.send(&signed.at(&written(at)).sign());
        assert_eq!(answer.status, 200, "{at} {ends}: {answer:?}");
    }
    assert_eq!(bench.app.count(), 3);
}

/// Retries come for hours, some as they were first sent: what was good then is still worth delivering.
#[test]
fn a_late_retry_bears_the_token_of_its_time() {
    let app = App::start();
    let window = json!({"max_age": "2s", "max_skew": "5m", "late": "1h"});
    let config = Config::snap(&app).set("gateways.doku-b2b.freshness", window);
    let kawal = Kawal::start(config);
    let signed = Timestamp::from_second(Timestamp::now().as_second() + 3).unwrap();
    let sent = |ends: i64, body: &str| {
        let token = b2b_jwt()
            .claim("exp", signed.as_second() + ends)
            .hs256(&b2b_key());
        let notification = Snap::new(body).target(B2B_PAYMENT).token(&token);
        notification.at(&written(signed)).sign()
    };
    let (good, ended) = (sent(1, "[1]"), sent(0, "[2]"));
    // The wait is what this story is about.
    let late: SystemTime = (signed + Duration::from_millis(3100)).into();
    thread::sleep(late.duration_since(SystemTime::now()).unwrap_or_default());
    assert_snap(&kawal.send(&ended), "4012500", "Unauthorized");
    assert_eq!(kawal.reason(1), "bad_token");
    assert_eq!(app.count(), 0);
    assert_eq!(kawal.send(&good).status, 200);
    assert_eq!(app.count(), 1);
    // A token that somebody asked for then does not open for what is signed now.
    let token = b2b_jwt()
        .claim("exp", signed.as_second() + 1)
        .hs256(&b2b_key());
    assert_eq!(kawal.send(&bearing(&token).sign()).status, 401);
    assert_eq!(kawal.send(&TokenRequest::new().sign()).status, 200);
    assert_eq!(app.count(), 1);
}
