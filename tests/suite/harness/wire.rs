//! HTTP/1.1 as bytes: reading messages of either side, and a client connection that hides nothing.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::{PATIENCE, Request};

/// Header lines in the order and spelling of the wire.
pub type Headers = Vec<(String, Vec<u8>)>;

/// A start line and the header lines under it.
pub struct Head {
    pub first: String,
    pub headers: Headers,
    pub raw: Vec<u8>,
}

/// One answer, whole.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
    /// Head and body as they came, framing included.
    pub raw: Vec<u8>,
    /// The 1xx statuses that came before.
    pub interim: Vec<u16>,
}

impl Response {
    /// The first value of this name, in any letter case.
    pub fn header(&self, name: &str) -> Option<String> {
        find(&self.headers, name)
    }

    pub fn has(&self, name: &str) -> bool {
        self.header(name).is_some()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|e| panic!("not JSON ({e}): {}", self.text()))
    }

    /// All that the sender can see, except the clock.
    pub fn apart_from_date(&self) -> String {
        let text = String::from_utf8_lossy(&self.raw);
        let tells_time = |line: &str| {
            let line = line.to_ascii_lowercase();
            line.starts_with("date:") || line.starts_with("x-timestamp:")
        };
        text.split_inclusive("\r\n")
            .filter(|line| !tells_time(line))
            .collect()
    }
}

/// One TCP connection to the proxy, for several requests or for broken ones.
pub struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            reader: BufReader::new(stream),
        }
    }

    /// Sends a request and reads its answer. The connection stays open as far as we are concerned.
    pub fn send(&mut self, request: &Request) -> Response {
        // The proxy may answer and close before it has read all: the answer still counts.
        let _ = self.write(&request.bytes());
        self.read(&request.method)
            .unwrap_or_else(|e| panic!("no answer to {} {}: {e}", request.method, request.target))
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.reader.get_mut().write_all(bytes)
    }

    /// Reads the answer to a request of this method; an error when the connection ends without one.
    pub fn read(&mut self, method: &str) -> io::Result<Response> {
        read_response(&mut self.reader, method)
    }

    /// Waits for the other side to close. True when it closed without sending anything more.
    pub fn ends(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.reader.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            Err(e) => rest.is_empty() && e.kind() == io::ErrorKind::ConnectionReset,
        }
    }

    /// Says that nothing more will be sent, while still listening.
    pub fn finish_writing(&mut self) {
        self.reader.get_mut().shutdown(Shutdown::Write).unwrap();
    }
}

/// Reads one final answer, past any 1xx.
pub fn read_response(reader: &mut impl BufRead, method: &str) -> io::Result<Response> {
    let mut interim = Vec::new();
    loop {
        let head = read_head(reader)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status: u16 = head
            .first
            .split(' ')
            .nth(1)
            .and_then(|word| word.parse().ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        if (100..200).contains(&status) && status != 101 {
            interim.push(status);
            continue;
        }
        let mut raw = head.raw;
        let bodiless = method == "HEAD" || status == 204 || status == 304;
        let body = if bodiless {
            Vec::new()
        } else {
            read_body(reader, &head.headers, true, &mut raw)?
        };
        return Ok(Response {
            status,
            headers: head.headers,
            body,
            raw,
            interim,
        });
    }
}

/// Reads up to the empty line; nothing when the connection ended before a first byte.
pub fn read_head(reader: &mut impl BufRead) -> io::Result<Option<Head>> {
    let mut raw = Vec::new();
    let mut lines: Vec<Vec<u8>> = Vec::new();
    loop {
        let from = raw.len();
        if reader.read_until(b'\n', &mut raw)? == 0 {
            return match from {
                0 => Ok(None),
                _ => Err(io::ErrorKind::UnexpectedEof.into()),
            };
        }
        let line = raw[from..].strip_suffix(b"\r\n");
        let line = line.ok_or(io::ErrorKind::InvalidData)?;
        if line.is_empty() {
            break;
        }
        lines.push(line.to_vec());
    }
    let first = String::from_utf8_lossy(lines.first().map_or(b"", |line| line)).into_owned();
    let headers = lines.iter().skip(1).map(|line| split(line)).collect();
    Ok(Some(Head {
        first,
        headers,
        raw,
    }))
}

/// Reads a body by the framing that the headers announce, and adds its bytes as sent to `raw`.
pub fn read_body(
    reader: &mut impl BufRead,
    headers: &Headers,
    until_close: bool,
    raw: &mut Vec<u8>,
) -> io::Result<Vec<u8>> {
    if find(headers, "transfer-encoding").is_some() {
        return read_chunks(reader, raw);
    }
    let mut body = Vec::new();
    if let Some(length) = find(headers, "content-length") {
        let length: usize = length.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
    } else if until_close {
        reader.read_to_end(&mut body)?;
    }
    raw.extend_from_slice(&body);
    Ok(body)
}

fn read_chunks(reader: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let size = read_line(reader, raw)?;
        let size = usize::from_str_radix(&size, 16).map_err(|_| io::ErrorKind::InvalidData)?;
        if size == 0 {
            while !read_line(reader, raw)?.is_empty() {}
            return Ok(body);
        }
        let mut chunk = vec![0; size];
        reader.read_exact(&mut chunk)?;
        raw.extend_from_slice(&chunk);
        body.extend_from_slice(&chunk);
        read_line(reader, raw)?;
    }
}

fn read_line(reader: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<String> {
    let from = raw.len();
    reader.read_until(b'\n', raw)?;
    let line = raw[from..].strip_suffix(b"\r\n");
    let line = line.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok(String::from_utf8_lossy(line).into_owned())
}

fn split(line: &[u8]) -> (String, Vec<u8>) {
    let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
    let name = String::from_utf8_lossy(&line[..colon]).into_owned();
    let value = line.get(colon + 1..).unwrap_or_default();
    (name, value.trim_ascii().to_vec())
}

/// The first value of this name, in any letter case.
pub fn find(headers: &Headers, name: &str) -> Option<String> {
    all(headers, name).into_iter().next()
}

/// Every value of this name, in any letter case.
pub fn all(headers: &Headers, name: &str) -> Vec<String> {
    headers
        .iter()
        .filter(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .collect()
}
