//! A request as a log or a proxy captured it, to be judged, and to be changed on trial.

use crate::intake::{Head, HeadScan, Received};
use crate::rejection::Rejection;
use crate::scheme::visible;
use bytes::Bytes;

/// A captured request.
#[derive(Clone, Debug)]
pub struct Capture {
    method: String,
    target: String,
    version: String,
    headers: Vec<String>,
    body: Vec<u8>,
    /// What followed the body.
    rest: Vec<u8>,
    notes: Vec<String>,
    is_cut_off: bool,
    is_malformed: bool,
}

impl Capture {
    /// Reads a capture: head lines may end in LF alone, as editors leave them.
    ///
    /// # Errors
    /// A sentence, where this is no HTTP/1 request at all.
    pub fn read(raw: &[u8]) -> Result<Self, String> {
        let raw = raw.strip_prefix(b"\xef\xbb\xbf").unwrap_or(raw);
        let start = raw.iter().position(|byte| !byte.is_ascii_whitespace());
        let raw = start.and_then(|start| raw.get(start..)).unwrap_or_default();
        let Some((head, body)) = split(raw) else {
            return Err("holds half a request: its head has no end".into());
        };
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let words: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
        let [method, target, version] = words[..] else {
            return Err(NO_REQUEST.into());
        };
        let is_word =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if !is_word(method) || !version.starts_with("HTTP/") {
            return Err(NO_REQUEST.into());
        }
        let mut capture = Self {
            method: method.to_owned(),
            target: target.to_owned(),
            version: version.to_owned(),
            headers: lines.map(str::to_owned).collect(),
            body: body.to_vec(),
            rest: Vec::new(),
            notes: Vec::new(),
            is_cut_off: false,
            is_malformed: false,
        };
        capture.settle_line();
        capture.settle_body();
        Ok(capture)
    }

    /// What was made of the capture before it was judged.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Whether a part of the body is missing: the sidecar would wait for it.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.is_cut_off
    }

    /// The path, and the query where there is one.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The path alone.
    #[must_use]
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The body with everything that follows it: whoever writes a body anew may forget its length.
    #[must_use]
    pub fn whole_body(&self) -> Vec<u8> {
        [&*self.body, &*self.rest].concat()
    }

    /// The value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.headers.iter().filter_map(|line| line.split_once(':'));
        let (_, value) = fields.find(|(other, _)| other.trim().eq_ignore_ascii_case(name))?;
        Some(value.trim())
    }

    /// The same with another body.
    #[must_use]
    pub fn with_body(&self, body: Vec<u8>) -> Self {
        let mut changed = self.clone();
        changed.body = body;
        changed.set_length();
        changed
    }

    /// The same with another value of a header.
    #[must_use]
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut changed = self.clone();
        changed.remove_header(name);
        changed.headers.push(format!("{name}: {value}"));
        changed
    }

    /// The request as the sidecar would read it.
    ///
    /// # Errors
    /// Those of [`HeadScan::feed`] and [`Head::parse`], and for chunks that are none.
    pub fn received(&self, head_limit: usize) -> Result<Received, Rejection> {
        let (method, target, version) = (&self.method, &self.target, &self.version);
        let lines: String = self
            .headers
            .iter()
            .map(|line| format!("{line}\r\n"))
            .collect();
        let head = format!("{method} {target} {version}\r\n{lines}\r\n");
        HeadScan::default().feed(head.as_bytes(), head_limit)?;
        let head = Head::parse(head.as_bytes())?;
        head.expects_continue()?;
        if self.is_malformed {
            return Err(Rejection::Malformed(
                "chunks that are not framed as RFC 9112 says",
            ));
        }
        Ok(Received::new(head, Bytes::from(self.body.clone())))
    }

    /// Proxies write the whole URL, and their own version of HTTP.
    fn settle_line(&mut self) {
        let rest = self.target.split_once("://").map(|(_, rest)| rest);
        if let Some(rest) = rest.filter(|_| self.target.starts_with("http")) {
            let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
            self.target = path.to_owned();
            self.note("the URL was taken for its path");
        }
        if !matches!(self.version.as_str(), "HTTP/1.1" | "HTTP/1.0") {
            let version = std::mem::replace(&mut self.version, "HTTP/1.1".to_owned());
            self.note(&format!("{version} was read as HTTP/1.1"));
        }
    }

    /// Takes away the framing, of which a capture may have lost or added something.
    fn settle_body(&mut self) {
        // Both is malformed, and judged so.
        if self.count("transfer-encoding") > 0 && self.count("content-length") > 0 {
            return;
        }
        let coding = self
            .header("transfer-encoding")
            .map(str::to_ascii_lowercase);
        if coding.as_deref() == Some("chunked") && self.count("transfer-encoding") == 1 {
            match unchunked(&self.body) {
                Some(body) => self.body = body,
                None if self.body.windows(5).any(|end| end == b"\r\n0\r\n") => {
                    self.is_malformed = true
                }
                None if self.body.contains(&b'\n') && begins_chunked(&self.body) => {
                    self.is_cut_off = true;
                    self.note("the capture is cut off: its last chunk is not there");
                }
                None => self.note("the body is not in chunks any more, and was taken as it is"),
            }
            self.remove_header("transfer-encoding");
            self.set_length();
            return;
        }
        let length = self
            .header("content-length")
            .and_then(|text| text.parse::<usize>().ok());
        if self.count("content-length") > 1 {
            return;
        }
        match length {
            Some(length) if length < self.body.len() => {
                let more = self.body.len() - length;
                self.rest = self.body.split_off(length);
                let s = if more == 1 { "" } else { "s" };
                self.note(&format!(
                    "{more} byte{s} after Content-Length were left out"
                ));
            }
            Some(length) if length > self.body.len() => {
                let there = self.body.len();
                self.note(&format!(
                    "the capture is cut off: {there} of {length} bytes of the body are there"
                ));
                self.is_cut_off = true;
                self.set_length();
            }
            Some(_) => {}
            None if self.body.is_empty() || self.count("content-length") == 1 => {}
            None => self.set_length(),
        }
    }

    fn count(&self, name: &str) -> usize {
        let fields = self.headers.iter().filter_map(|line| line.split_once(':'));
        fields
            .filter(|(other, _)| other.eq_ignore_ascii_case(name))
            .count()
    }

    fn set_length(&mut self) {
        self.remove_header("content-length");
        self.headers
            .push(format!("Content-Length: {}", self.body.len()));
    }

    fn remove_header(&mut self, name: &str) {
        self.headers.retain(|line| {
            let other = line.split_once(':').map(|(other, _)| other);
            !other.is_some_and(|other| other.eq_ignore_ascii_case(name))
        });
    }

    fn note(&mut self, says: &str) {
        self.notes.push(visible(says.as_bytes()));
    }
}

const NO_REQUEST: &str = "holds no HTTP/1.1 request; right is its first line, such as \
                          POST /payments/notifications HTTP/1.1, then headers, an empty line and the body";

/// The head, and what follows its empty line, which editors may have dropped where there is no body.
fn split(raw: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut line = 0;
    for (at, byte) in raw.iter().enumerate() {
        if *byte != b'\n' {
            continue;
        }
        let text = raw.get(line..at).unwrap_or_default();
        if text.is_empty() || text == b"\r" {
            let head = raw.get(..line).unwrap_or_default();
            return Some((head, raw.get(at + 1..).unwrap_or_default()));
        }
        line = at + 1;
    }
    raw.ends_with(b"\n").then_some((raw, b""))
}

/// Whether the first line is the size of a chunk.
fn begins_chunked(body: &[u8]) -> bool {
    let size = body.split(|byte| matches!(byte, b'\r' | b';')).next();
    let size = size.unwrap_or_default();
    !size.is_empty() && size.len() <= 8 && size.iter().all(u8::is_ascii_hexdigit)
}

/// The body of chunks. Source: RFC 9112 §7.1.
fn unchunked(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
        let size = std::str::from_utf8(rest.get(..end)?).ok()?;
        let size = size.split(';').next()?;
        if !size.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let size = usize::from_str_radix(size, 16).ok()?;
        rest = rest.get(end + 2..)?;
        if size == 0 {
            // An empty line ends it, after trailers if any; editors leave one more line end.
            let last = rest.strip_prefix(b"\r\n").map(<[u8]>::trim_ascii);
            let ended =
                last.is_some_and(<[u8]>::is_empty) || rest.windows(4).any(|end| end == b"\r\n\r\n");
            return ended.then_some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size..)?.strip_prefix(b"\r\n")?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_logs_and_proxies_leave() {
        for (raw, target, body, notes) in [
            (
                "POST /n HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok",
                "/n",
                "ok",
                0,
            ),
            (
                "\n POST /n HTTP/1.1\nHost: h\nContent-Length: 2\n\nok\n",
                "/n",
                "ok",
                1,
            ),
            (
                "POST http://h:1/n?a HTTP/1.1\nHost: h\n\nok",
                "/n?a",
                "ok",
                1,
            ),
            (
                "POST /n HTTP/2\nHost: h\nContent-Length: 5\n\nok",
                "/n",
                "ok",
                2,
            ),
            (
                "POST /n HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\n2\r\nok\r\n0\r\n\r\n",
                "/n",
                "ok",
                0,
            ),
            (
                "POST /n HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\nok",
                "/n",
                "ok",
                1,
            ),
            ("GET /n HTTP/1.1\nHost: h\n", "/n", "", 0),
        ] {
            let capture = Capture::read(raw.as_bytes()).unwrap();
            assert_eq!(capture.target(), target, "{raw:?}");
            assert_eq!(capture.body(), body.as_bytes(), "{raw:?}");
            assert_eq!(
                capture.notes().len(),
                notes,
                "{raw:?}: {:?}",
                capture.notes()
            );
            assert_eq!(capture.received(1024).unwrap().body(), body, "{raw:?}");
        }
        for raw in [
            "",
            "\n\n",
            "hello",
            "post /n HTTP/1.1",
            "POST /n",
            "{\"a\":1}",
        ] {
            assert!(Capture::read(raw.as_bytes()).is_err(), "{raw:?}");
        }
    }
}
