//! One request by hand: for what is asked of a server beside the load.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use crate::Fallible;
use crate::process::PATIENCE;

/// An answer: its status and its body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

/// Sends the bytes of a whole request and reads the answer, whose length must be given.
pub(crate) fn send(port: u16, request: &[u8]) -> Fallible<Answer> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(request)?;
    let mut read = Vec::new();
    let mut part = [0; 65536];
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let is_it = name.eq_ignore_ascii_case("content-length");
                is_it.then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                let status = head.split(' ').nth(1).ok_or("an answer without a status")?;
                return Ok(Answer {
                    status: status.parse()?,
                    body: body.to_owned(),
                });
            }
        }
        let count = stream.read(&mut part)?;
        if count == 0 {
            return Err(format!("an answer broke off: {text}").into());
        }
        read.extend_from_slice(part.get(..count).unwrap_or_default());
    }
}

pub(crate) fn get(port: u16, path: &str) -> Fallible<Answer> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
    send(port, request.as_bytes())
}
