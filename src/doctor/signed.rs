//! What may have been signed, for people.

use crate::scheme::{Scheme, Trial, visible};
use serde::Serialize;
use std::sync::Arc;

/// A string that the gateway may have signed.
#[derive(Debug, Serialize)]
pub struct Signed {
    /// The client whose key would have made the proof.
    pub client: Option<String>,
    /// The string, control characters made visible.
    pub message: String,
    /// The proof, shortened; `None` where only the gateway can make it.
    pub expected: Option<String>,
}

/// What the client that is named would have signed.
pub(super) fn signed(scheme: &Scheme, trial: Trial<'_>, named: Option<&str>) -> Vec<Signed> {
    let is_named = |client: &Option<Arc<str>>| match (named, client) {
        (Some(named), Some(id)) => **id == *named,
        _ => true,
    };
    let expected = scheme.expectations(trial).into_iter();
    let expected = expected.filter(|expected| is_named(&expected.client));
    expected
        .map(|expected| Signed {
            client: expected.client.map(|id| id.to_string()),
            message: expected.message,
            expected: expected.proof.as_deref().map(shortened),
        })
        .collect()
}

/// The beginning of a proof and its length: enough to compare, too little to use.
pub(super) fn shortened(proof: &str) -> String {
    let shown: String = proof.chars().take(8).collect();
    let length = proof.chars().count();
    let shown = visible(shown.as_bytes());
    format!("{shown}… ({length} characters)")
}
