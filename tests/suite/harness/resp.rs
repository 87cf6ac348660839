//! RESP, the protocol of Redis, as far as a test speaks it: commands out, replies in.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use super::PATIENCE;

/// One reply of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Null,
    Integer(i64),
    /// A simple or a bulk string.
    Text(Vec<u8>),
    Error(String),
    List(Vec<Self>),
}

impl Reply {
    /// A string or a number, as text.
    pub fn text(&self) -> String {
        if let Self::Integer(number) = self {
            return number.to_string();
        }
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    pub fn bytes(&self) -> &[u8] {
        let Self::Text(bytes) = self else {
            panic!("not a string: {self:?}");
        };
        bytes
    }

    /// A number, also one that is written as text.
    pub fn integer(&self) -> i64 {
        self.text().parse().expect("a number")
    }

    pub fn list(&self) -> &[Self] {
        let Self::List(replies) = self else {
            panic!("not a list: {self:?}");
        };
        replies
    }

    pub fn texts(&self) -> Vec<String> {
        self.list().iter().map(Self::text).collect()
    }

    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }
}

/// A connection to a server.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let stream = BufReader::new(stream);
        Ok(Self { stream })
    }

    /// Sends one command and reads its reply, whatever it is.
    pub fn call<W: AsRef<[u8]>>(&mut self, words: &[W]) -> io::Result<Reply> {
        self.stream.get_mut().write_all(&command(words))?;
        self.read()
    }

    pub fn read(&mut self) -> io::Result<Reply> {
        read_reply(&mut self.stream)
    }
}

/// A command as it goes over the wire.
pub fn command<W: AsRef<[u8]>>(words: &[W]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words.iter().map(AsRef::as_ref) {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}

/// Reads one reply of RESP2.
pub fn read_reply(from: &mut impl BufRead) -> io::Result<Reply> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    let line = line.strip_suffix("\r\n");
    let line = line.ok_or(io::ErrorKind::UnexpectedEof)?;
    let (kind, rest) = line.split_at_checked(1).ok_or(io::ErrorKind::InvalidData)?;
    Ok(match kind {
        "+" => Reply::Text(rest.as_bytes().to_vec()),
        "-" => Reply::Error(rest.to_owned()),
        ":" => Reply::Integer(number(rest)?),
        "$" | "*" if rest == "-1" => Reply::Null,
        "$" => {
            let mut bytes = vec![0; number(rest)?];
            from.read_exact(&mut bytes)?;
            from.read_exact(&mut [0; 2])?;
            Reply::Text(bytes)
        }
        "*" => {
            let replies = (0..number(rest)?).map(|_: usize| read_reply(from));
            Reply::List(replies.collect::<io::Result<_>>()?)
        }
        _ => return Err(io::ErrorKind::InvalidData.into()),
    })
}

fn number<N: std::str::FromStr>(text: &str) -> io::Result<N> {
    text.parse().map_err(|_| io::ErrorKind::InvalidData.into())
}
