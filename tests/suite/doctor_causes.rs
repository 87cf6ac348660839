//! Every usual mistake is called by its name, and no forgery is taken for one.

use std::collections::BTreeMap;

use crate::harness::clinic::{Shop, clinic};
use crate::harness::gateway::{BRN, PIVOT_KEY};
use crate::harness::genuine::genuine;
use crate::harness::hooks::*;
use crate::harness::{Doku, Qris, Request, Snap, pivot_with, snap};
use crate::mistakes::{Mistake, PAID, mistakes};

/// All that the doctor has a word for.
const WORDS: [&str; 17] = [
    "other-client",
    "secret-whitespace",
    "key-encoding",
    "body-newline",
    "body-minified",
    "body-reserialised",
    "path",
    "public-path",
    "trailing-slash",
    "query",
    "bearer",
    "proof-encoding",
    "letter-case",
    "proof-prefix",
    "time-format",
    "wrong-scheme",
    "wrong-hash",
];

const UNEXPLAINED: &str = "no usual mistake explains it";

#[test]
fn a_mistake_is_called_by_its_name() {
    let doctor = clinic();
    let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for Mistake {
        cause,
        name,
        request,
        ..
    } in mistakes()
    {
        *rows.entry(cause).or_default() += 1;
        let found = doctor.diagnose(&request.bytes());
        let said = found.word("explanation").unwrap_or_default();
        assert!(
            !found.accepted(),
            "{cause}, {name}: {}",
            found.typed.shown()
        );
        if found.cause() != Some(cause) || said.len() < 20 || said.contains(UNEXPLAINED) {
            wrong.push(format!(
                "{name}: not {cause} but {:?}: {said}",
                found.cause()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let words: Vec<_> = rows.keys().copied().collect();
    let mut all = WORDS.to_vec();
    all.sort_unstable();
    assert_eq!(words, all, "each word has a row, and no row another");
}

#[test]
fn a_person_reads_the_same_word() {
    let doctor = clinic();
    let mut told: Vec<&str> = Vec::new();
    for Mistake {
        cause,
        name,
        request,
        ..
    } in mistakes()
    {
        if told.contains(&cause) {
            continue;
        }
        told.push(cause);
        let typed = doctor.ask(&[], &request.bytes());
        assert_eq!(typed.code, Some(1), "{name}: {}", typed.shown());
        let text = typed.text();
        let said = text
            .lines()
            .find(|line| line.trim_start().starts_with("cause:"));
        let said = said.unwrap_or_else(|| panic!("{name}: {text}"));
        let found = doctor.diagnose(&request.bytes());
        let same = said.contains(cause) || said.contains(found.word("explanation").unwrap());
        assert!(same, "{cause}, {name}: {said}");
        assert!(!text.contains(UNEXPLAINED), "{name}: {text}");
    }
    assert_eq!(told.len(), WORDS.len());
}

#[test]
fn a_forgery_is_no_mistake() {
    let doctor = clinic();
    let stranger = "a secret of nobody at all";
    let body = PAID.replace("150000", "990000");
    let words = hex([7; 20]);
    let forged: Vec<(&str, Request)> = vec![
        ("doku", Doku::new(PAID).client(BRN, stranger).sign()),
        ("doku, another amount", Doku::new(PAID).sign().body(&body)),
        (
            "doku, noise",
            Doku::new(PAID)
                .sign()
                .replace("Signature", "HMACSHA256=noise"),
        ),
        ("snap", Snap::new(PAID).client(BRN, stranger).sign()),
        ("snap, another amount", snap(PAID).body(&body)),
        (
            "snap, RSA",
            Snap::new(PAID)
                .target("/rsa/transfer-va/payment")
                .with_signature(&base64([7; 256])),
        ),
        ("qris", Qris::new().set("WORDS", &words).bare()),
        (
            "qris, another invoice",
            Qris::new().signed().set("INVOICE", "1").bare(),
        ),
        ("pivot", pivot_with(stranger, PAID)),
        ("pivot, half of it", pivot_with(&PIVOT_KEY[..12], PAID)),
        (
            "xendit",
            unsigned("xendit", PAID).header("x-callback-token", stranger),
        ),
        (
            "github",
            github(
                PAID.as_bytes(),
                &format!("sha256={}", hex(mac256(stranger, PAID))),
            ),
        ),
        (
            "github, a bit",
            github(PAID.as_bytes(), &format!("sha256={}", hex([0; 32]))),
        ),
        (
            "stripe",
            stripe(&seconds(), &stripe_event(), |text| {
                hex(mac256(stranger, text))
            }),
        ),
        (
            "standard",
            standard("webhook", &seconds(), PAID, |text| {
                v1(mac256(stranger, text))
            }),
        ),
        (
            "svix",
            standard("svix", &seconds(), PAID, |_| v1(vec![7; 32])),
        ),
        (
            "midtrans",
            midtrans(|text| hex(sha512(format!("{text}{stranger}")))),
        ),
        ("adyen", adyen(|text| base64(mac256(stranger, text)))),
        ("shop", Shop::new(PAID).under("sig=AAAA")),
    ];
    assert!(forged.len() > 15);
    for (name, request) in forged {
        let found = doctor.diagnose(&request.bytes());
        assert!(!found.accepted(), "{name}: {}", found.typed.shown());
        assert_eq!(
            found.reason(),
            Some("bad_proof"),
            "{name}: {}",
            found.typed.shown()
        );
        assert!(
            found.value["cause"].is_null(),
            "{name}: {}",
            found.typed.shown()
        );
        assert_eq!(found.word("explanation"), Some(UNEXPLAINED), "{name}");
        let text = doctor.text(&request.bytes());
        assert!(text.contains(UNEXPLAINED), "{name}: {text}");
    }
}

#[test]
fn what_is_genuine_has_no_cause() {
    let doctor = clinic();
    for (name, request) in genuine() {
        let found = doctor.diagnose(&request.bytes());
        assert!(found.accepted(), "{name}: {}", found.typed.shown());
        assert!(
            found.value["cause"].is_null(),
            "{name}: {}",
            found.typed.shown()
        );
        let text = doctor.text(&request.bytes());
        assert!(!text.contains(UNEXPLAINED), "{name}: {text}");
    }
}
