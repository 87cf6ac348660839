//! The message that a proof covers, as a template that feeds a MAC piece by piece.

mod filter;
mod parse;
mod show;
mod sorted;
mod source;
mod written;

pub(super) use filter::Filter;
pub use filter::hex;
pub use show::visible;
pub(super) use sorted::Sorted;
pub(super) use source::Source;

use super::place::{Place, Scope};
use crate::rejection::Rejection;
use filter::filtered;
use std::borrow::Cow;

/// A compiled template: `literal {source|filter|filter} [left out when empty]`.
///
/// Doubled braces and brackets stand for themselves.
#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
    leaves_out_query: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(Box<str>),
    Value(Source, Vec<Filter>),
    /// Left out as a whole when every value in it is empty or absent.
    Group(Vec<Self>),
    /// A template of its own, filtered as a whole.
    Nested(Vec<Self>, Vec<Filter>),
}

/// What a template is filled from.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) scope: Scope<'a>,
    /// The path as registered at the gateway, where that is configured, with its query if any.
    pub(super) public_path: Option<&'a str>,
    pub(super) client: &'a str,
    pub(super) secret: &'a [u8],
}

impl<'a> Reading<'a> {
    /// Path and query as the gateway knows them.
    fn target(&self) -> (&'a str, Option<&'a str>) {
        let head = self.scope.received.head();
        match self
            .public_path
            .map(|path| path.split_once('?').ok_or(path))
        {
            None => (head.path(), head.query()),
            Some(Err(path)) => (path, head.query()),
            Some(Ok((path, query))) => (path, Some(query)),
        }
    }
}

/// What is wrong in a template, and the character (counted from 1) where it begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TemplateFault {
    pub(super) at: usize,
    pub(super) says: String,
}

impl Template {
    /// `proof` is the place of the proof, which sorted parameters leave out.
    pub(super) fn compile(text: &str, proof: &Place) -> Result<Self, TemplateFault> {
        let mut template = Self {
            parts: parse::parts(text, proof)?,
            leaves_out_query: false,
        };
        let sources = template.sources();
        let holds = |source: &Source| sources.contains(&source);
        let sorted = sources
            .iter()
            .any(|source| matches!(source, Source::Sorted(_)));
        let query = holds(&Source::Query) || holds(&Source::Target) || sorted;
        template.leaves_out_query = holds(&Source::Path) && !query;
        Ok(template)
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Feeds the filled template to `sink`, piece by piece.
    ///
    /// # Errors
    /// [`Rejection::MissingProof`] where a value outside a group is absent or empty;
    /// [`Rejection::Malformed`] where one cannot be read strictly.
    pub(super) fn feed(
        &self,
        reading: Reading<'_>,
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Rejection> {
        feed(&self.parts, reading, sink)
    }

    /// The filled template as a whole.
    ///
    /// # Errors
    /// Those of [`Self::feed`].
    pub(super) fn fill(&self, reading: Reading<'_>) -> Result<Vec<u8>, Rejection> {
        fill(&self.parts, reading)
    }

    /// The filled template for people: control characters are made visible, and the secret is not there.
    ///
    /// # Errors
    /// Those of [`Self::feed`].
    pub(super) fn show(&self, reading: Reading<'_>) -> Result<String, Rejection> {
        show::shown(&self.parts, reading)
    }

    /// Whether it holds the path and leaves out the query. A query beside it is then covered by
    /// nothing, and whoever holds a notification could add one.
    pub(super) fn leaves_out_query(&self) -> bool {
        self.leaves_out_query
    }

    /// All sources, in order, those in groups and nested ones too.
    pub(super) fn sources(&self) -> Vec<&Source> {
        let values = self.values().into_iter();
        values.map(|(source, _)| source).collect()
    }

    /// All sources with their filters.
    pub(super) fn values(&self) -> Vec<(&Source, Vec<Filter>)> {
        let mut values = Vec::new();
        collect(&self.parts, &[], &mut values);
        values
    }

    /// The same of one part.
    pub(super) fn values_of(part: &Part) -> Vec<(&Source, Vec<Filter>)> {
        let mut values = Vec::new();
        collect(std::slice::from_ref(part), &[], &mut values);
        values
    }

    /// The same with the filters of each value alone, without those of what is around it.
    pub(super) fn own_values_of(part: &Part) -> Vec<(&Source, Vec<Filter>)> {
        match part {
            Part::Literal(_) => Vec::new(),
            Part::Value(source, filters) => vec![(source, filters.clone())],
            Part::Group(inner) | Part::Nested(inner, _) => {
                inner.iter().flat_map(Self::own_values_of).collect()
            }
        }
    }

    /// Whether a place may be empty: it stands in groups only.
    pub(super) fn may_lack(&self, place: &Place) -> bool {
        fn demands(parts: &[Part], place: &Place) -> bool {
            parts.iter().any(|part| match part {
                Part::Value(Source::At(other), _) => other == place,
                Part::Value(..) | Part::Literal(_) | Part::Group(_) => false,
                Part::Nested(inner, _) => demands(inner, place),
            })
        }
        let holds = self.sources().contains(&&Source::At(place.clone()));
        holds && !demands(&self.parts, place)
    }
}

fn collect<'a>(parts: &'a [Part], outer: &[Filter], into: &mut Vec<(&'a Source, Vec<Filter>)>) {
    for part in parts {
        match part {
            Part::Literal(_) => {}
            Part::Value(source, filters) => into.push((source, [filters, outer].concat())),
            Part::Group(inner) => collect(inner, outer, into),
            Part::Nested(inner, filters) => collect(inner, &[filters, outer].concat(), into),
        }
    }
}

fn feed(
    parts: &[Part],
    reading: Reading<'_>,
    sink: &mut dyn FnMut(&[u8]),
) -> Result<(), Rejection> {
    for part in parts {
        match part {
            Part::Literal(text) => sink(text.as_bytes()),
            Part::Value(source, filters) => match source.read(reading, filters)? {
                Some(value) => sink(&value),
                None => return Err(Rejection::MissingProof),
            },
            Part::Group(inner) if is_empty(inner, reading)? => {}
            Part::Group(inner) => feed(inner, reading, sink)?,
            Part::Nested(inner, filters) => {
                let filled = Cow::Owned(fill(inner, reading)?);
                sink(&filtered(filled, filters));
            }
        }
    }
    Ok(())
}

fn fill(parts: &[Part], reading: Reading<'_>) -> Result<Vec<u8>, Rejection> {
    let mut filled = Vec::with_capacity(512);
    feed(parts, reading, &mut |piece| filled.extend_from_slice(piece))?;
    Ok(filled)
}

fn is_empty(parts: &[Part], reading: Reading<'_>) -> Result<bool, Rejection> {
    for part in parts {
        let empty = match part {
            Part::Literal(_) => true,
            Part::Value(source, _) => source.read(reading, &[])?.is_none_or(|v| v.is_empty()),
            Part::Group(inner) | Part::Nested(inner, _) => is_empty(inner, reading)?,
        };
        if !empty {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
