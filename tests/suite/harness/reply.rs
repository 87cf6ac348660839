//! What the app does with a request that it has read: answer well, badly, late or not at all.

use std::io::{self, Write};
use std::time::Duration;

use super::request::chunks;
use super::wire::Headers;

/// One answer of the app.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
    /// Waits for `App::release` first.
    pub held: bool,
    pub delay: Duration,
    shape: Shape,
    interim: Vec<u16>,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Length,
    Chunked,
    UntilClose,
    /// Announces the whole body, sends this many bytes of it, and closes.
    Broken(usize),
    /// The same, but keeps the connection open until `App::release`.
    Stalled(usize),
    /// Writes the body alone, as it is, and closes.
    Raw,
    /// Closes without a byte.
    Silent,
}

impl Reply {
    /// A whole answer with this status and no body.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            held: false,
            delay: Duration::ZERO,
            shape: Shape::Length,
            interim: Vec::new(),
        }
    }

    /// 200 with the text `ok`.
    pub fn ok() -> Self {
        Self::new(200)
            .header("Content-Type", "text/plain")
            .body("ok")
    }

    /// Reads the request and closes without an answer.
    pub fn hangup() -> Self {
        let mut reply = Self::new(200);
        reply.shape = Shape::Silent;
        reply
    }

    /// These bytes instead of an answer, then close.
    pub fn raw(bytes: impl AsRef<[u8]>) -> Self {
        let mut reply = Self::new(200).body(bytes);
        reply.shape = Shape::Raw;
        reply
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        let line = (name.to_owned(), value.as_bytes().to_vec());
        self.headers.push(line);
        self
    }

    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    pub fn chunked(mut self) -> Self {
        self.shape = Shape::Chunked;
        self
    }

    /// The end of the connection is the end of the body.
    pub fn until_close(mut self) -> Self {
        self.shape = Shape::UntilClose;
        self
    }

    /// Breaks off after this many bytes of the announced body.
    pub fn broken_after(mut self, bytes: usize) -> Self {
        assert!(bytes < self.body.len(), "that would be the whole body");
        self.shape = Shape::Broken(bytes);
        self
    }

    /// Stops after this many bytes of the announced body, with the connection open until `App::release`.
    pub fn stalled_after(mut self, bytes: usize) -> Self {
        assert!(bytes < self.body.len(), "that would be the whole body");
        self.shape = Shape::Stalled(bytes);
        self
    }

    /// True when the connection is to stay open, silent, after what was written.
    pub fn stalls(&self) -> bool {
        matches!(self.shape, Shape::Stalled(_))
    }

    /// True when nothing of it is left out.
    pub fn is_whole(&self) -> bool {
        matches!(
            self.shape,
            Shape::Length | Shape::Chunked | Shape::UntilClose
        )
    }

    /// These 1xx answers come first.
    pub fn after_interim(mut self, statuses: &[u16]) -> Self {
        self.interim = statuses.to_vec();
        self
    }

    /// Answers only once `App::release` was called.
    pub fn held(mut self) -> Self {
        self.held = true;
        self
    }

    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Writes the answer to a request of this method; true when the connection may carry another.
    pub fn play(&self, method: &str, out: &mut impl Write) -> io::Result<bool> {
        match self.shape {
            Shape::Silent => return Ok(false),
            Shape::Raw => {
                out.write_all(&self.body)?;
                return Ok(false);
            }
            Shape::Length
            | Shape::Chunked
            | Shape::UntilClose
            | Shape::Broken(_)
            | Shape::Stalled(_) => {}
        }
        for status in &self.interim {
            out.write_all(format!("HTTP/1.1 {status} Interim\r\nX-Early: yes\r\n\r\n").as_bytes())?;
        }
        out.write_all(&self.head())?;
        match self.shape {
            _ if method == "HEAD" => {}
            // Small chunks, yet not a million of them.
            Shape::Chunked => {
                let size = (self.body.len() / 1000).max(7);
                out.write_all(&chunks(&self.body, size))?;
            }
            Shape::Broken(bytes) | Shape::Stalled(bytes) => out.write_all(&self.body[..bytes])?,
            Shape::Length | Shape::UntilClose => out.write_all(&self.body)?,
            Shape::Raw | Shape::Silent => {}
        }
        out.flush()?;
        let closes = self
            .headers
            .iter()
            .any(|(name, value)| name.eq_ignore_ascii_case("connection") && value == b"close");
        Ok(matches!(self.shape, Shape::Length | Shape::Chunked) && !closes)
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Reason\r\n", self.status).into_bytes();
        let mut headers = self.headers.clone();
        match self.shape {
            Shape::Chunked => headers.push(("Transfer-Encoding".to_owned(), b"chunked".to_vec())),
            Shape::Length | Shape::Broken(_) | Shape::Stalled(_)
                if self.status != 204 && self.status != 304 =>
            {
                let length = self.body.len().to_string().into_bytes();
                headers.push(("Content-Length".to_owned(), length));
            }
            Shape::Length
            | Shape::Broken(_)
            | Shape::Stalled(_)
            | Shape::UntilClose
            | Shape::Raw
            | Shape::Silent => {}
        }
        for (name, value) in &headers {
            head.extend_from_slice(name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(value);
            head.extend_from_slice(b"\r\n");
        }
        head.extend_from_slice(b"\r\n");
        head
    }
}
