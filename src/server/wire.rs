//! The bytes of one connection.

use super::head::Head;
use bytes::{Buf as _, BytesMut};
use futures_util::FutureExt as _;
use pingora_core::protocols::Stream;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Poll, ready};
use std::time::Duration;
use tokio::io::{self, AsyncRead as _, AsyncWriteExt as _, ReadBuf};
use tokio::time::timeout;

/// A connection, and what was read of it and not taken yet.
#[derive(Debug)]
pub(super) struct Wire {
    stream: Stream,
    pub(super) ahead: BytesMut,
}

/// Bytes that are read at once.
const AT_ONCE: usize = 16 * 1024;

impl Wire {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            ahead: BytesMut::new(),
        }
    }

    /// Holds no buffer any more where there is nothing in it: whoever waits takes no room.
    pub(super) fn rest(&mut self) {
        if self.ahead.is_empty() {
            self.ahead = BytesMut::new();
        }
    }

    /// Reads what there is, through a buffer on the stack. Nothing is lost where this is dropped.
    ///
    /// # Errors
    /// Those of the connection; its end is one too.
    pub(super) async fn read(&mut self) -> io::Result<()> {
        std::future::poll_fn(|cx| {
            let mut space = [const { MaybeUninit::uninit() }; AT_ONCE];
            let mut buffer = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            self.ahead.extend_from_slice(buffer.filled());
            Poll::Ready(Ok(()))
        })
        .await
    }

    /// Writes all of it.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Writes both in one piece.
    pub(super) async fn write_both(&mut self, head: Head, body: &[u8]) -> io::Result<()> {
        let mut head = head.into_bytes();
        // One buffer costs the system less than two.
        if body.len() <= AT_ONCE {
            head.extend_from_slice(body);
            return self.write(&head).await;
        }
        self.stream.write_all_buf(&mut head.chain(body)).await?;
        self.stream.flush().await
    }

    /// Whether the other side has neither closed nor said anything since all of it was read.
    pub(super) fn is_quiet(&mut self) -> bool {
        if !self.ahead.is_empty() {
            return false;
        }
        // A task that has used up its budget would see quiet where there is none.
        let read = tokio::task::unconstrained(self.read());
        read.now_or_never().is_none()
    }

    /// Says that nothing more will be written, and discards what the peer still sends: closing with bytes
    /// unread would destroy the answer on its way.
    pub(super) async fn linger(mut self, longest: Duration) {
        let _ = timeout(longest, async {
            let _ = self.stream.shutdown().await;
            self.ahead.clear();
            while self.read().await.is_ok() {
                self.ahead.clear();
            }
        })
        .await;
    }
}
