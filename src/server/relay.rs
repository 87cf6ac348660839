//! Unverified traffic of paths without a route: streamed both ways, never held whole.

use super::Server;
use super::app::{AnswerPart, App};
use super::connection::may_serve_on;
use super::downstream::Downstream;
use super::head::{self, Head as Outgoing, Length};
use super::live::Live;
use super::pool::Pool;
use crate::answer::{Answer, Form};
use crate::forward::Unmatched;
use crate::intake::{Framing, Head};
use crate::rejection::Rejection;
use bytes::Bytes;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::timeout;

/// Streams a request to the app and its answer back. Neither side may stay without a byte for
/// longer than `timeouts.upstream`.
pub(super) async fn serve(
    (server, pool): (&Server, &Pool),
    live: &Live,
    downstream: &mut Downstream,
    (head, from): (&Head, Option<IpAddr>),
    unmatched: Unmatched,
) {
    let (to, outgoing) = live.upstream.pass(unmatched).open();
    let length = match head.framing() {
        Framing::Length(length) => Length::Known(length),
        Framing::Chunked => Length::Chunks,
    };
    // An app that does not read a body takes it for the next request.
    let is_last = length != Length::Known(0);
    let Ok(request) = Outgoing::of_request(&outgoing, length, is_last) else {
        let malformed = Rejection::Malformed("a target that cannot be forwarded");
        return refuse((server, from), downstream, &malformed, false).await;
    };
    let mut app = match pool.connect(&to, false, live.timeouts.connect).await {
        Ok(app) => app,
        Err(rejection) => {
            let rejection = server.unreachable(rejection);
            let serves_on =
                !server.is_draining() && may_serve_on(downstream, head, Some(&rejection));
            return refuse((server, from), downstream, &rejection, serves_on).await;
        }
    };
    if head.expects_continue() == Ok(true) {
        downstream.send_continue().await;
    }
    if server.is_draining() {
        downstream.close();
    }
    let mut relay = Relay {
        server,
        downstream,
        app: &mut app,
        head,
        chunks: length == Length::Chunks,
        sending: true,
        is_sent: false,
    };
    let streamed = relay.stream(request, live.timeouts.upstream).await;
    let is_sent = relay.is_sent;
    match streamed {
        Ok(()) if is_last || !is_sent => {}
        Ok(()) => pool.give_back(app),
        Err(rejection) if downstream.answered().is_none() => {
            refuse((server, from), downstream, &rejection, false).await;
        }
        // Cut off in the middle: closing is the only honest sign that is left.
        Err(_) => downstream.close(),
    }
}

async fn refuse(
    (server, from): (&Server, Option<IpAddr>),
    downstream: &mut Downstream,
    rejection: &Rejection,
    serves_on: bool,
) {
    let answer = Answer::to(rejection, Form::Plain);
    server.metrics.refused(rejection, Some(answer.status), from);
    downstream.answer(&answer, serves_on).await;
}

/// A request on its way to the app, and the answer on its way back.
struct Relay<'a> {
    server: &'a Server,
    downstream: &'a mut Downstream,
    app: &'a mut App,
    head: &'a Head,
    /// Whether the request's body goes on in chunks.
    chunks: bool,
    /// Whether the app still takes it.
    sending: bool,
    /// Whether it has all of it.
    is_sent: bool,
}

const GONE: Rejection = Rejection::Malformed("the peer left");

impl Relay<'_> {
    /// Moves pieces as they come, whichever side they come from, until the answer is complete.
    async fn stream(&mut self, request: Outgoing, silence: Duration) -> Result<(), Rejection> {
        // What is there of the body leaves with the head.
        let first = self.downstream.piece_ahead()?;
        let first = self.framed(first);
        let late = Err(Rejection::UpstreamTimeout);
        match timeout(silence, self.app.write(request, &first)).await {
            Ok(Ok(())) => self.sending = !self.is_sent,
            Ok(Err(_)) => return Err(Rejection::UpstreamDown),
            Err(_) => return late,
        }
        loop {
            let step = async {
                tokio::select! {
                    piece = self.downstream.next_piece(), if self.sending => {
                        self.send(piece?, silence / 2).await;
                        Ok(false)
                    }
                    part = self.app.next_part(self.head.method()) => {
                        self.pass(part.map_err(|_| Rejection::UpstreamDown)?).await
                    }
                }
            };
            match timeout(silence, step).await {
                Ok(Ok(false)) => {}
                Ok(Ok(true)) => return Ok(()),
                Ok(Err(rejection)) => return Err(rejection),
                Err(_) => return late,
            }
        }
    }

    /// A piece of the request as it goes to the app, and the end of the body where it was the last.
    fn framed(&mut self, piece: Option<Bytes>) -> Bytes {
        self.is_sent = self.downstream.has_whole_body();
        let piece = piece.unwrap_or_default();
        match (self.chunks, self.is_sent) {
            (false, _) => piece,
            (true, is_last) => head::chunk(&piece, is_last).into(),
        }
    }

    /// An app may refuse the rest of a body, or never read it, and still answer.
    async fn send(&mut self, piece: Option<Bytes>, longest: Duration) {
        let piece = self.framed(piece);
        let written = timeout(longest, self.app.write_piece(&piece)).await;
        let is_written = matches!(written, Ok(Ok(())));
        self.is_sent &= is_written;
        self.sending = is_written && !self.is_sent;
    }

    /// Passes one part of the app's answer on; `true` after the last.
    async fn pass(&mut self, part: AnswerPart) -> Result<bool, Rejection> {
        match part {
            AnswerPart::Head(answer) => {
                // The app still expects the rest of the body: what came next would be taken for it.
                if !self.is_sent || self.server.is_draining() {
                    self.downstream.close();
                }
                let length = match answer.length {
                    Some(length) => Length::Known(length),
                    None if self.head.reads_chunks() => Length::Chunks,
                    None => Length::Unsaid,
                };
                let begun = self
                    .downstream
                    .begin_answer(answer.status, &answer.headers, length);
                begun.await.map_err(|_| GONE)?;
                Ok(false)
            }
            AnswerPart::Piece(Some(piece)) => {
                self.downstream
                    .write_piece(&piece)
                    .await
                    .map_err(|_| GONE)?;
                Ok(false)
            }
            AnswerPart::Piece(None) => {
                self.downstream.end_answer().await.map_err(|_| GONE)?;
                Ok(true)
            }
        }
    }
}
