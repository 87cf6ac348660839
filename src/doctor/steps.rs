//! The steps of the judgement, and how each went.

use crate::rejection::Rejection;
use serde::Serialize;

/// One step of the judgement.
#[derive(Debug, Serialize)]
pub struct Step {
    /// Its name.
    pub step: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// In a sentence.
    pub says: String,
}

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It holds.
    Ok,
    /// It does not.
    Failed,
    /// It was not looked at.
    Skipped,
}

/// The steps, in the order of the judgement.
const STEPS: [&str; 8] = [
    "request", "route", "method", "proof", "client", "time", "token", "convert",
];

pub(super) fn steps(
    failed: Option<(&str, &Rejection)>,
    says: &dyn Fn(&str) -> String,
) -> Vec<Step> {
    let mut reached = true;
    let mut steps: Vec<Step> = STEPS
        .into_iter()
        .map(|step| match failed {
            Some((at, why)) if at == step => {
                reached = false;
                Step {
                    step,
                    outcome: Outcome::Failed,
                    says: why.to_string(),
                }
            }
            _ if reached => Step {
                step,
                outcome: Outcome::Ok,
                says: says(step),
            },
            _ => Step {
                step,
                outcome: Outcome::Skipped,
                says: String::new(),
            },
        })
        .collect();
    steps.push(Step {
        step: "ledger",
        outcome: Outcome::Skipped,
        says: "not asked here: whether it was delivered before, only the sidecar knows".into(),
    });
    steps
}

/// The step that a rejection belongs to.
pub(super) fn step_of(why: &Rejection) -> &'static str {
    match why {
        Rejection::Method(_) | Rejection::Forbidden => "method",
        Rejection::MissingProof | Rejection::BadProof => "proof",
        Rejection::UnknownClient => "client",
        Rejection::Future | Rejection::Stale | Rejection::Unproven => "time",
        Rejection::BadToken => "token",
        Rejection::Malformed(_) => "convert",
        Rejection::NoRoute => "route",
        Rejection::TooLarge(_)
        | Rejection::Conflict
        | Rejection::Crowded
        | Rejection::Draining
        | Rejection::Duplicate
        | Rejection::Expectation
        | Rejection::Granted(_)
        | Rejection::InFlight { .. }
        | Rejection::Internal
        | Rejection::Repeat(_)
        | Rejection::Saturated
        | Rejection::StoreDown
        | Rejection::Test
        | Rejection::Timeout
        | Rejection::UpstreamDown
        | Rejection::UpstreamTimeout => "request",
    }
}

/// What can be done where the proof is not at fault.
pub(super) fn advice(why: &Rejection) -> Option<String> {
    let says = if matches!(why, Rejection::Stale | Rejection::Future) {
        "the proof holds; judge it as of the time when it came with --at TIME, and compare the clocks"
    } else if *why == Rejection::BadToken {
        "the proof holds; the token has to be one that this gateway's token route gave this client, with a \
         secret that is still configured, less than 15 minutes before the notification was signed"
    } else {
        return None;
    };
    Some(says.to_owned())
}
