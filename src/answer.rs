//! The one place where a refusal becomes an answer.

mod snap;

pub use snap::Service;

use crate::ledger::Key;
use crate::rejection::{Grant, Part, Reason, Rejection, Stored};
use crate::scheme::Acknowledgement;
use crate::settle::{AppAnswer, Reply};
use bytes::Bytes;
use jiff::Timestamp;
use std::time::Duration;

/// What the gateway receives. `Content-Length`, `Date` and `Connection` are the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers in their case and order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body.
    pub body: Bytes,
}

/// How the app's 2xx is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Respond {
    /// With the app's own answer.
    #[default]
    App,
    /// With the acknowledgement that the gateway expects.
    Gateway(Acknowledgement),
    /// With the acknowledgement that a SNAP BI service makes of the notification.
    Snap(Service),
}

impl Respond {
    /// What an app's 2xx to a notification with this body and key is answered, where it is not the
    /// app's own answer.
    #[must_use]
    pub fn acknowledgement(&self, body: &[u8], key: Key) -> Option<Acknowledgement> {
        match self {
            Self::App => None,
            Self::Gateway(acknowledgement) => Some(acknowledgement.clone()),
            Self::Snap(service) => Some(snap::acknowledgement(*service, body, key)),
        }
    }
}

/// The form of answers that are not the app's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `{"error":"WORD"}`.
    Plain,
    /// A response code of SNAP BI, with the time of the answer.
    Snap {
        /// Whose code it is.
        service: Service,
        /// Now.
        at: Timestamp,
    },
}

const JSON: &str = "application/json";

impl Answer {
    /// The answer to a request that did not reach the app.
    #[must_use]
    pub fn to(rejection: &Rejection, form: Form) -> Self {
        if let Rejection::Granted(grant) = rejection {
            return Self::grant(grant, form);
        }
        if let Rejection::Repeat(stored) = rejection {
            return Self::stored(stored, form);
        }
        let status = status(rejection);
        let body = match form {
            Form::Plain => format!("{{\"error\":\"{}\"}}", word(rejection)),
            Form::Snap { service, .. } => snap::refusal(service, status),
        };
        let mut answer = Self::ours(status, Some(JSON), body.into(), form);
        if let Rejection::Method(allowed) = rejection {
            answer.headers.push(header("Allow", allowed));
        }
        if let Some(wait) = retry_after(rejection) {
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            answer
                .headers
                .push(header("Retry-After", &seconds.max(1).to_string()));
        }
        answer
    }

    /// The answer to a notification that was sent to the app.
    #[must_use]
    pub fn relay(reply: Reply, with: Option<&Acknowledgement>, form: Form) -> Self {
        match (reply, with) {
            (Reply::Complete(app) | Reply::Broken(app), Some(acknowledgement))
                if app.is_success() =>
            {
                Self::acknowledge(acknowledgement, form)
            }
            (Reply::Complete(app), _) => Self::pass(app),
            (Reply::Broken(app), _) if app.is_success() => Self::pass(app),
            (Reply::Broken(_), _) => Self::to(&Rejection::UpstreamDown, form),
            (Reply::Silent(rejection) | Reply::Unsent(rejection), _) => Self::to(&rejection, form),
        }
    }

    /// What the gateway takes for "received".
    #[must_use]
    pub fn acknowledge(with: &Acknowledgement, form: Form) -> Self {
        let body = Bytes::from(with.body.clone());
        Self::ours(with.status, with.content_type.as_deref(), body, form)
    }

    /// What a repeat of a delivered notification will be answered: the same, where it is small and says
    /// what it is without further headers. Otherwise what stands in for it, or the bare status.
    #[must_use]
    pub fn keep(&self, stand_in: impl FnOnce() -> Option<Acknowledgement>) -> Stored {
        let small = |body: &[u8]| body.len() <= Stored::LARGEST;
        if self.header("Content-Encoding").is_none() && small(&self.body) {
            return Stored {
                status: self.status,
                content_type: self.header("Content-Type").map(Into::into),
                body: self.body.as_ref().into(),
            };
        }
        let stand_in = stand_in().filter(|other| small(other.body.as_bytes()));
        match stand_in {
            Some(other) => Stored {
                status: other.status,
                content_type: other.content_type.map(Into::into),
                body: other.body.into_bytes().into(),
            },
            None => Stored {
                status: self.status,
                content_type: None,
                body: Box::default(),
            },
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut named = self.headers.iter();
        let (_, value) = named.find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    fn pass(app: AppAnswer) -> Self {
        Self {
            status: app.status,
            headers: app.headers,
            body: app.body,
        }
    }

    fn stored(stored: &Stored, form: Form) -> Self {
        let body = Bytes::copy_from_slice(&stored.body);
        Self::ours(stored.status, stored.content_type.as_deref(), body, form)
    }

    fn grant(grant: &Grant, form: Form) -> Self {
        let mut answer = Self::ours(200, Some(JSON), snap::token(grant).into(), form);
        answer.headers.push(header("X-CLIENT-KEY", &grant.client));
        answer
    }

    /// An answer that is not the app's.
    fn ours(status: u16, content_type: Option<&str>, body: Bytes, form: Form) -> Self {
        let content_type = content_type.map(|kind| header("Content-Type", kind));
        let time = match form {
            Form::Plain => None,
            Form::Snap { at, .. } => Some(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        };
        let time = time.map(|time| header("X-TIMESTAMP", &time));
        Self {
            status,
            headers: content_type.into_iter().chain(time).collect(),
            body,
        }
    }
}

fn header(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_bytes().to_vec())
}

/// 401 only where the sender is wrong, 5xx where the fault is ours: some gateways never try again
/// after a 4xx. No wildcard: a new reason must decide here.
fn status(rejection: &Rejection) -> u16 {
    match rejection {
        Rejection::Malformed(_) => 400,
        Rejection::BadProof
        | Rejection::BadToken
        | Rejection::Future
        | Rejection::MissingProof
        | Rejection::Stale
        | Rejection::UnknownClient
        | Rejection::Unproven => 401,
        Rejection::Forbidden => 403,
        Rejection::NoRoute => 404,
        Rejection::Method(_) => 405,
        Rejection::Timeout => 408,
        Rejection::Conflict | Rejection::Duplicate => 409,
        Rejection::TooLarge(Part::Body) => 413,
        Rejection::Expectation => 417,
        Rejection::TooLarge(Part::Head) => 431,
        Rejection::Internal => 500,
        Rejection::UpstreamDown => 502,
        Rejection::Crowded
        | Rejection::Draining
        | Rejection::InFlight { .. }
        | Rejection::Saturated
        | Rejection::StoreDown => 503,
        Rejection::UpstreamTimeout => 504,
        Rejection::Granted(_) | Rejection::Test => 200,
        Rejection::Repeat(stored) => stored.status,
    }
}

/// The word in the body. All that is 401 has the same, so that the sender learns nothing.
fn word(rejection: &Rejection) -> &'static str {
    match status(rejection) {
        401 => "unauthorized",
        _ => rejection.reason().map(Reason::label).unwrap_or_default(),
    }
}

fn retry_after(rejection: &Rejection) -> Option<Duration> {
    match rejection {
        Rejection::InFlight { wait } => Some(*wait),
        Rejection::Crowded | Rejection::Draining | Rejection::StoreDown => {
            Some(Duration::from_secs(5))
        }
        Rejection::Saturated => Some(Duration::from_secs(60)),
        Rejection::BadProof
        | Rejection::BadToken
        | Rejection::Granted(_)
        | Rejection::Conflict
        | Rejection::Duplicate
        | Rejection::Expectation
        | Rejection::Forbidden
        | Rejection::Future
        | Rejection::Internal
        | Rejection::Malformed(_)
        | Rejection::Method(_)
        | Rejection::MissingProof
        | Rejection::NoRoute
        | Rejection::Repeat(_)
        | Rejection::Stale
        | Rejection::Test
        | Rejection::Timeout
        | Rejection::TooLarge(_)
        | Rejection::UnknownClient
        | Rejection::Unproven
        | Rejection::UpstreamDown
        | Rejection::UpstreamTimeout => None,
    }
}

#[cfg(test)]
mod tests;
