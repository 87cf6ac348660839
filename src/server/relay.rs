//! Unverified traffic of paths without a route: streamed both ways, never held whole.

use super::Server;
use super::codec::{may_go_on, response_header, send_continue, write_answer};
use super::downstream::Downstream;
use super::live::Live;
use super::upstream::{end_to_end, request_header};
use crate::answer::{Answer, Form};
use crate::forward::Unmatched;
use crate::intake::{Framing, Head};
use crate::rejection::Rejection;
use pingora_core::protocols::http::HttpTask;
use pingora_core::protocols::http::v1::client::HttpSession as AppSession;
use pingora_core::protocols::http::v1::server::HttpSession;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::timeout;

/// Streams a request to the app and its answer back. Neither side may stay without a byte for
/// longer than `timeouts.upstream`.
pub(super) async fn serve(
    server: &Server,
    live: &Live,
    session: &mut HttpSession,
    (head, from): (&Head, Option<IpAddr>),
    unmatched: Unmatched,
) {
    let (to, outgoing) = live.upstream.pass(unmatched).open();
    let length = match head.framing() {
        Framing::Length(length) => usize::try_from(length).ok(),
        Framing::Chunked => None,
    };
    // An app that does not read a body takes it for the next request.
    let is_last = length != Some(0);
    let Ok(header) = request_header(outgoing, length, is_last) else {
        let malformed = Rejection::Malformed("a target that cannot be forwarded");
        return refuse((server, from), session, &malformed, false).await;
    };
    let mut connected = match server.pool.connect(&to, live.timeouts.connect).await {
        Ok(connected) => connected,
        Err(rejection) => {
            let rejection = server.unreachable(rejection);
            let keep_alive = !server.is_draining() && may_go_on(session, head, Some(&rejection));
            return refuse((server, from), session, &rejection, keep_alive).await;
        }
    };
    if head.expects_continue() == Ok(true) {
        send_continue(session).await;
    }
    if !head.keep_alive() || server.is_draining() {
        session.set_server_keepalive(None);
    }
    let silence = live.timeouts.upstream;
    let sent = timeout(silence, connected.session.write_request_header(header)).await;
    let streamed = match sent {
        Ok(Ok(_)) => stream(server, session, &mut connected.session, head, silence).await,
        Ok(Err(_)) => Err(Rejection::UpstreamDown),
        Err(_) => Err(Rejection::UpstreamTimeout),
    };
    match streamed {
        Ok(Sent::Whole) if is_last => {}
        Ok(Sent::Whole) => server.pool.give_back(connected).await,
        // The app still expects the rest: what came next would be taken for it.
        Ok(Sent::Partly) => session.set_server_keepalive(None),
        Err(rejection)
            if session
                .response_written()
                .is_none_or(|head| head.status.is_informational()) =>
        {
            refuse((server, from), session, &rejection, false).await;
        }
        // Cut off in the middle: closing is the only honest sign that is left.
        Err(_) => session.set_server_keepalive(None),
    }
}

async fn refuse(
    (server, from): (&Server, Option<IpAddr>),
    session: &mut HttpSession,
    rejection: &Rejection,
    keep_alive: bool,
) {
    let answer = Answer::to(rejection, Form::Plain);
    server.metrics.refused(rejection, Some(answer.status), from);
    write_answer(session, answer, keep_alive).await;
}

/// How much of a request the app has when its answer is complete.
enum Sent {
    Whole,
    Partly,
}

/// Moves pieces as they come, whichever side they come from, until the answer is complete.
async fn stream(
    server: &Server,
    session: &mut HttpSession,
    app: &mut AppSession,
    head: &Head,
    silence: Duration,
) -> Result<Sent, Rejection> {
    let (mut sending, mut sent) = (true, Sent::Partly);
    loop {
        let step = async {
            tokio::select! {
                piece = session.read_body_bytes(), if sending => {
                    let piece = piece.map_err(|_| Rejection::Malformed("a body that breaks off"))?;
                    let written = match &piece {
                        // An empty chunk would end the body.
                        Some(piece) if piece.is_empty() => return Ok(false),
                        Some(piece) => timeout(silence / 2, app.write_body(piece)).await,
                        None => timeout(silence / 2, app.finish_body()).await,
                    };
                    // An app may refuse the rest of a body, or never read it, and still answer.
                    let written = matches!(written, Ok(Ok(_)));
                    sending = piece.is_some() && written;
                    if piece.is_none() && written {
                        sent = Sent::Whole;
                    }
                    Ok(false)
                }
                task = app.read_response_task() => {
                    if server.is_draining() {
                        session.set_server_keepalive(None);
                    }
                    pass(session, task.map_err(|_| Rejection::UpstreamDown)?, head).await
                }
            }
        };
        match timeout(silence, step).await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => return Ok(sent),
            Ok(Err(rejection)) => return Err(rejection),
            Err(_) => return Err(Rejection::UpstreamTimeout),
        }
    }
}

/// Passes one piece of the app's answer on; `true` after the last.
async fn pass(
    session: &mut HttpSession,
    task: HttpTask,
    request: &Head,
) -> Result<bool, Rejection> {
    let gone = |_| Rejection::Malformed("the peer left");
    let last = match task {
        HttpTask::Header(head, _) if head.status == 101 => return Err(Rejection::UpstreamDown),
        HttpTask::Header(head, _) if head.status.is_informational() => return Ok(false),
        HttpTask::Header(head, last) => {
            let mut header = response_header(head.status.as_u16(), end_to_end(&head))
                .map_err(|_| Rejection::UpstreamDown)?;
            match head.headers.get("content-length") {
                Some(length) => {
                    header
                        .insert_header("Content-Length", length)
                        .map_err(gone)?;
                    // Of a body by length the codec would flush the end only.
                    if let Some(downstream) = session.stream().as_any().downcast_ref::<Downstream>()
                    {
                        downstream.stream_writes();
                    }
                }
                None if matches!(head.status.as_u16(), 204 | 304) => {}
                // It ends with the connection.
                None if !request.reads_chunks() => {}
                None => header
                    .insert_header("Transfer-Encoding", "chunked")
                    .map_err(gone)?,
            }
            session.write_response_header(header).await.map_err(gone)?;
            last
        }
        HttpTask::Body(piece, last) => {
            if let Some(piece) = piece.filter(|piece| !piece.is_empty()) {
                session.write_body(&piece).await.map_err(gone)?;
            }
            last
        }
        HttpTask::Done | HttpTask::Trailer(_) => true,
        HttpTask::UpgradedBody(..) | HttpTask::Failed(_) => return Err(Rejection::UpstreamDown),
    };
    if last {
        session.finish_body().await.map_err(gone)?;
    }
    Ok(last)
}
