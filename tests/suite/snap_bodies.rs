//! Bodies as nobody should write them: each passes as it is under its own bytes, and none is mended.

use crate::harness::snap::{RSA_PAYMENT, Snap, minify};
use crate::harness::{App, Config, Kawal, snap};
use crate::refusals::{Bench, WRONG};

/// Nesting that would exhaust the stack of a parser that calls itself.
const DEEP: usize = 100_000;

/// JSON, though some parsers choke on it or change it. Each has white space to lose.
fn odd_json() -> Vec<(&'static str, Vec<u8>)> {
    let deep = |open: &str, close: &str| [open.repeat(DEEP), close.repeat(DEEP)].concat();
    vec![
        ("deep lists", deep("[ ", "]").into_bytes()),
        (
            "deep objects",
            format!("{}1{}", "{\"a\": ".repeat(DEEP), "}".repeat(DEEP)).into_bytes(),
        ),
        ("a lone high surrogate", br#"{ "a":"\ud800" }"#.to_vec()),
        ("a lone low surrogate", br#"{ "a":"\udc00 x" }"#.to_vec()),
        (
            "surrogates the wrong way",
            br#"{ "a":"\udc00\ud800" }"#.to_vec(),
        ),
        (
            "a huge number",
            format!("{{ \"a\": {} }}", "9".repeat(5000)).into_bytes(),
        ),
        ("a huge exponent", br#"{ "a": 1e999999999999 }"#.to_vec()),
        ("a tiny exponent", br#"{ "a": -1E-999999999999 }"#.to_vec()),
        (
            "many decimals",
            format!("[ 0.{}1 ]", "0".repeat(5000)).into_bytes(),
        ),
        ("a name twice", br#"{ "amount": 1, "amount": 2 }"#.to_vec()),
        ("an empty name", br#"{ "": { "": [ ] } }"#.to_vec()),
        ("a lone number", b" 1.50 \r\n".to_vec()),
        ("a lone string", b"\t\" \\\" \"".to_vec()),
        (
            "a backslash before the quote",
            br#"{ "a":" \\" , "b":" \\\" " }"#.to_vec(),
        ),
        ("a line separator", "{ \"a\":\"\u{2028} \u{a0}\" }".into()),
    ]
}

/// No JSON, though it has white space where JSON would have some to lose.
fn no_json() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a form", b"a=1 &b = 2".to_vec()),
        ("text", b"paid, thank you".to_vec()),
        ("white space", b" \r\n\t".to_vec()),
        ("a byte order mark", b"\xef\xbb\xbf{ \"a\": 1 }".to_vec()),
        ("a byte order mark of UTF-16", b"\xff\xfe{ }".to_vec()),
        ("an open object", b"{ \"a\": 1".to_vec()),
        ("an open string", b"{ \"a\": \"x }".to_vec()),
        ("two values", b"{} {}".to_vec()),
        ("something after", b"{ \"a\": 1 }x".to_vec()),
        ("a comma too many", b"{ \"a\": 1, }".to_vec()),
        ("numbers apart", b"[1 2]".to_vec()),
        ("a number in two pieces", b"{ \"a\": 1 0 }".to_vec()),
        ("a leading zero", b"[ 01 ]".to_vec()),
        ("a comment", b"{ \"a\": 1 } // paid".to_vec()),
        ("single quotes", b"{ 'a': 1 }".to_vec()),
        ("a bare word", b"{ a: 1 }".to_vec()),
        ("no value at all", b"{ \"a\": NaN }".to_vec()),
        ("a form feed", b"{\x0c\"a\": 1 }".to_vec()),
        ("a vertical tab", b"{\x0b\"a\": 1 }".to_vec()),
        ("a null byte", b"{ \"a\": 1 }\0".to_vec()),
        ("a no-break space", "{\u{a0}\"a\": 1 }".into()),
        ("deep and open", "[ ".repeat(DEEP).into_bytes()),
        ("every byte", (0..=255).collect()),
    ]
}

/// JSON is UTF-8 (RFC 8259 §8.1), so these are none, though their brackets match.
fn no_utf_8() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        (
            "bytes that are no UTF-8",
            b"{ \"a\": \"\xc3\x28\" }".to_vec(),
        ),
        (
            "an encoded surrogate",
            b"{ \"a\": \"\xed\xa0\x80\" }".to_vec(),
        ),
    ]
}

#[test]
fn signed_as_it_is_every_body_arrives_as_it_is() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let rows = [
        odd_json(),
        no_json(),
        no_utf_8(),
        vec![("nothing", Vec::new())],
    ]
    .concat();
    let mut sent = 0;
    for (name, body) in &rows {
        let signed = Snap::new(body).hashing_raw();
        let asymmetric = signed.clone().target(RSA_PAYMENT);
        for request in [signed.sign(), asymmetric.sign_rsa()] {
            let answer = kawal.send(&request);
            assert_eq!(answer.status, 200, "{name}: {answer:?}");
            sent += 1;
            let seen = app.wait_for(sent).remove(sent - 1);
            assert!(seen.body == *body, "{name} was changed");
        }
    }
    assert_eq!(app.count(), 2 * rows.len());
}

/// Strings, escapes and white space at every distance from the start: nothing depends on how far it is read at once.
#[test]
fn a_string_begins_and_ends_where_it_does() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let mut sent = 0;
    for length in (40..72).chain([120, 121, 122, 123, 124, 125, 126, 127, 128, 4096]) {
        let filler = "x".repeat(length);
        let bodies = [
            format!(r#"{{"a":"{filler}\" , \"b\":\\" , " ":" "}}"#),
            format!(r#"{{"a":"{filler}\"  ,\" ","b":1}}"#),
            format!(r#"{{"a":"{filler}\\\\" ,"b":"\" "}}"#),
            format!("{{\"a\":\"{filler}\"\n}}"),
        ];
        for body in bodies {
            assert!(serde_json::from_str::<serde_json::Value>(&body).is_ok());
            let stripped = Snap::new(&body).hashing(body.replace([' ', '\n'], ""));
            if stripped.digest() != Snap::new(&body).digest() {
                assert_eq!(kawal.send(&stripped.sign()).status, 401, "{body}");
            }
            assert_eq!(kawal.send(&snap(&body)).status, 200, "{body}");
            sent += 1;
            assert_eq!(app.wait_for(sent)[sent - 1].text(), body);
        }
    }
    assert_eq!(app.count(), sent);
}

#[test]
fn odd_json_is_minified_like_any_other() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    for (nth, (name, body)) in odd_json().iter().enumerate() {
        let signed = Snap::new(body);
        assert_ne!(
            signed.digest(),
            signed.clone().hashing_raw().digest(),
            "{name}"
        );
        let answer = kawal.send(&signed.sign());
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        assert!(
            app.wait_for(nth + 1)[nth].body == *body,
            "{name} was changed"
        );
    }
}

/// Signed over whatever else might be made of them, they are refused.
fn have_no_second_reading(rows: Vec<(&str, Vec<u8>)>) {
    let mut bench = Bench::with(Config::with_snap);
    for (name, body) in rows {
        let minified = minify(&body);
        let mended: Vec<u8> = body.iter().copied().filter(|byte| *byte > b' ').collect();
        assert_ne!(mended, body, "{name} has nothing to lose");
        for reading in [minified, mended].into_iter().filter(|r| *r != body) {
            let request = Snap::new(&body).hashing(reading).sign();
            bench.unauthorized_snap("25", name, &request, WRONG);
        }
    }
    bench.admits(&snap("{}"));
}

#[test]
fn what_is_no_json_has_no_second_reading() {
    have_no_second_reading(no_json());
}

#[test]
fn what_is_no_utf_8_has_no_second_reading() {
    have_no_second_reading(no_utf_8());
}

#[test]
fn json_has_no_third_reading() {
    let mut bench = Bench::with(Config::with_snap);
    let body = "{\"b\": \"\\u00e9 \\/ \",\"a\":20000.00, \"n\":1e5, \"a\":-0}\n";
    let compact = String::from_utf8(minify(body.as_bytes())).unwrap();
    // What vendors' libraries make of a body by reading and printing it is another text.
    let rows = [
        ("an escape unescaped", compact.replace("\\u00e9", "é")),
        ("a slash unescaped", compact.replace("\\/", "/")),
        (
            "a number printed again",
            compact.replace("20000.00", "20000"),
        ),
        (
            "an exponent printed again",
            compact.replace("1e5", "100000.0"),
        ),
        ("a name once", compact.replace("\"a\":20000.00,", "")),
        ("without spaces anywhere", compact.replace(' ', "")),
        ("with a newline", format!("{compact}\n")),
        ("with a space after colons", compact.replace(':', ": ")),
        ("nothing", String::new()),
    ];
    for (name, reading) in rows {
        assert!(
            reading != compact && reading != body,
            "{name} changes nothing"
        );
        let request = Snap::new(body).hashing(reading).sign();
        bench.unauthorized_snap("25", name, &request, WRONG);
    }
    bench.admits(&snap(body));
}
