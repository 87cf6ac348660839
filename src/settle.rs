//! What the app's answer means for the notification.

use crate::rejection::Rejection;
use bytes::Bytes;

/// What came back from the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A complete answer.
    Complete(AppAnswer),
    /// A final head, and then the answer broke off.
    Broken(AppAnswer),
    /// No head. The app may have seen the notification.
    Silent(Rejection),
    /// Nothing was sent: the app cannot have seen it.
    Unsent(Rejection),
}

/// The app's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppAnswer {
    /// The status, never 1xx.
    pub status: u16,
    /// Headers in their case and order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body; empty where it broke off.
    pub body: Bytes,
}

/// What the notification has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The app said 2xx: never forwarded again.
    Delivered,
    /// It was delivered before.
    Duplicate,
    /// The app refused: the next copy reaches it again.
    Refused,
    /// It did not pass the judgement.
    Rejected,
    /// A test event, acknowledged without the app.
    Test,
    /// A token request, answered without the app.
    Token,
    /// The app may have seen it: held until the lease ends.
    Unknown,
    /// The app did not see it: the next copy reaches it.
    Unsent,
}

impl Reply {
    /// What it means. A 2xx counts from its head on, any other answer only when it is complete.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Complete(answer) | Self::Broken(answer) if answer.is_success() => {
                Outcome::Delivered
            }
            Self::Complete(_) => Outcome::Refused,
            Self::Broken(_) | Self::Silent(_) => Outcome::Unknown,
            Self::Unsent(_) => Outcome::Unsent,
        }
    }

    /// The app's status, where it gave one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Complete(answer) | Self::Broken(answer) => Some(answer.status),
            Self::Silent(_) | Self::Unsent(_) => None,
        }
    }
}

impl AppAnswer {
    /// Whether the status is 2xx.
    #[must_use]
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl Outcome {
    /// What a request that stopped before the app has come to.
    #[must_use]
    pub fn of(rejection: &Rejection) -> Self {
        if matches!(rejection, Rejection::Repeat(_) | Rejection::Duplicate) {
            Self::Duplicate
        } else if matches!(rejection, Rejection::Granted(_)) {
            Self::Token
        } else if matches!(rejection, Rejection::Test) {
            Self::Test
        } else {
            Self::Rejected
        }
    }

    /// All labels, each at its [`Self::place`].
    pub const LABELS: [&'static str; 7] = [
        "delivered",
        "duplicate",
        "refused_by_app",
        "unknown",
        "rejected",
        "token",
        "test",
    ];

    /// The place of its label.
    #[must_use]
    pub fn place(self) -> usize {
        match self {
            Self::Delivered => 0,
            Self::Duplicate => 1,
            Self::Refused => 2,
            Self::Unknown => 3,
            Self::Rejected | Self::Unsent => 4,
            Self::Token => 5,
            Self::Test => 6,
        }
    }

    /// The label in logs and metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        Self::LABELS.get(self.place()).copied().unwrap_or_default()
    }

    /// Whether the gateway has shown that it is there: what came of a proof that holds.
    #[must_use]
    pub fn is_genuine(self) -> bool {
        match self {
            Self::Delivered
            | Self::Duplicate
            | Self::Refused
            | Self::Test
            | Self::Token
            | Self::Unknown
            | Self::Unsent => true,
            Self::Rejected => false,
        }
    }

    /// Whether nobody needs to look at it.
    #[must_use]
    pub fn is_usual(self) -> bool {
        matches!(
            self,
            Self::Delivered | Self::Duplicate | Self::Test | Self::Token
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> AppAnswer {
        AppAnswer {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    #[test]
    fn only_what_is_certain_frees_or_delivers() {
        for (reply, outcome) in [
            (Reply::Complete(answer(200)), Outcome::Delivered),
            (Reply::Complete(answer(204)), Outcome::Delivered),
            (Reply::Broken(answer(200)), Outcome::Delivered),
            (Reply::Complete(answer(302)), Outcome::Refused),
            (Reply::Complete(answer(404)), Outcome::Refused),
            (Reply::Complete(answer(500)), Outcome::Refused),
            (Reply::Broken(answer(500)), Outcome::Unknown),
            (Reply::Silent(Rejection::UpstreamTimeout), Outcome::Unknown),
            (Reply::Silent(Rejection::UpstreamDown), Outcome::Unknown),
            (Reply::Unsent(Rejection::UpstreamDown), Outcome::Unsent),
        ] {
            assert_eq!(reply.outcome(), outcome, "{reply:?}");
        }
    }
}
