//! Watches chunked bodies pass, so that a codec more lenient than we are decides nothing.

use crate::rejection::Rejection;

/// Follows the framing of one chunked body (RFC 9112 §7.1) without keeping any of it.
#[derive(Debug)]
pub struct ChunkScan {
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

impl Default for ChunkScan {
    fn default() -> Self {
        Self {
            state: State::Size(0, 0),
        }
    }
}

impl ChunkScan {
    /// Looks at the next bytes of the body; what follows its end is not looked at.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] where a chunk is not framed as the RFC says.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Rejection> {
        let mut rest = bytes;
        while let [byte, after @ ..] = rest {
            if let State::Bytes(left) = self.state {
                let here = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
                rest = rest.get(here..).unwrap_or_default();
                let left = left - here as u64;
                self.state = if left == 0 {
                    State::BytesCr
                } else {
                    State::Bytes(left)
                };
                continue;
            }
            if self.state == State::Done {
                break;
            }
            self.state = self
                .state
                .next(*byte)
                .ok_or(Rejection::Malformed("an unsound chunk"))?;
            rest = after;
        }
        Ok(())
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

    fn whole(bytes: &[u8]) -> Result<bool, Rejection> {
        let mut scan = ChunkScan::default();
        scan.feed(bytes).map(|()| scan.is_done())
    }

    #[test]
    fn follows_sound_bodies_to_their_end() {
        for body in [
            &b"0\r\n\r\n"[..],
            b"3\r\nabc\r\n0\r\n\r\n",
            b"0a;x=y\r\n0123456789\r\n000\r\nT: v\r\nU: w\r\n\r\n",
            b"1 \r\na\r\n0\r\n\r\nGET / HTTP/1.1\n",
        ] {
            assert_eq!(whole(body), Ok(true), "{body:?}");
        }
        assert_eq!(whole(b"3\r\nabc\r\n0\r\n"), Ok(false));
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
            assert!(whole(body).is_err(), "{body:?}");
        }
    }

    proptest! {
        #[test]
        fn reads_the_same_in_one_piece_and_in_many(
            pieces in proptest::collection::vec("[0-9a-f]{0,3}\r\n|\r\n|[a-c;]{0,6}|0\r\n\r\n", 0..12)
        ) {
            let all = pieces.concat();
            let mut scan = ChunkScan::default();
            let split = pieces.iter().try_for_each(|piece| scan.feed(piece.as_bytes()));
            prop_assert_eq!(split.map(|()| scan.is_done()), whole(all.as_bytes()));
        }
    }
}
