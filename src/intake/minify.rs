//! Drops white space outside JSON strings, and changes nothing else.

use memchr::memchr2;
use serde::de::IgnoredAny;
use std::borrow::Cow;

/// JSON without spaces, tabs, CR and LF outside its strings. Nothing is printed anew: public SDKs
/// disagree on what parsing and printing again gives. What is not JSON stays as it is.
///
/// Source: <https://developers.doku.com/get-started-with-doku-api/signature-component/snap>
#[must_use]
pub fn minify(json: &[u8]) -> Cow<'_, [u8]> {
    // Looked at only where it matters: most senders sign what is compact already.
    if !has_blanks(json) || !is_json(json) {
        return Cow::Borrowed(json);
    }
    let mut kept = Vec::with_capacity(json.len());
    let mut rest = json;
    while !rest.is_empty() {
        let (compact, after) = rest.split_at(run(rest));
        kept.extend_from_slice(compact);
        let blanks = after.iter().take_while(|byte| is_blank(**byte)).count();
        rest = after.get(blanks..).unwrap_or_default();
    }
    Cow::Owned(kept)
}

/// Source: RFC 8259; §8.1 demands UTF-8.
fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Whether a blank stands outside a string. Blocks that hold neither a blank nor a backslash are
/// counted and not walked: the compiler makes vectors of it.
fn has_blanks(json: &[u8]) -> bool {
    let (mut inside, mut escaped) = (false, false);
    let (blocks, rest) = json.as_chunks::<64>();
    let blocks = blocks.iter().map(<[u8; 64]>::as_slice);
    for block in blocks.chain([rest]) {
        let count = |sum, byte: &u8| sum + u8::from(*byte == b'"');
        let plain = |all, byte: &u8| all & (*byte > b' ') & (*byte != b'\\');
        if !escaped && block.iter().fold(true, plain) {
            inside ^= block.iter().fold(0, count) & 1 == 1;
            continue;
        }
        for &byte in block {
            match (inside, escaped) {
                (true, true) => escaped = false,
                (true, false) => {
                    inside = byte != b'"';
                    escaped = byte == b'\\';
                }
                (false, _) if is_blank(byte) => return true,
                (false, _) => inside = byte == b'"',
            }
        }
    }
    false
}

/// The length of what stands before the first blank outside a string.
fn run(json: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = json.get(at) {
        if is_blank(byte) {
            return at;
        }
        at += 1;
        if byte == b'"' {
            at += string(json.get(at..).unwrap_or_default());
        }
    }
    json.len()
}

/// The length of the rest of a string with its closing quote, or of all where none closes it.
fn string(rest: &[u8]) -> usize {
    let mut at = 0;
    while let Some(next) = rest.get(at..).and_then(|rest| memchr2(b'"', b'\\', rest)) {
        at += next + 1;
        if rest.get(at - 1) == Some(&b'"') {
            return at;
        }
        // Whatever follows a backslash belongs to it.
        at += 1;
    }
    rest.len()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::Value;

    #[test]
    fn keeps_strings_and_numbers_as_they_are() {
        for (from, to) in [
            ("{ \"a\" : \"  088899\" }\r\n", "{\"a\":\"  088899\"}"),
            (
                r#"{"a" : "x \" y \\" , "b":1.50}"#,
                r#"{"a":"x \" y \\","b":1.50}"#,
            ),
            ("[1 ,\t2]", "[1,2]"),
            ("[1, 1e5, -0, 20000.00]", "[1,1e5,-0,20000.00]"),
            (
                r#" ["\ud800 ", "\/", "\u00e9"] "#,
                r#"["\ud800 ","\/","\u00e9"]"#,
            ),
            (r#"{"a": 1, "a": 2}"#, r#"{"a":1,"a":2}"#),
        ] {
            assert_eq!(minify(from.as_bytes()), to.as_bytes());
        }
    }

    #[test]
    fn leaves_what_is_not_json_as_it_is() {
        for bytes in [
            &b""[..],
            b" ",
            b"\"open  ",
            b"\"open \\",
            b"a = 1",
            b"{} {}",
            b"\xef\xbb\xbf{ }",
            b"{\"a\": 01}",
            b"[1, 2",
            b"[1, \"\xff\"]",
        ] {
            assert_eq!(minify(bytes), bytes, "{bytes:?}");
        }
    }

    #[test]
    fn is_not_shaken_by_depth() {
        let deep = format!("{}{}", "[ ".repeat(100_000), "]".repeat(100_000));
        assert_eq!(minify(deep.as_bytes()), deep.replace(' ', "").as_bytes());
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[ -~\\t\\n\"\\\\é\u{2028}]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map("[ -~]{0,6}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// The rule byte by byte, as it is written.
    fn by_the_rule(json: &[u8]) -> Vec<u8> {
        let (mut kept, mut inside, mut escaped) = (Vec::new(), false, false);
        for &byte in json {
            if inside || !is_blank(byte) {
                kept.push(byte);
            }
            match (inside, escaped, byte) {
                (true, true, _) => escaped = false,
                (true, false, b'\\') => escaped = true,
                (_, _, b'"') => inside = !inside,
                _ => {}
            }
        }
        kept
    }

    proptest! {
        #[test]
        fn says_the_same_in_fewer_bytes(value in json()) {
            let compact = serde_json::to_vec(&value).unwrap();
            let pretty = serde_json::to_vec_pretty(&value).unwrap();
            let small = minify(&pretty).into_owned();
            let read = |json: &[u8]| serde_json::from_slice::<Value>(json).unwrap();
            prop_assert_eq!(read(&small), read(&pretty));
            prop_assert_eq!(&small, &compact);
            prop_assert_eq!(&*minify(&small), &*small);
            prop_assert!(matches!(minify(&compact), Cow::Borrowed(_)));
        }

        #[test]
        fn any_bytes_are_read_as_the_rule_says(
            bytes in proptest::collection::vec(prop_oneof![
                Just(b' '), Just(b'"'), Just(b'\\'), Just(b'['), Just(b']'), Just(b','), Just(b'1'), any::<u8>(),
            ], 0..60)
        ) {
            let valid = is_json(&bytes);
            let expected = if valid { by_the_rule(&bytes) } else { bytes.clone() };
            prop_assert_eq!(&*minify(&bytes), &*expected);
            prop_assert_eq!(&*minify(&expected), &*expected);
        }
    }
}
