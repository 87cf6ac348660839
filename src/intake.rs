//! One request, whole, bounded and strictly read. Nothing in it is believed yet.

mod chunks;
mod head;
mod minify;
mod parameters;
mod scan;
mod sender;

pub use chunks::ChunkDecoder;
pub use head::{Framing, Head};
pub use minify::minify;
pub use parameters::Parameters;
pub use scan::{HeadScan, Scanned};
pub use sender::sender;

use crate::rejection::Rejection;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

/// A request with its whole body.
#[derive(Debug)]
pub struct Received {
    head: Head,
    body: Bytes,
    body_sha256: OnceCell<[u8; 32]>,
    minified_sha256: OnceCell<[u8; 32]>,
    parameters: OnceCell<Result<Parameters, Rejection>>,
    lookups: RefCell<Vec<Lookup>>,
}

/// What was found at a place of the body: where the search began, the place, and the outcome.
type Lookup = (usize, Box<str>, Result<Option<Box<str>>, Rejection>);

impl Received {
    /// Joins a head and its complete body.
    #[must_use]
    pub fn new(head: Head, body: Bytes) -> Self {
        Self {
            head,
            body,
            body_sha256: OnceCell::new(),
            minified_sha256: OnceCell::new(),
            parameters: OnceCell::new(),
            lookups: RefCell::default(),
        }
    }

    /// The head.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The body, byte for byte as it came, without its transfer coding.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// SHA-256 of the body, computed once.
    #[must_use]
    pub fn body_sha256(&self) -> &[u8; 32] {
        self.body_sha256
            .get_or_init(|| Sha256::digest(&self.body).into())
    }

    /// SHA-256 of the [minified](minify) body, computed once.
    #[must_use]
    pub fn minified_sha256(&self) -> &[u8; 32] {
        self.minified_sha256
            .get_or_init(|| match minify(&self.body) {
                Cow::Borrowed(_) => *self.body_sha256(),
                Cow::Owned(minified) => Sha256::digest(minified).into(),
            })
    }

    /// The outcome of a search in the body, made once: `from` is where in the body it begins.
    ///
    /// # Errors
    /// Those of the search.
    pub fn lookup_once(
        &self,
        from: usize,
        place: &str,
        search: impl FnOnce() -> Result<Option<String>, Rejection>,
    ) -> Result<Option<String>, Rejection> {
        let mut lookups = self.lookups.borrow_mut();
        let mut known = lookups.iter();
        let known = known.find(|(at, other, _)| *at == from && **other == *place);
        if let Some((_, _, outcome)) = known {
            return outcome.clone().map(|value| value.map(String::from));
        }
        let outcome = search();
        let kept = outcome.clone().map(|value| value.map(Into::into));
        lookups.push((from, place.into(), kept));
        outcome
    }

    /// The parameters of the query and, where the content type says so, of a form body.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] for anything two readers could understand in two ways.
    pub fn parameters(&self) -> Result<&Parameters, Rejection> {
        self.parameters
            .get_or_init(|| Parameters::read(&self.head, &self.body))
            .as_ref()
            .map_err(Clone::clone)
    }
}
