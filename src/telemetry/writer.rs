//! Writes the lines of the log in a thread of its own, so that no request waits for whoever reads them.
//!
//! Not `tracing-appender`: of a pipe that nobody reads it never comes back at the end, and what a full disk or a
//! closed pipe did not take it does not count (its version 0.2).

use parking_lot::{Condvar, Mutex};
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tracing_subscriber::fmt::MakeWriter;

/// So many lines may wait for a slow reader: some megabytes.
const WAITING: u64 = 8192;
/// After a write, lines gather for so long before the next: waking a thread costs more than a line does.
const GATHER: Duration = Duration::from_millis(5);
/// A buffer that has grown beyond this is not kept, in bytes.
const KEPT: usize = 64 * 1024;
/// At the end, what waits has this long.
const LAST: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

/// How many lines were lost, since nobody took them in time.
#[derive(Clone, Debug, Default)]
pub struct LostLines(Arc<AtomicU64>);

impl LostLines {
    /// Their number so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn add(&self, lines: u64) {
        self.0.fetch_add(lines, Ordering::Relaxed);
    }
}

/// What was said and is not written yet.
#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// Lines that were taken so far.
    said: u64,
    /// Of those, written or lost.
    done: u64,
    /// Whether the writer waits for a line.
    is_idle: bool,
    /// Whether somebody waits for everything to be written.
    is_urgent: bool,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    said: Condvar,
    done: Condvar,
}

/// The way to the thread that writes.
#[derive(Clone)]
pub(super) struct Lines {
    queue: Arc<Queue>,
    lost: LostLines,
}

impl Lines {
    /// Writes to stdout from now on.
    ///
    /// # Errors
    /// Where the system gives no thread, or there is no stdout.
    pub(super) fn to_stdout(lost: LostLines) -> io::Result<Self> {
        // Of its own, so that its lock is nobody else's concern.
        let mut out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let lines = Self {
            queue: Arc::default(),
            lost,
        };
        let writer = lines.clone();
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || {
                let mut bytes = Vec::new();
                loop {
                    writer.write_what_waits(&mut bytes, &mut out);
                }
            })?;
        Ok(lines)
    }

    /// Waits until all that was said is written, but not for ever.
    pub(super) fn flush(&self) {
        let until = Instant::now() + LAST;
        let mut waiting = self.queue.waiting.lock();
        let said = waiting.said;
        waiting.is_urgent = true;
        self.queue.said.notify_one();
        self.queue
            .done
            .wait_while_until(&mut waiting, |waiting| waiting.done < said, until);
    }

    /// Writes all lines that wait at once, as soon as there is one; `bytes` is empty, and is so again.
    fn write_what_waits(&self, bytes: &mut Vec<u8>, out: &mut impl Write) {
        let Queue {
            waiting,
            said,
            done,
        } = &*self.queue;
        let mut guard = waiting.lock();
        while guard.bytes.is_empty() {
            guard.is_idle = true;
            said.wait(&mut guard);
        }
        guard.is_idle = false;
        std::mem::swap(&mut guard.bytes, bytes);
        let lines = guard.said - guard.done;
        drop(guard);
        if write_all(out, bytes).is_err() {
            self.lost.add(lines);
        }
        bytes.clear();
        bytes.shrink_to(KEPT);
        let mut guard = waiting.lock();
        guard.done += lines;
        done.notify_all();
        said.wait_while_for(&mut guard, |waiting| !waiting.is_urgent, GATHER);
    }
}

impl Write for &Lines {
    /// Takes a whole line, which is how the subscriber writes.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.queue.waiting.lock();
        if waiting.said - waiting.done >= WAITING {
            self.lost.add(1);
            return Ok(line.len());
        }
        waiting.bytes.extend_from_slice(line);
        waiting.said += 1;
        if std::mem::take(&mut waiting.is_idle) {
            self.queue.said.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

/// As [`Write::write_all`]; what somebody else made non-blocking is waited for.
fn write_all(out: &mut impl Write, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes so many bytes at a time, and no more than there is room for.
    struct Disk {
        room: usize,
        kept: Vec<u8>,
    }

    impl Write for &mut Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let taken = bytes.len().min(3).min(self.room);
            if taken == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.kept.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_a_full_disk_does_not_take_are_counted() {
        for (room, lost) in [(100, 0), (7, 3)] {
            let lines = Lines {
                queue: Arc::default(),
                lost: LostLines::default(),
            };
            for _ in 0..3 {
                (&lines).write_all(b"line\n").unwrap();
            }
            let mut disk = Disk {
                room,
                kept: Vec::new(),
            };
            lines.write_what_waits(&mut Vec::new(), &mut &mut disk);
            assert_eq!(lines.lost.count(), lost, "{room}");
            assert!(b"line\nline\nline\n".starts_with(&disk.kept));
        }
    }
}
