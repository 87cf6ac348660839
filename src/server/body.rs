//! Bodies as they come, piece by piece.

use super::wire::Wire;
use crate::intake::{ChunkDecoder, Framing};
use crate::rejection::Rejection;
use bytes::Bytes;

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
            if wire.read().await.is_err() {
                return match self {
                    Self::UntilClose => Ok(None),
                    Self::Length(_) | Self::Chunked(_) => Err(BROKEN),
                };
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
