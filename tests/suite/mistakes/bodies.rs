//! A body that says what was signed, in other bytes.

use super::*;
use crate::harness::snap::minify;

const PRETTY: &str = "{\n  \"order\": {\n    \"amount\": 150000\n  }\n}";
const COMPACT: &str = r#"{"order":{"amount":150000}}"#;
const ESCAPED: &str = r#"{"url":"https:\/\/shop.example\/1","name":"caf\u00e9","b":1,"a":2.5}"#;
const PLAIN: &str = r#"{"url":"https://shop.example/1","name":"café","b":1,"a":2.5}"#;
const PYTHON: &str = r#"{"url": "https://shop.example/1", "name": "caf\u00e9", "b": 1, "a": 2.5}"#;
const SORTED: &str = r#"{"a":2.5,"b":1,"name":"café","url":"https://shop.example/1"}"#;

pub fn rows() -> Vec<Mistake> {
    assert_eq!(minify(PRETTY.as_bytes()), COMPACT.as_bytes());
    let newline = format!("{PAID}\n");
    let newlines = [
        by_doku("a newline was signed", PAID, &newline),
        by_doku("CR and LF were signed", PAID, &format!("{PAID}\r\n")),
        by_doku("a newline was sent", &newline, PAID),
        by_github("a newline was signed, raw", PAID, &newline),
        by_github("a newline was sent, raw", &newline, PAID),
    ];
    let minified = [
        by_doku("signed without blanks", PRETTY, COMPACT),
        by_github("signed without blanks, raw", PRETTY, COMPACT),
    ];
    let written_again = [
        by_github("as JSON.stringify writes it", ESCAPED, PLAIN),
        by_github("as Python's json writes it", PLAIN, PYTHON),
        by_github("as PHP's json_encode writes it", PLAIN, ESCAPED),
        by_github("with sorted names", PLAIN, SORTED),
        by_doku("as JSON.stringify writes it, hashed", ESCAPED, PLAIN),
    ];
    let mut all = because("body-newline", newlines);
    all.extend(because("body-minified", minified));
    all.extend(because("body-reserialised", written_again));
    all
}

fn by_doku(name: &'static str, sent: &str, signed: &str) -> Mistake {
    sent_and_signed(name, Doku::new(sent), |mut doku| {
        doku.body = signed.as_bytes().to_vec();
        doku
    })
}

fn by_github(name: &'static str, sent: &str, signed: &str) -> Mistake {
    let proof = format!("sha256={}", hex(mac256(GITHUB_KEY, signed)));
    row(
        name,
        github(sent.as_bytes(), &proof),
        mac256(GITHUB_KEY, sent),
    )
}
