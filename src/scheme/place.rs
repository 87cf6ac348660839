//! Where a value stands in a request.

use super::json;
use crate::intake::Received;
use crate::rejection::Rejection;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A place, written `header:NAME`, `query:NAME`, `form:NAME`, `param:NAME` or `json:/POINTER`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A header, its name in any case.
    Header(Box<str>),
    /// A query parameter.
    Query(Box<str>),
    /// A field of a form body.
    Form(Box<str>),
    /// A parameter, of the query or of a form body, whichever holds it.
    Param(Box<str>),
    /// A string, number or boolean in a JSON body. Source: RFC 6901.
    Json(Box<str>),
}

impl Place {
    /// The value there, `None` where nothing stands or where it is empty.
    ///
    /// # Errors
    /// [`Rejection::BadProof`] where a header or JSON name stands twice, or the header is said to be
    /// of this connection only; [`Rejection::Malformed`] where parameters have no single reading.
    pub fn read<'a>(&self, received: &'a Received) -> Result<Option<Cow<'a, str>>, Rejection> {
        let value = match self {
            Self::Header(name) => header(received, name)?.map(Cow::Borrowed),
            Self::Query(name) => received.parameters()?.query(name).map(Cow::Borrowed),
            Self::Form(name) => received.parameters()?.form(name).map(Cow::Borrowed),
            Self::Param(name) => received.parameters()?.any(name).map(Cow::Borrowed),
            Self::Json(pointer) => json::lookup(received.body(), pointer)?.map(Cow::Owned),
        };
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// The name by which `X-Kawal-Covers` lists it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Header(name)
            | Self::Query(name)
            | Self::Form(name)
            | Self::Param(name)
            | Self::Json(name) => name,
        }
    }
}

/// The token of `Authorization` (RFC 6750 §2.1) without its scheme word, in whatever case that is
/// written; a value without the word is the token as a whole. `None` where there is none.
///
/// # Errors
/// Those of [`Place::read`], and [`Rejection::BadProof`] for a colon, which RFC 6750 keeps out of
/// tokens: in a message it could be the border to the next value, and be moved.
pub fn bearer_token(received: &Received) -> Result<Option<&str>, Rejection> {
    let value = header(received, "Authorization")?.unwrap_or_default();
    let (word, rest) = value.split_once(' ').unwrap_or((value, ""));
    let token = match word.eq_ignore_ascii_case("bearer") {
        true => rest.trim_start(),
        false => value,
    };
    if token.contains(':') {
        return Err(Rejection::BadProof);
    }
    Ok(Some(token).filter(|token| !token.is_empty()))
}

/// The value of a header that stands once.
fn header<'a>(received: &'a Received, name: &str) -> Result<Option<&'a str>, Rejection> {
    let head = received.head();
    // The app would not get it.
    if head.nominates(name) {
        return Err(Rejection::BadProof);
    }
    head.sole(name).map_err(|_| Rejection::BadProof)
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "unknown place `{text}`; right are header:NAME, query:NAME, form:NAME, \
                 param:NAME and json:/POINTER"
            )
        };
        let (kind, name) = text.split_once(':').ok_or_else(wrong)?;
        let place = match kind {
            "header" => Self::Header,
            "query" => Self::Query,
            "form" => Self::Form,
            "param" => Self::Param,
            "json" if name.starts_with('/') => Self::Json,
            _ => return Err(wrong()),
        };
        if name.is_empty() {
            return Err(wrong());
        }
        Ok(place(name.into()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Header(_) => "header",
            Self::Query(_) => "query",
            Self::Form(_) => "form",
            Self::Param(_) => "param",
            Self::Json(_) => "json",
        };
        write!(f, "{kind}:{}", self.name())
    }
}
