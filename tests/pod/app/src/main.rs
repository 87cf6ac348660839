//! The merchant's app in the pods of the tests: says 200 to everything, and prints what it was told.
//!
//! The only argument is the address to listen on. A body that holds `"hold_ms":N` is answered N
//! milliseconds later, one with `"held":true` after SIGUSR1, one with `"answer_bytes":N` with N bytes
//! and one with `"status":N` with that. At SIGUSR2 a mark is printed, after all that came before. At
//! SIGTERM it takes no more connections, answers what it has and ends with 0.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, RwLock, TryLockError, mpsc};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

static STOPPING: AtomicBool = AtomicBool::new(false);
/// Open while a request is printed and answered. Whoever closes it ends the process: so nothing is
/// printed that is not answered.
static GATE: RwLock<()> = RwLock::new(());
/// Whether SIGUSR1 has come.
static RELEASED: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

fn main() -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGUSR1, SIGUSR2])?;
    let given = std::env::args().nth(1);
    let address = given.as_deref().unwrap_or("127.0.0.1:3000");
    let listener = TcpListener::bind(address)?;
    let here = listener.local_addr()?;
    say(&format!(r#"{{"message":"listening","address":"{here}"}}"#));
    let door = thread::spawn(move || accept(&listener));

    let (told, end) = mpsc::channel();
    thread::spawn(move || {
        for signal in signals.forever() {
            match signal {
                SIGUSR1 => {
                    if let Ok(mut released) = RELEASED.0.lock() {
                        *released = true;
                    }
                    RELEASED.1.notify_all();
                }
                SIGUSR2 => say(r#"{"message":"mark"}"#),
                // Once is enough.
                _ => drop(told.send(())),
            }
        }
    });
    let _ = end.recv();
    STOPPING.store(true, Ordering::SeqCst);
    say(r#"{"message":"stopping"}"#);
    // The door waits in accept: a last visitor makes it look at the flag, and close.
    drop(TcpStream::connect(SocketAddr::from((
        [127, 0, 0, 1],
        here.port(),
    ))));
    let _ = door.join();
    while let Err(TryLockError::WouldBlock) = GATE.try_write().map(std::mem::forget) {
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn accept(listener: &TcpListener) {
    for stream in listener.incoming() {
        if STOPPING.load(Ordering::SeqCst) {
            return;
        }
        if let Ok(stream) = stream {
            // A visitor that breaks off is nobody else's matter.
            thread::spawn(move || drop(serve(stream)));
        }
    }
}

/// Answers one request after the other.
fn serve(stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    while let Some(request) = Request::read(&mut reader)? {
        let _open = GATE.read();
        say(&request.line());
        request.wait();
        let ends = STOPPING.load(Ordering::SeqCst);
        let connection = if ends { "close" } else { "keep-alive" };
        let status = request.number("status").unwrap_or(200);
        let body = match request.number("answer_bytes") {
            Some(length) => "x".repeat(usize::try_from(length).unwrap_or(0)),
            None => "ok".to_owned(),
        };
        let answer = format!(
            "HTTP/1.1 {status} Said\r\nContent-Type: text/plain\r\nConnection: {connection}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        writer.write_all(answer.as_bytes())?;
        if ends {
            break;
        }
    }
    Ok(())
}

struct Request {
    path: String,
    id: String,
    attempt: String,
    body: String,
}

impl Request {
    /// None where the connection ends before another one.
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut id, mut attempt, mut length) = (String::new(), String::new(), 0);
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            let value = value.trim().to_owned();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().map_err(io::Error::other)?,
                "x-kawal-notification-id" => id = value,
                "x-kawal-attempt" => attempt = value,
                _ => {}
            }
        }
        let mut body = Vec::new();
        reader.take(length).read_to_end(&mut body)?;
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Some(Self {
            path,
            id,
            attempt,
            body,
        }))
    }

    /// Waits as long as the sender wants.
    fn wait(&self) {
        thread::sleep(Duration::from_millis(self.number("hold_ms").unwrap_or(0)));
        if self.body.contains("\"held\":true")
            && let Ok(released) = RELEASED.0.lock()
        {
            drop(RELEASED.1.wait_while(released, |released| !*released));
        }
    }

    /// A number that the sender asks for.
    fn number(&self, name: &str) -> Option<u64> {
        let (_, rest) = self.body.split_once(&format!("\"{name}\":"))?;
        rest.split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse()
            .ok()
    }

    /// What is printed of it, cut where a log line ends being one.
    fn line(&self) -> String {
        let (path, id, attempt) = (quoted(&self.path), quoted(&self.id), quoted(&self.attempt));
        let body = quoted(&self.body.chars().take(1000).collect::<String>());
        format!(
            r#"{{"message":"request","path":{path},"id":{id},"attempt":{attempt},"body":{body}}}"#
        )
    }
}

/// As a JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// One line, whole, whoever else prints.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    // Nobody may be listening.
    let _ = out.write_all(format!("{line}\n").as_bytes());
    let _ = out.flush();
}
