//! Whatever is changed in the covered part of a QRIS notification, or in its shape, it no longer passes.

use crate::harness::gateway::PAN;
use crate::harness::{App, Config, Kawal, Qris, Request};
use crate::refusals::{Bench, LACKING, MISSING, REPEATED, WRONG};

const COVERED: [&str; 4] = ["ISSUERID", "TXNDATE", "MERCHANTPAN", "INVOICE"];

#[test]
fn every_covered_field_decides() {
    let mut bench = Bench::new();
    let genuine = Qris::new().signed();
    for name in COVERED {
        let right = genuine.field(name);
        let last = if right.ends_with('1') { "2" } else { "1" };
        let wrong = format!("{}{last}", &right[..right.len() - 1]);
        let reasons = ["bad_proof", "unknown_client"];
        let altered = genuine.clone().set(name, &wrong).bare();
        bench.unauthorized(&format!("{name} altered"), &altered, &reasons);
    }
    bench.admits(&genuine.bare());
}

#[test]
fn every_covered_field_must_be_there() {
    let mut bench = Bench::new();
    let genuine = Qris::new().signed();
    for name in COVERED {
        // Signed over what is left: the concatenation is right, the notification is not.
        let gone = Qris::new().without(name).sign();
        bench.refused(name, &gone, &[400, 401]);
        let empty = Qris::new().set(name, "").sign();
        bench.refused(name, &empty, &[400, 401]);
        let unsigned = genuine.clone().without(name).bare();
        bench.refused(name, &unsigned, &[400, 401]);
    }
    bench.admits(&genuine.bare());
}

#[test]
fn words_has_one_spelling() {
    let mut bench = Bench::new();
    let genuine = Qris::new().signed();
    let words = genuine.field("WORDS").to_owned();
    let flipped = if words.starts_with('0') { "1" } else { "0" };
    let rows = [
        ("empty", String::new()),
        ("a digit off", format!("{flipped}{}", &words[1..])),
        ("upper case", words.to_uppercase()),
        ("a digit short", words[..39].to_owned()),
        ("a digit long", format!("{words}0")),
        ("twice in one", format!("{words}{words}")),
        ("a comma and itself", format!("{words},{words}")),
        ("marked as hexadecimal", format!("0x{words}")),
        ("a space before", format!(" {words}")),
        ("a newline after", format!("{words}\n")),
        ("zeros", "0".repeat(40)),
    ];
    for (name, value) in rows {
        if value == words {
            continue;
        }
        let request = genuine.clone().set("WORDS", &value).bare();
        // A newline is a control character, which may be refused before anybody believes a word.
        if name == "a newline after" {
            bench.refused(name, &request, &[400, 401]);
        } else {
            bench.unauthorized(name, &request, LACKING);
        }
    }
    let gone = genuine.clone().without("WORDS").bare();
    bench.unauthorized("missing", &gone, MISSING);
    let renamed = Qris::new().set("words", &words).bare();
    bench.unauthorized("in small letters", &renamed, MISSING);
    let nothing = Request::post("/payments/qris", "");
    bench.refused("nothing at all", &nothing, &[400, 401]);
    bench.admits(&genuine.bare());
}

#[test]
fn another_merchant_with_the_same_key_stays_outside() {
    let mut bench = Bench::new();
    let other = Qris::new().set("MERCHANTPAN", "936008990000000000").sign();
    bench.unauthorized("another merchant", &other, &["unknown_client"]);
    let mut stranger = Qris::new();
    stranger.secret = "another-key-entirely".to_owned();
    bench.unauthorized("another key", &stranger.sign(), WRONG);
    bench.admits(&Qris::new().sign());
}

#[test]
fn digits_cannot_move_between_neighbours() {
    let mut bench = Bench::new();
    let genuine = Qris::new().signed();
    // ISSUERID, TXNDATE, MERCHANTPAN, INVOICE stand side by side under the hash without a mark between them.
    for (left, right) in [(0, 1), (1, 2), (2, 3)] {
        let (left, right) = (COVERED[left], COVERED[right]);
        let (a, b) = (genuine.field(left), genuine.field(right));
        let onwards = genuine
            .clone()
            .set(left, &a[..a.len() - 1])
            .set(right, &format!("{}{b}", &a[a.len() - 1..]));
        let back = genuine
            .clone()
            .set(left, &format!("{a}{}", &b[..1]))
            .set(right, &b[1..]);
        for (way, moved) in [("onwards", onwards), ("back", back)] {
            assert_eq!(
                moved.words(),
                genuine.field("WORDS"),
                "the hash sees a change"
            );
            bench.refused(&format!("{left} {right} {way}"), &moved.bare(), &[400, 401]);
        }
    }
    bench.admits(&genuine.bare());
}

#[test]
fn covered_fields_are_digits() {
    let mut bench = Bench::new();
    for name in ["INVOICE", "ISSUERID"] {
        for value in ["12a4", "-124", "1 24", "１２３４", "1.24"] {
            let request = Qris::new().set(name, value).sign();
            bench.refused(&format!("{name} {value}"), &request, &[400, 401]);
        }
    }
    bench.admits(&Qris::new().sign());
}

#[test]
fn a_name_comes_once() {
    let mut bench = Bench::new();
    let genuine = Qris::new().signed();
    let query = genuine.query();
    let base = "/payments/qris";
    for name in ["WORDS", "MERCHANTPAN", "AMOUNT", "TXNSTATUS"] {
        for value in [genuine.field(name), "", "other"] {
            let after = Request::post(&format!("{base}?{query}&{name}={value}"), "");
            bench.refused(name, &after, &[REPEATED]);
            let before = Request::post(&format!("{base}?{name}={value}&{query}"), "");
            bench.refused(name, &before, &[REPEATED]);
            let hidden = format!(
                "{base}?{query}&{}%{:X}={value}",
                &name[..name.len() - 1],
                name.as_bytes()[name.len() - 1]
            );
            bench.refused(name, &Request::post(&hidden, ""), &[REPEATED]);
            let apart = Request::post(&format!("{base}?{query}"), format!("{name}={value}"))
                .header("Content-Type", "application/x-www-form-urlencoded");
            bench.refused(name, &apart, &[REPEATED]);
        }
    }
    bench.admits(&genuine.bare());
}

#[test]
fn parameters_are_read_strictly() {
    let mut bench = Bench::new();
    let genuine = Qris::new().signed();
    let query = genuine.query();
    let rows = [
        "&X=%zz",
        "&X=%4",
        "&X=%",
        "&X=%ff",
        "&X=%C3%28",
        "&X=%ED%A0%80",
        "&X=%00",
        "&X=%1B",
        "&X%0A=x",
        "&=x",
        "&%00=x",
        "&NAME",
        "&a[]=1",
        "&a%5B%5D=1",
        ";X=1",
        "&X=1;Y=2",
        "&&X=1",
    ];
    for row in rows {
        let request = Request::post(&format!("/payments/qris?{query}{row}"), "");
        bench.refused(row, &request, &[400]);
        let request = Request::post("/payments/qris", format!("{query}{row}"))
            .header("Content-Type", "application/x-www-form-urlencoded");
        bench.refused(row, &request, &[400]);
    }
    let many: String = (0..2000).map(|n| format!("&p{n}=")).collect();
    let request = Request::post(&format!("/payments/qris?{query}{many}"), "");
    bench.refused("two thousand parameters", &request, &[400]);
    bench.admits(&genuine.bare());
}

/// People type such into descriptions, and no reader reads it otherwise.
#[test]
fn a_line_end_in_a_value_loses_no_payment() {
    let bench = Bench::new();
    let query = Qris::new().signed().query();
    let request = Request::post(&format!("/payments/qris?{query}&NOTE=a%0D%0Ab%09c"), "");
    bench.admits(&request);
}

#[test]
fn without_an_id_any_merchant_of_the_key_passes() {
    let app = App::start();
    let config = Config::new(&app);
    let secret = config.secret("any", crate::harness::gateway::QRIS_SECRET);
    let clients = serde_json::json!([{"secrets": [secret]}]);
    let kawal = Kawal::start(config.set("gateways.doku-qris.clients", clients));
    for (nth, pan) in [PAN, "936008990000000000"].iter().enumerate() {
        let request = Qris::new().set("MERCHANTPAN", pan).sign();
        assert_eq!(kawal.send(&request).status, 200, "{pan}");
        assert!(app.wait_for(nth + 1)[nth].text().contains(pan));
    }
}
