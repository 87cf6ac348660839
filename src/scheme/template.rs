//! The message that a proof covers, as a template that feeds a MAC piece by piece.

mod filter;
mod parse;

pub(super) use filter::{Filter, hex};

use super::place::{Place, bearer_token};
use crate::intake::Received;
use crate::rejection::Rejection;
use filter::filtered;
use std::borrow::Cow;

/// A compiled template: `literal {source|filter|filter} [left out when empty]`.
///
/// Doubled braces and brackets stand for themselves.
#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug)]
enum Part {
    Literal(Box<str>),
    Value(Source, Vec<Filter>),
    /// Left out as a whole when every value in it is empty or absent.
    Group(Vec<Self>),
}

/// What a value is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Method,
    /// The path as registered at the gateway.
    Path,
    /// The raw query without its question mark.
    Query,
    /// Path, and the query where there is one.
    Target,
    Body,
    /// The id of the client that was found.
    Client,
    Secret,
    /// The bearer token of `Authorization`.
    Token,
    At(Place),
}

/// What a template is filled from.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) received: &'a Received,
    /// The path as registered at the gateway, where that is configured, with its query if any.
    pub(super) public_path: Option<&'a str>,
    pub(super) client: &'a str,
    pub(super) secret: &'a [u8],
}

impl<'a> Reading<'a> {
    /// Path and query as the gateway knows them.
    fn target(&self) -> (&'a str, Option<&'a str>) {
        let head = self.received.head();
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
    pub(super) fn compile(text: &str) -> Result<Self, TemplateFault> {
        Ok(Self {
            parts: parse::parts(text)?,
        })
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
        let mut filled = Vec::with_capacity(512);
        self.feed(reading, &mut |piece| filled.extend_from_slice(piece))?;
        Ok(filled)
    }

    /// Whether it holds the path and leaves out the query. A query beside it is then covered by
    /// nothing, and whoever holds a notification could add one.
    pub(super) fn leaves_out_query(&self) -> bool {
        let sources = self.sources();
        let holds = |source: &Source| sources.contains(&source);
        holds(&Source::Path) && !holds(&Source::Query) && !holds(&Source::Target)
    }

    /// All sources, in order, those in groups too.
    pub(super) fn sources(&self) -> Vec<&Source> {
        let values = self.values().into_iter();
        values.map(|(source, _)| source).collect()
    }

    /// All sources with their filters.
    pub(super) fn values(&self) -> Vec<(&Source, &[Filter])> {
        fn collect<'a>(parts: &'a [Part], into: &mut Vec<(&'a Source, &'a [Filter])>) {
            for part in parts {
                match part {
                    Part::Literal(_) => {}
                    Part::Value(source, filters) => into.push((source, filters)),
                    Part::Group(inner) => collect(inner, into),
                }
            }
        }
        let mut values = Vec::new();
        collect(&self.parts, &mut values);
        values
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
        }
    }
    Ok(())
}

fn is_empty(parts: &[Part], reading: Reading<'_>) -> Result<bool, Rejection> {
    for part in parts {
        let empty = match part {
            Part::Literal(_) => true,
            Part::Value(source, _) => source.read(reading, &[])?.is_none_or(|v| v.is_empty()),
            Part::Group(inner) => is_empty(inner, reading)?,
        };
        if !empty {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Source {
    fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "method" => Self::Method,
            "path" => Self::Path,
            "query" => Self::Query,
            "target" => Self::Target,
            "body" => Self::Body,
            "client" => Self::Client,
            "secret" => Self::Secret,
            "token" => Self::Token,
            place if place.contains(':') => Self::At(place.parse()?),
            other => {
                return Err(format!(
                    "unknown source `{other}`; right are method, path, query, target, body, \
                     client, secret, token, and places such as header:NAME"
                ));
            }
        })
    }

    fn read<'a>(
        &self,
        reading: Reading<'a>,
        filters: &[Filter],
    ) -> Result<Option<Cow<'a, [u8]>>, Rejection> {
        let head = reading.received.head();
        let (path, query) = reading.target();
        // Digests of the body are shared, so that no body is hashed twice.
        let digest = match (self, filters) {
            (Self::Body, [Filter::Sha256, rest @ ..]) => {
                Some((reading.received.body_sha256(), rest))
            }
            (Self::Body, [Filter::Minify, Filter::Sha256, rest @ ..]) => {
                Some((reading.received.minified_sha256(), rest))
            }
            _ => None,
        };
        if let Some((digest, rest)) = digest {
            return Ok(Some(filtered(Cow::Borrowed(digest), rest)));
        }
        let value: Cow<'a, [u8]> = match self {
            Self::Method => Cow::Borrowed(head.method().as_bytes()),
            Self::Path => Cow::Borrowed(path.as_bytes()),
            Self::Query => Cow::Borrowed(query.unwrap_or_default().as_bytes()),
            Self::Target => match query {
                None => Cow::Borrowed(path.as_bytes()),
                Some(query) => Cow::Owned(format!("{path}?{query}").into_bytes()),
            },
            Self::Body => Cow::Borrowed(reading.received.body()),
            Self::Client => Cow::Borrowed(reading.client.as_bytes()),
            Self::Secret => Cow::Borrowed(reading.secret),
            Self::Token => match bearer_token(reading.received)? {
                Some(token) => Cow::Borrowed(token.as_bytes()),
                None => return Ok(None),
            },
            Self::At(place) => match place.read(reading.received)? {
                Some(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
                Some(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
                None => return Ok(None),
            },
        };
        Ok(Some(filtered(value, filters)))
    }
}

#[cfg(test)]
mod tests;
