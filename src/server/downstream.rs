//! A connection whose request heads are read whole and checked before the codec sees them.

use crate::intake::{ChunkScan, HeadScan, Scanned};
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
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{self, AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout, timeout_at};

/// Wraps the stream of a listener. The codec reads through it: first the bytes that were read
/// ahead, then the rest. What it writes is held until it flushes, so that an answer leaves in one
/// piece. A connection that waits holds no buffer.
#[derive(Debug)]
pub(super) struct Downstream {
    stream: Stream,
    ahead: BytesMut,
    held: BytesMut,
    streaming: AtomicBool,
    chunks: Option<Chunks>,
}

/// The watch over a chunked body, which begins after `head` more bytes.
#[derive(Debug, Default)]
struct Chunks {
    head: usize,
    scan: ChunkScan,
}

/// More than this is not held before it is written.
const MOST_HELD: usize = 16 * 1024;

/// Bounds for a request head.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeadBounds {
    pub(super) bytes: usize,
    /// From the first byte on.
    pub(super) whole: Duration,
}

impl Downstream {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            ahead: BytesMut::new(),
            held: BytesMut::new(),
            streaming: AtomicBool::new(false),
            chunks: None,
        }
    }

    /// From now on every write leaves at once.
    pub(super) fn stream_writes(&self) {
        self.streaming.store(true, Ordering::Relaxed);
    }

    /// The body behind a head of `length` bytes is chunked, and is watched as the codec reads it.
    pub(super) fn watch_chunks(&mut self, length: usize) {
        self.chunks = Some(Chunks {
            head: length,
            scan: ChunkScan::default(),
        });
    }

    /// Makes ready for the next request: `bytes` were read beyond the last one.
    pub(super) fn again(&mut self, bytes: Option<BytesMut>) {
        if let Some(mut bytes) = bytes {
            bytes.unsplit(std::mem::take(&mut self.ahead));
            self.ahead = bytes;
        }
        self.streaming.store(false, Ordering::Relaxed);
        self.chunks = None;
        self.held = BytesMut::new();
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

impl Chunks {
    /// Looks at what the codec is given; nothing is the end of the connection.
    fn watch(&mut self, bytes: &[u8]) -> io::Result<()> {
        if bytes.is_empty() && !self.scan.is_done() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let skipped = self.head.min(bytes.len());
        self.head -= skipped;
        let body = bytes.get(skipped..).unwrap_or_default();
        self.scan
            .feed(body)
            .map_err(|_| io::ErrorKind::InvalidData.into())
    }
}

impl AsyncRead for Downstream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        if self.ahead.is_empty() {
            ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        } else {
            let count = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead.split_to(count));
        }
        let read = buffer.filled().get(before..).unwrap_or_default();
        Poll::Ready(
            self.chunks
                .as_mut()
                .map_or(Ok(()), |chunks| chunks.watch(read)),
        )
    }
}

impl Downstream {
    fn poll_release(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.held))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.held.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Downstream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let at_once = self.streaming.load(Ordering::Relaxed);
        if !at_once && self.held.len() + bytes.len() <= MOST_HELD {
            self.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        ready!(self.poll_release(cx))?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_release(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_release(cx))?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

// What the codec asks of a stream besides bytes is answered by the stream below.

#[async_trait]
impl Shutdown for Downstream {
    async fn shutdown(&mut self) {
        self.stream.shutdown().await;
    }
}

impl UniqueID for Downstream {
    fn id(&self) -> UniqueIDType {
        self.stream.id()
    }
}

impl Ssl for Downstream {}

impl Peek for Downstream {}

impl GetTimingDigest for Downstream {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.stream.get_timing_digest()
    }
}

impl GetProxyDigest for Downstream {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        self.stream.get_proxy_digest()
    }
}

impl GetSocketDigest for Downstream {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.stream.get_socket_digest()
    }
}
