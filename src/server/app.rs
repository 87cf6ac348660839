//! A connection to the app: a request out, its answer in.

use super::body::Body;
use super::head::Head;
use super::wire::Wire;
use crate::forward::{Endpoint, is_of_the_connection, is_ours};
use bytes::{Bytes, BytesMut};
use httparse::{Header, ParserConfig, Response, Status};
use std::io;
use std::mem::MaybeUninit;

/// More interim answers than this are no answer.
const MOST_INTERIM: usize = 16;
/// Nor are more headers.
const MOST_HEADERS: usize = 256;
/// Nor is a longer head, in bytes.
const LONGEST_HEAD: usize = 1024 * 1024;

/// A connection to the app.
#[derive(Debug)]
pub(super) struct App {
    pub(super) endpoint: Endpoint,
    /// Whether all that went over it was verified, and is going to be. What an app still says to somebody else
    /// would be taken for its answer to a notification.
    pub(super) is_verified: bool,
    wire: Wire,
    /// Of the answer, once its head was read.
    body: Option<Body>,
    keep_alive: bool,
    /// Interim answers so far.
    interim: usize,
}

/// A part of an answer.
#[derive(Debug)]
pub(super) enum AnswerPart {
    Head(AnswerHead),
    /// `None` is its end.
    Piece(Option<Bytes>),
}

/// The head of a final answer.
#[derive(Debug)]
pub(super) struct AnswerHead {
    pub(super) status: u16,
    /// Those that go on to the gateway.
    pub(super) headers: Vec<(String, Vec<u8>)>,
    /// Of its body, where it says so.
    pub(super) length: Option<u64>,
}

/// The answer breaks off, or cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl App {
    pub(super) fn new(endpoint: Endpoint, is_verified: bool, wire: Wire) -> Self {
        Self {
            endpoint,
            is_verified,
            wire,
            body: None,
            keep_alive: false,
            interim: 0,
        }
    }

    /// Writes the head of a request, and of its body as much as there is.
    pub(super) async fn write(&mut self, head: Head, body: &[u8]) -> io::Result<()> {
        (self.body, self.interim) = (None, 0);
        self.wire.write_both(head, body).await
    }

    /// Writes more of a body.
    pub(super) async fn write_piece(&mut self, piece: &[u8]) -> io::Result<()> {
        self.wire.write(piece).await
    }

    /// The head of the final answer to a request with this method. Nothing is lost where this is dropped.
    pub(super) async fn read_head(&mut self, method: &str) -> Result<AnswerHead, Broken> {
        loop {
            match parse(&self.wire.ahead, method)? {
                Some(Parsed::Final {
                    length,
                    head,
                    body,
                    keep_alive,
                }) => {
                    let _ = self.wire.ahead.split_to(length);
                    (self.body, self.keep_alive) = (Some(body), keep_alive);
                    return Ok(head);
                }
                Some(Parsed::Interim(length)) if self.interim < MOST_INTERIM => {
                    let _ = self.wire.ahead.split_to(length);
                    self.interim += 1;
                }
                None if self.wire.ahead.len() <= LONGEST_HEAD => {
                    self.wire.read().await.map_err(|_| Broken)?;
                }
                Some(Parsed::Interim(_)) | None => return Err(Broken),
            }
        }
    }

    /// The next piece of the answer's body, `None` after the last. Nothing is lost where this is dropped.
    async fn next_piece(&mut self) -> Result<Option<Bytes>, Broken> {
        let body = self.body.as_mut().ok_or(Broken)?;
        body.next(&mut self.wire).await.map_err(|_| Broken)
    }

    /// The head of the final answer, then piece after piece. Nothing is lost where this is dropped.
    pub(super) async fn next_part(&mut self, method: &str) -> Result<AnswerPart, Broken> {
        match self.body {
            None => self.read_head(method).await.map(AnswerPart::Head),
            Some(_) => self.next_piece().await.map(AnswerPart::Piece),
        }
    }

    fn is_answered(&self) -> bool {
        self.body.as_ref().is_some_and(Body::is_done)
    }

    /// The whole body, `None` where it is longer than this.
    pub(super) async fn read_body(&mut self, longest: usize) -> Result<Option<Bytes>, Broken> {
        let Some(first) = self.next_piece().await? else {
            return Ok(Some(Bytes::new()));
        };
        // The usual body comes in one piece and is kept without a copy.
        if self.is_answered() && first.len() <= longest {
            return Ok(Some(first));
        }
        let mut whole = BytesMut::from(first);
        while let Some(piece) = self.next_piece().await? {
            if whole.len() + piece.len() > longest {
                return Ok(None);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Some(whole.freeze()))
    }

    /// Whether it can take another request: the answer was read to its end, the app wants to go on, and has
    /// said nothing more. It holds no buffer then.
    pub(super) fn serves_on(&mut self) -> bool {
        self.wire.rest();
        self.keep_alive && self.is_answered() && self.is_quiet()
    }

    /// Whether the app has neither closed it nor said anything that nobody asked for.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.wire.is_quiet()
    }
}

/// A head at the beginning of what was read, with its length.
enum Parsed {
    Interim(usize),
    Final {
        length: usize,
        head: AnswerHead,
        body: Body,
        keep_alive: bool,
    },
}

/// `None` where there is no whole head yet. As lenient as browsers are: an app that works elsewhere works
/// here.
fn parse(bytes: &[u8], method: &str) -> Result<Option<Parsed>, Broken> {
    let mut slots = [const { MaybeUninit::uninit() }; MOST_HEADERS];
    let mut response = Response::new(&mut []);
    let parsed = ParserConfig::default()
        .allow_spaces_after_header_name_in_responses(true)
        .allow_obsolete_multiline_headers_in_responses(true)
        .parse_response_with_uninit_headers(&mut response, bytes, &mut slots);
    let Status::Complete(length) = parsed.map_err(|_| Broken)? else {
        return Ok(None);
    };
    let headers = Headers(response.headers);
    let status = response.code.ok_or(Broken)?;
    match status {
        ..100 | 101 => return Err(Broken),
        100..200 => return Ok(Some(Parsed::Interim(length))),
        _ => {}
    }
    let is_1_1 = response.version == Some(1);
    let content_length = headers.content_length()?;
    let body = match () {
        () if method == "HEAD" || matches!(status, 204 | 304) => Body::EMPTY,
        () if headers.is_coded() => headers.chunks()?,
        () => content_length.map_or(Body::UntilClose, Body::Length),
    };
    Ok(Some(Parsed::Final {
        length,
        head: AnswerHead {
            status,
            length: content_length,
            headers: headers.end_to_end(),
        },
        body,
        keep_alive: headers.keep_alive(is_1_1),
    }))
}

struct Headers<'a>(&'a [Header<'a>]);

impl<'a> Headers<'a> {
    fn named(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.0
            .iter()
            .filter(move |header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value)
    }

    /// The members of a header that is a list.
    fn words(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        self.named(name)
            .flat_map(|value| value.split(|byte| matches!(byte, b',' | b'\r' | b'\n')))
            .map(<[u8]>::trim_ascii)
    }

    /// The same length said twice is one; where there is a transfer coding it says nothing (RFC 9112 §6.3).
    fn content_length(&self) -> Result<Option<u64>, Broken> {
        if self.named("transfer-encoding").next().is_some() {
            return Ok(None);
        }
        let mut lengths = self.words("content-length").map(|word| {
            let digits = word.iter().all(u8::is_ascii_digit);
            let text = std::str::from_utf8(word).ok().filter(|_| digits);
            text.and_then(|text| text.parse().ok()).ok_or(Broken)
        });
        let Some(first) = lengths.next() else {
            return Ok(None);
        };
        let first = first?;
        match lengths.all(|other| other == Ok(first)) {
            true => Ok(Some(first)),
            false => Err(Broken),
        }
    }

    fn is_coded(&self) -> bool {
        self.named("transfer-encoding").next().is_some()
    }

    /// Of another coding the gateway would not learn.
    fn chunks(&self) -> Result<Body, Broken> {
        let mut codings = self.words("transfer-encoding");
        match codings.all(|coding| coding.eq_ignore_ascii_case(b"chunked")) {
            true => Ok(Body::Chunked(Default::default())),
            false => Err(Broken),
        }
    }

    fn keep_alive(&self, is_1_1: bool) -> bool {
        let says = |word: &[u8]| {
            let mut words = self.words("connection");
            words.any(|other| other.eq_ignore_ascii_case(word))
        };
        // What comes behind a coding of HTTP/1.0, or behind two lengths, is anybody's guess (RFC 9112 §6).
        let is_doubtful =
            self.is_coded() && (!is_1_1 || self.named("content-length").next().is_some());
        !is_doubtful && !says(b"close") && (is_1_1 || says(b"keep-alive"))
    }

    /// The headers that go on to the gateway.
    fn end_to_end(&self) -> Vec<(String, Vec<u8>)> {
        let is_nominated = |name: &str| {
            let mut nominated = self.words("connection");
            nominated.any(|other| other.eq_ignore_ascii_case(name.as_bytes()))
        };
        self.0
            .iter()
            .filter(|header| !is_of_the_connection(header.name) && !is_ours(header.name))
            .filter(|header| !is_nominated(header.name))
            .map(|header| (header.name.to_owned(), unfolded(header.value)))
            .collect()
    }
}

/// A value that goes on in another line is one line (RFC 9112 §5.2).
fn unfolded(value: &[u8]) -> Vec<u8> {
    let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let lines = value.split(is_end).map(<[u8]>::trim_ascii);
    let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    lines.join(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether there is an answer, with its length, and whether the connection is kept.
    fn read(head: &str) -> Result<(Option<u64>, bool), Broken> {
        match parse(head.as_bytes(), "POST")? {
            Some(Parsed::Final {
                head, keep_alive, ..
            }) => Ok((head.length, keep_alive)),
            Some(Parsed::Interim(_)) | None => Err(Broken),
        }
    }

    #[test]
    fn what_two_readers_would_end_differently_is_broken_or_the_last() {
        for (head, expected) in [
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\n",
                Ok((Some(2), true)),
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
                Err(Broken),
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n", Err(Broken)),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                Ok((None, true)),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                Err(Broken),
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
                Ok((None, false)),
            ),
            (
                "HTTP/1.1 200 OK\r\nConnection: x,\r\n close\r\nContent-Length: 2\r\n\r\n",
                Ok((Some(2), false)),
            ),
            (
                "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n",
                Ok((Some(2), false)),
            ),
            (
                "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\n",
                Ok((Some(2), true)),
            ),
            ("HTTP/1.1 042 X\r\n\r\n", Err(Broken)),
            ("HTTP/1.1 101 Switching Protocols\r\n\r\n", Err(Broken)),
        ] {
            assert_eq!(read(head), expected, "{head}");
        }
    }
}
