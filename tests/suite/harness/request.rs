//! A request that can be bent line by line before it is sent.

use std::net::SocketAddr;

use super::wire::{self, Connection, Headers, Response};

/// A request as it will stand on the wire. Framing is added last, unless a line of it is already there.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Headers,
    pub body: Vec<u8>,
    chunk: Option<usize>,
}

impl Request {
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: vec![("Host".to_owned(), b"merchant.example".to_vec())],
            body: Vec::new(),
            chunk: None,
        }
    }

    pub fn post(target: &str, body: impl AsRef<[u8]>) -> Self {
        Self::new("POST", target).body(body)
    }

    pub fn method(mut self, method: &str) -> Self {
        self.method = method.to_owned();
        self
    }

    pub fn target(mut self, target: &str) -> Self {
        self.target = target.to_owned();
        self
    }

    /// Another body under the same headers: whatever was signed stays signed over the old one.
    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Sends the body in chunks of this size.
    pub fn chunked(mut self, size: usize) -> Self {
        self.chunk = Some(size);
        self
    }

    /// One more line at the end.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let line = (name.to_owned(), value.as_ref().to_vec());
        self.headers.push(line);
        self
    }

    /// Takes every line of this name away.
    pub fn without(mut self, name: &str) -> Self {
        let before = self.headers.len();
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        assert!(self.headers.len() < before, "no line is called {name}");
        self
    }

    /// Another value in the same place.
    pub fn replace(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let at = self.place(name);
        self.headers[at].1 = value.as_ref().to_vec();
        self
    }

    /// Another spelling of the name in the same place.
    pub fn rename(mut self, name: &str, other: &str) -> Self {
        let at = self.place(name);
        self.headers[at].0 = other.to_owned();
        self
    }

    /// The line stays, its value goes.
    pub fn blank(self, name: &str) -> Self {
        self.replace(name, b"")
    }

    /// A second line of this name right before the first.
    pub fn double_before(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let at = self.place(name);
        let line = (self.headers[at].0.clone(), value.as_ref().to_vec());
        self.headers.insert(at, line);
        self
    }

    /// A second line of this name right after the first.
    pub fn double_after(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let at = self.place(name);
        let line = (self.headers[at].0.clone(), value.as_ref().to_vec());
        self.headers.insert(at + 1, line);
        self
    }

    pub fn value(&self, name: &str) -> String {
        wire::find(&self.headers, name).unwrap_or_else(|| panic!("no line is called {name}"))
    }

    /// What goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let mut out = format!("{} {} HTTP/1.1\r\n", self.method, self.target).into_bytes();
        let mut headers = self.headers.clone();
        headers.extend(self.framing());
        for (name, value) in &headers {
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(b"\r\n");
        match self.chunk {
            Some(size) => out.extend(chunks(&self.body, size)),
            None => out.extend_from_slice(&self.body),
        }
        out
    }

    /// Sends it over a connection of its own.
    pub fn send(&self, address: SocketAddr) -> Response {
        Connection::open(address).send(self)
    }

    fn framing(&self) -> Option<(String, Vec<u8>)> {
        let framed = ["content-length", "transfer-encoding"]
            .iter()
            .any(|name| wire::find(&self.headers, name).is_some());
        if framed {
            return None;
        }
        if self.chunk.is_some() {
            return Some(("Transfer-Encoding".to_owned(), b"chunked".to_vec()));
        }
        let length = self.body.len().to_string().into_bytes();
        let silent = self.body.is_empty() && self.method != "POST";
        (!silent).then(|| ("Content-Length".to_owned(), length))
    }

    fn place(&self, name: &str) -> usize {
        self.headers
            .iter()
            .position(|(n, _)| n.eq_ignore_ascii_case(name))
            .unwrap_or_else(|| panic!("no line is called {name}"))
    }
}

/// A body in chunked coding, with its end.
pub fn chunks(body: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(size) {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}
