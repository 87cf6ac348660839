//! Whatever is changed in a SNAP BI notification, it no longer passes, and the sender learns nothing from it.

use crate::harness::snap::{APP_TOKEN, PAYMENT, RSA_PAYMENT, Snap};
use crate::harness::{Config, Request, snap};
use crate::refusals::{Bench, LACKING, MISSING, WRONG, one_bit_off};

const BODY: &str = r#"{"trxId":"INV-1","paidAmount":{"value":"11500.00"},"x":[]}"#;
const ANY: [&str; 6] = [
    "bad_proof",
    "missing_proof",
    "unknown_client",
    "stale",
    "future",
    "unproven",
];

/// Both kinds of signature, each with the headers that it cannot do without.
fn kinds() -> [(Request, Vec<&'static str>); 2] {
    let common = [
        "X-TIMESTAMP",
        "X-SIGNATURE",
        "X-PARTNER-ID",
        "X-EXTERNAL-ID",
    ];
    let symmetric = [&common[..], &["Authorization"]].concat();
    let asymmetric = Snap::new(BODY).target(RSA_PAYMENT).sign_rsa();
    [(snap(BODY), symmetric), (asymmetric, common.to_vec())]
}

#[test]
fn no_demanded_header_may_be_missing_or_empty() {
    for (genuine, demanded) in kinds() {
        let mut bench = Bench::with(Config::with_snap);
        for name in &demanded {
            let gone = genuine.clone().without(name);
            bench.unauthorized_snap("25", name, &gone, MISSING);
            for value in ["", "   ", "\t"] {
                let reasons = ["missing_proof", "bad_proof", "unknown_client"];
                let blank = genuine.clone().replace(name, value);
                bench.unauthorized_snap("25", name, &blank, &reasons);
            }
        }
        let nothing = demanded
            .iter()
            .fold(genuine.clone(), |r, name| r.without(name));
        bench.unauthorized_snap("25", "all of them", &nothing, MISSING);
        bench.admits(&genuine);
    }
}

/// Signed over the empty value, so that nothing but its emptiness speaks against it.
#[test]
fn an_empty_token_or_time_is_none_though_signed() {
    let mut bench = Bench::with(Config::with_snap);
    let genuine = Snap::new(BODY);
    let rows = [
        ("no token", genuine.clone().without_token()),
        ("an empty token", genuine.clone().token("")),
        (
            "the word alone",
            genuine.clone().token("").authorization("Bearer"),
        ),
        (
            "an empty header",
            genuine.clone().token("").authorization(""),
        ),
        ("no time", genuine.clone().at("")),
        ("no trace", genuine.clone().external_id("")),
    ];
    for (name, signed) in rows {
        bench.unauthorized_snap("25", name, &signed.sign(), LACKING);
    }
    bench.admits(&genuine.sign());
}

#[test]
fn no_demanded_header_may_be_there_twice() {
    for (genuine, demanded) in kinds() {
        let mut bench = Bench::with(Config::with_snap);
        for name in demanded {
            let right = genuine.value(name);
            let wrong = one_bit_off(&right, right.len() / 2);
            for value in [right.as_bytes(), &wrong, b""] {
                let before = genuine.clone().double_before(name, value);
                bench.unauthorized_snap("25", name, &before, WRONG);
                let after = genuine.clone().double_after(name, value);
                bench.unauthorized_snap("25", name, &after, WRONG);
                let elsewhere = genuine.clone().header(&name.to_lowercase(), value);
                bench.unauthorized_snap("25", name, &elsewhere, WRONG);
            }
        }
        bench.admits(&genuine);
    }
}

#[test]
fn one_bit_of_a_signed_header_decides() {
    for (genuine, demanded) in kinds() {
        let mut bench = Bench::with(Config::with_snap);
        let mut rows = 0;
        // Who it is from and its trace are not signed; all the others are.
        let unsigned = ["X-EXTERNAL-ID", "X-PARTNER-ID"];
        for name in demanded.iter().filter(|name| !unsigned.contains(name)) {
            let value = genuine.value(name);
            let word = if *name == "Authorization" {
                "Bearer ".len()
            } else {
                0
            };
            for at in (word..value.len()).step_by(7).chain([value.len() - 1]) {
                let altered = one_bit_off(&value, at);
                // The bit makes some letters into bytes that may not stand in a header line.
                if altered[at].is_ascii_graphic() {
                    let request = genuine.clone().replace(name, &altered);
                    bench.unauthorized_snap("25", &format!("{name} at {at}"), &request, &ANY);
                    rows += 1;
                }
            }
        }
        assert!(rows > 15, "the table is thinner than it was: {rows}");
        bench.admits(&genuine);
    }
}

#[test]
fn one_bit_of_the_body_decides() {
    for (genuine, _) in kinds() {
        let mut bench = Bench::with(Config::with_snap);
        for at in 0..BODY.len() {
            let request = genuine.clone().body(one_bit_off(BODY, at));
            bench.unauthorized_snap("25", &format!("at {at}"), &request, WRONG);
        }
        let others = [
            ("a byte order mark", format!("\u{feff}{BODY}")),
            ("a space inside a string", BODY.replace("INV-1", "INV -1")),
            ("a space around a string", BODY.replace("INV-1", " INV-1")),
            (
                "another order",
                BODY.replace(",\"x\":[]", "").replacen('{', "{\"x\":[],", 1),
            ),
            ("a member more", BODY.replace("[]}", "[],\"y\":1}")),
            ("a name twice", BODY.replace("[]}", "[],\"x\":[]}")),
            ("an escape", BODY.replace("INV", "\\u0049NV")),
            ("cut short", BODY[..BODY.len() - 1].to_owned()),
            ("something after", format!("{BODY}\0")),
            ("twice", format!("{BODY}{BODY}")),
            ("nothing", String::new()),
        ];
        for (name, other) in others {
            bench.unauthorized_snap("25", name, &genuine.clone().body(other), WRONG);
        }
        bench.admits(&genuine);
    }
}

#[test]
fn parts_cannot_run_into_one_another() {
    let mut bench = Bench::with(Config::with_snap);
    let genuine = Snap::new(BODY);
    // The colon that parts them may stand in a token as well.
    let digest = genuine.digest();
    let swapped = format!("{}:{}", genuine.token, digest);
    let rows = [
        (
            "the digest as part of the token",
            genuine.clone().token(&swapped),
        ),
        (
            "the path as part of the token",
            genuine.clone().token(&format!("{PAYMENT}:{APP_TOKEN}")),
        ),
        (
            "the time as part of the token",
            genuine
                .clone()
                .token(&format!("{APP_TOKEN}:{}", genuine.timestamp)),
        ),
        ("a token cut short", genuine.clone().token(&APP_TOKEN[..9])),
        (
            "a token of two",
            genuine.clone().token(&format!("{APP_TOKEN}, {APP_TOKEN}")),
        ),
    ];
    for (name, altered) in rows {
        let request = altered.with_signature(&genuine.signature());
        bench.unauthorized_snap("25", name, &request, WRONG);
    }
    bench.admits(&genuine.sign());
}

#[test]
fn a_trace_has_a_shape() {
    let mut bench = Bench::with(Config::with_snap);
    let long = "1".repeat(65);
    let odd = [
        "1 2", "1,2", "1/2", "<1>", "\"1\"", "{}", "1;2", "%31", "1\\n", "1=2", &long,
    ];
    for id in odd {
        bench.unauthorized_snap("25", id, &Snap::new(BODY).external_id(id).sign(), WRONG);
        let asymmetric = Snap::new(BODY).target(RSA_PAYMENT).external_id(id);
        bench.unauthorized_snap("25", id, &asymmetric.sign_rsa(), WRONG);
    }
    let beyond = snap(BODY).replace("X-EXTERNAL-ID", "１２");
    bench.refused("digits beyond ASCII", &beyond, &[400, 401]);
    // As long as the longest that DOKU's own libraries make, and with every mark of theirs.
    let longest = "aZ09._-:".repeat(8);
    bench.admits(&Snap::new(BODY).external_id(&longest).sign());
}
