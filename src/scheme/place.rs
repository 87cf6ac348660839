//! Where a value stands in a request.

use super::json;
use crate::intake::Received;
use crate::rejection::Rejection;
use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// A place, written `header:NAME`, `header:NAME[KEY]`, `query:NAME`, `form:NAME`, `param:NAME`,
/// `json:/POINTER` or `item:/POINTER`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A header, its name in any case.
    Header(Box<str>),
    /// One value in a header that is a list: `KEY=VALUE,KEY=VALUE`.
    Entry(Box<str>, Box<str>),
    /// A query parameter.
    Query(Box<str>),
    /// A field of a form body.
    Form(Box<str>),
    /// A parameter, of the query or of a form body, whichever holds it.
    Param(Box<str>),
    /// A string, number or boolean in a JSON body. Source: RFC 6901.
    Json(Box<str>),
    /// The same in one item of a batch.
    Item(Box<str>),
}

/// What places are read from: a request and, where each item of its body bears a proof, one of them.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The request.
    pub received: &'a Received,
    /// The item, as JSON.
    pub item: Option<&'a str>,
}

impl<'a> Scope<'a> {
    /// A request as a whole.
    #[must_use]
    pub fn whole(received: &'a Received) -> Self {
        Self {
            received,
            item: None,
        }
    }
}

impl Place {
    /// The value there, `None` where nothing stands or where it is empty.
    ///
    /// # Errors
    /// [`Rejection::BadProof`] where a header, an entry or a JSON name stands twice, or the header is
    /// said to be of this connection only; [`Rejection::Malformed`] where parameters have no single
    /// reading.
    pub fn read<'a>(&self, scope: Scope<'a>) -> Result<Option<Cow<'a, str>>, Rejection> {
        let received = scope.received;
        let value = match self {
            Self::Header(name) => header(received, name)?.map(Cow::Borrowed),
            Self::Entry(name, key) => match header(received, name)? {
                Some(list) => entry(list, key)?.map(Cow::Borrowed),
                None => None,
            },
            Self::Query(name) => received.parameters()?.query(name).map(Cow::Borrowed),
            Self::Form(name) => received.parameters()?.form(name).map(Cow::Borrowed),
            Self::Param(name) => received.parameters()?.any(name).map(Cow::Borrowed),
            Self::Json(pointer) => {
                let search = || json::lookup(received.body(), pointer);
                received.lookup_once(0, pointer, search)?.map(Cow::Owned)
            }
            Self::Item(pointer) => match scope.item {
                Some(item) => {
                    // Every item begins somewhere else.
                    let search = || json::lookup(item.as_bytes(), pointer);
                    let from = item.as_ptr() as usize;
                    received.lookup_once(from, pointer, search)?.map(Cow::Owned)
                }
                None => None,
            },
        };
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// Whether it is read in an item of a batch.
    #[must_use]
    pub fn is_item(&self) -> bool {
        matches!(self, Self::Item(_))
    }

    /// The last step of its pointer, or its name.
    #[must_use]
    pub fn step(&self) -> &str {
        self.name().rsplit('/').next().unwrap_or_default()
    }

    /// The name by which `X-Kawal-Covers` lists it, where the last step of its pointer is not enough.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Header(name)
            | Self::Entry(name, _)
            | Self::Query(name)
            | Self::Form(name)
            | Self::Param(name) => name,
            Self::Json(pointer) | Self::Item(pointer) => {
                pointer.strip_prefix('/').unwrap_or(pointer)
            }
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

/// The value of a key in a list, which stands there once.
fn entry<'a>(list: &'a str, key: &str) -> Result<Option<&'a str>, Rejection> {
    let pairs = list.split(',').filter_map(|pair| pair.split_once('='));
    let mut values = pairs.filter(|(name, _)| name.trim() == key);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Ok(Some(value.trim())),
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(Rejection::BadProof),
    }
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
                "unknown place `{}`; right are header:NAME, header:NAME[KEY], query:NAME, \
                 form:NAME, param:NAME, json:/POINTER and item:/POINTER",
                text.escape_debug()
            )
        };
        let (kind, name) = text.split_once(':').ok_or_else(wrong)?;
        if kind == "header" {
            return in_header(name).ok_or_else(wrong);
        }
        let place = match kind {
            "query" => Self::Query,
            "form" => Self::Form,
            "param" => Self::Param,
            "json" if name.starts_with('/') => Self::Json,
            "item" if name.starts_with('/') => Self::Item,
            _ => return Err(wrong()),
        };
        if name.is_empty() || name.contains(char::is_control) {
            return Err(wrong());
        }
        Ok(place(name.into()))
    }
}

/// `NAME` or `NAME[KEY]`; a name that no header can have would only ever be missing (RFC 9110 §5.1).
fn in_header(text: &str) -> Option<Place> {
    let (name, key) = match text.strip_suffix(']') {
        Some(text) => text.split_once('[').map(|(name, key)| (name, Some(key)))?,
        None => (text, None),
    };
    let plain = |text: &str| {
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        !text.is_empty() && text.bytes().all(token)
    };
    match key {
        _ if !plain(name) => None,
        None => Some(Place::Header(name.into())),
        Some(key) => plain(key).then(|| Place::Entry(name.into(), key.into())),
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Header(_) => "header",
            Self::Entry(name, key) => return write!(f, "header:{name}[{key}]"),
            Self::Query(_) => "query",
            Self::Form(_) => "form",
            Self::Param(_) => "param",
            Self::Json(_) => "json",
            Self::Item(_) => "item",
        };
        let text = match self {
            Self::Json(pointer) | Self::Item(pointer) => pointer,
            Self::Header(_) | Self::Entry(..) | Self::Query(_) | Self::Form(_) | Self::Param(_) => {
                self.name()
            }
        };
        write!(f, "{kind}:{text}")
    }
}
