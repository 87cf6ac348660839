//! Whatever is done to a proof of the other gateways, it no longer passes, and the sender learns nothing from it.

use crate::harness::hashes::{base64, hex, unbase64, unhex};
use crate::harness::*;
use crate::refusals::{Bench, LACKING, MISSING, REPEATED, WRONG, one_bit_off};

const ANY: &[&str] = &[
    "bad_proof",
    "missing_proof",
    "unknown_client",
    "stale",
    "future",
    "unproven",
];

fn bench() -> Bench {
    Bench::with(Config::with_kinds)
}

/// Both the header with the proof and those that are signed besides.
fn demanded(kind: &'static Kind) -> Vec<&'static str> {
    kind.header.iter().chain(kind.signed).copied().collect()
}

#[test]
fn no_demanded_header_may_be_missing_or_empty() {
    let mut bench = bench();
    let mut rows = 0;
    for kind in &KINDS {
        let genuine = Notice::new(kind).sign();
        for header in demanded(kind) {
            let name = format!("{}: {header}", kind.scheme);
            bench.unauthorized(&name, &genuine.clone().without(header), MISSING);
            for value in ["", "   ", "\t"] {
                let blank = genuine.clone().replace(header, value);
                bench.unauthorized(&name, &blank, ANY);
            }
            rows += 1;
        }
    }
    assert!(rows > 15, "the table is thinner than it was: {rows}");
    bench.admits_all();
}

#[test]
fn no_demanded_header_may_be_there_twice() {
    let mut bench = bench();
    for kind in &KINDS {
        let genuine = Notice::new(kind).sign();
        for header in demanded(kind) {
            let name = format!("{}: {header}", kind.scheme);
            let right = genuine.value(header);
            let wrong = one_bit_off(&right, right.len() / 2);
            for value in [right.as_bytes(), &wrong, b""] {
                let before = genuine.clone().double_before(header, value);
                bench.unauthorized(&name, &before, WRONG);
                let after = genuine.clone().double_after(header, value);
                bench.unauthorized(&name, &after, WRONG);
                let elsewhere = genuine.clone().header(&header.to_lowercase(), value);
                bench.unauthorized(&name, &elsewhere, WRONG);
            }
        }
    }
    bench.admits_all();
}

#[test]
fn a_proof_in_the_body_is_there_once() {
    let mut bench = bench();
    let mut rows = 0;
    for kind in KINDS.iter().filter(|kind| kind.header.is_none()) {
        let name = kind.scheme;
        let notice = Notice::new(kind);
        let proof = notice.proof();
        let between = match name {
            "adyen" => r#"","hmacSignature":""#,
            "duitku" => "&signature=",
            "faspay" => r#"","signature":""#,
            _ => r#"","signature_key":""#,
        };
        for value in [proof.as_str(), "0", ""] {
            let after = format!("@PROOF@{between}{value}");
            let before = format!("{value}{between}@PROOF@");
            for place in [after, before] {
                let twice = notice.clone().with("@PROOF@", &place);
                let request = twice.bearing(&proof);
                match name {
                    "duitku" => bench.refused(name, &request, &[REPEATED, 401]),
                    _ => drop(bench.unauthorized(name, &request, WRONG)),
                }
                rows += 1;
            }
        }
        bench.unauthorized(name, &notice.bearing(""), LACKING);
    }
    assert!(rows >= 24, "the table is thinner than it was: {rows}");
    bench.admits_all();
}

#[test]
fn one_bit_of_a_proof_decides() {
    let mut bench = bench();
    for kind in &KINDS {
        let notice = Notice::new(kind);
        let proof = notice.proof();
        let mut rows = 0;
        for at in (0..proof.len()).step_by(5).chain([proof.len() - 1]) {
            let altered = String::from_utf8(one_bit_off(&proof, at)).unwrap();
            if altered.as_bytes()[at].is_ascii_graphic() && altered.as_bytes()[at] != b'"' {
                let name = format!("{} at {at}: {altered}", kind.scheme);
                let request = notice.bearing(&format!("{}{altered}", kind.mark));
                bench.unauthorized(&name, &request, WRONG);
                rows += 1;
            }
        }
        assert!(rows > 4, "{}: {rows}", kind.scheme);
    }
    bench.admits_all();
}

#[test]
fn a_proof_is_whole() {
    let mut bench = bench();
    for kind in &KINDS {
        let notice = Notice::new(kind);
        let (mark, proof) = (kind.mark, notice.proof());
        let half = &proof[..proof.len() / 2 / 4 * 4];
        let zeros: String = proof
            .chars()
            .map(|c| if c == '=' { '=' } else { '0' })
            .collect();
        let rows = [
            ("nothing after the mark", mark.to_owned()),
            (
                "a letter short",
                format!("{mark}{}", &proof[..proof.len() - 1]),
            ),
            ("half", format!("{mark}{half}")),
            ("its first byte", format!("{mark}{}", &proof[..4])),
            ("without its first letter", format!("{mark}{}", &proof[1..])),
            ("a letter more", format!("{mark}{proof}0")),
            ("twice in one", format!("{mark}{proof}{proof}")),
            ("a zero byte's worth more", format!("{mark}{proof}00")),
            ("nothing but zeros", format!("{mark}{zeros}")),
            ("marked otherwise", format!("x{mark}{proof}")),
            ("in quotes", format!("{mark}'{proof}'")),
        ];
        for (name, value) in rows {
            let name = format!("{}: {name}", kind.scheme);
            let request = notice.bearing(&value);
            bench.unauthorized(&name, &request, LACKING);
        }
        if !mark.is_empty() {
            let rows = [
                ("no mark", proof.clone()),
                ("the mark twice", format!("{mark}{mark}{proof}")),
                (
                    "a mark in upper case",
                    format!("{}{proof}", mark.to_uppercase()),
                ),
                ("a blank after the mark", format!("{mark} {proof}")),
                ("half a mark", format!("{}{proof}", &mark[1..])),
            ];
            for (name, value) in rows {
                let name = format!("{}: {name}", kind.scheme);
                bench.unauthorized(&name, &notice.bearing(&value), LACKING);
            }
        }
    }
    bench.admits_all();
}

/// There is one way to write a proof: readers that take two are asked with the other one.
#[test]
fn a_proof_has_one_spelling() {
    let mut bench = bench();
    let mut rows = 0;
    for kind in KINDS.iter().filter(|kind| kind.scheme != "xendit") {
        let notice = Notice::new(kind);
        let proof = notice.proof();
        let is_hex = proof.bytes().all(|b| b.is_ascii_hexdigit());
        let others = match is_hex {
            true => {
                let bytes = unhex(&proof);
                vec![
                    proof.to_uppercase(),
                    base64(&bytes),
                    base64(proof.as_bytes()),
                    format!("0x{proof}"),
                    hex(proof.as_bytes()),
                ]
            }
            false => {
                let bytes = unbase64(&proof);
                let bare = proof.trim_end_matches('=').to_owned();
                vec![
                    hex(&bytes),
                    base64(hex(&bytes).as_bytes()),
                    base64(proof.as_bytes()),
                    proof.replace('+', "-").replace('/', "_"),
                    bare.replace('+', "-").replace('/', "_"),
                    bare,
                    format!("{proof}="),
                    format!("{}\t{}", &proof[..8], &proof[8..]),
                ]
            }
        };
        for other in others {
            // By chance some have neither plus nor slash.
            if other != proof {
                let name = format!("{}: {other}", kind.scheme);
                let other = other.replace('\t', if kind.header.is_some() { "\t" } else { " " });
                let request = notice.bearing(&format!("{}{other}", kind.mark));
                bench.unauthorized(&name, &request, LACKING);
                rows += 1;
            }
        }
    }
    assert!(rows > 60, "the table is thinner than it was: {rows}");
    bench.admits_all();
}

#[test]
fn one_bit_of_a_signed_header_decides() {
    let mut bench = bench();
    let mut rows = 0;
    for kind in &KINDS {
        let genuine = Notice::new(kind).sign();
        for header in kind.signed {
            let value = genuine.value(header);
            for at in 0..value.len() {
                let altered = one_bit_off(&value, at);
                if altered[at].is_ascii_graphic() {
                    let name = format!("{}: {header} at {at}", kind.scheme);
                    let request = genuine.clone().replace(header, &altered);
                    bench.unauthorized(&name, &request, ANY);
                    rows += 1;
                }
            }
        }
    }
    assert!(rows > 100, "the table is thinner than it was: {rows}");
    bench.admits_all();
}
