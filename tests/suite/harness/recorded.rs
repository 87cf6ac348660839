//! A request as it reached the app, byte for byte.

use std::io::{self, BufReader, Read};

use super::wire::{self, Headers, read_body, read_head};

/// A request as it reached the app.
#[derive(Clone, Debug)]
pub struct Recorded {
    pub method: String,
    pub target: String,
    pub version: String,
    pub headers: Headers,
    pub body: Vec<u8>,
    /// Head and body as they came, framing included.
    pub raw: Vec<u8>,
}

impl Recorded {
    /// The first value of this name, in any letter case.
    pub fn header(&self, name: &str) -> Option<String> {
        wire::find(&self.headers, name)
    }

    /// Every value of this name, in any letter case.
    pub fn all(&self, name: &str) -> Vec<String> {
        wire::all(&self.headers, name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.header(name).is_some()
    }

    /// The names as spelt on the wire.
    pub fn names(&self) -> Vec<&str> {
        self.headers.iter().map(|(name, _)| name.as_str()).collect()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Reads one request; nothing when the connection ended before it.
pub fn read_request(reader: &mut BufReader<impl Read>) -> io::Result<Option<Recorded>> {
    let Some(head) = read_head(reader)? else {
        return Ok(None);
    };
    let mut raw = head.raw;
    let body = read_body(reader, &head.headers, false, &mut raw)?;
    let mut words = head.first.splitn(3, ' ').map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    Ok(Some(Recorded {
        method: word(),
        target: word(),
        version: word(),
        headers: head.headers,
        body,
        raw,
    }))
}
