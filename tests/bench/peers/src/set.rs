//! Sets of signed notifications in files, as notify.lua reads them.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::Fallible;
use crate::signer::{Kind, Times, body, head};

/// A set that wrk can be fed with.
pub(crate) struct Set {
    pub(crate) requests: PathBuf,
    pub(crate) tail: PathBuf,
    pub(crate) size: usize,
    first: Vec<u8>,
    last: Vec<u8>,
}

impl Set {
    /// Signs `count` notifications with a body of `size` bytes, each with a number of its own.
    pub(crate) fn sign(folder: &Path, kind: &Kind, size: usize, count: usize) -> Fallible<Self> {
        let name = match kind {
            Kind::Doku => "doku",
            Kind::Forged => "forged",
            Kind::Pivot => "pivot",
            Kind::Snap { .. } => "snap",
            Kind::Unrouted => "unrouted",
            Kind::UnroutedPost => "unrouted-post",
        };
        let requests = folder.join(format!("{name}-{size}"));
        let tail = requests.with_extension("tail");
        let times = Times::now()?;
        let mut file = BufWriter::new(File::create(&requests)?);
        let (mut first, mut last) = (Vec::new(), Vec::new());
        for number in 1..=count {
            let (own, rest) = body(kind, number, size)?;
            let whole = [own.as_bytes(), rest.as_bytes()].concat();
            let request = head(kind, number, &times, &whole)? + &own;
            write!(file, "{:08}{request}", request.len())?;
            if number == 1 || number == count {
                last = [request.as_bytes(), rest.as_bytes()].concat();
            }
            if number == 1 {
                first.clone_from(&last);
                fs::write(&tail, rest)?;
            }
        }
        file.flush()?;
        Ok(Self {
            requests,
            tail,
            size,
            first,
            last,
        })
    }

    /// A set of the first one only, as often as that.
    pub(crate) fn repeated(&self, folder: &Path, count: usize) -> Fallible<Self> {
        let requests = folder.join(format!("repeated-{}", self.size));
        let tail = requests.with_extension("tail");
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

impl Drop for Set {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.requests);
        let _ = fs::remove_file(&self.tail);
    }
}
