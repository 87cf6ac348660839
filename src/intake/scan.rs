//! Finds the end of a request head byte by byte, and stops at the first that has no state in one.

use crate::rejection::{Part, Rejection};

/// A scanner that is fed as bytes arrive. Each byte is looked at once.
#[derive(Debug, Default)]
pub struct HeadScan {
    seen: usize,
    state: State,
}

/// How far a scan has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanned {
    /// The head goes on.
    Partial,
    /// The head ends before this offset, counted from the first byte that was fed.
    Complete(usize),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    RequestLine,
    Header,
    LineStart,
    /// A CR was seen, of the line before which `State` this one was.
    LineEnd,
    HeadEnd,
}

impl HeadScan {
    /// Looks at the bytes after those already seen; `all` begins with the first byte of the head.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] at a bare CR or LF, a control character, a byte beyond ASCII, or a
    /// folded header; [`Rejection::TooLarge`] once the head is longer than `limit` bytes.
    pub fn feed(&mut self, all: &[u8], limit: usize) -> Result<Scanned, Rejection> {
        while let Some(rest) = all.get(self.seen..)
            && let [byte, ..] = rest
        {
            self.seen += self.state.plain(rest).max(1);
            if self.seen > limit {
                return Err(Rejection::TooLarge(Part::Head));
            }
            self.state = self.state.next(*byte)?;
            if self.state == State::HeadEnd && *byte == b'\n' {
                return Ok(Scanned::Complete(self.seen));
            }
        }
        Ok(Scanned::Partial)
    }
}

impl State {
    /// How many bytes leave it as it is: most, and at a glance.
    fn plain(self, bytes: &[u8]) -> usize {
        let ends = |byte: &u8| !matches!(byte, 0x20..=0x7e);
        match self {
            Self::RequestLine | Self::Header => bytes.iter().position(ends).unwrap_or(bytes.len()),
            Self::LineStart | Self::LineEnd | Self::HeadEnd => 0,
        }
    }

    fn next(self, byte: u8) -> Result<Self, Rejection> {
        match (self, byte) {
            (Self::LineEnd, b'\n') => Ok(Self::LineStart),
            (Self::HeadEnd, b'\n') => Ok(Self::HeadEnd),
            (Self::LineEnd | Self::HeadEnd, _) => {
                Err(Rejection::Malformed("a bare CR in the head"))
            }
            (Self::RequestLine | Self::Header, b'\r') => Ok(Self::LineEnd),
            (Self::LineStart, b'\r') => Ok(Self::HeadEnd),
            (_, b'\n') => Err(Rejection::Malformed("a bare LF in the head")),
            (Self::LineStart, b' ' | b'\t') => Err(Rejection::Malformed("a folded header")),
            (Self::RequestLine, 0x20..=0x7e) => Ok(Self::RequestLine),
            (Self::Header | Self::LineStart, 0x20..=0x7e | b'\t') => Ok(Self::Header),
            _ => Err(Rejection::Malformed(
                "a control character or a byte beyond ASCII in the head",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn whole(bytes: &[u8]) -> Result<Scanned, Rejection> {
        HeadScan::default().feed(bytes, 1000)
    }

    #[test]
    fn ends_at_the_empty_line_and_leaves_the_body() {
        let head = b"POST / HTTP/1.1\r\nHost: a\r\n\r\n";
        let mut all = head.to_vec();
        all.extend_from_slice(b"\0body");
        assert_eq!(whole(&all), Ok(Scanned::Complete(head.len())));
    }

    #[test]
    fn refuses_what_two_readers_would_split_differently() {
        for bad in [
            &b"GET / HTTP/1.1\nHost: a\n\n"[..],
            b"GET / HTTP/1.1\r\nHost: a\n\r\n",
            b"GET / HTTP/1.1\rHost: a\r\n",
            b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: \0\r\n\r\n",
            b"GET /\t HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nA: \xc3\xa9\r\n\r\n",
            b"\x16\x03\x01\x02",
            b"GET / HTTP/1.1\r\n\r\r\n",
        ] {
            assert!(
                matches!(whole(bad), Err(Rejection::Malformed(_))),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn counts_the_limit_to_the_byte() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        assert!(HeadScan::default().feed(head, head.len()).is_ok());
        assert_eq!(
            HeadScan::default().feed(head, head.len() - 1),
            Err(Rejection::TooLarge(Part::Head))
        );
    }

    proptest! {
        #[test]
        fn reads_the_same_in_one_piece_and_in_many(bytes in proptest::collection::vec(
            prop_oneof![Just(b'\r'), Just(b'\n'), Just(b' '), Just(b'a'), any::<u8>()], 0..200)) {
            let mut scan = HeadScan::default();
            let mut last = Ok(Scanned::Partial);
            for end in 0..=bytes.len() {
                last = scan.feed(&bytes[..end], 1000);
                if last != Ok(Scanned::Partial) { break }
            }
            prop_assert_eq!(last, whole(&bytes));
        }
    }
}
