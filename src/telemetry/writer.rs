//! Writes the lines of the log in a thread of its own, so that no request waits for whoever reads them.
//!
//! Not `tracing-appender`: of a pipe that nobody reads it never comes back at the end, and what a full disk or a
//! closed pipe did not take it does not count (its version 0.2).

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use tracing_subscriber::fmt::MakeWriter;

/// So many lines may wait for a slow reader: some megabytes.
const WAITING: usize = 8192;
/// So much is written at once, in bytes.
const AT_ONCE: usize = 64 * 1024;
/// At the end, what waits has this long.
const LAST: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(5);

enum Message {
    Line(Box<[u8]>),
    /// Everything before has been written when it is answered.
    Flush(SyncSender<()>),
}

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

/// The way to the thread that writes.
#[derive(Clone)]
pub(super) struct Lines {
    queue: SyncSender<Message>,
    lost: LostLines,
}

impl Lines {
    /// Writes to stdout from now on.
    ///
    /// # Errors
    /// Where the system gives no thread, or there is no stdout.
    pub(super) fn to_stdout(lost: LostLines) -> io::Result<Self> {
        // Of its own, so that its lock is nobody else's concern.
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let (queue, messages) = sync_channel(WAITING);
        let counted = lost.clone();
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write(&messages, out, &counted))?;
        Ok(Self { queue, lost })
    }

    /// Waits until all that was said is written, but not for ever.
    pub(super) fn flush(&self) {
        let until = Instant::now() + LAST;
        let (done, flushed) = sync_channel(1);
        let mut message = Message::Flush(done);
        while let Err(TrySendError::Full(back)) = self.queue.try_send(message) {
            if Instant::now() >= until {
                return;
            }
            std::thread::sleep(PAUSE);
            message = back;
        }
        let _ = flushed.recv_timeout(until.saturating_duration_since(Instant::now()));
    }
}

impl Write for &Lines {
    /// Takes a whole line, which is how the subscriber writes.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Message::Line(line.into())).is_err() {
            self.lost.add(1);
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

/// Writes what comes, several lines at once where they wait already.
fn write(messages: &Receiver<Message>, mut out: impl Write, lost: &LostLines) {
    let mut buffer = Vec::new();
    while let Ok(first) = messages.recv() {
        let mut next = Some(first);
        let (mut lines, mut flushes) = (0, Vec::new());
        while let Some(message) = next {
            match message {
                Message::Line(line) => {
                    buffer.extend_from_slice(&line);
                    lines += 1;
                }
                Message::Flush(done) => flushes.push(done),
            }
            next = match buffer.len() < AT_ONCE {
                true => messages.try_recv().ok(),
                false => None,
            };
        }
        if write_all(&mut out, &buffer).is_err() {
            lost.add(lines);
        }
        buffer.clear();
        for done in flushes {
            let _ = done.try_send(());
        }
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
            let (queue, messages) = sync_channel(8);
            for _ in 0..3 {
                let line = Box::from(&b"line\n"[..]);
                queue.send(Message::Line(line)).ok().unwrap();
            }
            drop(queue);
            let mut disk = Disk {
                room,
                kept: Vec::new(),
            };
            let counted = LostLines::default();
            write(&messages, &mut disk, &counted);
            assert_eq!(counted.count(), lost, "{room}");
            assert!(b"line\nline\nline\n".starts_with(&disk.kept));
        }
    }
}
