//! What a value of a template is taken from.

use super::filter::filtered;
use super::{Filter, Reading, Sorted};
use crate::rejection::Rejection;
use crate::scheme::place::{Place, bearer_token};
use std::borrow::Cow;
use std::fmt;

/// What a value is taken from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::scheme) enum Source {
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
    /// All parameters but the proof.
    Sorted(Sorted),
    At(Place),
}

impl Source {
    pub(super) fn parse(text: &str, proof: &Place) -> Result<Self, String> {
        Ok(match text {
            "method" => Self::Method,
            "path" => Self::Path,
            "query" => Self::Query,
            "target" => Self::Target,
            "body" => Self::Body,
            "client" => Self::Client,
            "secret" => Self::Secret,
            "token" => Self::Token,
            other => match other.strip_prefix("sorted:") {
                Some(marks) => Self::Sorted(Sorted::parse(marks, proof)?),
                None if other.contains(':') => Self::At(other.parse()?),
                None => {
                    return Err(format!(
                        "unknown source `{other}`; right are method, path, query, target, body, client, \
                         secret, token, sorted:=&, (TEMPLATE), and places such as header:NAME"
                    ));
                }
            },
        })
    }

    /// The place it reads, if it is one.
    pub(in crate::scheme) fn place(&self) -> Option<&Place> {
        match self {
            Self::At(place) => Some(place),
            Self::Method
            | Self::Path
            | Self::Query
            | Self::Target
            | Self::Body
            | Self::Client
            | Self::Secret
            | Self::Token
            | Self::Sorted(_) => None,
        }
    }

    pub(super) fn read<'a>(
        &self,
        reading: Reading<'a>,
        filters: &[Filter],
    ) -> Result<Option<Cow<'a, [u8]>>, Rejection> {
        let received = reading.scope.received;
        let (path, query) = reading.target();
        // Digests of the body are shared, so that no body is hashed twice.
        let digest = match (self, filters) {
            (Self::Body, [Filter::Sha256, rest @ ..]) => Some((received.body_sha256(), rest)),
            (Self::Body, [Filter::Minify, Filter::Sha256, rest @ ..]) => {
                Some((received.minified_sha256(), rest))
            }
            _ => None,
        };
        if let Some((digest, rest)) = digest {
            return Ok(Some(filtered(Cow::Borrowed(digest), rest)));
        }
        let value: Cow<'a, [u8]> = match self {
            Self::Method => Cow::Borrowed(received.head().method().as_bytes()),
            Self::Path => Cow::Borrowed(path.as_bytes()),
            Self::Query => Cow::Borrowed(query.unwrap_or_default().as_bytes()),
            Self::Target => match query {
                None => Cow::Borrowed(path.as_bytes()),
                Some(query) => Cow::Owned(format!("{path}?{query}").into_bytes()),
            },
            Self::Body => Cow::Borrowed(received.body()),
            Self::Client => Cow::Borrowed(reading.client.as_bytes()),
            Self::Secret => Cow::Borrowed(reading.secret),
            Self::Token => match bearer_token(received)? {
                Some(token) => Cow::Borrowed(token.as_bytes()),
                None => return Ok(None),
            },
            Self::Sorted(sorted) => match sorted.join(received.parameters()?) {
                None => return Ok(None),
                Some(joined) => Cow::Owned(joined.into_bytes()),
            },
            Self::At(place) => match place.read(reading.scope)? {
                Some(Cow::Borrowed(text)) => Cow::Borrowed(text.as_bytes()),
                Some(Cow::Owned(text)) => Cow::Owned(text.into_bytes()),
                None => return Ok(None),
            },
        };
        Ok(Some(filtered(value, filters)))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "method",
            Self::Path => "path",
            Self::Query => "query",
            Self::Target => "target",
            Self::Body => "body",
            Self::Client => "client",
            Self::Secret => "secret",
            Self::Token => "token",
            Self::Sorted(_) => "all parameters",
            Self::At(place) => return place.fmt(f),
        })
    }
}
