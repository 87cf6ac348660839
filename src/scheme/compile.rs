//! Turns a declaration into a scheme, or says where it is wrong and what would be right.

mod covered;
mod proof;

use super::border::{self, Known};
use super::declaration::{ClientDeclaration, Declaration, Freshness, TimeDeclaration};
use super::place::Place;
use super::template::{Source, Template};
use super::time::{TimeFormat, parse_offset};
use super::{ClientRule, Scheme, Shape};
use covered::Covered;
use proof::{algorithm, messages};
use regex::Regex;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What is wrong in a declaration.
#[derive(Debug, PartialEq, Eq)]
pub struct SchemeFault {
    /// The key, such as `proof.messages[0]`.
    pub at: String,
    /// What is wrong and what would be right.
    pub says: String,
}

impl fmt::Display for SchemeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.says)
    }
}

type Checked<T> = Result<T, SchemeFault>;

fn fault<T>(at: impl Into<String>, says: impl Into<String>) -> Checked<T> {
    Err(SchemeFault {
        at: at.into(),
        says: says.into(),
    })
}

impl Scheme {
    /// Compiles a declaration.
    ///
    /// # Errors
    /// The first fault, with its place. A time or identity that the proof does not cover is one:
    /// whoever replays a notification could change it.
    pub fn compile(name: &str, declared: Declaration) -> Result<Self, SchemeFault> {
        let digest = Sha256::digest(format!("{declared:?}")).into();
        let proof = declared.proof;
        let (algorithm, encoding) = algorithm(&proof)?;
        let at = place("proof.at", &proof.at)?;
        let each = proof.each.as_deref().map(list).transpose()?;
        let messages = messages(&proof, algorithm, &at)?;
        let time = declared.time.as_ref().map(signed_time).transpose()?;
        let patterns = patterns(&declared.shapes)?;
        let known = Known {
            shapes: &patterns,
            time: time.as_ref(),
            folds: false,
        };
        let runs = messages.iter();
        let runs: Vec<Vec<_>> = runs
            .map(|message| border::runs(message.parts(), &known))
            .collect();
        let same = runs.windows(2).all(|two| two.first() == two.last());
        let runs: Vec<_> = runs.into_iter().next().unwrap_or_default();
        let covered = Covered {
            messages: &messages,
            runs: &runs,
        };
        covered.must_be_alike()?;
        if !same {
            let says = "the alternatives join values without a border, and not the same ones: one could be the other \
                        with other values; declare two schemes";
            return fault("proof.messages", says);
        }
        let client = client(declared.client, &covered)?;
        let identity = match (declared.identity, &each) {
            (Some(text), _) => Some(covered.checked_identity(&text, &at)?),
            (None, None) => covered.identity(&at)?,
            (None, Some(_)) => {
                let says = "needed: each item of a list is known by itself; give values of the item that are signed";
                return fault("identity", says);
            }
        };
        if let Some((place, format)) = &time {
            must_tell_time(&covered, place, *format)?;
        }
        let named = [
            client.as_ref().and_then(|rule| rule.at.as_ref()),
            time.as_ref().map(|(at, _)| at),
        ];
        let beside = match identity {
            None => covered.beside_content(&named),
            Some(_) => Vec::new(),
        };
        if each.is_none() {
            let client = client.as_ref().and_then(|rule| rule.at.as_ref());
            let sources = messages.iter().chain(&identity).flat_map(Template::sources);
            let places = sources.filter_map(Source::place).chain([&at]).chain(client);
            must_be_outside_lists(places)?;
        }
        let freshness = freshness(declared.freshness, time.is_some())?;
        if !(200..300).contains(&declared.acknowledgement.status) {
            let says = "a status from 200 to 299 acknowledges";
            return fault("acknowledgement.status", says);
        }
        let reference = declared.reference.as_deref();
        let reference = reference
            .map(|at| shaped(at, &declared.shapes))
            .transpose()?;
        let test = declared.test.map(|test| {
            let at = place("test.at", &test.at)?;
            Ok((at, regex("test.shape", &test.shape)?))
        });
        Ok(Self {
            name: name.into(),
            digest,
            title: match declared.title.as_str() {
                "" => name.into(),
                title => title.into(),
            },
            confidence: declared.confidence,
            algorithm,
            key: proof.key,
            each,
            at,
            separator: (!proof.separator.is_empty()).then(|| proof.separator.into()),
            prefix: proof.prefix.into(),
            encoding,
            client,
            identity,
            beside,
            shapes: shapes(&declared.shapes, &patterns, &messages)?,
            reference,
            answers: declared.answers,
            test: test.transpose()?,
            covers: Arc::new(covered.coverage()),
            joined: covered.joined(),
            minifies: covered.minifies(),
            remember: declared.remember.unwrap_or_else(|| remember(freshness)),
            freshness,
            time,
            acknowledgement: declared.acknowledgement,
            messages,
        })
    }
}

fn client(
    declared: Option<ClientDeclaration>,
    covered: &Covered<'_>,
) -> Checked<Option<ClientRule>> {
    let Some(client) = declared else {
        let holds = |message: &Template| message.sources().contains(&&Source::Client);
        return match covered.messages.iter().position(holds) {
            None => Ok(None),
            Some(index) => fault(
                format!("proof.messages[{index}]"),
                "{client} needs `client`, or `client: {}` where no notification names it",
            ),
        };
    };
    let at = client.at.map(|at| place("client.at", &at)).transpose()?;
    if at.is_none() && client.optional {
        let says = "goes with client.at: an id that is not sent has to be configured";
        return fault("client.optional", says);
    }
    let source = at.clone().map_or(Source::Client, Source::At);
    Ok(Some(ClientRule {
        covered: covered.tells(&source, &[]),
        at,
        optional: client.optional,
    }))
}

fn signed_time(time: &TimeDeclaration) -> Checked<(Place, TimeFormat)> {
    let at = place("time.at", &time.at)?;
    match at.is_item() {
        true => fault("time.at", "items have no time of their own; name a header"),
        false => Ok((at, time_format(time)?)),
    }
}

/// A time that could be moved would make an old notification fresh. One of fourteen digits cannot be moved
/// among digits to where it is a time of today.
fn must_tell_time(covered: &Covered<'_>, at: &Place, format: TimeFormat) -> Checked<()> {
    let source = Source::At(at.clone());
    covered.must_hold("time.at", vec![&source])?;
    if covered.tells(&source, &[]) || matches!(format, TimeFormat::Compact(_)) {
        return Ok(());
    }
    let says = "the message does not tell where the time begins and ends, or not all of it: whoever replays could \
                make another; `shapes` may tell where it ends, such as [0-9]{10}";
    fault("time.at", says)
}

fn must_be_outside_lists<'p>(mut places: impl Iterator<Item = &'p Place>) -> Checked<()> {
    match places.find(|place| place.is_item()) {
        None => Ok(()),
        Some(place) => {
            let says =
                format!("{place} reads in items of a list: name the list, such as json:/items");
            fault("proof.each", says)
        }
    }
}

/// A place whose value is logged.
fn shaped(at: &str, shapes: &BTreeMap<String, String>) -> Checked<Place> {
    match shapes.contains_key(at) {
        true => place("reference", at),
        false => {
            place("reference", at)?;
            fault(
                "reference",
                format!("{at} is logged, so it needs a shape in `shapes`"),
            )
        }
    }
}

/// What whole values match.
fn patterns(shapes: &BTreeMap<String, String>) -> Checked<Vec<(Place, String)>> {
    let patterns = shapes.iter();
    let patterns = patterns.map(|(at, shape)| Ok((place("shapes", at)?, whole(shape))));
    patterns.collect()
}

fn freshness(declared: Option<Freshness>, has_time: bool) -> Checked<Option<Freshness>> {
    match (declared, has_time) {
        (Some(_), false) => fault("freshness", "goes with `time`: no time is signed"),
        (Some(freshness), true) => Ok(Some(freshness)),
        (None, true) => Ok(Some(Freshness {
            max_age: Duration::from_secs(300),
            max_skew: Duration::from_secs(300),
            late: Duration::from_secs(24 * 3600),
        })),
        (None, false) => Ok(None),
    }
}

/// An hour longer than anything stays acceptable, and a week where nothing ever becomes too old.
fn remember(freshness: Option<Freshness>) -> Duration {
    match freshness {
        None => Duration::from_secs(7 * 24 * 3600),
        Some(limits) => {
            let span = limits
                .late
                .max(limits.max_age)
                .saturating_add(limits.max_skew);
            span.max(Duration::from_secs(25 * 3600))
        }
    }
}

fn shapes(
    declared: &BTreeMap<String, String>,
    patterns: &[(Place, String)],
    messages: &[Template],
) -> Checked<Vec<Shape>> {
    let shapes = declared.iter().zip(patterns);
    let shapes = shapes.map(|((key, shape), (at, _))| {
        Ok(Shape {
            pattern: regex(&format!("shapes.{key}"), shape)?,
            may_lack: messages.iter().any(|message| message.may_lack(at)),
            at: at.clone(),
        })
    });
    shapes.collect()
}

/// The pointer to a list in the body.
fn list(text: &str) -> Checked<Box<str>> {
    if let Place::Json(pointer) = place("proof.each", text)? {
        return Ok(pointer);
    }
    fault("proof.each", "a list stands in a JSON body: json:/POINTER")
}

fn template(at: &str, text: &str, proof: &Place) -> Checked<Template> {
    Template::compile(text, proof).map_err(|wrong| SchemeFault {
        at: at.to_owned(),
        says: format!("at character {}: {}", wrong.at, wrong.says),
    })
}

fn place(at: &str, text: &str) -> Checked<Place> {
    text.parse().map_err(|says| SchemeFault {
        at: at.to_owned(),
        says,
    })
}

/// A pattern for whole values.
fn regex(at: &str, pattern: &str) -> Checked<Regex> {
    // Alone first, so that none gets out of the brackets around it.
    let compiled = Regex::new(pattern).and_then(|_| Regex::new(&whole(pattern)));
    compiled.map_err(|_| SchemeFault {
        at: at.to_owned(),
        says: format!("`{pattern}` is no regular expression"),
    })
}

fn whole(pattern: &str) -> String {
    format!("^(?:{pattern})$")
}

fn time_format(time: &TimeDeclaration) -> Checked<TimeFormat> {
    let zone = time.zone.as_deref().map(|zone| {
        parse_offset(zone).ok_or_else(|| SchemeFault {
            at: "time.zone".to_owned(),
            says: format!("`{zone}` is no offset; right is, for example, +07:00"),
        })
    });
    match (time.format.as_str(), zone.transpose()?) {
        ("rfc3339", None) => Ok(TimeFormat::Rfc3339),
        ("unix", None) => Ok(TimeFormat::Unix),
        ("unix-ms", None) => Ok(TimeFormat::UnixMillis),
        ("yyyyMMddHHmmss", Some(offset)) => Ok(TimeFormat::Compact(offset)),
        ("yyyyMMddHHmmss", None) => fault("time.zone", "yyyyMMddHHmmss needs one, such as +07:00"),
        ("rfc3339" | "unix" | "unix-ms", Some(_)) => {
            fault("time.zone", "goes with yyyyMMddHHmmss only")
        }
        (other, _) => fault(
            "time.format",
            format!("unknown format `{other}`; right are rfc3339, unix, unix-ms, yyyyMMddHHmmss"),
        ),
    }
}
