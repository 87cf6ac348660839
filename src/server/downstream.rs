//! A connection from a gateway, and the request that it is at.

use super::body::Body;
use super::head::{self, Head as AnswerHead, Length};
use super::size::Size;
use super::wire::Wire;
use crate::answer::Answer;
use crate::intake::{Framing, Head, HeadScan, Scanned};
use crate::rejection::Rejection;
use bytes::{Buf as _, Bytes, BytesMut};
use pingora_core::protocols::Stream;
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// A gateway that does not take its answer in this time is not waited for.
const ANSWER_TAKEN: Duration = Duration::from_secs(30);

/// A connection from a gateway.
#[derive(Debug)]
pub(super) struct Downstream {
    wire: Wire,
    peer: IpAddr,
    body: Body,
    /// Whether answers to the request have no body.
    is_head: bool,
    keep_alive: bool,
    /// When its answer was begun.
    answered: Option<Instant>,
    /// Whether the answer has a body.
    has_body: bool,
    /// Whether that body is written in chunks.
    chunks: bool,
}

/// Bounds for a request head.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadBounds {
    pub(super) bytes: usize,
    /// From the first byte on.
    pub(super) whole: Duration,
}

impl Downstream {
    pub(super) fn new(stream: Stream, peer: IpAddr) -> Self {
        Self {
            wire: Wire::new(stream),
            peer,
            body: Body::EMPTY,
            is_head: false,
            keep_alive: true,
            answered: None,
            has_body: true,
            chunks: false,
        }
    }

    /// The address of the other side.
    pub(super) fn peer(&self) -> IpAddr {
        self.peer
    }

    /// Waits for the first byte of a request; `false` where the peer leaves or stays silent.
    pub(super) async fn wait(&mut self, idle: Duration) -> bool {
        let begun = async {
            while !self.has_begun() {
                self.wire.rest();
                if self.wire.read().await.is_err() {
                    return false;
                }
            }
            true
        };
        timeout(idle, begun).await.unwrap_or(false)
    }

    /// Some clients end a body with one line end too many (RFC 9112 §2.2).
    fn has_begun(&mut self) -> bool {
        let ahead = &mut self.wire.ahead;
        while ahead.starts_with(b"\r\n") {
            ahead.advance(2);
        }
        !matches!(**ahead, [] | [b'\r'])
    }

    /// Reads the head of the next request. `None` where the peer leaves in the middle.
    ///
    /// # Errors
    /// Those of [`HeadScan::feed`] and [`Head::parse`], and [`Rejection::Timeout`].
    pub(super) async fn read_head(
        &mut self,
        bounds: HeadBounds,
    ) -> Result<Option<Head>, Rejection> {
        // Until there is one that says where its body ends, nothing can be found behind it.
        self.keep_alive = false;
        self.answered = None;
        self.is_head = false;
        self.chunks = false;
        self.body = Body::EMPTY;
        let deadline = Instant::now() + bounds.whole;
        let mut scan = HeadScan::default();
        let mut begun = false;
        loop {
            begun = begun || self.has_begun();
            if begun && let Scanned::Complete(end) = scan.feed(&self.wire.ahead, bounds.bytes)? {
                return self.begin(end).map(Some);
            }
            match timeout_at(deadline, self.wire.read()).await {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return Ok(None),
                Err(_) => return Err(Rejection::Timeout),
            }
        }
    }

    fn begin(&mut self, end: usize) -> Result<Head, Rejection> {
        let head = Head::parse(&self.wire.ahead.split_to(end))?;
        self.body = Body::of(head.framing());
        self.is_head = head.method() == "HEAD";
        self.keep_alive = head.keep_alive();
        Ok(head)
    }

    /// The whole body.
    ///
    /// # Errors
    /// [`Rejection::TooLarge`], [`Rejection::Timeout`], [`Rejection::Crowded`] where other large ones are held
    /// all the time, [`Rejection::Expectation`], and [`Rejection::Malformed`] where it breaks off or its chunks
    /// are not sound.
    pub(super) async fn read_body(
        &mut self,
        head: &Head,
        size: &mut Size,
        longest: Duration,
    ) -> Result<Bytes, Rejection> {
        let expected = head.expects_continue()?;
        let whole = async {
            if let Framing::Length(length) = head.framing() {
                size.reach(length).await?;
            }
            if expected {
                self.send_continue().await;
            }
            self.collect(size).await
        };
        let received = timeout(longest, whole).await;
        received.unwrap_or_else(|_| Err(size.late()))
    }

    async fn collect(&mut self, size: &mut Size) -> Result<Bytes, Rejection> {
        if let Some(whole) = self.body.whole(&mut self.wire).await? {
            return Ok(whole);
        }
        let mut whole = BytesMut::new();
        while let Some(piece) = self.next_piece().await? {
            size.reach((whole.len() + piece.len()) as u64).await?;
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// What is there of the body already.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] where its chunks are not sound.
    pub(super) fn piece_ahead(&mut self) -> Result<Option<Bytes>, Rejection> {
        self.body.take(&mut self.wire)
    }

    /// The next piece of the body, `None` after the last. Nothing is lost where this is dropped.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] where it breaks off or its chunks are not sound.
    pub(super) async fn next_piece(&mut self) -> Result<Option<Bytes>, Rejection> {
        self.body.next(&mut self.wire).await
    }

    /// Whether the body was read to its end.
    pub(super) fn has_whole_body(&self) -> bool {
        self.body.is_done()
    }

    /// Tells a sender that waits for it to send its body. One that takes nothing is ended by the deadline of
    /// the answer that follows.
    pub(super) async fn send_continue(&mut self) {
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
        let _ = timeout(ANSWER_TAKEN, self.wire.write(interim)).await;
    }

    /// Writes a whole answer. The connection serves on only where both sides want it and the request was read
    /// to its end.
    pub(super) async fn answer(&mut self, answer: &Answer, serves_on: bool) {
        if !serves_on || !(self.body.is_done() || self.discard().await) {
            self.close();
        }
        let written = timeout(ANSWER_TAKEN, self.write(answer)).await;
        if !matches!(written, Ok(Ok(()))) {
            self.close();
        }
    }

    async fn write(&mut self, answer: &Answer) -> io::Result<()> {
        let length = Length::Known(answer.body.len() as u64);
        let head = self.head(answer.status, &answer.headers, length)?;
        let body: &[u8] = if self.has_body { &answer.body } else { b"" };
        self.wire.write_both(head, body).await
    }

    /// Writes the head of an answer whose body comes piece by piece.
    pub(super) async fn begin_answer(
        &mut self,
        status: u16,
        headers: &[(String, Vec<u8>)],
        length: Length,
    ) -> io::Result<()> {
        if length == Length::Unsaid {
            self.close();
        }
        let head = self.head(status, headers, length)?;
        self.chunks = self.has_body && length == Length::Chunks;
        self.wire.write_both(head, b"").await
    }

    fn head(
        &mut self,
        status: u16,
        headers: &[(String, Vec<u8>)],
        length: Length,
    ) -> io::Result<AnswerHead> {
        let head = AnswerHead::of_answer(status, headers, length, self.keep_alive)?;
        self.answered = Some(Instant::now());
        self.has_body = !self.is_head && !matches!(status, 204 | 304);
        Ok(head)
    }

    /// Writes more of a body.
    pub(super) async fn write_piece(&mut self, piece: &[u8]) -> io::Result<()> {
        match (self.has_body, self.chunks) {
            (false, _) => Ok(()),
            (true, false) => self.wire.write(piece).await,
            (true, true) => self.wire.write(&head::chunk(piece, false)).await,
        }
    }

    /// Ends an answer that came piece by piece.
    pub(super) async fn end_answer(&mut self) -> io::Result<()> {
        match self.chunks {
            true => self.wire.write(&head::chunk(b"", true)).await,
            false => Ok(()),
        }
    }

    /// Reads and forgets the rest of a refused body; `false` where it is too much or too slow.
    async fn discard(&mut self) -> bool {
        const MOST: u64 = 1024 * 1024;
        const LONGEST: Duration = Duration::from_secs(5);
        if matches!(self.body, Body::Length(left) if left > MOST) {
            return false;
        }
        let rest = async {
            let mut length = 0;
            while let Ok(Some(piece)) = self.next_piece().await {
                length += piece.len() as u64;
                if length > MOST {
                    break;
                }
            }
        };
        timeout(LONGEST, rest).await.is_ok() && self.body.is_done()
    }

    /// When the answer to its last request was begun, if it was: whoever has read it may think that nothing
    /// is awaited of the connection any more.
    pub(super) fn answered(&self) -> Option<Instant> {
        self.answered
    }

    /// Whether it serves another request.
    pub(super) fn serves_on(&self) -> bool {
        self.keep_alive
    }

    /// It ends with the answer.
    pub(super) fn close(&mut self) {
        self.keep_alive = false;
    }

    /// Says that nothing more will be written, and discards what the peer still sends.
    pub(super) async fn linger(self, longest: Duration) {
        self.wire.linger(longest).await;
    }
}
