//! Query and form parameters, decoded strictly: one reading or none.

use super::Head;
use crate::rejection::Rejection;

/// Decoded names and values in the order of the wire, every name once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    pairs: Vec<Parameter>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Parameter {
    name: String,
    value: String,
    origin: Origin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Query,
    Form,
}

/// More parameters than this are refused: no gateway sends a tenth of it.
const MOST: usize = 200;

impl Parameters {
    pub(super) fn read(head: &Head, body: &[u8]) -> Result<Self, Rejection> {
        let mut read = Self::default();
        read.add(head.query().unwrap_or_default(), Origin::Query)?;
        if is_form(head)? {
            let text = std::str::from_utf8(body).map_err(|_| NOT_UTF8)?;
            read.add(text, Origin::Form)?;
        }
        Ok(read)
    }

    /// A parameter of the query.
    #[must_use]
    pub fn query(&self, name: &str) -> Option<&str> {
        self.find(name, Some(Origin::Query))
    }

    /// A field of the form body.
    #[must_use]
    pub fn form(&self, name: &str) -> Option<&str> {
        self.find(name, Some(Origin::Form))
    }

    /// A parameter, wherever it stands.
    #[must_use]
    pub fn any(&self, name: &str) -> Option<&str> {
        self.find(name, None)
    }

    /// All of them, in the order of the wire, the query first.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|pair| (pair.name.as_str(), pair.value.as_str()))
    }

    fn find(&self, name: &str, origin: Option<Origin>) -> Option<&str> {
        self.pairs
            .iter()
            .find(|pair| pair.name == name && origin.is_none_or(|origin| origin == pair.origin))
            .map(|pair| pair.value.as_str())
    }

    fn add(&mut self, text: &str, origin: Origin) -> Result<(), Rejection> {
        if text.is_empty() {
            return Ok(());
        }
        for piece in text.split('&') {
            let (name, value) = piece
                .split_once('=')
                .ok_or(Rejection::Malformed("a parameter without ="))?;
            let name = decode(name, |_| false)?;
            if name.is_empty() || name.contains(['[', ']', ';']) {
                return Err(Rejection::Malformed(
                    "a parameter name that readers split differently",
                ));
            }
            if self.any(&name).is_some() {
                return Err(Rejection::Malformed("a parameter that occurs twice"));
            }
            if self.pairs.len() == MOST {
                return Err(Rejection::Malformed("too many parameters"));
            }
            let value = decode(value, is_line_or_tab)?;
            self.pairs.push(Parameter {
                name,
                value,
                origin,
            });
        }
        Ok(())
    }
}

const NOT_UTF8: Rejection = Rejection::Malformed("a parameter that is not UTF-8");

fn is_form(head: &Head) -> Result<bool, Rejection> {
    let kind = head.sole("content-type")?.unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    Ok(kind.eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}

/// What people type into descriptions, and every reader reads alike.
fn is_line_or_tab(c: char) -> bool {
    matches!(c, '\r' | '\n' | '\t')
}

/// Decodes `application/x-www-form-urlencoded` text, strictly.
/// Source: <https://url.spec.whatwg.org/#application/x-www-form-urlencoded>, without its leniency.
fn decode(text: &str, allowed: fn(char) -> bool) -> Result<String, Rejection> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
                    return Err(Rejection::Malformed(
                        "a percent sign without two hex digits",
                    ));
                };
                u8::try_from(high * 16 + low).map_err(|_| NOT_UTF8)?
            }
            // Some readers take it for a separator.
            b';' => return Err(Rejection::Malformed("a semicolon in a parameter")),
            other => other,
        });
    }
    let decoded = String::from_utf8(decoded).map_err(|_| NOT_UTF8)?;
    if decoded.chars().any(|c| c.is_control() && !allowed(c)) {
        return Err(Rejection::Malformed("a control character in a parameter"));
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(query: &str, form: Option<&str>) -> Result<Parameters, Rejection> {
        let kind = form.map_or(
            "",
            |_| "Content-Type: Application/X-www-form-urlencoded; charset=utf-8\r\n",
        );
        let head = format!("POST /q?{query} HTTP/1.1\r\nHost: h\r\n{kind}\r\n");
        let head = Head::parse(head.as_bytes()).unwrap();
        Parameters::read(&head, form.unwrap_or("ignored").as_bytes())
    }

    #[test]
    fn keeps_order_and_text() {
        let read = read("B=2.00&A=YURI+P%20x%26&C=", Some("D=%C3%A9&E=a%0D%0Ab%09c")).unwrap();
        let pairs: Vec<_> = read.iter().collect();
        assert_eq!(
            pairs,
            [
                ("B", "2.00"),
                ("A", "YURI P x&"),
                ("C", ""),
                ("D", "é"),
                ("E", "a\r\nb\tc")
            ]
        );
        assert_eq!(
            (read.query("D"), read.form("D"), read.any("D")),
            (None, Some("é"), Some("é"))
        );
    }

    #[test]
    fn refuses_two_readings() {
        for (query, form) in [
            ("a=1&a=2", None),
            ("a=1", Some("a=1")),
            ("a=1&%61=2", None),
            ("a[]=1", None),
            ("a%5B0%5D=1", None),
            ("a=1;b=2", None),
            ("a=%zz", None),
            ("a=%4", None),
            ("a=%ff", None),
            ("a=%00", None),
            ("a%0d%0a=1", None),
            ("a=%1b", None),
            ("=1", None),
            ("a", None),
            ("a=1&", None),
            ("", Some("\u{1}=1")),
        ] {
            assert!(read(query, form).is_err(), "{query} {form:?}");
        }
        let many: Vec<_> = (0..10_000).map(|n| format!("a{n}=1")).collect();
        assert!(read(&many.join("&"), None).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[ -~]{0,80}") {
            let _ = decode(&text, is_line_or_tab);
        }

        #[test]
        fn percent_encoding_is_undone(text in "[^\\p{Cc}]{0,20}") {
            let encoded: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(decode(&encoded, |_| false), Ok(text));
        }
    }
}
