//! The real binary on ports that are known beforehand: its first line may be text, hidden or never read.

use std::fs::{self, File};
use std::io::{self, BufReader, PipeReader, PipeWriter, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::kawal::command;
use super::redis::free_port;
use super::wire::read_response;
use super::{Config, PATIENCE, Request, Response};

/// A proxy that is ready. Dropping it kills the process.
pub struct Plain {
    child: Child,
    listen: SocketAddr,
    admin: SocketAddr,
    pub config: Config,
}

/// Everything that a process printed until it ended.
#[derive(Debug)]
pub struct Printed {
    pub out: Vec<u8>,
    pub err: Vec<u8>,
}

impl Plain {
    /// What it prints goes into files.
    pub fn start(config: Config) -> Self {
        Self::started(config, command)
    }

    /// Started by another command, which names the binary.
    pub fn started(config: Config, command: impl Fn() -> Command) -> Self {
        Self::with_out(config, command, |config| {
            File::create(config.folder.path().join("stdout")).unwrap()
        })
    }

    /// Its standard output is a pipe, which is read when the test likes.
    pub fn piped(config: Config) -> (Self, PipeReader) {
        let mut reader = None;
        let plain = Self::with_out(config, command, |_| {
            let (out, into): (PipeReader, PipeWriter) = io::pipe().unwrap();
            reader = Some(out);
            into
        });
        (plain, reader.unwrap())
    }

    fn with_out<S: Into<Stdio>>(
        config: Config,
        command: impl Fn() -> Command,
        mut out: impl FnMut(&Config) -> S,
    ) -> Self {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut plain = Self::spawn(config.clone(), command(), out(&config).into());
            if plain.gets_ready() {
                return plain;
            }
            // Another suite may have been quicker to take a port.
            let told = plain.errors();
            let again = told.contains("in use") && Instant::now() < until;
            assert!(again, "kawal did not start: {told}");
        }
    }

    fn spawn(config: Config, mut command: Command, out: Stdio) -> Self {
        let [listen, admin] = [(); 2].map(|()| SocketAddr::from(([127, 0, 0, 1], free_port())));
        let config = config
            .set("listen", listen.to_string())
            .set("admin", admin.to_string());
        let file = config.write();
        let errors = File::create(config.folder.path().join("stderr")).unwrap();
        let child = command
            .args(["serve", "--config"])
            .arg(&file)
            .args(&config.args)
            .envs(config.env.iter().cloned())
            .current_dir(config.folder.path())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .spawn()
            .unwrap();
        Self {
            child,
            listen,
            admin,
            config,
        }
    }

    /// False when it ended instead.
    fn gets_ready(&mut self) -> bool {
        let until = Instant::now() + PATIENCE;
        while !self.is_ready() {
            if self.child.try_wait().unwrap().is_some() {
                return false;
            }
            assert!(Instant::now() < until, "not ready: {}", self.errors());
            thread::sleep(Duration::from_millis(5));
        }
        self.runs()
    }

    fn is_ready(&self) -> bool {
        let Ok(stream) = TcpStream::connect(self.admin) else {
            return false;
        };
        drop(stream);
        self.admin("/readyz").status == 200
    }

    pub fn addr(&self) -> SocketAddr {
        self.listen
    }

    pub fn admin_addr(&self) -> SocketAddr {
        self.admin
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn send(&self, request: &Request) -> Response {
        request.send(self.listen)
    }

    /// Sends bytes that need not be a request, says that no more will come, and reads what is answered, if anything.
    pub fn send_raw(&self, bytes: &[u8]) -> Option<Response> {
        send_raw(self.listen, bytes)
    }

    /// A GET on the admin listener.
    pub fn admin(&self, path: &str) -> Response {
        Request::new("GET", path).send(self.admin)
    }

    /// True while the process runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// What it printed so far, where that goes into files.
    pub fn out(&self) -> String {
        let bytes = fs::read(self.config.folder.path().join("stdout")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn errors(&self) -> String {
        let bytes = fs::read(self.config.folder.path().join("stderr")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success(), "{name} did not reach {pid}");
    }

    /// Waits for the process to end.
    pub fn wait_exit(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "kawal still runs");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Asks it to end, and gives all that it printed: nothing can come after that.
    pub fn end(mut self) -> Printed {
        self.signal("TERM");
        let status = self.wait_exit();
        assert_eq!(status.code(), Some(0), "{}", self.errors());
        let read = |name| fs::read(self.config.folder.path().join(name)).unwrap_or_default();
        Printed {
            out: read("stdout"),
            err: read("stderr"),
        }
    }
}

/// The same to any address.
pub fn send_raw(address: SocketAddr, bytes: &[u8]) -> Option<Response> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    // It may have been refused, and closed, before all of it was written.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    read_response(&mut BufReader::new(stream), "POST").ok()
}

impl Drop for Plain {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Printed {
    /// Standard output; fails when it is not text.
    pub fn text(&self) -> String {
        String::from_utf8(self.out.clone()).expect("lines in UTF-8")
    }

    pub fn both(&self) -> String {
        [&self.out, &self.err]
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
            .concat()
    }
}
