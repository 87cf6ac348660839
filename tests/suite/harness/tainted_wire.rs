//! Bytes that are no request, or nearly one, each with words in it that nobody may ever read again.

use std::io::Write;
use std::net::TcpStream;

use super::plain::send_raw;
use super::tainted::{BODY, FORGED, HEADER, QUERY, Taint};
use super::{Plain, doku};

const LINE: &str = "POST /payments/notifications?token=canary-query-Lw27hD HTTP/1.1";

/// Names, and what goes over the wire.
pub fn rows() -> Vec<(&'static str, Vec<u8>)> {
    let mut rows = heads();
    rows.extend(bodies());
    rows.extend(paths());
    rows
}

fn heads() -> Vec<(&'static str, Vec<u8>)> {
    let with = |lines: &str| format!("{LINE}\r\nHost: h\r\n{lines}\r\n\r\n{BODY}").into_bytes();
    let mut binary = with("X-Note: NNN");
    let at = binary.windows(3).position(|three| three == b"NNN").unwrap();
    binary.splice(
        at..at + 3,
        [&b"\xff\xfe\x00"[..], HEADER.as_bytes()].concat(),
    );
    vec![
        (
            "no request",
            format!("{BODY} {HEADER}\r\n{QUERY}\r\n\r\n").into(),
        ),
        ("one word", format!("{BODY}\r\n\r\n").into()),
        (
            "another protocol",
            format!("EHLO {HEADER}\r\nAUTH {BODY}\r\n\r\n").into(),
        ),
        (
            "a proxy's preface",
            format!("PROXY TCP4 {HEADER} {BODY} 1 2\r\n\r\n").into(),
        ),
        (
            "HTTP/2",
            format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{BODY}").into(),
        ),
        (
            "TLS",
            [
                &b"\x16\x03\x01\x02\x00\x01\x00"[..],
                BODY.as_bytes(),
                b"\r\n\r\n",
            ]
            .concat(),
        ),
        (
            "another version",
            format!("POST /?t={QUERY} HTTP/9.9\r\nX: {HEADER}\r\n\r\n").into(),
        ),
        (
            "no host",
            format!("{LINE}\r\nX-Note: {HEADER}\r\n\r\n").into(),
        ),
        ("a header without a colon", with(HEADER)),
        (
            "a space before the colon",
            with(&format!("X-Note : {HEADER}")),
        ),
        ("a header folded", with(&format!("X-Note: a\r\n {HEADER}"))),
        (
            "a lone carriage return",
            with(&format!("X-Note: a\r{HEADER}")),
        ),
        ("a name that is none", with(&format!("{HEADER}\x01: a"))),
        ("not UTF-8", binary),
        (
            "two lengths",
            with(&format!("Content-Length: 5\r\nContent-Length: {HEADER}")),
        ),
        (
            "a length in words",
            with(&format!("Content-Length: {HEADER}")),
        ),
        (
            "two framings",
            with("Content-Length: 5\r\nTransfer-Encoding: chunked"),
        ),
        (
            "another coding",
            with(&format!("Transfer-Encoding: {HEADER}")),
        ),
        (
            "a huge head",
            with(&format!("X-Note: {}", HEADER.repeat(4000))),
        ),
        (
            "a huge number of headers",
            with(&format!("X-Note: {HEADER}\r\n").repeat(500)),
        ),
        (
            "a huge target",
            format!("POST /{} HTTP/1.1\r\nHost: h\r\n\r\n", QUERY.repeat(4000)).into(),
        ),
        ("half a head", format!("{LINE}\r\nX-Note: {HEADER}").into()),
        (
            "a proof in half a head",
            format!("{LINE}\r\nSignature: {FORGED}").into(),
        ),
    ]
}

fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let chunked = |chunks: &str| {
        let request = doku("{}").header("Transfer-Encoding", "chunked").body("");
        [&request.bytes(), chunks.as_bytes()].concat()
    };
    let long = chunked(&format!("{:x}\r\n{BODY}", BODY.len() * 2));
    let short = doku(BODY).header("Content-Length", "1000").bytes();
    vec![
        (
            "a size in words",
            chunked(&format!("{BODY}\r\n{BODY}\r\n0\r\n\r\n")),
        ),
        (
            "an extension",
            chunked(&format!("2;note={BODY}\r\n{{}}\r\n0\r\n\r\n")),
        ),
        (
            "a chunk that is longer",
            chunked(&format!("2\r\n{BODY}\r\n0\r\n\r\n")),
        ),
        (
            "a trailer",
            chunked(&format!("2\r\n{{}}\r\n0\r\nX-Note: {BODY}\r\n\r\n")),
        ),
        ("a chunk that breaks off", long),
        ("a body that breaks off", short),
        (
            "another request in its place",
            [doku("{}").bytes(), BODY.into()].concat(),
        ),
    ]
}

fn paths() -> Vec<(&'static str, Vec<u8>)> {
    let to = |target: String| {
        let head = format!("POST {target} HTTP/1.1\r\nHost: h\r\nX-Note: {HEADER}\r\n");
        format!("{head}Content-Length: {}\r\n\r\n{BODY}", BODY.len()).into_bytes()
    };
    vec![
        (
            "a slash more",
            to(format!("/payments/notifications/?token={QUERY}")),
        ),
        (
            "two slashes",
            to(format!("/payments//notifications?token={QUERY}")),
        ),
        (
            "escaped",
            to(format!("/%70ayments/notifications?token={QUERY}")),
        ),
        (
            "dots",
            to(format!("/payments/x/../notifications?token={QUERY}")),
        ),
        (
            "a parameter",
            to(format!("/payments/notifications;t={QUERY}")),
        ),
        (
            "a backslash",
            to(format!("/payments\\notifications?token={QUERY}")),
        ),
        (
            "an escape that is none",
            to(format!("/payments/%zz?token={QUERY}")),
        ),
        (
            "capitals",
            to(format!("/PAYMENTS/notifications?token={QUERY}")),
        ),
        (
            "a whole address",
            to(format!("http://u:{FORGED}@h/payments?token={QUERY}")),
        ),
        ("a fragment", to(format!("/payments/notifications#{QUERY}"))),
        ("a quote", to(format!("/payments/\"{QUERY}\""))),
        ("nowhere", to(format!("/nowhere?token={QUERY}"))),
        (
            "a tunnel",
            format!("CONNECT {HEADER}:443 HTTP/1.1\r\nHost: h\r\n\r\n").into(),
        ),
        (
            "a trace",
            format!("TRACE /?t={QUERY} HTTP/1.1\r\nHost: h\r\n\r\n").into(),
        ),
        (
            "a method",
            format!("{FORGED} /?t={QUERY} HTTP/1.1\r\nHost: h\r\n\r\n").into(),
        ),
    ]
}

impl Taint<'_> {
    /// All of them, at the gateways' listener and at the probes'.
    pub fn wire(&mut self, kawal: &Plain) {
        for (_, bytes) in rows() {
            self.answered += usize::from(kawal.send_raw(&bytes).is_some());
            send_raw(kawal.admin_addr(), &bytes);
        }
        for path in ["/metrics", "/status", "/livez", "/"] {
            kawal.admin(&format!("{path}?token={QUERY}"));
        }
        // One that leaves in the middle, without a word.
        let mut leaver = TcpStream::connect(kawal.addr()).unwrap();
        let bytes = doku(BODY).header("Content-Length", "1000").bytes();
        leaver.write_all(&bytes).unwrap();
    }
}
