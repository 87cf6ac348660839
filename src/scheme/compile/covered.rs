//! What the messages of a scheme cover.

use super::{Checked, fault, template};
use crate::scheme::Coverage;
use crate::scheme::place::Place;
use crate::scheme::template::{Filter, Part, Sorted, Source, Template};

/// What every one of the messages covers.
pub(super) struct Covered<'a> {
    pub(super) messages: &'a [Template],
    /// Values that are joined without a mark between them.
    pub(super) runs: &'a [Vec<&'a Source>],
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

    /// An identity as it is declared.
    pub(super) fn checked_identity(&self, text: &str, proof: &Place) -> Checked<Template> {
        let identity = template("identity", text, proof)?;
        self.must_hold("identity", identity.sources())?;
        self.must_not_tell_more(&identity)?;
        self.must_be_whole(&identity)?;
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

    /// What the messages do not tell apart, such as letters' case, must not make another identity:
    /// whoever replays could change it.
    fn must_not_tell_more(&self, identity: &Template) -> Checked<()> {
        let told = identity.values();
        for (source, filters) in self.messages.iter().flat_map(Template::values) {
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

    /// Of values that are joined without a mark, an identity holds all or none: whoever replays could
    /// move the border.
    fn must_be_whole(&self, identity: &Template) -> Checked<()> {
        let parts: Vec<Option<&Source>> = identity.parts().iter().map(Part::source).collect();
        let sources = identity.sources();
        for run in self.runs {
            let is_in = |source: &&Source| sources.contains(source);
            let whole: Vec<_> = run.iter().copied().map(Some).collect();
            if run.iter().any(is_in) && !parts.windows(run.len()).any(|window| window == whole) {
                let names = names(run);
                let says = format!(
                    "the message joins {names} without a border, so whoever replays could move it and \
                     name another notification: give the identity all of them in that order without \
                     anything between them, or `shapes` that tell where each ends"
                );
                return fault("identity", says);
            }
        }
        Ok(())
    }

    /// What names a notification where the declaration does not say: all parameters, or the body, and the
    /// path, as far as the proof covers them.
    pub(super) fn identity(&self, proof: &Place) -> Checked<Option<Template>> {
        if let Some(sorted) = self.sorted() {
            return template("identity", &format!("{{{sorted}}}"), proof).map(Some);
        }
        if !self.holds(&Source::Body) || self.is_joined(&Source::Body) {
            return Ok(None);
        }
        let path = match self.holds(&Source::Path) && !self.is_joined(&Source::Path) {
            true => "{path} ",
            false => "",
        };
        let body = match self.minifies() {
            true => "{body|minify|sha256|hex}",
            false => "{body|sha256|hex}",
        };
        let identity = template("identity", &format!("{path}{body}"), proof)?;
        self.must_not_tell_more(&identity)?;
        Ok(Some(identity))
    }

    /// All parameters, where every message covers them in one way.
    fn sorted(&self) -> Option<&Sorted> {
        let sources = self.messages.first()?.sources();
        let mut sorted = sources.into_iter().filter(|source| self.holds(source));
        sorted.find_map(|source| match source {
            Source::Sorted(sorted) => Some(sorted),
            Source::Method
            | Source::Path
            | Source::Query
            | Source::Target
            | Source::Body
            | Source::Client
            | Source::Secret
            | Source::Token
            | Source::At(_) => None,
        })
    }

    /// Whether the messages do not tell where this value begins or ends.
    pub(super) fn is_joined(&self, source: &Source) -> bool {
        self.runs.iter().any(|run| run.contains(&source))
    }

    /// The runs, for people, each once.
    pub(super) fn joined(&self) -> Vec<String> {
        let mut joined: Vec<String> = self.runs.iter().map(|run| names(run)).collect();
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

fn names(run: &[&Source]) -> String {
    let names: Vec<String> = run.iter().map(ToString::to_string).collect();
    names.join(", ")
}
