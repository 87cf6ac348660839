//! Drops white space outside JSON strings, and changes nothing else.

/// The bytes without spaces, tabs, CR and LF outside strings. Never parses: public SDKs disagree
/// on what parsing and printing again gives.
///
/// Source: <https://developers.doku.com/get-started-with-doku-api/signature-component/snap>
#[must_use]
pub fn minify(json: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(json.len());
    let mut in_string = false;
    let mut escaped = false;
    for &byte in json {
        if in_string {
            kept.push(byte);
            in_string = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
        } else if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
            kept.push(byte);
            in_string = byte == b'"';
        }
    }
    kept
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
            ("", ""),
            ("\"open  ", "\"open  "),
        ] {
            assert_eq!(minify(from.as_bytes()), to.as_bytes());
        }
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ -~\\t\\n\"\\\\é]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[ -~]{0,6}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn parses_to_the_same_value(value in json()) {
            let pretty = serde_json::to_vec_pretty(&value).unwrap();
            let small = minify(&pretty);
            prop_assert_eq!(serde_json::from_slice::<Value>(&small).unwrap(), value.clone());
            prop_assert_eq!(small, serde_json::to_vec(&value).unwrap());
        }

        #[test]
        fn twice_is_once(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let once = minify(&bytes);
            prop_assert_eq!(minify(&once), once);
        }
    }
}
