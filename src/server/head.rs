//! Heads as they go over the wire.

use crate::forward::RequestHead;
use pingora_core::protocols::http::date::get_cached_date;
use pingora_http::StatusCode;
use std::io::{self, Write as _};

/// How the other side finds the end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Known(u64),
    Chunks,
    /// It ends with the connection, or there is none and everybody knows.
    Unsaid,
}

/// The head of a message, ready to be written.
#[derive(Debug)]
pub(super) struct Head(Vec<u8>);

impl Head {
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// That of an answer; the connection serves on behind it, or ends.
    ///
    /// # Errors
    /// Where a header would not stay in its line.
    pub(super) fn of_answer(
        status: u16,
        headers: &[(String, Vec<u8>)],
        length: Length,
        keep_alive: bool,
    ) -> io::Result<Self> {
        let mut head = Self(Vec::with_capacity(512));
        let reason = StatusCode::from_u16(status)
            .ok()
            .and_then(|status| status.canonical_reason())
            .unwrap_or_default();
        write!(head.0, "HTTP/1.1 {status} {reason}\r\n")?;
        let is_date = |name: &str| name.eq_ignore_ascii_case("date");
        for (name, value) in headers.iter().filter(|(name, _)| !is_date(name)) {
            head.add(name, value)?;
        }
        head.add("Date", get_cached_date().as_bytes())?;
        let connection: &[u8] = if keep_alive { b"keep-alive" } else { b"close" };
        head.add("Connection", connection)?;
        // Of these everybody knows that they have no body (RFC 9110 §8.6).
        let is_bare = matches!(status, 204 | 304);
        head.end(if is_bare { Length::Unsaid } else { length })
    }

    /// That of a request, whose connection may have to end with its answer.
    ///
    /// # Errors
    /// Where something would not stay in its line.
    pub(super) fn of_request(
        request: &RequestHead,
        length: Length,
        is_last: bool,
    ) -> io::Result<Self> {
        let unsound = || io::ErrorKind::InvalidData;
        let RequestHead { method, target, .. } = request;
        let lines = request.lines().ok_or_else(unsound)?;
        if target
            .bytes()
            .chain(method.bytes())
            .any(|byte| byte <= b' ')
        {
            return Err(unsound().into());
        }
        let mut head = Self(Vec::with_capacity(lines.len() + 256));
        for part in [method, " ", target, " HTTP/1.1\r\n", lines] {
            head.0.extend_from_slice(part.as_bytes());
        }
        if is_last {
            head.add("Connection", b"close")?;
        }
        // A method without a body bears no length (RFC 9110 §8.6).
        let is_bare = length == Length::Known(0)
            && matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "DELETE");
        head.end(if is_bare { Length::Unsaid } else { length })
    }

    fn add(&mut self, name: &str, value: &[u8]) -> io::Result<()> {
        if memchr::memchr3(b'\r', b'\n', 0, value).is_some() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            self.0.extend_from_slice(part);
        }
        Ok(())
    }

    fn end(mut self, length: Length) -> io::Result<Self> {
        match length {
            Length::Known(length) => write!(self.0, "Content-Length: {length}\r\n\r\n")?,
            Length::Chunks => self
                .0
                .extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n"),
            Length::Unsaid => self.0.extend_from_slice(b"\r\n"),
        }
        Ok(self)
    }
}

/// A piece of a body as one chunk, and what ends the body where it is the last (RFC 9112 §7.1).
pub(super) fn chunk(piece: &[u8], is_last: bool) -> Vec<u8> {
    let mut chunk = Vec::new();
    // An empty chunk would end the body.
    if !piece.is_empty() {
        chunk.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
    }
    if is_last {
        chunk.extend_from_slice(b"0\r\n\r\n");
    }
    chunk
}
