//! Bodies in, answers out, through Pingora's HTTP/1.1 codec.

use super::limit::Slot;
use super::size::Size;
use crate::answer::Answer;
use crate::intake::{Framing, Head};
use crate::rejection::Rejection;
use bytes::{Bytes, BytesMut};
use pingora_core::Result as PingoraResult;
use pingora_core::protocols::http::v1::server::HttpSession;
use pingora_http::ResponseHeader;
use std::time::Duration;
use tokio::time::timeout;

/// A gateway that does not take its answer in this time is not waited for.
const ANSWER_TAKEN: Duration = Duration::from_secs(30);

/// Reads the whole body.
///
/// # Errors
/// [`Rejection::TooLarge`], [`Rejection::Timeout`], [`Rejection::Crowded`] where other large ones are held
/// all the time, [`Rejection::Expectation`], and [`Rejection::Malformed`] where it breaks off or its chunks
/// are not sound.
pub(super) async fn read_body(
    session: &mut HttpSession,
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
            send_continue(session).await;
        }
        collect(session, size).await
    };
    let received = timeout(longest, whole).await;
    received.unwrap_or_else(|_| Err(size.late()))
}

async fn collect(session: &mut HttpSession, size: &mut Size) -> Result<Bytes, Rejection> {
    let mut whole = BytesMut::new();
    loop {
        let piece = session.read_body_bytes().await;
        let Some(piece) = piece
            .map_err(|_| Rejection::Malformed("a body that breaks off or has unsound chunks"))?
        else {
            return Ok(whole.freeze());
        };
        size.reach((whole.len() + piece.len()) as u64).await?;
        // The usual body comes in one piece and is kept without a copy.
        if whole.is_empty() && session.is_body_done() {
            return Ok(piece);
        }
        whole.extend_from_slice(&piece);
    }
}

/// Tells a sender that waits for it to send its body.
pub(super) async fn send_continue(session: &mut HttpSession) {
    // Without this pair the codec would take the interim answer for an early final one, and close.
    session.set_close_on_response_before_downstream_finish(false);
    // The deadline of the answer that follows ends a peer that takes nothing.
    let _ = timeout(ANSWER_TAKEN, session.write_continue_response()).await;
    session.set_close_on_response_before_downstream_finish(true);
}

/// Whether a connection may serve on after a request: its sender wants it, its framing is sound,
/// and nobody waits for the other to begin with the body.
pub(super) fn may_go_on(
    session: &mut HttpSession,
    head: &Head,
    rejection: Option<&Rejection>,
) -> bool {
    let sound = !matches!(
        rejection,
        Some(
            Rejection::Expectation
                | Rejection::Malformed(_)
                | Rejection::Timeout
                | Rejection::TooLarge(_)
        )
    );
    let begun = head.expects_continue() == Ok(false) || session.is_body_done();
    head.keep_alive() && sound && begun
}

/// Reads and forgets the rest of a refused body; `false` where it is too much or too slow.
async fn discard(session: &mut HttpSession) -> bool {
    const MOST: u64 = 1024 * 1024;
    const LONGEST: Duration = Duration::from_secs(5);
    matches!(
        timeout(LONGEST, collect(session, &mut Size::up_to(MOST))).await,
        Ok(Ok(_))
    )
}

/// Writes an answer, unless the connection has to make way.
pub(super) async fn answer_while_kept(
    session: &mut HttpSession,
    slot: &mut Slot,
    answer: Answer,
    keep_alive: bool,
) {
    let written = slot
        .while_kept(write_answer(session, answer, keep_alive))
        .await;
    if written.is_none() {
        session.set_server_keepalive(None);
    }
}

/// Writes a whole answer. The connection is kept only where both sides want it and the request
/// was read to its end.
pub(super) async fn write_answer(session: &mut HttpSession, answer: Answer, keep_alive: bool) {
    if !keep_alive || !(session.is_body_done() || discard(session).await) {
        session.set_server_keepalive(None);
    }
    let written = timeout(ANSWER_TAKEN, write(session, answer)).await;
    if !matches!(written, Ok(Ok(()))) {
        session.set_server_keepalive(None);
    }
}

async fn write(session: &mut HttpSession, answer: Answer) -> PingoraResult<()> {
    let length = answer.body.len();
    let mut header = response_header(answer.status, answer.headers)?;
    if !matches!(answer.status, 204 | 304) {
        header.insert_header("Content-Length", length.to_string())?;
    }
    session.write_response_header(header).await?;
    if length > 0 {
        session.write_body(&answer.body).await?;
    }
    session.finish_body().await.map(|_| ())
}

/// The head of an answer, without its framing.
pub(super) fn response_header(
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
) -> PingoraResult<Box<ResponseHeader>> {
    let mut header = ResponseHeader::build(status, Some(headers.len() + 4))?;
    for (name, value) in headers {
        header.append_header(name, value)?;
    }
    Ok(Box::new(header))
}
