//! Bodies as they come, piece by piece.

use super::wire::Wire;
use crate::intake::{ChunkDecoder, Framing};
use crate::rejection::Rejection;
use bytes::Bytes;
use std::io::ErrorKind;

/// The rest of one body.
#[derive(Debug)]
pub(super) enum Body {
    /// So many bytes.
    Length(u64),
    /// Chunks.
    Chunked(ChunkDecoder),
    /// It ends with the connection (RFC 9112 §6.3).
    UntilClose,
}

const BROKEN: Rejection = Rejection::Malformed("a body that breaks off or has unsound chunks");

impl Body {
    pub(super) const EMPTY: Self = Self::Length(0);

    /// That of a request.
    pub(super) fn of(framing: Framing) -> Self {
        match framing {
            Framing::Length(length) => Self::Length(length),
            Framing::Chunked => Self::Chunked(ChunkDecoder::default()),
        }
    }

    /// Whether all of it was taken.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Length(left) => *left == 0,
            Self::Chunked(decoder) => decoder.is_done(),
            Self::UntilClose => false,
        }
    }

    /// The next piece, `None` after the last. Nothing is lost where this is dropped.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] where it breaks off or its chunks are not sound.
    pub(super) async fn next(&mut self, wire: &mut Wire) -> Result<Option<Bytes>, Rejection> {
        loop {
            if let Some(piece) = self.take(wire)? {
                return Ok(Some(piece));
            }
            if self.is_done() {
                return Ok(None);
            }
            match (wire.read().await, &*self) {
                (Ok(()), _) => {}
                // A connection that fails has not come to its end.
                (Err(error), Self::UntilClose) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Ok(None);
                }
                (Err(_), _) => return Err(BROKEN),
            }
        }
    }

    /// What is there already.
    pub(super) fn take(&mut self, wire: &mut Wire) -> Result<Option<Bytes>, Rejection> {
        let ahead = &mut wire.ahead;
        match self {
            Self::Chunked(decoder) => decoder.decode(ahead).map_err(|_| BROKEN),
            Self::Length(left) => {
                let here = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(ahead.len());
                *left -= here as u64;
                Ok((here > 0).then(|| ahead.split_to(here).freeze()))
            }
            Self::UntilClose => Ok((!ahead.is_empty()).then(|| ahead.split().freeze())),
        }
    }

    /// All of it at once, where its length is known.
    pub(super) async fn whole(&mut self, wire: &mut Wire) -> Result<Option<Bytes>, Rejection> {
        let Self::Length(left) = self else {
            return Ok(None);
        };
        let length = usize::try_from(*left).map_err(|_| BROKEN)?;
        // Once: room that is not written to takes no memory.
        wire.ahead.reserve(length.saturating_sub(wire.ahead.len()));
        while wire.ahead.len() < length {
            wire.read().await.map_err(|_| BROKEN)?;
        }
        *left = 0;
        Ok(Some(wire.ahead.split_to(length).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pingora_core::protocols::l4::stream::Stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    #[tokio::test]
    async fn a_connection_that_fails_has_not_come_to_its_end() {
        for (reads, end) in [(true, Ok(None)), (false, Err(BROKEN))] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut ours = TcpStream::connect(listener.local_addr().unwrap())
                .await
                .unwrap();
            let (mut theirs, _) = listener.accept().await.unwrap();
            ours.write_all(b"a request").await.unwrap();
            // A connection that is closed with something unread is reset.
            theirs.readable().await.unwrap();
            if reads {
                theirs.read_exact(&mut [0; 9]).await.unwrap();
            }
            theirs.write_all(b"an answer").await.unwrap();
            let mut wire = Wire::new(Box::new(Stream::from(ours)));
            let mut body = Body::UntilClose;
            let piece = body.next(&mut wire).await.unwrap();
            assert_eq!(piece.as_deref(), Some(&b"an answer"[..]));
            drop(theirs);
            assert_eq!(body.next(&mut wire).await, end, "{reads}");
        }
    }
}
