//! The right proof in the wrong writing, or one of another kind.

use jiff::Timestamp;

use super::*;
use crate::harness::Qris;
use crate::harness::clinic::Shop;
use crate::harness::gateway::written;
use crate::harness::snap::{B2B_PAYMENT, B2B_RSA_PAYMENT, hmac_sha512, jakarta_time, sha256_hex};

pub fn rows() -> Vec<Mistake> {
    let mut all = because("proof-encoding", encodings());
    all.extend(because("letter-case", cases()));
    all.extend(because("proof-prefix", prefixes()));
    all.extend(because("time-format", times()));
    all.extend(because("wrong-scheme", schemes()));
    all.extend(because("wrong-hash", hashes()));
    all
}

fn mac(doku: &Doku) -> Vec<u8> {
    mac256(&doku.secret, doku.component())
}

fn encodings() -> [Mistake; 8] {
    let github = mac256(GITHUB_KEY, PAID);
    [
        doku_as("hex for base64", |d| format!("HMACSHA256={}", hex(mac(d)))),
        doku_as("the URL alphabet", |d| {
            format!("HMACSHA256={}", base64url(mac(d)))
        }),
        doku_as("base64 of hex", |d| {
            format!("HMACSHA256={}", base64(hex(mac(d))))
        }),
        snap_as("hex for SNAP", |s| hex(mac512(SNAP_SECRET, s.text()))),
        github_as("base64 for hex", &format!("sha256={}", base64(github))),
        standard_as("hex in a list", |t| {
            format!("v1,{}", hex(mac256(STANDARD_BYTES, t)))
        }),
        stripe_as("base64 in a list", |t| base64(mac256(STRIPE_KEY, t))),
        midtrans_as("base64 in a body", |t| base64(sha512(t))),
    ]
}

fn cases() -> [Mistake; 4] {
    let github = hex(mac256(GITHUB_KEY, PAID)).to_uppercase();
    let shouted = |s: &Snap| {
        let digest = sha256_hex(PAID.as_bytes());
        s.text().replace(&digest, &digest.to_uppercase())
    };
    [
        github_as("a proof in capitals", &format!("sha256={github}")),
        midtrans_as("a digest in capitals", |t| hex(sha512(t)).to_uppercase()),
        snap_as("the body's digest in capitals", |s| {
            hmac_sha512(SNAP_SECRET.as_bytes(), &shouted(s))
        }),
        snap_but("the method in small letters", |s| s.method("post")),
    ]
}

fn prefixes() -> [Mistake; 5] {
    let github = hex(mac256(GITHUB_KEY, PAID));
    [
        doku_as("no prefix", |d| base64(mac(d))),
        doku_as("two prefixes", |d| {
            format!("HMACSHA256=HMACSHA256={}", base64(mac(d)))
        }),
        github_as("no prefix before hex", &github),
        github_as(
            "two prefixes before hex",
            &format!("sha256=sha256={github}"),
        ),
        standard_as("no prefix in a list", |t| base64(mac256(STANDARD_BYTES, t))),
    ]
}

fn times() -> [Mistake; 5] {
    let now = Timestamp::now();
    let zulu = written(now);
    let unwritten = Doku::new(PAID).at(&zulu.replace('T', " ").replace('Z', ""));
    let mut shop = Shop::new(PAID);
    let sent = shop.clone();
    shop.time = sent.time.trim_end_matches("000").to_owned();
    let proof = format!("sig={}", base64url(shop.mac()));
    let rfc3339 = |text: &str| {
        let mut parts = text.splitn(3, '.');
        let (id, time) = (parts.next().unwrap(), parts.next().unwrap());
        let time = written(Timestamp::from_second(time.parse().unwrap()).unwrap());
        v1(mac256(STANDARD_BYTES, format!("{id}.{time}.{PAID}")))
    };
    [
        sent_and_signed(
            "Jakarta's time was signed",
            Doku::new(PAID).at(&zulu),
            |d| d.at(&jakarta_time(now)),
        ),
        snap_but("UTC was signed", |s| {
            let moment: Timestamp = s.timestamp.parse().unwrap();
            s.at(&written(moment))
        }),
        standard_as("RFC 3339 was signed", rfc3339),
        row("seconds were signed", sent.under(&proof), sent.mac()),
        row("no RFC 3339 was sent", unwritten.sign(), Vec::new()),
    ]
}

fn schemes() -> [Mistake; 5] {
    let rsa = Snap::new(PAID).target(B2B_PAYMENT);
    let symmetric = Snap::new(PAID).target(B2B_RSA_PAYMENT);
    let body = hex(mac256(GITHUB_KEY, PAID));
    let by_tripay = unsigned("github", PAID).header("X-Callback-Signature", body);
    let as_svix = standard("svix", &seconds(), PAID, |text| {
        v1(mac256(STANDARD_BYTES, text))
    })
    .target(&hook("standard-webhooks"));
    let snap = Snap::new(PAID).target("/payments/notifications");
    [
        row(
            "RSA where a secret signs",
            rsa.sign_rsa(),
            mac512(SNAP_SECRET, rsa.text()),
        ),
        row("a secret where RSA signs", symmetric.sign(), Vec::new()),
        row(
            "Tripay's header for GitHub's",
            by_tripay,
            mac256(GITHUB_KEY, PAID),
        ),
        row("Svix's headers for the standard's", as_svix, Vec::new()),
        row("SNAP on the other API's route", snap.sign(), Vec::new()),
    ]
}

fn hashes() -> [Mistake; 6] {
    let mut sha256_words = Qris::new();
    let fields = ["ISSUERID", "TXNDATE", "MERCHANTPAN", "INVOICE"];
    let text: String = fields
        .map(|name| sha256_words.field(name).to_owned())
        .concat();
    let words = hex(sha256(text + &sha256_words.secret));
    sha256_words = sha256_words.set("WORDS", &words);
    [
        doku_as("SHA-512 for SHA-256", |d| {
            format!("HMACSHA256={}", base64(mac512(&d.secret, d.component())))
        }),
        doku_as("SHA-1 for SHA-256", |d| {
            format!("HMACSHA256={}", base64(mac1(&d.secret, d.component())))
        }),
        snap_as("SHA-256 for SHA-512", |s| {
            base64(mac256(SNAP_SECRET, s.text()))
        }),
        github_as(
            "SHA-1 for GitHub",
            &format!("sha256={}", hex(mac1(GITHUB_KEY, PAID))),
        ),
        midtrans_as("a digest by SHA-256", |t| hex(sha256(t))),
        row("words by SHA-256", sha256_words.bare(), Vec::new()),
    ]
}
