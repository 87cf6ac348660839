//! Where the store is.

use crate::secret::Reference;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// The store's address, with everything that it takes to get in.
#[derive(Clone, Debug)]
pub struct Address {
    pub(super) text: Box<str>,
    pub(super) target: Target,
    pub(super) tls: bool,
    pub(super) user: Option<Box<str>>,
    pub(super) database: i64,
    pub(super) password: Option<Password>,
}

pub(super) type Node = (Box<str>, u16);

#[derive(Clone, Debug)]
pub(super) enum Target {
    Node(Node),
    Socket(PathBuf),
    Sentinel { nodes: Vec<Node>, master: Box<str> },
    Cluster(Vec<Node>),
}

/// Where the store's password is kept. It is read for every connection, so that a new one is taken
/// over when the old one no longer opens.
#[derive(Clone, Debug)]
pub struct Password {
    reference: Reference,
    base: PathBuf,
}

impl Password {
    /// A relative path starts in `base`.
    #[must_use]
    pub fn new(reference: Reference, base: PathBuf) -> Self {
        Self { reference, base }
    }

    /// Reads it. One trailing newline of a file is dropped.
    ///
    /// # Errors
    /// A sentence that names the file or variable, never its content.
    pub fn read(&self) -> Result<Zeroizing<String>, String> {
        self.reference.load(&self.base, |bytes| {
            let text = String::from_utf8(bytes).map_err(|_| "is no UTF-8 text")?;
            let text = Zeroizing::new(text);
            let line = text.strip_suffix('\n').unwrap_or(&text);
            let line = line.strip_suffix('\r').unwrap_or(line);
            match line {
                "" => Err("is empty; put the store's password into it".into()),
                line => Ok(Zeroizing::new(line.to_owned())),
            }
        })
    }
}

const RIGHT: &str = "right is, for example, redis://HOST:6379/0, rediss://HOST:6379, unix:/run/redis.sock, \
                     redis-sentinel://HOST:26379,HOST:26379/MASTER or redis-cluster://HOST:6379,HOST:6379";

impl Address {
    /// Reads it. The text is never repeated in an error: it may hold a password.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("is no address of a store; {RIGHT}");
        if let Some(path) = text.strip_prefix("unix:") {
            return Self::socket(path).ok_or_else(wrong);
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        if user.is_some_and(|user| user.contains(':')) {
            return Err(
                "holds a password: leave it out, and name the file that holds it as \
                        replay.redis.password: file:PATH"
                    .into(),
            );
        }
        if user.is_some_and(str::is_empty) {
            return Err(wrong());
        }
        let (tls, kind) = match scheme.strip_prefix("rediss") {
            Some(kind) => (true, kind),
            None => (false, scheme.strip_prefix("redis").ok_or_else(wrong)?),
        };
        let port = if kind == "-sentinel" { 26379 } else { 6379 };
        let nodes: Option<Vec<_>> = hosts.split(',').map(|host| node(host, port)).collect();
        let nodes = nodes.ok_or_else(wrong)?;
        let (target, database) = match (kind, &*nodes) {
            ("", [one]) => (Target::Node(one.clone()), path),
            ("-sentinel", _) => {
                let (master, database) = path.split_once('/').unwrap_or((path, ""));
                if master.is_empty() || !master.chars().all(is_named) {
                    return Err(format!("names no master to ask the Sentinels for; {RIGHT}"));
                }
                let master = master.into();
                (Target::Sentinel { nodes, master }, database)
            }
            ("-cluster", _) if path.is_empty() => (Target::Cluster(nodes), ""),
            ("-cluster", _) => return Err("names a database, and a cluster has none".into()),
            _ => return Err(wrong()),
        };
        Ok(Self {
            text: text.into(),
            target,
            tls,
            user: user.map(Into::into),
            database: number(database).ok_or_else(wrong)?,
            password: None,
        })
    }

    fn socket(rest: &str) -> Option<Self> {
        let path = rest.strip_prefix("//").unwrap_or(rest);
        let (path, database) = match path.split_once("?db=") {
            Some((path, database)) => (path, database),
            None => (path, ""),
        };
        if path.contains('?') || path.len() > LONGEST_PATH {
            return None;
        }
        Some(Self {
            text: format!("unix:{path}").into(),
            target: path
                .starts_with('/')
                .then(|| Target::Socket(PathBuf::from(path)))?,
            tls: false,
            user: None,
            database: number(database)?,
            password: None,
        })
    }

    /// The same, with the password to get in.
    #[must_use]
    pub fn with_password(self, password: Option<Password>) -> Self {
        Self { password, ..self }
    }

    /// Whether it says who to log in as.
    #[must_use]
    pub fn names_a_user(&self) -> bool {
        self.user.is_some()
    }

    /// As it stands in the configuration.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Bytes that the system has for the path of a socket. Source: `man 7 unix`
const LONGEST_PATH: usize = 107;

/// A host and its port, of `HOST`, `HOST:PORT` or `[IPv6]:PORT`.
fn node(text: &str, port: u16) -> Option<Node> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        let port = match rest.strip_prefix(':') {
            Some(port) => port.parse().ok()?,
            None if rest.is_empty() => port,
            None => return None,
        };
        return (port != 0).then(|| (host.into(), port));
    }
    let (host, port) = match text.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (text, port),
    };
    let is_right = !host.is_empty() && host.chars().all(is_named) && port != 0;
    is_right.then(|| (host.into(), port))
}

/// What names of hosts and of masters consist of.
fn is_named(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')
}

fn number(text: &str) -> Option<i64> {
    match text {
        "" => Some(0),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    }
}
