//! `kawal healthcheck`: asks a running sidecar for its health.

use super::{Exit, complain};
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

const LONGEST: Duration = Duration::from_secs(3);

pub(super) fn run(url: &str) -> Exit {
    let Some((authority, path)) = split(url) else {
        complain(&format!(
            "`{url}` is no URL of a health endpoint; right is http://HOST:PORT/PATH"
        ));
        return Exit::WrongUsage;
    };
    match ask(authority, path) {
        Ok(200) => Exit::Done,
        Ok(status) => {
            complain(&format!("{url} answers {status}"));
            Exit::No
        }
        Err(why) => {
            complain(&format!("{url} does not answer: {why}"));
            Exit::No
        }
    }
}

fn split(url: &str) -> Option<(&str, &str)> {
    let rest = url.strip_prefix("http://")?;
    let at = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(at)?;
    let sound = !rest
        .bytes()
        .any(|byte| byte.is_ascii_control() || byte == b' ');
    let named = authority
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    (sound && named).then_some((authority, if path.is_empty() { "/" } else { path }))
}

fn ask(authority: &str, path: &str) -> Result<u16, String> {
    let text = |error: std::io::Error| error.to_string();
    let address = authority
        .to_socket_addrs()
        .map_err(text)?
        .next()
        .ok_or("no address")?;
    let mut stream = TcpStream::connect_timeout(&address, LONGEST).map_err(text)?;
    stream.set_read_timeout(Some(LONGEST)).map_err(text)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).map_err(text)?;
    let mut answer = String::new();
    stream
        .take(4096)
        .read_to_string(&mut answer)
        .map_err(text)?;
    let status = answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok());
    status.ok_or_else(|| "not an HTTP answer".to_owned())
}
