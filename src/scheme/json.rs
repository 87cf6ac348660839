//! Reads one value out of a JSON body by pointer, as the text that was sent.

mod splice;

pub(super) use splice::{put, replace};

use crate::rejection::Rejection;
use serde::de::{Deserializer as _, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// The value at `pointer` (RFC 6901): a string decoded, a number or boolean as its own text.
/// `None` where the body is not JSON, nothing stands there, or it is null, an object or an array.
///
/// # Errors
/// [`Rejection::BadProof`] where a name on the way occurs twice: readers disagree which one counts.
pub(super) fn lookup(body: &[u8], pointer: &str) -> Result<Option<String>, Rejection> {
    let Some(value) = find(body, pointer)? else {
        return Ok(None);
    };
    Ok(match value.as_bytes().first() {
        Some(b'"') => serde_json::from_str(value).ok(),
        Some(b'{' | b'[' | b'n') | None => None,
        Some(_) => Some(value.to_owned()),
    })
}

/// The items of the list at `pointer`, each as its own JSON; `None` where there is no list.
///
/// # Errors
/// As [`lookup`].
pub(super) fn items<'a>(body: &'a [u8], pointer: &str) -> Result<Option<Vec<&'a str>>, Rejection> {
    let list = find(body, pointer)?;
    let items = list.and_then(|list| serde_json::from_str::<Vec<&RawValue>>(list).ok());
    Ok(items.map(|items| items.into_iter().map(RawValue::get).collect()))
}

/// The JSON at `pointer`, where it stands in the body.
///
/// # Errors
/// As [`lookup`].
pub(super) fn find<'a>(body: &'a [u8], pointer: &str) -> Result<Option<&'a str>, Rejection> {
    let Ok(mut value) = serde_json::from_slice::<&RawValue>(body) else {
        return Ok(None);
    };
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        let mut reader = serde_json::Deserializer::from_str(value.get());
        match reader.deserialize_any(Step(&step)) {
            Ok(Found::One(next)) => value = next,
            Ok(Found::Twice) => return Err(Rejection::BadProof),
            Ok(Found::Nothing) | Err(_) => return Ok(None),
        }
    }
    Ok(Some(value.get()))
}

enum Found<'a> {
    Nothing,
    One(&'a RawValue),
    Twice,
}

struct Step<'s>(&'s str);

impl<'de> Visitor<'de> for Step<'_> {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Found::Nothing;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if name != self.0 {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value()?;
            found = match found {
                Found::Nothing => Found::One(value),
                Found::One(_) | Found::Twice => Found::Twice,
            };
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let wanted: usize = self.0.parse().map_err(|_| A::Error::custom("no index"))?;
        let mut found = Found::Nothing;
        let mut index = 0;
        while let Some(value) = seq.next_element::<&RawValue>()? {
            if index == wanted {
                found = Found::One(value);
            }
            index += 1;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(body: &str, pointer: &str) -> Option<String> {
        lookup(body.as_bytes(), pointer).unwrap()
    }

    #[test]
    fn gives_the_text_as_sent() {
        let body = r#" {"a":{"b/c":[1,"x\u00e9",100000.00,true,null,{}]},"event":"P.TEST"} "#;
        assert_eq!(at(body, "/event").as_deref(), Some("P.TEST"));
        assert_eq!(at(body, "/a/b~1c/1").as_deref(), Some("xé"));
        assert_eq!(at(body, "/a/b~1c/2").as_deref(), Some("100000.00"));
        assert_eq!(at(body, "/a/b~1c/3").as_deref(), Some("true"));
        for nothing in ["/a", "/a/b~1c/4", "/a/b~1c/9", "/x", "/event/0"] {
            assert_eq!(at(body, nothing), None, "{nothing}");
        }
        assert_eq!(at("no json", "/a"), None);
    }

    #[test]
    fn refuses_a_name_that_counts_twice() {
        assert!(lookup(br#"{"a":1,"a":2}"#, "/a").is_err());
        assert!(lookup(br#"{"a":1,"\u0061":2}"#, "/a").is_err());
    }

    #[test]
    fn gives_the_items_of_a_list() {
        let body = br#"{"a":[{"b":1}, 2 ,"x"],"c":{}}"#;
        assert_eq!(
            items(body, "/a").unwrap().unwrap(),
            ["{\"b\":1}", "2", "\"x\""]
        );
        assert_eq!(items(body, "/c").unwrap(), None);
        assert_eq!(items(body, "/d").unwrap(), None);
        assert!(items(br#"{"a":[],"a":[]}"#, "/a").is_err());
    }

    #[test]
    fn survives_deep_nesting() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(at(&deep, "/a"), None);
    }
}
