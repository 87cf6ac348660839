//! A connection whose request heads are read whole and checked before the codec sees them.

use crate::intake::{HeadScan, Scanned};
use crate::rejection::Rejection;
use async_trait::async_trait;
use bytes::{Buf, Bytes, BytesMut};
use pingora_core::protocols::raw_connect::ProxyDigest;
use pingora_core::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream,
    TimingDigest, UniqueID, UniqueIDType,
};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{self, AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};

/// Wraps the stream of a listener. The codec reads through it: first the bytes that were read
/// ahead, then the rest. A connection that waits holds no buffer.
#[derive(Debug)]
pub(super) struct Door {
    stream: Stream,
    ahead: BytesMut,
}

/// Bounds for a request head.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadBounds {
    pub(super) bytes: usize,
    /// Until the first byte.
    pub(super) idle: Duration,
    /// From the first byte on.
    pub(super) whole: Duration,
}

impl Door {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            ahead: BytesMut::new(),
        }
    }

    /// Puts back what the codec read beyond its request.
    pub(super) fn unread(&mut self, mut bytes: BytesMut) {
        bytes.unsplit(std::mem::take(&mut self.ahead));
        self.ahead = bytes;
    }

    /// Waits for the first byte of a request; `false` where the peer leaves or stays silent.
    pub(super) async fn wait(&mut self, idle: Duration) -> bool {
        if !self.ahead.is_empty() {
            return true;
        }
        self.ahead = BytesMut::new();
        matches!(timeout(idle, self.read_more()).await, Ok(Ok(read)) if read > 0)
    }

    /// Reads a whole head, which stays here for the codec to parse too. `None` where the peer
    /// leaves in the middle.
    ///
    /// # Errors
    /// Those of [`HeadScan::feed`], and [`Rejection::Timeout`].
    pub(super) async fn read_head(
        &mut self,
        bounds: HeadBounds,
    ) -> Result<Option<Bytes>, Rejection> {
        let deadline = Instant::now() + bounds.whole;
        let mut scan = HeadScan::default();
        let mut begun = false;
        loop {
            // Some clients end a body with one line end too many (RFC 9112 §2.2).
            while !begun && self.ahead.starts_with(b"\r\n") {
                self.ahead.advance(2);
            }
            begun = begun || (!self.ahead.is_empty() && *self.ahead != b"\r"[..]);
            if begun && let Scanned::Complete(end) = scan.feed(&self.ahead, bounds.bytes)? {
                let head = self.ahead.get(..end).unwrap_or_default();
                return Ok(Some(Bytes::copy_from_slice(head)));
            }
            match timeout_at(deadline, self.read_more()).await {
                Ok(Ok(read)) if read > 0 => {}
                Ok(_) => return Ok(None),
                Err(_) => return Err(Rejection::Timeout),
            }
        }
    }

    /// Says that nothing more will be written, and discards what the peer still sends: closing
    /// with bytes unread would destroy the answer on its way.
    pub(super) async fn linger(mut self, longest: Duration) {
        let _ = timeout(longest, async {
            let _ = io::AsyncWriteExt::shutdown(&mut self.stream).await;
            self.ahead.clear();
            while let Ok(read) = self.read_more().await
                && read > 0
            {
                self.ahead.clear();
            }
        })
        .await;
    }

    /// Reads what there is through a buffer on the stack.
    async fn read_more(&mut self) -> io::Result<usize> {
        std::future::poll_fn(|cx| {
            let mut space = [const { MaybeUninit::uninit() }; 4096];
            let mut buffer = ReadBuf::uninit(&mut space);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
            self.ahead.extend_from_slice(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
        .await
    }
}

impl AsyncRead for Door {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty() {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        }
        let count = self.ahead.len().min(buffer.remaining());
        buffer.put_slice(&self.ahead.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Door {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

// What the codec asks of a stream besides bytes is answered by the stream below.

#[async_trait]
impl Shutdown for Door {
    async fn shutdown(&mut self) {
        self.stream.shutdown().await;
    }
}

impl UniqueID for Door {
    fn id(&self) -> UniqueIDType {
        self.stream.id()
    }
}

impl Ssl for Door {}

impl Peek for Door {}

impl GetTimingDigest for Door {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.stream.get_timing_digest()
    }
}

impl GetProxyDigest for Door {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.stream.get_proxy_digest()
    }
}

impl GetSocketDigest for Door {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.stream.get_socket_digest()
    }
}
