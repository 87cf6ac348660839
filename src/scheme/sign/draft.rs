//! A request that is being composed.

use crate::intake::{Head, Received};
use bytes::Bytes;
use std::fmt;

/// A notification on its way out, with or without its proof.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The method.
    pub method: String,
    /// The path, and the query where there is one.
    pub target: String,
    /// The headers, but for `Host` and `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// Why a notification cannot be signed.
#[derive(Debug, PartialEq, Eq)]
pub enum Unsigned {
    /// Only the gateway has the key.
    GatewayOnly,
    /// The draft lacks what is signed, or has no room for the proof: a sentence.
    Lacks(String),
}

impl fmt::Display for Unsigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GatewayOnly => f.write_str("only the gateway has the key that signs"),
            Self::Lacks(sentence) => f.write_str(sentence),
        }
    }
}

impl Draft {
    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// The request as it is sent to `host`.
    #[must_use]
    pub fn bytes(&self, host: &str) -> Vec<u8> {
        let headers: String = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let (method, target, length) = (&self.method, &self.target, self.body.len());
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Length: {length}\r\n\r\n"
        );
        [head.as_bytes(), self.body.as_bytes()].concat()
    }

    pub(super) fn received(&self) -> Result<Received, Unsigned> {
        let bytes = self.bytes("localhost");
        let head = bytes.strip_suffix(self.body.as_bytes()).unwrap_or(&bytes);
        let head = Head::parse(head).map_err(|why| Unsigned::Lacks(why.to_string()))?;
        Ok(Received::new(head, Bytes::from(self.body.clone())))
    }

    pub(super) fn is_form(&self) -> bool {
        let kind = self.header("Content-Type").unwrap_or_default();
        kind.starts_with("application/x-www-form-urlencoded")
    }

    pub(super) fn add_parameter(&mut self, to_body: bool, name: &str, value: &str) {
        let pair = format!("{}={}", encoded(name), encoded(value));
        if to_body {
            let joint = if self.body.is_empty() { "" } else { "&" };
            self.body.push_str(&format!("{joint}{pair}"));
        } else {
            let joint = if self.target.contains('?') { "&" } else { "?" };
            self.target.push_str(&format!("{joint}{pair}"));
        }
    }

    pub(super) fn set_header(&mut self, name: &str, value: String) {
        self.headers
            .retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value));
    }
}

/// `application/x-www-form-urlencoded` text.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => encoded.push('+'),
            b'*' | b'-' | b'.' | b'_' => encoded.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => encoded.push(char::from(byte)),
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
