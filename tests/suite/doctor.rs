//! `kawal verify`: what a captured request may look like, and which step of the judgement it fails.

use std::time::Duration;

use crate::harness::clinic::clinic;
use crate::harness::gateway::{BRN, BRN_SECRET};
use crate::harness::genuine::genuine;
use crate::harness::snap::B2B_PAYMENT;
use crate::harness::tokens::{b2b_jwt, b2b_key, bearing};
use crate::harness::{
    Config, Doctor, Doku, Qris, Request, Snap, ago, ahead, doku, now, pivot, snap,
};

const MINUTE: Duration = Duration::from_secs(60);
const STEPS: [&str; 9] = [
    "request", "route", "method", "proof", "client", "time", "token", "convert", "ledger",
];

#[test]
fn what_is_genuine_is_accepted_in_every_step() {
    let doctor = clinic();
    let all = genuine();
    assert!(all.len() > 15);
    for (name, request) in all {
        let found = doctor.diagnose(&request.bytes());
        let shown = found.typed.shown();
        assert!(found.accepted(), "{name}: {shown}");
        assert!(found.value["reason"].is_null(), "{name}: {shown}");
        assert!(found.steps("failed").is_empty(), "{name}: {shown}");
        let steps = found.value["steps"].as_array().unwrap();
        assert!(steps.len() >= 4, "{name}: {shown}");
        for step in steps {
            assert!(
                STEPS.contains(&step["step"].as_str().unwrap()),
                "{name}: {shown}"
            );
            assert!(
                ["ok", "skipped"].contains(&step["outcome"].as_str().unwrap()),
                "{name}: {shown}"
            );
            assert!(step["says"].is_string(), "{name}: {shown}");
        }
        for step in ["route", "method", "proof"] {
            assert!(found.steps("ok").contains(&step), "{name}: {step}: {shown}");
        }
        assert!(found.typed.stderr.is_empty(), "{name}: {shown}");
    }
}

#[test]
fn a_refusal_names_its_step_and_its_reason() {
    let doctor = clinic();
    let old = Doku::new("{}").at(&ago(MINUTE * 60 * 48)).sign();
    let early = Doku::new("{}").at(&ahead(MINUTE * 60)).sign();
    let stranger = Doku::new("{}").client("BRN-9999-1", BRN_SECRET).sign();
    let ended = b2b_jwt()
        .claim("iat", 1_700_000_000)
        .claim("exp", 1_700_000_900);
    let rows: Vec<(&str, &str, &str, Request)> = vec![
        (
            "a path of nobody",
            "route",
            "no_route",
            doku("{}").target("/elsewhere"),
        ),
        (
            "another spelling of a path",
            "route",
            "malformed",
            doku("{}").target("/payments//notifications"),
        ),
        (
            "another method",
            "method",
            "method",
            doku("{}").method("GET"),
        ),
        (
            "no signature",
            "proof",
            "missing_proof",
            doku("{}").without("Signature"),
        ),
        (
            "an empty signature",
            "proof",
            "missing_proof",
            doku("{}").blank("Signature"),
        ),
        (
            "no signed value",
            "proof",
            "missing_proof",
            doku("{}").without("Request-Id"),
        ),
        (
            "no key",
            "proof",
            "missing_proof",
            pivot("{}").without("X-API-Key"),
        ),
        (
            "a wrong signature",
            "proof",
            "bad_proof",
            doku("{}").body("{ }"),
        ),
        (
            "two signatures",
            "proof",
            "bad_proof",
            doku("{}").double_after("Signature", "HMACSHA256=AAAA"),
        ),
        ("a stranger", "client", "unknown_client", stranger),
        (
            "a stranger's SNAP",
            "client",
            "unknown_client",
            Snap::new("{}").client("BRN-9", "whatever").sign(),
        ),
        ("two days old", "time", "stale", old),
        ("an hour ahead", "time", "future", early),
        (
            "a token of nobody",
            "token",
            "bad_token",
            bearing("not.a.token").sign(),
        ),
        (
            "a token that has ended",
            "token",
            "bad_token",
            bearing(&ended.hs256(&b2b_key())).sign(),
        ),
        ("a parameter twice", "convert", "malformed", {
            let request = Qris::new().sign();
            let target = format!("{}&AMOUNT=1.00", request.target);
            request.target(&target)
        }),
    ];
    for (name, step, reason, request) in rows {
        let found = doctor.diagnose(&request.bytes());
        let shown = found.typed.shown();
        assert!(!found.accepted(), "{name}: {shown}");
        assert_eq!(found.steps("failed"), [step], "{name}: {shown}");
        assert_eq!(found.reason(), Some(reason), "{name}: {shown}");
        let text = doctor.text(&request.bytes());
        assert!(
            text.contains(step) && text.contains("rejected"),
            "{name}: {text}"
        );
    }
}

#[test]
fn the_time_of_the_judgement_can_be_told() {
    let doctor = clinic();
    let old = Doku::new("{}").at("2024-02-29T10:00:00Z").sign().bytes();
    assert_eq!(doctor.diagnose(&old).reason(), Some("stale"));
    for at in [
        "2024-02-29T10:00:00Z",
        "2024-02-29T17:01:00+07:00",
        "1709200800",
    ] {
        let found = doctor.diagnose_with(&["--at", at], &old);
        assert!(found.accepted(), "{at}: {}", found.typed.shown());
    }
    let found = doctor.diagnose_with(&["--at", "2024-02-29T08:00:00Z"], &old);
    assert_eq!(found.reason(), Some("future"));
    for at in ["yesterday", "", "2024-02-30T10:00:00Z", "17092008OO"] {
        let typed = doctor.ask(&["--at", at], &old);
        assert_eq!(typed.code, Some(64), "{at}: {}", typed.shown());
        assert!(!typed.stderr.is_empty(), "{at}");
    }
}

#[test]
fn a_diagnosis_says_whose_notification_it_is() {
    let found = clinic().diagnose(&doku("{}").bytes());
    for (key, value) in [
        ("route", "/payments/notifications"),
        ("gateway", "doku"),
        ("scheme", "doku"),
        ("client", BRN),
        ("covers", "body"),
    ] {
        assert_eq!(found.word(key), Some(value), "{}", found.typed.shown());
    }
    let found = clinic().diagnose(&Qris::new().sign().bytes());
    let covers = found.word("covers").unwrap();
    assert!(covers.starts_with("fields:"), "{covers}");
    assert_eq!(
        clinic().diagnose(&pivot("{}").bytes()).word("covers"),
        Some("nothing")
    );
}

#[test]
fn a_diagnosis_is_the_same_wherever_the_capture_comes_from() {
    let doctor = clinic();
    let capture = doku("{}").bytes();
    let file = doctor.config.folder.path().join("REQUEST.http");
    std::fs::write(&file, &capture).unwrap();
    let at = ["--at", &now()];
    let from_file = doctor.ask_file(&at, &file);
    assert_eq!(from_file.code, Some(0), "{}", from_file.shown());
    assert_eq!(from_file.text(), doctor.ask(&at, &capture).text());
}

#[test]
fn a_path_of_snap_is_refused_without_its_token() {
    let config = Config::to("http://127.0.0.1:9").with_snap();
    let doctor = Doctor::new(config);
    let found = doctor.diagnose(&Snap::new("{}").target(B2B_PAYMENT).sign().bytes());
    assert_eq!(found.reason(), Some("bad_token"), "{}", found.typed.shown());
    assert!(doctor.diagnose(&snap("{}").bytes()).accepted());
}
