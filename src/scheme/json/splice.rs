//! Puts one string into a JSON text and leaves every other byte as it is.

use super::find;

/// The text with `value` at `pointer`, in place of what stood there or as the first member of the object
/// that holds it. `None` where there is no such object, or a name on the way stands twice.
pub(in crate::scheme) fn put(text: &str, pointer: &str, value: &str) -> Option<String> {
    let string = serde_json::to_string(value).ok()?;
    if let Some(old) = find(text.as_bytes(), pointer).ok()? {
        return replace(text, old, &string);
    }
    let (parent, name) = pointer.rsplit_once('/')?;
    let name = name.replace("~1", "/").replace("~0", "~");
    let object = find(text.as_bytes(), parent).ok()??;
    let members = object.strip_prefix('{')?;
    let comma = if members.trim_start().starts_with('}') {
        ""
    } else {
        ","
    };
    let name = serde_json::to_string(&name).ok()?;
    replace(text, object, &format!("{{{name}:{string}{comma}{members}"))
}

/// The text with another piece in the place of one of its own.
pub(in crate::scheme) fn replace(text: &str, piece: &str, by: &str) -> Option<String> {
    let at = (piece.as_ptr() as usize).checked_sub(text.as_ptr() as usize)?;
    let (before, rest) = text.split_at_checked(at)?;
    let (_, after) = rest.split_at_checked(piece.len())?;
    Some(format!("{before}{by}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_else_stays_as_it_is() {
        for (text, pointer, put_there) in [
            (
                r#"{"a": 1.00, "s":"old" }"#,
                "/s",
                r#"{"a": 1.00, "s":"n\"w" }"#,
            ),
            (r#"{"s":{"x":[1]},"b":1}"#, "/s", r#"{"s":"n\"w","b":1}"#),
            (r#"{"b":1}"#, "/s", r#"{"s":"n\"w","b":1}"#),
            (r#"[{"b": { }}]"#, "/0/b/s", r#"[{"b": {"s":"n\"w" }}]"#),
        ] {
            assert_eq!(
                put(text, pointer, "n\"w").as_deref(),
                Some(put_there),
                "{text}"
            );
        }
        for (text, pointer) in [
            ("[1]", "/s"),
            ("no json", "/s"),
            (r#"{"s":1,"s":2}"#, "/s"),
            ("{}", "/a/s"),
        ] {
            assert_eq!(put(text, pointer, "new"), None, "{text}");
        }
    }
}
