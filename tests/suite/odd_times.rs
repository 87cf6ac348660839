//! A signed time has one spelling and a window; everything else is refused, whoever signed it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;

use crate::harness::{Doku, Qris, ago, ahead, now};
use crate::refusals::{Bench, LACKING};

#[test]
fn a_time_in_another_spelling_is_no_time() {
    let mut bench = Bench::new();
    let now = now();
    let bare = now.trim_end_matches('Z');
    let (date, clock) = bare.split_once('T').unwrap();
    let seconds = Timestamp::now().as_second();
    // Each of them is about now, so that nothing but its spelling speaks against it.
    let rows = [
        ("no offset", bare.to_owned()),
        ("a small z", format!("{bare}z")),
        ("a small t", format!("{date}t{clock}Z")),
        ("a space between", format!("{date} {clock}Z")),
        ("an underscore between", format!("{date}_{clock}Z")),
        ("Unix seconds", seconds.to_string()),
        ("Unix milliseconds", (seconds * 1000).to_string()),
        ("no separators", now.replace(['-', ':'], "")),
        ("no seconds", format!("{}Z", &bare[..16])),
        ("the sixtieth second", format!("{}60Z", &bare[..17])),
        ("an offset without a colon", format!("{bare}+0000")),
        ("an offset of hours", format!("{bare}+00")),
        ("two offsets", format!("{now}Z")),
        ("an annotation", format!("{now}[UTC]")),
        ("something before", format!("x{now}")),
        ("something after", format!("{now}x")),
        (
            "a date for mail",
            "Sat, 21 Nov 2026 01:41:24 GMT".to_owned(),
        ),
        ("two times", format!("{now},{now}")),
        ("a word", "now".to_owned()),
    ];
    for (name, text) in rows {
        let request = Doku::new("{}").at(&text).sign();
        bench.unauthorized(name, &request, LACKING);
    }
    bench.admits(&Doku::new("{}").sign());
}

#[test]
fn a_time_that_no_calendar_has_is_no_time() {
    let mut bench = Bench::new();
    let reasons = ["bad_proof", "missing_proof", "stale", "future"];
    let rows = [
        "2026-11-20T24:00:00Z",
        "2026-11-20T25:00:00Z",
        "2026-11-20T23:60:00Z",
        "2016-12-31T23:59:61Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-01-00T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        "10000-01-01T00:00:00Z",
        "+010000-01-01T00:00:00Z",
        "-0001-01-01T00:00:00Z",
        "99999999999999999999",
        "-9223372036854775808",
    ];
    for text in rows {
        let request = Doku::new("{}").at(text).sign();
        bench.unauthorized(text, &request, &reasons);
    }
    bench.admits(&Doku::new("{}").sign());
}

#[test]
fn digits_of_other_scripts_are_no_digits() {
    let mut bench = Bench::new();
    let now = now();
    // Full-width and Arabic-Indic digits: many a parser takes them for numbers.
    for zero in ['\u{ff10}', '\u{0660}'] {
        let foreign = |c: char| match c.to_digit(10) {
            Some(digit) => char::from_u32(zero as u32 + digit).unwrap(),
            None => c,
        };
        let text: String = now.chars().map(foreign).collect();
        let request = Doku::new("{}").at(&text).sign();
        bench.refused(&text, &request, &[400, 401]);
    }
    bench.admits(&Doku::new("{}").sign());
}

#[test]
fn the_window_has_two_ends() {
    let mut bench = Bench::new();
    let minute = Duration::from_secs(60);
    let rows: [(&str, String, &[&str]); 5] = [
        ("six minutes ahead", ahead(6 * minute), &["future"]),
        ("a year ahead", ahead(525_600 * minute), &["future"]),
        // The process is younger than this notification: it may have been delivered before.
        ("six minutes old", ago(6 * minute), &["unproven"]),
        ("a day and an hour old", ago(25 * 60 * minute), &["stale"]),
        ("a year old", ago(525_600 * minute), &["stale"]),
    ];
    for (name, at, reasons) in rows {
        let request = Doku::new("{}").at(&at).sign();
        bench.unauthorized(name, &request, reasons);
    }
    bench.admits(&Doku::new("{}").at(&ago(4 * minute)).sign());
}

#[test]
fn the_window_of_qris_is_measured_on_jakarta_clocks() {
    let window = json!({"max_age": "5m", "max_skew": "5m", "late": "24h"});
    let mut bench = Bench::with(|config| {
        config
            .set("gateways.doku-qris.freshness", window)
            .set("gateways.doku-qris.remember", "25h")
    });
    let minute = Duration::from_secs(60);
    let at = |moment: Timestamp| Qris::new().at(moment).sign();
    let now = Timestamp::now();
    bench.unauthorized("six minutes ahead", &at(now + 6 * minute), &["future"]);
    bench.unauthorized("six minutes old", &at(now - 6 * minute), &["unproven"]);
    bench.unauthorized("UTC's clocks", &at(now - 7 * 60 * minute), &["unproven"]);
    bench.unauthorized("a month old", &at(now - 43_200 * minute), &["stale"]);
    bench.admits(&at(now - 4 * minute));
}

#[test]
fn a_qris_time_that_no_calendar_has_is_no_time() {
    let mut bench = Bench::new();
    let now = Qris::new().field("TXNDATE").to_owned();
    let rows = [
        now[..13].to_owned(),
        format!("{now}0"),
        format!("{}60", &now[..12]),
        format!("{}246060", &now[..8]),
        format!("{}1301120000", &now[..4]),
        format!("{}0230120000", &now[..4]),
        format!("+{}", &now[1..]),
        format!("{} ", &now[..13]),
        "00000000000000".to_owned(),
        String::new(),
    ];
    for text in rows {
        let request = Qris::new().set("TXNDATE", &text).sign();
        bench.refused(&format!("{text:?}"), &request, &[400, 401]);
    }
    bench.admits(&Qris::new().sign());
}
