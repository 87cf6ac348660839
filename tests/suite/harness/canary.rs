//! Words that must appear nowhere, and the disguises in which they might.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::hooks::{base64, base64url, hex};

/// What is looked for: by name, so that a finding is told without showing the text itself alone.
#[derive(Clone, Default)]
pub struct Needles(BTreeSet<(String, String)>);

/// As long as this, a part of a proof is nobody's chance hit: 48 bits.
const PART: usize = 8;

impl Needles {
    /// A whole text, in every disguise.
    pub fn text(mut self, text: &str) -> Self {
        self.add(text);
        self
    }

    pub fn add(&mut self, text: &str) {
        assert!(text.len() >= PART, "{text} may occur by chance");
        for (disguise, needle) in disguises(text.as_bytes()) {
            self.insert(format!("{text} {disguise}"), needle);
        }
        self.insert(text.to_owned(), text.to_owned());
        self.insert(format!("{text} in lower case"), text.to_lowercase());
        self.insert(format!("{text} reversed"), text.chars().rev().collect());
    }

    /// A proof: its beginning and its end are too much already.
    pub fn add_proof(&mut self, proof: &str) {
        let digits = proof.bytes().all(|byte| byte.is_ascii_hexdigit());
        // Half as much stands in a digit of hex, and ids are in hex too.
        let part = if digits { PART * 2 } else { PART };
        assert!(proof.len() >= part, "{proof} is no proof");
        self.insert(format!("the start of {proof}"), proof[..part].to_owned());
        let end = proof[proof.len() - part..].to_owned();
        self.insert(format!("the end of {proof}"), end);
        if let Ok(bytes) = STANDARD.decode(proof) {
            self.insert(
                format!("{proof} in hex"),
                hex(&bytes)[..PART * 2].to_owned(),
            );
        }
    }

    fn insert(&mut self, name: String, needle: String) {
        self.0.insert((name, needle));
    }

    /// None of them is there.
    #[track_caller]
    pub fn assert_absent(&self, what: &str, text: &str) {
        assert!(!self.0.is_empty(), "nothing is looked for");
        for (name, needle) in &self.0 {
            if let Some(at) = text.find(needle) {
                let line = text[..at].rfind('\n').map_or(0, |at| at + 1);
                let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
                panic!("{what} shows {name}: {}", &text[line..end]);
            }
        }
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// The same bytes as others would write them.
fn disguises(bytes: &[u8]) -> Vec<(String, String)> {
    let each = |write: fn(&u8) -> String, between: &str| {
        let written: Vec<_> = bytes.iter().map(write).collect();
        written.join(between)
    };
    let mut found = vec![
        ("in hex".to_owned(), hex(bytes)),
        ("in HEX".to_owned(), hex(bytes).to_uppercase()),
        (
            "in spaced hex".to_owned(),
            each(|b| format!("{b:02x}"), " "),
        ),
        (
            "percent-encoded".to_owned(),
            each(|b| format!("%{b:02X}"), ""),
        ),
        (
            "percent-encoded, small".to_owned(),
            each(|b| format!("%{b:02x}"), ""),
        ),
        // As Rust shows bytes that nobody meant to show.
        ("as numbers".to_owned(), each(u8::to_string, ", ")),
        ("as packed numbers".to_owned(), each(u8::to_string, ",")),
        ("escaped".to_owned(), each(|b| format!("\\x{b:02x}"), "")),
        (
            "escaped for JSON".to_owned(),
            each(|b| format!("\\u{b:04x}"), ""),
        ),
    ];
    // Wherever in a longer text they stand, and without what their neighbours decide.
    for shift in 0..3 {
        let shifted = [&vec![b'x'; shift], bytes].concat();
        let (from, to) = ((shift * 8).div_ceil(6), shifted.len() * 8 / 6);
        for (name, encoded) in [
            ("base64", base64(&shifted)),
            ("base64url", base64url(&shifted)),
        ] {
            found.push((
                format!("in {name} at {shift}"),
                encoded[from..to].to_owned(),
            ));
        }
    }
    found
}
