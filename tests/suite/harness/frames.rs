//! The store's protocol as it stands on the wire: values are passed on byte for byte, commands are read.

use std::io::{self, BufRead, Read};

/// Reads one value whole; nothing when the connection ended before it.
pub fn read_value(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut raw = Vec::new();
    if reader.fill_buf()?.is_empty() {
        return Ok(None);
    }
    read_into(reader, &mut raw)?;
    Ok(Some(raw))
}

fn read_into(reader: &mut impl BufRead, raw: &mut Vec<u8>) -> io::Result<()> {
    let from = raw.len();
    reader.read_until(b'\n', raw)?;
    let line = raw[from..].strip_suffix(b"\r\n");
    let line = line.ok_or(io::ErrorKind::UnexpectedEof)?;
    let (kind, rest) = line.split_first().ok_or(io::ErrorKind::InvalidData)?;
    let kind = *kind;
    match kind {
        b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => Ok(()),
        b'$' | b'=' | b'!' => {
            // The value that is absent has no bytes and no line end.
            if let Some(length) = count(rest)? {
                let end = raw.len();
                raw.resize(end + length + 2, 0);
                reader.read_exact(&mut raw[end..])?;
            }
            Ok(())
        }
        b'*' | b'~' | b'>' | b'%' | b'|' => {
            let pairs = if matches!(kind, b'%' | b'|') { 2 } else { 1 };
            // An attribute stands before the value that it tells of.
            let own = usize::from(kind == b'|');
            for _ in 0..count(rest)?.unwrap_or(0) * pairs + own {
                read_into(reader, raw)?;
            }
            Ok(())
        }
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn count(digits: &[u8]) -> io::Result<Option<usize>> {
    let text = std::str::from_utf8(digits).map_err(|_| io::ErrorKind::InvalidData)?;
    let number: i64 = text.parse().map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(usize::try_from(number).ok())
}

/// True for what a store says unasked: it answers no command.
pub fn is_push(raw: &[u8]) -> bool {
    raw.starts_with(b">")
}

/// The words of a command.
pub fn words(raw: &[u8]) -> io::Result<Vec<Vec<u8>>> {
    let mut reader = raw;
    let mut line = Vec::new();
    let mut header = |reader: &mut &[u8], mark: u8| -> io::Result<usize> {
        line.clear();
        reader.read_until(b'\n', &mut line)?;
        let digits = line.strip_prefix(&[mark]).map(<[u8]>::trim_ascii_end);
        let digits = digits.ok_or(io::ErrorKind::InvalidData)?;
        count(digits)?.ok_or_else(|| io::ErrorKind::InvalidData.into())
    };
    let mut words = Vec::new();
    for _ in 0..header(&mut reader, b'*')? {
        let mut word = vec![0; header(&mut reader, b'$')?];
        reader.read_exact(&mut word)?;
        reader.read_exact(&mut [0; 2])?;
        words.push(word);
    }
    Ok(words)
}
