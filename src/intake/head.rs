//! The request line and the headers, read strictly.

use crate::rejection::{Part, Rejection};
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

/// A head whose every part has one meaning only.
///
/// Names and values are visible ASCII, spaces and tabs. Source of the rules: RFC 9112.
#[derive(Clone, Debug)]
pub struct Head {
    raw: Arc<str>,
    method: Span,
    target: Span,
    query_at: Option<usize>,
    headers: Vec<(Span, Span)>,
    /// What `Connection` names, but for its two words about the connection itself.
    nominated: Vec<Box<str>>,
    framing: Framing,
    keep_alive: bool,
    minor: u8,
}

/// How the end of the body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// This many bytes; 0 without a body.
    Length(u64),
    /// Chunks, and no length.
    Chunked,
}

type Span = Range<usize>;

/// More headers than this are refused with 431.
const MOST_HEADERS: usize = 128;

impl Head {
    /// Reads a head that [`super::HeadScan`] found complete, ending with its empty line.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] for everything that RFC 9112 lets a server refuse and two servers
    /// could read differently, [`Rejection::Method`] for CONNECT and TRACE.
    pub fn parse(raw: &[u8]) -> Result<Self, Rejection> {
        let raw = std::str::from_utf8(raw)
            .map_err(|_| Rejection::Malformed("a head with bytes that are not ASCII"))?;
        let mut slots = [const { MaybeUninit::uninit() }; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut []);
        match request.parse_with_uninit_headers(raw.as_bytes(), &mut slots) {
            Ok(httparse::Status::Complete(length)) if length == raw.len() => {}
            Err(httparse::Error::TooManyHeaders) => return Err(Rejection::TooLarge(Part::Head)),
            _ => return Err(Rejection::Malformed("not an HTTP/1.1 request head")),
        }
        let (Some(method), Some(target), Some(minor)) =
            (request.method, request.path, request.version)
        else {
            return Err(Rejection::Malformed("not an HTTP/1.1 request line"));
        };
        if matches!(method, "CONNECT" | "TRACE") {
            return Err(Rejection::Method("".into()));
        }
        check_target(target)?;
        let base = raw.as_ptr() as usize;
        let span = |part: &[u8]| {
            let start = (part.as_ptr() as usize).saturating_sub(base);
            start..start + part.len()
        };
        let framing = Framing::read(request.headers, minor)?;
        check_connection(request.headers)?;
        only_one(request.headers, "host", true)?;
        only_one(request.headers, "content-type", false)?;
        let head = Self {
            method: span(method.as_bytes()),
            target: span(target.as_bytes()),
            query_at: target.find('?'),
            headers: request
                .headers
                .iter()
                .map(|h| (span(h.name.as_bytes()), span(h.value)))
                .collect(),
            nominated: nominated(request.headers),
            framing,
            keep_alive: keep_alive(request.headers, minor),
            minor,
            raw: raw.into(),
        };
        Ok(head)
    }

    /// The method, in its own case.
    #[must_use]
    pub fn method(&self) -> &str {
        self.text(&self.method)
    }

    /// Path and query, as they came.
    #[must_use]
    pub fn target(&self) -> &str {
        self.text(&self.target)
    }

    /// The target up to its question mark.
    #[must_use]
    pub fn path(&self) -> &str {
        let target = self.target();
        target
            .get(..self.query_at.unwrap_or(target.len()))
            .unwrap_or_default()
    }

    /// What follows the question mark, `None` where there is none.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.target().get(self.query_at? + 1..)
    }

    /// All headers in their order and case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers
            .iter()
            .map(|(name, value)| (self.text(name), self.text(value)))
    }

    /// The value of a header that may occur once, its name in any case.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] where it occurs more than once.
    pub fn sole(&self, name: &str) -> Result<Option<&str>, Rejection> {
        let raw = self.raw.as_bytes();
        let is_named = |other: &Span| {
            let other = raw.get(other.clone());
            other.is_some_and(|other| other.eq_ignore_ascii_case(name.as_bytes()))
        };
        let mut values = self
            .headers
            .iter()
            .filter(|(other, _)| other.len() == name.len() && is_named(other))
            .map(|(_, value)| self.text(value));
        let value = values.next();
        match values.next() {
            None => Ok(value),
            Some(_) => Err(Rejection::Malformed(
                "a header that may occur once is repeated",
            )),
        }
    }

    /// Whether a `Connection` header calls this header one of this connection only.
    #[must_use]
    pub fn nominates(&self, name: &str) -> bool {
        let mut nominated = self.nominated.iter();
        nominated.any(|other| other.eq_ignore_ascii_case(name))
    }

    /// How the body is framed.
    #[must_use]
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Whether the sender wants to use the connection again.
    #[must_use]
    pub fn keep_alive(&self) -> bool {
        self.keep_alive
    }

    /// Whether the sender reads chunked answers: HTTP/1.0 does not know them.
    #[must_use]
    pub fn reads_chunks(&self) -> bool {
        self.minor > 0
    }

    /// Whether the sender waits for `100 Continue` before it sends the body: one of HTTP/1.0 does not know
    /// that (RFC 9110 §10.1.1).
    ///
    /// # Errors
    /// [`Rejection::Expectation`] for any other expectation.
    pub fn expects_continue(&self) -> Result<bool, Rejection> {
        match self.sole("expect")? {
            None => Ok(false),
            Some(_) if self.minor == 0 => Ok(false),
            Some(value) if value.eq_ignore_ascii_case("100-continue") => Ok(true),
            Some(_) => Err(Rejection::Expectation),
        }
    }

    fn text(&self, span: &Span) -> &str {
        self.raw.get(span.clone()).unwrap_or_default()
    }
}

impl Framing {
    fn read(headers: &[httparse::Header<'_>], minor: u8) -> Result<Self, Rejection> {
        let length = only_one(headers, "content-length", false)?;
        let coding = only_one(headers, "transfer-encoding", false)?;
        match (length, coding) {
            (None, None) => Ok(Self::Length(0)),
            (Some(length), None) => decimal(length).map(Self::Length),
            (None, Some(coding)) if minor == 1 && coding.eq_ignore_ascii_case(b"chunked") => {
                Ok(Self::Chunked)
            }
            (None, Some(_)) => Err(Rejection::Malformed("a transfer coding other than chunked")),
            (Some(_), Some(_)) => Err(Rejection::Malformed(
                "both Content-Length and Transfer-Encoding",
            )),
        }
    }
}

fn decimal(text: &[u8]) -> Result<u64, Rejection> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(text)
        .ok()
        .filter(|_| digits)
        .and_then(|text| text.parse().ok())
        .ok_or(Rejection::Malformed("a Content-Length that is no number"))
}

fn only_one<'a>(
    headers: &[httparse::Header<'a>],
    name: &str,
    required: bool,
) -> Result<Option<&'a [u8]>, Rejection> {
    let mut values = headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case(name))
        .map(|header| header.value);
    let value = values.next();
    if values.next().is_some() {
        return Err(Rejection::Malformed(
            "a header that may occur once is repeated",
        ));
    }
    if required && value.is_none() {
        return Err(Rejection::Malformed("no Host"));
    }
    Ok(value)
}

/// Origin-form only (RFC 9112 §3.2.1), without what no URI may hold and every reader escapes in
/// its own way.
fn check_target(target: &str) -> Result<(), Rejection> {
    if !target.starts_with('/') {
        return Err(Rejection::Malformed(
            "a target that does not begin with a slash",
        ));
    }
    if target.contains(['#', '<', '>', '"']) {
        return Err(Rejection::Malformed(
            "a character in the target that no URI may hold",
        ));
    }
    Ok(())
}

/// What every hop needs cannot be called a matter of one connection: the next one would lack it.
fn check_connection(headers: &[httparse::Header<'_>]) -> Result<(), Rejection> {
    const NEEDED: [&str; 4] = [
        "content-length",
        "content-type",
        "host",
        "transfer-encoding",
    ];
    if NEEDED.iter().any(|name| nominates(headers, name)) {
        return Err(Rejection::Malformed(
            "a Connection header that names what every hop needs",
        ));
    }
    Ok(())
}

/// Whether a `Connection` header holds this word.
fn nominates(headers: &[httparse::Header<'_>], word: &str) -> bool {
    connection_words(headers).any(|other| other.eq_ignore_ascii_case(word))
}

fn nominated(headers: &[httparse::Header<'_>]) -> Vec<Box<str>> {
    let own = |word: &&str| !matches!(*word, "" | "close" | "keep-alive");
    connection_words(headers)
        .filter(own)
        .map(Into::into)
        .collect()
}

fn connection_words<'a>(headers: &'a [httparse::Header<'_>]) -> impl Iterator<Item = &'a str> {
    headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("connection"))
        .filter_map(|header| std::str::from_utf8(header.value).ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

fn keep_alive(headers: &[httparse::Header<'_>], minor: u8) -> bool {
    !nominates(headers, "close") && (minor == 1 || nominates(headers, "keep-alive"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Head, Rejection> {
        Head::parse(text.as_bytes())
    }

    #[test]
    fn reads_a_head_as_it_came() {
        let head = parse(
            "POST /a/b?x=1&y HTTP/1.1\r\nhOst: h\r\nClient-Id:  m \r\nContent-Length: 7\r\n\r\n",
        )
        .unwrap();
        assert_eq!(
            (head.method(), head.path(), head.query()),
            ("POST", "/a/b", Some("x=1&y"))
        );
        assert_eq!(head.target(), "/a/b?x=1&y");
        assert_eq!(head.framing(), Framing::Length(7));
        let headers: Vec<_> = head.headers().collect();
        assert_eq!(
            headers,
            [("hOst", "h"), ("Client-Id", "m"), ("Content-Length", "7")]
        );
        assert!(head.keep_alive());
    }

    #[test]
    fn refuses_doubtful_framing() {
        for lines in [
            "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
            "Content-Length: 1\r\nContent-Length: 1\r\n",
            "Content-Length: 1, 1\r\n",
            "Content-Length: +1\r\n",
            "Content-Length: \r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Host: again\r\n",
            "Connection: keep-alive, Host\r\n",
            "Content-Type: a/b\r\nContent-Type: a/b\r\n",
        ] {
            let head = parse(&format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n"));
            assert!(matches!(head, Err(Rejection::Malformed(_))), "{lines}");
        }
        assert!(parse("POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
        assert!(parse("POST / HTTP/1.1\r\n\r\n").is_err(), "no Host");
    }

    #[test]
    fn takes_origin_form_targets_only() {
        for target in ["http://h/", "*", "h:80", "/a#b", "/<a>", "/\"", ""] {
            assert!(
                parse(&format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")).is_err(),
                "{target}"
            );
        }
        assert_eq!(
            parse("CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n").unwrap_err(),
            Rejection::Method("".into())
        );
    }

    #[test]
    fn keeps_a_connection_as_its_version_and_sender_ask() {
        for (line, connection, kept) in [
            ("HTTP/1.1", "", true),
            ("HTTP/1.1", "Connection: x, Close\r\n", false),
            ("HTTP/1.0", "", false),
            ("HTTP/1.0", "Connection: keep-alive\r\n", true),
        ] {
            let head = parse(&format!("GET / {line}\r\nHost: h\r\n{connection}\r\n")).unwrap();
            assert_eq!(head.keep_alive(), kept, "{line} {connection}");
        }
    }
}
