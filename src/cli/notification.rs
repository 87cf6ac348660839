//! Composes a notification as a gateway would send it.

use super::sample::{Kind, New, Sample};
use crate::scheme::{Draft, Maker, Scheme, Signing, Unsigned};
use crate::secret::Client;
use jiff::Timestamp;
use std::hash::{BuildHasher as _, RandomState};

/// Who sends what, and where to.
#[derive(Clone, Copy)]
pub(super) struct Sender<'a> {
    pub(super) scheme: &'a Scheme,
    /// The access token that it bears, where the scheme wants one.
    pub(super) token: Option<&'a str>,
    pub(super) client: &'a Client,
    pub(super) method: &'a str,
    /// The path, and the query where there is one.
    pub(super) target: &'a str,
    /// The path as registered at the gateway, where an ingress rewrites it.
    pub(super) public_path: Option<&'a str>,
    pub(super) body: &'a Body,
    /// Makes the bytes of proofs that no shared secret makes.
    pub(super) signer: Option<Maker<'a>>,
}

/// What is sent.
#[derive(Clone)]
pub(super) enum Body {
    /// A sample with new ids.
    Sample(Sample),
    /// The user's own text.
    Own(String),
}

impl Sender<'_> {
    /// One notification. The same id makes the same body.
    pub(super) fn compose(&self, id: &str, at: Timestamp) -> Result<Draft, Unsigned> {
        let scheme = self.scheme;
        let client = self.client.id.as_deref().unwrap_or_default();
        let time = scheme.print_time(at).unwrap_or_default();
        let (text, kind) = match self.body {
            Body::Own(text) => (text.clone(), own_kind(text, scheme.reads_parameters())),
            Body::Sample(sample) => {
                let client = if client.is_empty() { SOMEBODY } else { client };
                let time = &time;
                (sample.fill(&New { id, client, time }), sample.kind())
            }
        };
        let draft = Draft {
            method: self.method.to_owned(),
            target: self.whole_target(&text, kind),
            headers: content_type(kind),
            body: match kind {
                Kind::Query => String::new(),
                Kind::Json | Kind::Form => text,
            },
        };
        let signing = Signing {
            client: self.client,
            at,
            id,
            token: self.token.unwrap_or("sample-token"),
            public_path: self.public_path,
        };
        match self.signer {
            Some(make) => scheme.sign_with(draft, signing, make),
            None => scheme.sign(draft, signing),
        }
    }

    /// A query that is registered at the gateway is part of what it calls.
    fn whole_target(&self, text: &str, kind: Kind) -> String {
        let pinned = self.public_path.and_then(|path| path.split_once('?'));
        let pinned = pinned.filter(|_| !self.target.contains('?'));
        let sent = (kind == Kind::Query).then_some(text);
        let mut target = self.target.to_owned();
        for query in pinned.map(|(_, query)| query).into_iter().chain(sent) {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(query);
        }
        target
    }
}

/// Stands in where any client will do.
const SOMEBODY: &str = "936008990000047435";

fn own_kind(text: &str, reads_parameters: bool) -> Kind {
    let is_json = text.trim_start().starts_with(['{', '[']);
    match reads_parameters && !is_json && !text.is_empty() {
        true => Kind::Form,
        false => Kind::Json,
    }
}

fn content_type(kind: Kind) -> Vec<(String, String)> {
    let name = match kind {
        Kind::Json => "application/json",
        Kind::Form => "application/x-www-form-urlencoded",
        Kind::Query => return Vec::new(),
    };
    vec![("Content-Type".to_owned(), name.to_owned())]
}

/// An id that no other notification has.
pub(super) fn new_id() -> String {
    let word = || RandomState::new().hash_one(0u8);
    let (high, low) = (word(), word());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}
