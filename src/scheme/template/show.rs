//! A filled template for people, without the secret.

use super::{Filter, Part, Reading, Source, filtered, hex, is_empty};
use crate::rejection::Rejection;
use std::borrow::Cow;

/// Stands where the secret stands.
const SECRET: &str = "<secret>";

pub(super) fn shown(parts: &[Part], reading: Reading<'_>) -> Result<String, Rejection> {
    let mut shown = String::new();
    for part in parts {
        match part {
            Part::Literal(text) => shown.push_str(&visible(text.as_bytes())),
            Part::Value(Source::Secret, filters) => shown.push_str(&called(filters, SECRET)),
            Part::Value(source, filters) => match source.read(reading, filters)? {
                Some(value) => shown.push_str(&visible(&value)),
                None => return Err(Rejection::MissingProof),
            },
            Part::Group(inner) if is_empty(inner, reading)? => {}
            Part::Group(inner) => shown.push_str(&self::shown(inner, reading)?),
            Part::Nested(inner, filters) if holds_secret(inner) => {
                shown.push_str(&called(filters, &self::shown(inner, reading)?));
            }
            Part::Nested(inner, filters) => {
                let filled = Cow::Owned(super::fill(inner, reading)?);
                shown.push_str(&visible(&filtered(filled, filters)));
            }
        }
    }
    Ok(shown)
}

/// `hex(md5(INNER))`: what cannot be shown itself is shown as it is made.
fn called(filters: &[Filter], inner: &str) -> String {
    let wrap = |inner: String, filter: &Filter| format!("{}({inner})", filter.name());
    filters.iter().fold(inner.to_owned(), wrap)
}

fn holds_secret(parts: &[Part]) -> bool {
    parts.iter().any(|part| match part {
        Part::Value(source, _) => *source == Source::Secret,
        Part::Literal(_) => false,
        Part::Group(inner) | Part::Nested(inner, _) => holds_secret(inner),
    })
}

/// Bytes as text: backslashes, what is not UTF-8, and characters that a terminal would obey or not show are
/// written out.
#[must_use]
pub fn visible(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' | '"' => shown.push(c),
                // Also what would turn the text around, or show nothing.
                c => shown.extend(c.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            shown.push_str(&format!("\\x{}", hex(&[*byte])));
        }
    }
    shown
}
