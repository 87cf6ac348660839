//! A key that is somebody else's, or that is read wrongly.

use super::*;
use crate::harness::clinic::{BLANK, NEWLINE, SPACED, SPACED_KEY, SPACED_SECRET};
use crate::harness::gateway::{BRN, BRN_SECRET, MCH_NEW_SECRET, MCH_OLD_SECRET, QRIS_SECRET};
use crate::harness::keys::{OTHER, rsa_signature};
use crate::harness::snap::{RSA_PAYMENT, SNAP_NEW_SECRET};
use crate::harness::{Qris, pivot_with};

pub fn rows() -> Vec<Mistake> {
    let mut all = because("other-client", others());
    all.extend(because("secret-whitespace", spaced()));
    all.extend(because("key-encoding", encoded()));
    all
}

fn others() -> [Mistake; 10] {
    let rsa = Snap::new(PAID).target(RSA_PAYMENT);
    let by_other = rsa_signature(&OTHER, rsa.rsa_text().as_bytes());
    [
        doku_but("the other client's secret", |d| {
            d.client(BRN, MCH_NEW_SECRET)
        }),
        doku_but("the other client's old secret", |d| {
            d.client(BRN, MCH_OLD_SECRET)
        }),
        doku_but("another gateway's secret", |d| d.client(BRN, SNAP_SECRET)),
        snap_but("the other client's, for SNAP", |s| {
            s.client(BRN, SNAP_NEW_SECRET)
        }),
        snap_but("the secret of DOKU's other API", |s| {
            s.client(BRN, BRN_SECRET)
        }),
        row("a static key", pivot_with(XENDIT_TOKEN, PAID), Vec::new()),
        row("an RSA key", rsa.with_signature(&by_other), Vec::new()),
        tripay_as("a key over the body", &hex(mac256(GITHUB_KEY, PAID))),
        standard_as("a key in base64", |text| v1(mac256(SVIX_BYTES, text))),
        qris_with("a digest", BRN_SECRET),
    ]
}

fn spaced() -> [Mistake; 9] {
    let doku = |name, secret: String| doku_but(name, |d| d.client(BRN, &secret));
    let in_file = |name, id: &str| {
        let sent = Doku::new(PAID).target(SPACED).client(id, SPACED_SECRET);
        row(name, sent.sign(), Vec::new())
    };
    let unspaced = unsigned("pivot-spaced", PAID).header("X-API-Key", SPACED_KEY);
    [
        doku("a newline after it", format!("{BRN_SECRET}\n")),
        doku("a blank after it", format!("{BRN_SECRET} ")),
        doku("a blank before it", format!(" {BRN_SECRET}")),
        doku("carriage return and newline", format!("{BRN_SECRET}\r\n")),
        snap_but("a newline after SNAP's", |s| {
            s.client(BRN, &format!("{SNAP_SECRET}\n"))
        }),
        qris_with("a newline in a digest", &format!("{QRIS_SECRET}\n")),
        in_file("a blank in the file", BLANK),
        in_file("two newlines in the file", NEWLINE),
        row("a blank in the file of a static key", unspaced, Vec::new()),
    ]
}

fn encoded() -> [Mistake; 5] {
    let code = STANDARD_KEY.trim_start_matches("whsec_");
    let by_text = adyen(|text| base64(mac256(ADYEN_KEY, text)));
    [
        standard_as("base64 as text", |text| v1(mac256(code, text))),
        standard_as("base64 and its prefix as text", |text| {
            v1(mac256(STANDARD_KEY, text))
        }),
        stripe_as("text as base64", |text| hex(mac256(STRIPE_BYTES, text))),
        row("hex as text", by_text, Vec::new()),
        tripay_as("text as hex", &hex(mac256(TRIPAY_BYTES, PAID))),
    ]
}

fn qris_with(name: &'static str, secret: &str) -> Mistake {
    let mut sent = Qris::new();
    sent.secret = secret.to_owned();
    row(name, sent.sign(), Vec::new())
}
