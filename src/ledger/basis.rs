//! What decides under which key, with which content and for how long a notification is known.

use sha2::{Digest as _, Sha256};
use std::fmt;

/// A digest of all that decides so. A ledger that outlives a configuration may hold what was delivered under
/// another basis, and would not find it: since when it knows of everything is asked for each basis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Basis([u8; 16]);

impl Basis {
    /// Of these parts, in this order.
    #[must_use]
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new_with_prefix("kawal basis 1");
        // Lengths keep one part from running into the next.
        for part in parts {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        Self(*digest.first_chunk().unwrap_or(&[0; 16]))
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
