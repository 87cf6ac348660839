//! Judges one captured request offline, and says why it is refused.
//!
//! The judgement is the sidecar's own. The reasons are for `kawal verify` alone: to whoever sends requests,
//! they would tell how to make a better forgery.

mod capture;
mod cause;
mod moment;
mod reformat;
mod signed;
mod steps;

pub use capture::Capture;
pub use signed::Signed;
pub use steps::{Outcome, Step};

use crate::clock::Moment;
use crate::intake::Received;
use crate::ledger::Ledger;
use crate::rejection::{Part, Reason, Rejection};
use crate::route::{Found, Gateway, Known, Purpose, Route, Routes};
use crate::scheme::{Scheme, Trial, visible};
use cause::{Case, Cause};
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use signed::{shortened, signed};
use std::sync::Arc;
use steps::{advice, step_of, steps};

/// What the judgement is made with.
#[derive(Clone, Copy, Debug)]
pub struct Chart<'a> {
    /// All routes.
    pub routes: &'a Routes,
    /// All gateways.
    pub gateways: &'a [Arc<Gateway>],
    /// The largest head, in bytes.
    pub head_limit: usize,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Diagnosis {
    /// The verdict.
    pub verdict: Verdict,
    /// The reason label, where it is rejected.
    pub reason: Option<&'static str>,
    /// The path of its route.
    pub route: Option<String>,
    /// The gateway's name.
    pub gateway: Option<String>,
    /// The scheme's name.
    pub scheme: Option<String>,
    /// The client whose key holds.
    pub client: Option<String>,
    /// What the proof covers.
    pub covers: Option<String>,
    /// What was made of the capture before it was judged.
    pub notes: Vec<String>,
    /// The judgement, step by step.
    pub steps: Vec<Step>,
    /// The strings that the gateway may have signed, and the proofs that would hold, shortened.
    pub signed: Vec<Signed>,
    /// The proof that the request bears, shortened.
    pub given: Option<String>,
    /// The first usual mistake that explains it.
    pub cause: Option<&'static str>,
    /// What that means, and what to do.
    pub explanation: Option<String>,
}

/// Whether the sidecar would have let it pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It would.
    Accepted,
    /// It would not.
    Rejected,
}

/// Judges a request as the sidecar would at `now`, were its ledger complete and empty.
#[must_use]
pub fn diagnose(capture: &Capture, chart: Chart<'_>, now: Moment) -> Diagnosis {
    Diagnosis {
        notes: capture.notes().to_vec(),
        ..examine(capture, chart, now)
    }
}

fn examine(capture: &Capture, chart: Chart<'_>, now: Moment) -> Diagnosis {
    let received = match capture.received(chart.head_limit) {
        Ok(received) => received,
        Err(why) => return Diagnosis::early("request", &why),
    };
    let route = match chart.routes.find(received.head()) {
        Ok(Found::Route(route)) => route,
        Ok(Found::Unmatched(_)) => {
            let mut unmatched = Diagnosis::early("route", &Rejection::NoRoute);
            unmatched.explanation =
                Some("with unmatched: forward it goes to the app, unverified".into());
            return unmatched;
        }
        Err(why) => {
            let mut lost = Diagnosis::early("route", &why);
            let paths: Vec<_> = chart.routes.iter().map(|route| &*route.path).collect();
            lost.explanation = Some(format!("routes are {}", paths.join(", ")));
            return lost;
        }
    };
    if capture.is_cut_off() {
        let mut cut_off = Diagnosis::early("request", &Rejection::Timeout);
        cut_off.explanation =
            Some("a part of the body is missing; capture the whole request".into());
        return cut_off;
    }
    let mut known = Known::default();
    let verdict = judge(received, &route, now, &mut known);
    let mut diagnosis = Diagnosis::of(
        capture,
        &route,
        &known,
        verdict.as_ref().err(),
        (now, chart),
    );
    if let (Err(why), Ok(received)) = (&verdict, capture.received(chart.head_limit)) {
        diagnosis.search(why, capture, &received, &route, (chart, &known, now));
    }
    diagnosis
}

/// The judgement of the sidecar, but for the address, which no capture tells.
fn judge(
    received: Received,
    route: &Route,
    now: Moment,
    known: &mut Known,
) -> Result<(), Rejection> {
    match route.accept(received.head(), None) {
        Ok(()) | Err(Rejection::Forbidden) => {}
        Err(why) => return Err(why),
    }
    if u64::try_from(received.body().len()).is_ok_and(|length| length > route.body_limit) {
        return Err(Rejection::TooLarge(Part::Body));
    }
    let ledger = Arc::new(Ledger::in_memory(8, Timestamp::MIN));
    let admitted = route.admit(received, &ledger, now, known);
    // A ledger in memory is never waited for.
    let admitted = admitted.now_or_never();
    match admitted.unwrap_or(Err(Rejection::Internal)) {
        Ok(_) | Err(Rejection::Granted(_) | Rejection::Test) => Ok(()),
        Err(why) => Err(why),
    }
}

impl Diagnosis {
    /// Of what is refused before a route is known.
    fn early(step: &'static str, why: &Rejection) -> Self {
        Self {
            verdict: Verdict::Rejected,
            reason: why.reason().map(Reason::label),
            route: None,
            gateway: None,
            scheme: None,
            client: None,
            covers: None,
            notes: Vec::new(),
            steps: steps(Some((step, why)), &|_| String::new()),
            signed: Vec::new(),
            given: None,
            cause: None,
            explanation: None,
        }
    }

    fn of(
        capture: &Capture,
        route: &Route,
        known: &Known,
        refused: Option<&Rejection>,
        (now, chart): (Moment, Chart<'_>),
    ) -> Self {
        let (gateway, scheme) = (&route.gateway, judged_by(route));
        let failed = refused.map(|why| (step_of(why), why));
        let says = |step: &str| match step {
            "request" => format!("{} bytes of body", capture.body().len()),
            "convert" => "the form that the app gets".to_owned(),
            "route" => format!("{} of gateway {}", route.path, gateway.name),
            "method" => format!(
                "{}, from any address: allow_from is not looked at",
                route.methods.join(", ")
            ),
            "proof" => format!("scheme {}, {}", scheme.name(), scheme.kind()),
            "client" => match &known.client {
                Some(id) => id.to_string(),
                None => "the scheme names none".to_owned(),
            },
            "time" => match known.at {
                Some(at) => {
                    let judged = now.wall.strftime("%Y-%m-%dT%H:%M:%SZ");
                    let late = match gateway.window.is_late(at, now.wall) {
                        true => {
                            "; it is late, and passes only where the ledger remembers all since then"
                        }
                        false => "",
                    };
                    format!("signed at {at}, judged at {judged}{late}")
                }
                None => "the scheme signs none".to_owned(),
            },
            "token" if gateway.issuer.is_none() => "this gateway has no token route".to_owned(),
            _ => "good when the notification was signed".to_owned(),
        };
        let received = capture.received(chart.head_limit).ok();
        let given = received.as_ref();
        let given = given.and_then(|received| scheme.given_bare(received));
        let signed = received.as_ref().map(|received| {
            let trial = Trial {
                received,
                clients: gateway.ring.clients(),
                public_path: route.public_path.as_deref(),
            };
            let named = scheme.named_client(received);
            signed(scheme, trial, named.as_deref())
        });
        Self {
            verdict: match refused {
                None => Verdict::Accepted,
                Some(_) => Verdict::Rejected,
            },
            reason: refused.and_then(Rejection::reason).map(Reason::label),
            route: Some(route.path.to_string()),
            gateway: Some(gateway.name.to_string()),
            scheme: Some(scheme.name().to_owned()),
            client: known.client.as_ref().map(ToString::to_string),
            covers: Some(scheme.covers().to_string()),
            notes: Vec::new(),
            steps: steps(failed, &says),
            signed: signed.unwrap_or_default(),
            given: given.map(
                |given| match scheme.is_static() || is_a_key(&given, chart) {
                    true => "a key itself, which is not shown".to_owned(),
                    false => shortened(&given),
                },
            ),
            cause: None,
            explanation: None,
        }
    }

    /// Looks for what would explain the refusal.
    fn search(
        &mut self,
        why: &Rejection,
        capture: &Capture,
        received: &Received,
        route: &Route,
        (chart, known, now): (Chart<'_>, &Known, Moment),
    ) {
        let is_about_proof = matches!(
            why,
            Rejection::BadProof | Rejection::MissingProof | Rejection::UnknownClient
        );
        if !is_about_proof {
            let ahead = known.at.map(|at| at.duration_since(now.wall));
            if *why == Rejection::Future && ahead.is_some_and(is_local_time) {
                self.cause = Some("time-format");
                self.explanation = Some(LOCAL_TIME.into());
            } else {
                self.explanation = advice(why);
            }
            return;
        }
        let case = Case {
            capture,
            received,
            route,
            scheme: judged_by(route),
            chart,
        };
        match case.first_cause(why) {
            Some(Cause { word, says }) => {
                self.cause = word;
                self.explanation = Some(visible(says.as_bytes()));
            }
            None => self.explanation = Some(NOTHING_EXPLAINS.into()),
        }
    }
}

/// Whether a configured key itself was sent.
fn is_a_key(text: &str, chart: Chart<'_>) -> bool {
    let clients = chart
        .gateways
        .iter()
        .flat_map(|gateway| gateway.ring.clients());
    let mut secrets = clients.flat_map(|client| &client.secrets);
    secrets.any(|secret| secret.bytes() == text.as_bytes())
}

/// What is said where every usual mistake was tried.
const NOTHING_EXPLAINS: &str = "no usual mistake explains it";

/// Whether a time is as far ahead as Jakarta's clock is ahead of UTC.
fn is_local_time(ahead: SignedDuration) -> bool {
    let off = ahead - SignedDuration::from_hours(7);
    off.abs() <= SignedDuration::from_mins(10)
}

const LOCAL_TIME: &str =
    "the proof holds, but the time is seven hours ahead: it is Jakarta's clock, marked as UTC";

/// The scheme of what comes to a route.
fn judged_by(route: &Route) -> &Scheme {
    let issuer = route.gateway.issuer.as_ref();
    let issuer = issuer.filter(|_| route.purpose == Purpose::Token);
    issuer.map_or(&route.gateway.scheme, |issuer| issuer.request_scheme())
}
