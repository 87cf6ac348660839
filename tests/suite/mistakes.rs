//! Usual mistakes, each made by a gateway that makes it and no other.

mod bodies;
mod keys;
mod paths;
mod spellings;

use std::cell::RefCell;

use crate::harness::hooks::*;
use crate::harness::snap::SNAP_SECRET;
use crate::harness::{Doku, Request, Snap};

/// One request with one mistake.
pub struct Mistake {
    /// The doctor's word for it.
    pub cause: &'static str,
    pub name: &'static str,
    pub request: Request,
    /// The proof that would have held, where a secret makes it.
    pub genuine: Vec<u8>,
}

/// All of them.
pub fn mistakes() -> Vec<Mistake> {
    let mut all = keys::rows();
    all.extend(bodies::rows());
    all.extend(paths::rows());
    all.extend(spellings::rows());
    all
}

/// What they pay.
pub const PAID: &str =
    r#"{"order":{"invoice_number":"INV-1","amount":150000},"note":"two  blanks"}"#;

/// A row whose cause is told later.
fn row(name: &'static str, request: Request, genuine: Vec<u8>) -> Mistake {
    Mistake {
        cause: "",
        name,
        request,
        genuine,
    }
}

/// All these have one cause.
fn because(cause: &'static str, rows: impl IntoIterator<Item = Mistake>) -> Vec<Mistake> {
    let told = |row| Mistake { cause, ..row };
    rows.into_iter().map(told).collect()
}

/// The usual notification, signed as if it had this change.
fn doku_but(name: &'static str, change: impl FnOnce(Doku) -> Doku) -> Mistake {
    sent_and_signed(name, Doku::new(PAID), change)
}

fn sent_and_signed(name: &'static str, sent: Doku, change: impl FnOnce(Doku) -> Doku) -> Mistake {
    let signed = change(sent.clone());
    let request = sent.sign().replace("Signature", signed.signature());
    row(name, request, mac256(&sent.secret, sent.component()))
}

/// Under whatever is made of its text. It looks different in either alphabet of base64.
fn doku_as(name: &'static str, proof: impl FnOnce(&Doku) -> String) -> Mistake {
    let mut all = (0..).map(|n| Doku::new(format!("{{\"n\":{n}}}")));
    let telling = |doku: &Doku| doku.signature().contains(['+', '/']);
    let sent = all.find(telling).unwrap();
    let request = sent.sign().replace("Signature", proof(&sent));
    row(name, request, mac256(&sent.secret, sent.component()))
}

fn snap_but(name: &'static str, change: impl FnOnce(Snap) -> Snap) -> Mistake {
    snap_as(name, |sent| change(sent.clone()).signature())
}

fn snap_as(name: &'static str, proof: impl FnOnce(&Snap) -> String) -> Mistake {
    let sent = Snap::new(PAID);
    let request = sent.with_signature(&proof(&sent));
    row(name, request, mac512(SNAP_SECRET, sent.text()))
}

fn github_as(name: &'static str, proof: &str) -> Mistake {
    let request = github(PAID.as_bytes(), proof);
    row(name, request, mac256(GITHUB_KEY, PAID))
}

fn tripay_as(name: &'static str, proof: &str) -> Mistake {
    let request = unsigned("tripay", PAID).header("X-Callback-Signature", proof);
    row(name, request, mac256(TRIPAY_KEY, PAID))
}

fn standard_as(name: &'static str, proof: impl Fn(&str) -> String) -> Mistake {
    let request = standard("webhook", &seconds(), PAID, proof);
    let (id, time) = (
        request.value("webhook-id"),
        request.value("webhook-timestamp"),
    );
    row(
        name,
        request,
        mac256(STANDARD_BYTES, format!("{id}.{time}.{PAID}")),
    )
}

fn stripe_as(name: &'static str, proof: impl Fn(&str) -> String) -> Mistake {
    let (time, event) = (seconds(), stripe_event());
    let genuine = mac256(STRIPE_KEY, format!("{time}.{event}"));
    row(name, stripe(&time, &event, proof), genuine)
}

fn midtrans_as(name: &'static str, proof: impl Fn(&str) -> String) -> Mistake {
    let signed = RefCell::new(String::new());
    let request = midtrans(|text| {
        text.clone_into(&mut signed.borrow_mut());
        proof(&format!("{text}{MIDTRANS_KEY}"))
    });
    let genuine = sha512(signed.into_inner() + MIDTRANS_KEY);
    row(name, request, genuine)
}
