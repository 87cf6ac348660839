//! How each server is configured and started, in a folder of its own and on free ports.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::Fallible;
use crate::exchange::get;
use crate::guard::Guard;
use crate::process::Process;
use crate::signer::SECRET;

/// The public half of the key that token requests are signed with.
const PUBLIC_KEY: &str = include_str!("../../../keys/gateway-public.pem");

/// A server that answers.
pub(crate) struct Server<'a> {
    pub(crate) process: Process<'a>,
    /// Where it takes what is to be verified.
    pub(crate) port: u16,
    /// Where it takes what is not; for Kawal, where it tells of itself.
    pub(crate) other_port: u16,
    /// From its start until it was ready.
    pub(crate) start: Duration,
    /// Dropped after it.
    _store: Option<Process<'a>>,
}

/// The app that stands behind all.
pub(crate) fn app(guard: &Guard) -> Fallible<Server<'_>> {
    let (folder, port) = (folder(guard, "app")?, free_port()?);
    write(
        &folder.join("app.conf"),
        include_str!("../conf/app.conf"),
        &[("app", port.to_string())],
    )?;
    start(guard, &folder, nginx("app.conf", &folder), [port, port])
}

/// With places for so many connections, to both sides, in each of its processes.
pub(crate) fn nginx_peer<'a>(
    guard: &'a Guard,
    app: u16,
    connections: usize,
) -> Fallible<Server<'a>> {
    let folder = folder(guard, "nginx")?;
    let ports = [free_port()?, free_port()?];
    let values = [
        ("app", app.to_string()),
        ("verifying", ports[0].to_string()),
        ("plain", ports[1].to_string()),
        ("modules", modules()?),
        ("connections", connections.to_string()),
    ];
    write(
        &folder.join("nginx.conf"),
        include_str!("../conf/nginx.conf"),
        &values,
    )?;
    let script = include_str!("../conf/notification.js");
    write(
        &folder.join("notification.js"),
        script,
        &[("secret", SECRET.to_owned())],
    )?;
    start(guard, &folder, nginx("nginx.conf", &folder), ports)
}

pub(crate) fn haproxy<'a>(guard: &'a Guard, app: u16) -> Fallible<Server<'a>> {
    let folder = folder(guard, "haproxy")?;
    let ports = [free_port()?, free_port()?];
    let values = [
        ("app", app.to_string()),
        ("verifying", ports[0].to_string()),
        ("plain", ports[1].to_string()),
        ("secret64", STANDARD.encode(SECRET)),
    ];
    write(
        &folder.join("haproxy.cfg"),
        include_str!("../conf/haproxy.cfg"),
        &values,
    )?;
    let mut command = Command::new("haproxy");
    command.args(["-db", "-f", "haproxy.cfg"]);
    start(guard, &folder, command, ports)
}

/// Kawal, and what its configuration holds beside what all have.
pub(crate) struct Kawal<'b> {
    pub(crate) binary: &'b Path,
    pub(crate) with_redis: bool,
    /// How many notifications the ledger in memory can hold.
    pub(crate) capacity: usize,
    /// The configuration, with names in braces where values belong.
    pub(crate) template: &'b str,
    /// How many more files with a secret there are: `secret-1` and so on.
    pub(crate) secrets: usize,
}

/// As a user has it.
pub(crate) const USUAL: &str = include_str!("../conf/kawal.yaml");

impl Kawal<'_> {
    pub(crate) fn start<'a>(&self, guard: &'a Guard, app: u16) -> Fallible<Server<'a>> {
        let folder = folder(guard, "kawal")?;
        let ports = [free_port()?, free_port()?];
        let redis = free_port()?;
        let store = self.with_redis.then(|| store(guard, redis)).transpose()?;
        let word = if self.with_redis { "redis" } else { "memory" };
        let values = [
            ("app", app.to_string()),
            ("listen", ports[0].to_string()),
            ("admin", ports[1].to_string()),
            ("redis", redis.to_string()),
            ("store", word.to_owned()),
            ("capacity", self.capacity.to_string()),
        ];
        write(&folder.join("kawal.yaml"), self.template, &values)?;
        write(&folder.join("secret"), SECRET, &[])?;
        for number in 1..=self.secrets {
            let secret = format!("SK-of-client-number-{number}");
            fs::write(folder.join(format!("secret-{number}")), secret)?;
        }
        write(&folder.join("gateway.pem"), PUBLIC_KEY, &[])?;
        let mut command = Command::new(self.binary);
        command.args(["serve", "--config", "kawal.yaml"]);
        let began = Instant::now();
        let mut process = Process::start(guard, &folder, &mut command)?;
        process.wait_until(|| get(ports[1], "/readyz").is_ok_and(|answer| answer.status == 200))?;
        Ok(Server {
            process,
            port: ports[0],
            other_port: ports[1],
            start: began.elapsed(),
            _store: store,
        })
    }
}

fn store(guard: &Guard, port: u16) -> Fallible<Process<'_>> {
    let folder = folder(guard, "redis")?;
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.args(["--port", &port.to_string()]);
    let mut process = Process::start(guard, &folder, &mut command)?;
    process.wait_until(|| answers(port))?;
    Ok(process)
}

fn start<'a>(
    guard: &'a Guard,
    folder: &Path,
    mut command: Command,
    ports: [u16; 2],
) -> Fallible<Server<'a>> {
    let began = Instant::now();
    let mut process = Process::start(guard, folder, &mut command)?;
    process.wait_until(|| ports.iter().all(|port| answers(*port)))?;
    Ok(Server {
        process,
        port: ports[0],
        other_port: ports[1],
        start: began.elapsed(),
        _store: None,
    })
}

/// In the foreground, with nothing outside of its folder.
fn nginx(conf: &str, folder: &Path) -> Command {
    let mut command = Command::new("nginx");
    command.args(["-e", "stderr", "-c"]).arg(folder.join(conf));
    command.arg("-p").arg(folder);
    command
}

/// Where distributions keep the modules of nginx.
fn modules() -> Fallible<String> {
    let places = [
        "/usr/lib/nginx/modules",
        "/usr/lib64/nginx/modules",
        "/etc/nginx/modules",
    ];
    let has_it = |place: &&str| Path::new(place).join("ngx_http_js_module.so").exists();
    let found = places.into_iter().find(has_it);
    Ok(found.ok_or("nginx has no njs module here")?.to_owned())
}

/// One of its own for every start: what runs already looks at its files.
fn folder(guard: &Guard, name: &str) -> Fallible<PathBuf> {
    let folder = guard.folder().join(format!("{name}-{}", guard.number()));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// Writes a file with values in the place of their names in braces.
fn write(file: &Path, template: &str, values: &[(&str, String)]) -> Fallible<()> {
    let mut text = template.to_owned();
    for (name, value) in values {
        text = text.replace(&format!("{{{name}}}"), value);
    }
    Ok(fs::write(file, text)?)
}

fn free_port() -> Fallible<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

fn answers(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}
