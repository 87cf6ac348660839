//! Sets of signed notifications in files, as notify.lua reads them.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::PathBuf;

use crate::Fallible;
use crate::guard::Guard;
use crate::signer::{Kind, Times, head, own, rest};

/// A set that wrk can be fed with.
pub(crate) struct Set {
    pub(crate) requests: PathBuf,
    pub(crate) tail: PathBuf,
    pub(crate) size: usize,
    first: Vec<u8>,
    last: Vec<u8>,
}

impl Set {
    /// Signs notifications with a body of `size` bytes, one for each of these numbers.
    pub(crate) fn sign(
        guard: &Guard,
        kind: &Kind,
        size: usize,
        numbers: Range<usize>,
    ) -> Fallible<Self> {
        let (requests, tail) = files(guard);
        let times = Times::now()?;
        let rest = rest(kind, size)?;
        fs::write(&tail, &rest)?;
        let mut file = BufWriter::new(File::create(&requests)?);
        let (mut first, mut last) = (None, Vec::new());
        let mut body = Vec::new();
        let end = numbers.end;
        for number in numbers {
            let own = own(kind, number);
            body.clear();
            body.extend_from_slice(own.as_bytes());
            body.extend_from_slice(rest.as_bytes());
            let request = head(kind, number, &times, &body)? + &own;
            write!(file, "{:08}{request}", request.len())?;
            if first.is_none() || number + 1 == end {
                last = [request.as_bytes(), rest.as_bytes()].concat();
                first.get_or_insert_with(|| last.clone());
            }
        }
        file.flush()?;
        Ok(Self {
            requests,
            tail,
            size,
            first: first.unwrap_or_default(),
            last,
        })
    }

    /// A set of the first one only, as often as that.
    pub(crate) fn repeated(&self, guard: &Guard, count: usize) -> Fallible<Self> {
        let (requests, tail) = files(guard);
        fs::copy(&self.tail, &tail)?;
        let own = self.first.len() - usize::try_from(fs::metadata(&tail)?.len())?;
        let own = self.first.get(..own).unwrap_or_default();
        let mut file = BufWriter::new(File::create(&requests)?);
        for _ in 0..count {
            write!(file, "{:08}", own.len())?;
            file.write_all(own)?;
        }
        file.flush()?;
        Ok(Self {
            requests,
            tail,
            size: self.size,
            first: self.first.clone(),
            last: self.first.clone(),
        })
    }

    /// The bytes of the last request, which no measured run sends.
    pub(crate) fn last(&self) -> &[u8] {
        &self.last
    }
}

/// Where the requests of another set go, and what their bodies end with.
fn files(guard: &Guard) -> (PathBuf, PathBuf) {
    let requests = guard.folder().join(format!("set-{}", guard.number()));
    let tail = requests.with_extension("tail");
    (requests, tail)
}

impl Drop for Set {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.requests);
        let _ = fs::remove_file(&self.tail);
    }
}
