//! Turns a declaration into a scheme, or says where it is wrong and what would be right.

use super::declaration::{Declaration, ProofDeclaration, ProofKind, TimeDeclaration};
use super::place::Place;
use super::proof::{Algorithm, Encoding, Hash};
use super::template::{Filter, Source, Template};
use super::time::{TimeFormat, parse_offset};
use super::{ClientRule, Coverage, Scheme};
use regex::Regex;
use std::fmt;
use std::sync::Arc;

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
        let proof = declared.proof;
        let (algorithm, encoding) = algorithm(&proof)?;
        let messages = messages(&proof, algorithm)?;
        let client = declared.client.map(|client| {
            Ok(ClientRule {
                at: place("client.at", &client.at)?,
                optional: client.optional,
                covered: false,
            })
        });
        let mut client: Option<ClientRule> = client.transpose()?;
        let covered = Covered(&messages);
        if let Some(rule) = &mut client {
            rule.covered = covered.holds(&Source::At(rule.at.clone()));
        }
        let identity = declared.identity.map(|text| {
            let identity = template("identity", &text)?;
            covered.must_hold("identity", identity.sources())?;
            covered.must_not_tell_more(&identity)?;
            Ok(identity)
        });
        let time = declared.time.map(|time| {
            let read = (place("time.at", &time.at)?, time_format(&time)?);
            covered.must_hold("time.at", vec![&Source::At(read.0.clone())])?;
            Ok(read)
        });
        let time = time.transpose()?;
        if time.is_some() != declared.freshness.is_some() {
            return fault("freshness", "goes with `time`: give both or neither");
        }
        if !(200..300).contains(&declared.acknowledgement.status) {
            return fault(
                "acknowledgement.status",
                "a status from 200 to 299 acknowledges",
            );
        }
        let shapes = declared
            .shapes
            .iter()
            .map(|(at, shape)| Ok((place("shapes", at)?, regex(&format!("shapes.{at}"), shape)?)));
        let reference = declared.reference.map(|at| {
            let reference = place("reference", &at)?;
            match declared.shapes.contains_key(&at) {
                true => Ok(reference),
                false => fault(
                    "reference",
                    format!("{at} is logged, so it needs a shape in `shapes`"),
                ),
            }
        });
        let test = declared.test.map(|test| {
            Ok((
                place("test.at", &test.at)?,
                regex("test.shape", &test.shape)?,
            ))
        });
        Ok(Self {
            name: name.into(),
            title: declared.title.into(),
            algorithm,
            at: place("proof.at", &proof.at)?,
            prefix: proof.prefix.into(),
            encoding,
            client,
            time,
            identity: identity.transpose()?,
            shapes: shapes.collect::<Checked<_>>()?,
            reference: reference.transpose()?,
            answers: declared.answers,
            test: test.transpose()?,
            covers: Arc::new(covered.coverage()),
            minifies: covered.minifies(),
            freshness: declared.freshness,
            remember: declared.remember,
            acknowledgement: declared.acknowledgement,
            messages,
        })
    }
}

fn algorithm(proof: &ProofDeclaration) -> Checked<(Algorithm, Encoding)> {
    let algorithm = match (proof.kind, proof.hash) {
        (ProofKind::Hmac, Some(hash @ (Hash::Sha256 | Hash::Sha512))) => Algorithm::Hmac(hash),
        (ProofKind::Hmac, _) => return fault("proof.hash", "kind hmac takes sha256 or sha512"),
        (ProofKind::Digest, Some(hash)) => Algorithm::Digest(hash),
        (ProofKind::Digest, None) => {
            return fault("proof.hash", "kind digest takes sha1, sha256 or sha512");
        }
        (ProofKind::RsaSha256, None) => Algorithm::RsaSha256,
        (ProofKind::RsaSha256, Some(_)) => {
            return fault(
                "proof.hash",
                "kind rsa-sha256 names its hash already; leave it out",
            );
        }
        (ProofKind::Static, None) => Algorithm::Static,
        (ProofKind::Static, Some(_)) => return fault("proof.hash", "kind static hashes nothing"),
    };
    match (algorithm, proof.encoding) {
        (Algorithm::Static, Some(_)) => fault("proof.encoding", "kind static compares plain text"),
        (Algorithm::Static, None) => Ok((algorithm, Encoding::Hex)),
        (_, Some(encoding)) => Ok((algorithm, encoding)),
        (_, None) => fault("proof.encoding", "say base64, base64url or hex"),
    }
}

fn messages(proof: &ProofDeclaration, algorithm: Algorithm) -> Checked<Vec<Template>> {
    if (algorithm == Algorithm::Static) != proof.messages.is_empty() {
        return fault(
            "proof.messages",
            "hmac, digest and rsa-sha256 need at least one message, static takes none",
        );
    }
    let compiled = proof.messages.iter().enumerate().map(|(index, text)| {
        let at = format!("proof.messages[{index}]");
        let message = template(&at, text)?;
        let holds_secret = message.sources().contains(&&Source::Secret);
        match algorithm {
            Algorithm::Digest(_) if !holds_secret => {
                fault(at, "without {secret} everybody could make this digest")
            }
            Algorithm::Hmac(_) if holds_secret => fault(
                at,
                "{secret} is the key of an hmac and has no place in its message",
            ),
            Algorithm::RsaSha256 if holds_secret => fault(
                at,
                "a signature is verified with a public key; there is no {secret}",
            ),
            Algorithm::Hmac(_)
            | Algorithm::Digest(_)
            | Algorithm::RsaSha256
            | Algorithm::Static => Ok(message),
        }
    });
    compiled.collect()
}

fn template(at: &str, text: &str) -> Checked<Template> {
    Template::compile(text).map_err(|wrong| SchemeFault {
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
    Regex::new(&format!("^(?:{pattern})$")).map_err(|_| SchemeFault {
        at: at.to_owned(),
        says: format!("`{pattern}` is no regular expression"),
    })
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

/// What every one of the messages covers.
struct Covered<'a>(&'a [Template]);

impl Covered<'_> {
    fn holds(&self, source: &Source) -> bool {
        let in_message = |message: &Template| {
            let sources = message.sources();
            sources.contains(&source)
                || match source {
                    Source::At(Place::Json(_) | Place::Form(_)) => sources.contains(&&Source::Body),
                    Source::Query | Source::At(Place::Query(_)) => {
                        sources.contains(&&Source::Target) || sources.contains(&&Source::Query)
                    }
                    Source::Path => sources.contains(&&Source::Target),
                    Source::Method
                    | Source::Client
                    | Source::Token
                    | Source::Target
                    | Source::Body
                    | Source::Secret
                    | Source::At(Place::Header(_) | Place::Param(_)) => false,
                }
        };
        !self.0.is_empty() && self.0.iter().all(in_message)
    }

    fn must_hold(&self, at: &str, sources: Vec<&Source>) -> Checked<()> {
        match sources.into_iter().find(|source| !self.holds(source)) {
            None => Ok(()),
            Some(Source::At(place)) => fault(
                at,
                format!("{place} is not covered by the proof: whoever replays could change it"),
            ),
            Some(_) => fault(at, "holds something that the proof does not cover"),
        }
    }

    /// What the messages do not tell apart, such as letters' case, must not make another identity:
    /// whoever replays could change it.
    fn must_not_tell_more(&self, identity: &Template) -> Checked<()> {
        let told = identity.values();
        for (source, filters) in self.0.iter().flat_map(Template::values) {
            let lost: Vec<_> = filters.iter().filter(|filter| filter.is_lossy()).collect();
            let more = told.iter().any(|(other, kept)| {
                *other == source && lost.iter().any(|lost| !kept.contains(lost))
            });
            if more {
                let says = "tells more than the proof: give it the filters minify, lower or upper of the message";
                return fault("identity", says);
            }
        }
        Ok(())
    }

    fn minifies(&self) -> bool {
        let mut values = self.0.iter().flat_map(Template::values);
        values.any(|(source, filters)| *source == Source::Body && filters.contains(&Filter::Minify))
    }

    fn coverage(&self) -> Coverage {
        let Some(first) = self.0.first() else {
            return Coverage::Nothing;
        };
        if self.holds(&Source::Body) {
            return Coverage::Body;
        }
        let fields = first.sources().into_iter().filter_map(|source| {
            let Source::At(place) = source else {
                return None;
            };
            self.holds(source).then(|| place.name().into())
        });
        Coverage::Fields(fields.collect())
    }
}
