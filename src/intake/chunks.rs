//! Decodes chunked bodies.

use crate::rejection::Rejection;
use bytes::{Buf as _, Bytes, BytesMut};

/// Decodes one chunked body (RFC 9112 §7.1), and takes nothing that two readers could split differently.
#[derive(Debug)]
pub struct ChunkDecoder {
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In the digits of a size: its value so far, and how many there were.
    Size(u64, u8),
    Extension(u64),
    /// The CR after a size was seen.
    SizeEnd(u64),
    Bytes(u64),
    BytesCr,
    BytesLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    LastLf,
    Done,
}

impl Default for ChunkDecoder {
    fn default() -> Self {
        Self {
            state: State::Size(0, 0),
        }
    }
}

impl ChunkDecoder {
    /// Takes the next piece of content off the front; `None` where more bytes are needed, or the body has
    /// come to its end: what follows that is left.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] where a chunk is not framed as the RFC says.
    pub fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Bytes>, Rejection> {
        while let [byte, ..] = **bytes {
            if self.state == State::Done {
                break;
            }
            if let State::Bytes(left) = self.state {
                let here = usize::try_from(left).unwrap_or(usize::MAX);
                let here = here.min(bytes.len());
                self.state = match left - here as u64 {
                    0 => State::BytesCr,
                    left => State::Bytes(left),
                };
                return Ok(Some(bytes.split_to(here).freeze()));
            }
            let next = self.state.next(byte);
            self.state = next.ok_or(Rejection::Malformed("an unsound chunk"))?;
            bytes.advance(1);
        }
        Ok(None)
    }

    /// Whether the body has come to its end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.state == State::Done
    }
}

impl State {
    fn next(self, byte: u8) -> Option<Self> {
        Some(match (self, byte) {
            (Self::Size(value, digits), _) if byte.is_ascii_hexdigit() && digits < 16 => {
                let digit = char::from(byte).to_digit(16)?;
                Self::Size(
                    value.checked_mul(16)?.checked_add(u64::from(digit))?,
                    digits + 1,
                )
            }
            (Self::Size(value, 1..), b'\r') | (Self::Extension(value), b'\r') => {
                Self::SizeEnd(value)
            }
            (Self::Size(value, 1..), b';' | b' ' | b'\t') => Self::Extension(value),
            (Self::Extension(value), b'\t' | 0x20..=0x7e | 0x80..) => Self::Extension(value),
            (Self::SizeEnd(0), b'\n') => Self::TrailerStart,
            (Self::SizeEnd(value), b'\n') => Self::Bytes(value),
            (Self::BytesCr, b'\r') => Self::BytesLf,
            (Self::BytesLf, b'\n') => Self::Size(0, 0),
            (Self::TrailerStart, b'\r') => Self::LastLf,
            (Self::Trailer, b'\r') => Self::TrailerLf,
            (Self::TrailerStart | Self::Trailer, b'\t' | 0x20..=0x7e | 0x80..) => Self::Trailer,
            (Self::TrailerLf, b'\n') => Self::TrailerStart,
            (Self::LastLf, b'\n') => Self::Done,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The content, whether it is whole, and what is left.
    type Decoded = Result<(Vec<u8>, bool, Vec<u8>), Rejection>;

    fn decode(pieces: &[&[u8]]) -> Decoded {
        let mut decoder = ChunkDecoder::default();
        let (mut content, mut left) = (Vec::new(), BytesMut::new());
        for piece in pieces {
            left.extend_from_slice(piece);
            while let Some(piece) = decoder.decode(&mut left)? {
                content.extend_from_slice(&piece);
            }
        }
        Ok((content, decoder.is_done(), left.to_vec()))
    }

    #[test]
    fn decodes_sound_bodies_and_leaves_what_follows() {
        for (body, content, left) in [
            (&b"0\r\n\r\n"[..], "", ""),
            (b"3\r\nabc\r\n0\r\n\r\n", "abc", ""),
            (
                b"0a;x=y\r\n0123456789\r\n1\r\n!\r\n000\r\nT: v\r\nU: w\r\n\r\n",
                "0123456789!",
                "",
            ),
            (
                b"1 \r\na\r\n0\r\n\r\nGET / HTTP/1.1\n",
                "a",
                "GET / HTTP/1.1\n",
            ),
        ] {
            let expected = (content.into(), true, left.into());
            assert_eq!(decode(&[body]), Ok(expected), "{body:?}");
        }
        let unfinished = (b"abc".to_vec(), false, Vec::new());
        assert_eq!(decode(&[b"3\r\nabc\r\n0\r\n"]), Ok(unfinished));
    }

    #[test]
    fn refuses_what_codecs_read_differently() {
        for body in [
            &b"\r\nabc\r\n0\r\n\r\n"[..],
            b";x\r\n",
            b"3\nabc\n0\n\n",
            b"+3\r\nabc\r\n",
            b"0x3\r\nabc\r\n",
            b"3\r\nabcd\r\n",
            b"3\r\nabc0\r\n",
            b"10000000000000000\r\n",
            b"3\r\nabc\r\n0\r\n\n",
            b"3\rabc",
        ] {
            assert!(decode(&[body]).is_err(), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_the_same_in_one_piece_and_in_many(
            pieces in proptest::collection::vec("[0-9a-f]{0,3}\r\n|\r\n|[a-c;]{0,6}|0\r\n\r\n", 0..12)
        ) {
            let all = pieces.concat();
            let pieces: Vec<_> = pieces.iter().map(|piece| piece.as_bytes()).collect();
            prop_assert_eq!(decode(&pieces), decode(&[all.as_bytes()]));
        }
    }
}
