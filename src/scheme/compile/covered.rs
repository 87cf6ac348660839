//! What the messages of a scheme cover.

use super::{Checked, fault, template};
use crate::scheme::Coverage;
use crate::scheme::border::Run;
use crate::scheme::place::Place;
use crate::scheme::template::{Filter, Part, Source, Template};

/// What every one of the messages covers.
pub(super) struct Covered<'a> {
    pub(super) messages: &'a [Template],
    /// Values that are joined without a mark between them.
    pub(super) runs: &'a [Run<'a>],
}

impl Covered<'_> {
    pub(super) fn holds(&self, source: &Source) -> bool {
        let in_message = |message: &Template| {
            let values = message.values().into_iter();
            // Another value with the same checksum is quickly found.
            let kept = values.filter(|(_, filters)| !filters.contains(&Filter::Crc32));
            let sources: Vec<&Source> = kept.map(|(source, _)| source).collect();
            let sorted = sources.iter().any(|s| matches!(s, Source::Sorted(_)));
            sources.contains(&source)
                || match source {
                    Source::At(Place::Json(_) | Place::Item(_)) => sources.contains(&&Source::Body),
                    Source::At(Place::Form(_)) => sorted || sources.contains(&&Source::Body),
                    Source::Query | Source::At(Place::Query(_)) => {
                        let query = [Source::Target, Source::Query];
                        let is_place = *source != Source::Query;
                        is_place && sorted || query.iter().any(|query| sources.contains(&query))
                    }
                    Source::At(Place::Param(_)) => sorted,
                    Source::Path => sources.contains(&&Source::Target),
                    Source::Method
                    | Source::Client
                    | Source::Token
                    | Source::Target
                    | Source::Body
                    | Source::Secret
                    | Source::Sorted(_)
                    | Source::At(Place::Header(_) | Place::Entry(..)) => false,
                }
        };
        !self.messages.is_empty() && self.messages.iter().all(in_message)
    }

    /// An identity, all of which the proof tells.
    pub(super) fn checked_identity(&self, text: &str, proof: &Place) -> Checked<Template> {
        let identity = template("identity", text, proof)?;
        self.must_hold("identity", identity.sources())?;
        let free = self.without_runs(&identity)?;
        for (source, filters) in free {
            if !self.tells(source, &filters) {
                let says = format!(
                    "{source} tells more than the proof: give it the filters of the message, up to the last of \
                     minify, lower, upper and crc32"
                );
                return fault("identity", says);
            }
        }
        Ok(identity)
    }

    pub(super) fn must_hold(&self, at: &str, sources: Vec<&Source>) -> Checked<()> {
        match sources.into_iter().find(|source| !self.holds(source)) {
            None => Ok(()),
            Some(Source::At(place)) => fault(
                at,
                format!("{place} is not covered by the proof: whoever replays could change it"),
            ),
            Some(_) => fault(at, "holds something that the proof does not cover"),
        }
    }

    /// The values of an identity that stand in no run. Of values that are joined without a border, it holds
    /// all, as the message has them, or none: whoever replays could move the border.
    fn without_runs<'i>(&self, identity: &'i Template) -> Checked<Vec<(&'i Source, Vec<Filter>)>> {
        let mut left: Vec<Option<&'i Part>> = identity.parts().iter().map(Some).collect();
        for run in self.runs {
            let whole: Vec<Option<&Part>> = run.parts.iter().map(Some).collect();
            if let Some(at) = left.windows(whole.len()).position(|window| window == whole) {
                // Its neighbours stay apart.
                left.splice(at..at + whole.len(), [None]);
            }
        }
        let values = left
            .into_iter()
            .flatten()
            .flat_map(Template::own_values_of)
            .collect::<Vec<_>>();
        for run in self.runs {
            let touches = |source: &Source| run.sources().iter().any(|part| holds(part, source));
            if values.iter().any(|(source, _)| touches(source)) {
                let names = names(run);
                let says = format!(
                    "the message joins {names} without a border, so whoever replays could move it and name \
                     another notification: give the identity all of them as they are joined, `{run}`, or `shapes` \
                     that tell where each ends"
                );
                return fault("identity", says);
            }
        }
        Ok(values)
    }

    /// Whether every message tells this value, as far as the filters go, and where it begins and ends.
    pub(super) fn tells(&self, source: &Source, filters: &[Filter]) -> bool {
        let by = |(told, kept): &(&Source, Vec<Filter>)| {
            let lossy = kept.iter().rposition(|filter| filter.is_lossy());
            let lost = lossy.and_then(|at| kept.get(..=at)).unwrap_or_default();
            let in_json = matches!(source, Source::At(Place::Json(_) | Place::Item(_)));
            let spaces = in_json && lost.iter().all(|filter| *filter == Filter::Minify);
            match *told == source {
                true => filters.starts_with(lost),
                false => holds(told, source) && (lost.is_empty() || spaces),
            }
        };
        let in_message = |message: &Template| message.values().iter().any(by);
        !self.messages.is_empty() && self.messages.iter().all(in_message) && !self.is_joined(source)
    }

    /// Alternatives must not be one another with other values: the same text joins the same values.
    pub(super) fn must_be_alike(&self) -> Checked<()> {
        let mut alternatives = self.messages.iter().enumerate();
        let Some((_, first)) = alternatives.next() else {
            return Ok(());
        };
        match alternatives.find(|(_, other)| !are_alike(first.parts(), other.parts())) {
            None => Ok(()),
            Some((index, _)) => fault(
                format!("proof.messages[{index}]"),
                "differs from the first in more than minify, and path or target: one could be the other with \
                 other values; declare two schemes",
            ),
        }
    }

    /// What names a notification where the declaration does not say: all parameters, the path and the body,
    /// as far as the proof covers them, with what they are joined to.
    pub(super) fn identity(&self, proof: &Place) -> Checked<Option<Template>> {
        let is_whole = |source: &&Source| matches!(source, Source::Sorted(_) | Source::Body);
        let runs = self
            .runs
            .iter()
            .filter(|run| run.sources().iter().any(is_whole));
        let mut pieces: Vec<String> = runs.map(ToString::to_string).collect();
        pieces.dedup();
        let alone = self.holds(&Source::Body) && !self.is_joined(&Source::Body);
        if pieces.is_empty() && !alone {
            return Ok(None);
        }
        if self.tells(&Source::Path, &[]) {
            pieces.push("{path}".to_owned());
        }
        if alone {
            pieces.push(match self.minifies() {
                true => "{body|minify|sha256|hex}".to_owned(),
                false => "{body|sha256|hex}".to_owned(),
            });
        }
        self.checked_identity(&pieces.join(" "), proof).map(Some)
    }

    /// Headers that tell one notification from another with the same content; a retry may have a time and a
    /// proof of its own.
    pub(super) fn beside_content(&self, but: &[Option<&Place>]) -> Vec<Place> {
        let mut beside: Vec<Place> = Vec::new();
        let sources = self
            .messages
            .first()
            .map(Template::sources)
            .unwrap_or_default();
        for place in sources.into_iter().filter_map(Source::place) {
            let is_header = matches!(place, Place::Header(_) | Place::Entry(..));
            let told = || self.tells(&Source::At(place.clone()), &[]);
            if is_header && !but.contains(&Some(place)) && !beside.contains(place) && told() {
                beside.push(place.clone());
            }
        }
        beside
    }

    /// Whether the messages do not tell where this value begins or ends.
    pub(super) fn is_joined(&self, source: &Source) -> bool {
        let touches = |run: &Run<'_>| run.sources().iter().any(|part| holds(part, source));
        self.runs.iter().any(touches)
    }

    /// The runs, for people, each once.
    pub(super) fn joined(&self) -> Vec<String> {
        let mut joined: Vec<String> = self.runs.iter().map(names).collect();
        joined.dedup();
        joined
    }

    pub(super) fn minifies(&self) -> bool {
        let mut values = self.messages.iter().flat_map(Template::values);
        values.any(|(source, filters)| *source == Source::Body && filters.contains(&Filter::Minify))
    }

    pub(super) fn coverage(&self) -> Coverage {
        let Some(first) = self.messages.first() else {
            return Coverage::Nothing;
        };
        if self.holds(&Source::Body) {
            return Coverage::Body;
        }
        let mut covered: Vec<&Source> = Vec::new();
        for source in first.sources() {
            let is_named = matches!(source, Source::At(_) | Source::Sorted(_));
            if is_named && self.holds(source) && !covered.contains(&source) {
                covered.push(source);
            }
        }
        let places = || covered.iter().filter_map(|source| source.place());
        let name = |source: &&Source| match source.place() {
            // Whatever parameters there are.
            None => "*".into(),
            // The last step of a pointer, where that is enough to tell it from others.
            Some(place) => match places()
                .filter(|other| other.step() == place.step())
                .count()
            {
                1 => in_a_list(place.step()),
                _ => in_a_list(place.name()),
            },
        };
        match covered.is_empty() {
            true => Coverage::Nothing,
            false => Coverage::Fields(covered.iter().map(name).collect()),
        }
    }
}

/// A name that can stand in a header, between commas.
fn in_a_list(name: &str) -> Box<str> {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b',' | b'%');
    let text = name.bytes().map(|byte| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    text.collect::<String>().into()
}

fn names(run: &Run<'_>) -> String {
    let names: Vec<String> = run.sources().iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// Whether a value is another, or read out of it.
fn holds(whole: &Source, source: &Source) -> bool {
    let inside = match whole {
        Source::Body => matches!(
            source,
            Source::At(Place::Json(_) | Place::Item(_) | Place::Form(_) | Place::Param(_))
        ),
        Source::Target => matches!(
            source,
            Source::Path | Source::Query | Source::At(Place::Query(_) | Place::Param(_))
        ),
        Source::Query => matches!(source, Source::At(Place::Query(_) | Place::Param(_))),
        Source::Sorted(_) => matches!(
            source,
            Source::At(Place::Query(_) | Place::Form(_) | Place::Param(_))
        ),
        Source::Method
        | Source::Path
        | Source::Client
        | Source::Secret
        | Source::Token
        | Source::At(_) => false,
    };
    inside || whole == source
}

fn are_alike(one: &[Part], other: &[Part]) -> bool {
    let kept = |filters: &[Filter]| -> Vec<Filter> {
        let kept = filters.iter().filter(|filter| **filter != Filter::Minify);
        kept.copied().collect()
    };
    let of_path = |source: &Source| matches!(source, Source::Path | Source::Target);
    let alike = |(one, other): (&Part, &Part)| match (one, other) {
        (Part::Value(a, f), Part::Value(b, g)) => {
            (a == b || of_path(a) && of_path(b)) && kept(f) == kept(g)
        }
        (Part::Group(a), Part::Group(b)) => are_alike(a, b),
        (Part::Nested(a, f), Part::Nested(b, g)) => are_alike(a, b) && kept(f) == kept(g),
        (one, other) => one == other,
    };
    one.len() == other.len() && one.iter().zip(other).all(alike)
}
