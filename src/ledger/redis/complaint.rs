//! What is wrong with a store, and what to do about it.

use super::channel::Channel;
use super::connection::Refused;
use ::redis::{ErrorKind, RedisError, ServerErrorKind};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// Why claims cannot be made in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The key of the configuration that has to be changed, or the store that it names; `None` for
    /// what may pass by itself.
    pub key: Option<&'static str>,
    /// What is wrong, and what to do.
    pub says: String,
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}

pub(super) const REDIS: &str = "replay.redis";
const URL: &str = "replay.redis.url";
const PASSWORD: &str = "replay.redis.password";

impl Complaint {
    /// It stays until somebody changes something.
    pub(super) fn lasting(key: &'static str, says: impl Into<String>) -> Self {
        Self {
            key: Some(key),
            says: says.into(),
        }
    }

    /// It may pass.
    pub(super) fn passing(says: impl Into<String>) -> Self {
        Self {
            key: None,
            says: says.into(),
        }
    }

    /// The store is named as if it spoke otherwise than so.
    pub(super) fn channel(channel: Channel) -> Self {
        let says = match channel {
            Channel::Plain => PLAIN,
            Channel::Tls => "the store speaks TLS here: name it with rediss instead of redis",
        };
        Self::lasting(URL, says)
    }

    /// Somebody speaks TLS there, and hangs up.
    pub(super) fn of_tls(self) -> Self {
        let says = format!(
            "{}, and that it demands no certificates of its clients: tls-auth-clients no",
            self.says
        );
        Self { says, ..self }
    }

    pub(super) fn late() -> Self {
        Self::passing(
            "the store does not answer in time: see that it runs, that nothing blocks it, that replay.redis.url \
             is right, and that replay.redis.timeout is long enough for the way there and back",
        )
    }
}

impl From<Refused> for Complaint {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Password(says) => Self::lasting(PASSWORD, says),
            Refused::Error(error) => Self::from(&error),
        }
    }
}

impl From<&RedisError> for Complaint {
    fn from(error: &RedisError) -> Self {
        if let Some(says) = tls(error) {
            return Self::lasting(URL, says);
        }
        let text = error.to_string();
        match (error.kind(), error.code()) {
            (ErrorKind::AuthenticationFailed, _) | (_, Some("WRONGPASS")) => refused_password(),
            // What the nodes of a cluster say is told as one text.
            _ if text.contains("AuthenticationFailed") => refused_password(),
            (_, Some("NOAUTH")) => Self::lasting(
                PASSWORD,
                "the store wants a password; name the file that holds it, as file:PATH",
            ),
            (ErrorKind::Server(ServerErrorKind::NoPerm), _) => permission(&text),
            _ if NO_PERMISSION.iter().any(|words| text.contains(words)) => permission(&text),
            _ if text.contains("DB index") || text.contains("switch database") => Self::lasting(
                URL,
                "the store has no database of this number; 0 is always there",
            ),
            _ if text.contains("cluster support disabled") => {
                Self::lasting(URL, "the store is no cluster; name it with redis://")
            }
            (ErrorKind::Server(ServerErrorKind::Moved | ServerErrorKind::CrossSlot), _) => {
                Self::lasting(URL, "the store is a cluster; name it with redis-cluster://")
            }
            (ErrorKind::InvalidClientConfig, _) if text.contains("sentinel") => Self::lasting(
                URL,
                "what answers there is no Sentinel; name the store with redis://",
            ),
            (ErrorKind::MasterNameNotFoundBySentinel, _) => Self::passing(
                "no Sentinel that answers knows this master; compare its name in replay.redis.url",
            ),
            (ErrorKind::Server(ServerErrorKind::ReadOnly), _) => Self::passing(REPLICA),
            (ErrorKind::Server(ServerErrorKind::BusyLoading), _) => Self::passing(LOADING),
            (ErrorKind::Parse, _) => Self::lasting(
                URL,
                "what answers there does not speak the protocol of Redis; name the store's port, with rediss:// \
                 where it speaks TLS",
            ),
            _ => Self::passing(format!(
                "the store cannot be used ({text}): see that it runs, and that replay.redis.url is right"
            )),
        }
    }
}

/// In which words a store says so inside a script, and while a database is chosen: without a code.
const NO_PERMISSION: [&str; 3] = [
    "user executing the script",
    "ACL failure in script",
    "has no permissions to run",
];

fn refused_password() -> Complaint {
    Complaint::lasting(
        PASSWORD,
        "the store refuses this user or password; compare it with the store's own",
    )
}

fn permission(text: &str) -> Complaint {
    Complaint::lasting(
        REDIS,
        format!("the store's user lacks a permission; grant what the README lists ({text})"),
    )
}

const PLAIN: &str =
    "the store does not speak TLS here: name it with redis instead of rediss, or its TLS port";
pub(super) const REPLICA: &str =
    "the store is a read-only replica; name its primary in replay.redis.url, or its Sentinels";
pub(super) const LOADING: &str = "the store is loading its data; it takes claims when it is done";

/// What a handshake failed of, where the configuration is at fault.
fn tls(error: &RedisError) -> Option<String> {
    use rustls::{CertificateError, Error};
    let error = cause(error)?;
    let is_for_another = |error: &CertificateError| {
        matches!(
            error,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
        )
    };
    let says = if matches!(error, Error::InvalidMessage(_)) {
        PLAIN
    } else if *error == Error::InvalidCertificate(CertificateError::UnknownIssuer) {
        "the store's certificate is of no authority that we know; name the file with its authority's \
         certificate in the environment variable SSL_CERT_FILE"
    } else if matches!(error, Error::InvalidCertificate(why) if is_for_another(why)) {
        "the store's certificate is for another host; name the host that it is for"
    } else {
        return None;
    };
    Some(says.to_owned())
}

fn cause<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        // The library shares its errors, and what is inside of an I/O error is not its source.
        next = if let Some(shared) = error.downcast_ref::<Arc<dyn Error + Send + Sync>>() {
            Some(&**shared)
        } else if let Some(error) = error.downcast_ref::<std::io::Error>() {
            error.get_ref().map(|inner| inner as &(dyn Error + 'static))
        } else {
            error.source()
        };
    }
    None
}
