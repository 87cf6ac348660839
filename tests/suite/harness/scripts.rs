//! The scripts that Kawal runs in its store, told apart by their texts.

use std::collections::HashMap;
use std::sync::Mutex;

use sha1::{Digest, Sha1};

/// One of the ledger's steps in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Script {
    /// May this copy pass?
    Claim,
    /// The app said 2xx.
    Settle,
    /// The app refused, or never got it.
    Release,
    /// What a request for a token was granted.
    Keep,
    /// Is the store fit to be one?
    Check,
}

/// What their texts end with: before it stands what several of them need.
const ENDS: [(Script, &str); 5] = [
    (
        Script::Claim,
        include_str!("../../../src/ledger/redis/claim.lua"),
    ),
    (
        Script::Settle,
        include_str!("../../../src/ledger/redis/settle.lua"),
    ),
    (
        Script::Release,
        include_str!("../../../src/ledger/redis/release.lua"),
    ),
    (
        Script::Keep,
        include_str!("../../../src/ledger/redis/keep.lua"),
    ),
    (
        Script::Check,
        include_str!("../../../src/ledger/redis/check.lua"),
    ),
];

/// What is known of them: commands name them by the hash of a text that was sent once.
#[derive(Default)]
pub struct Scripts(Mutex<HashMap<String, Script>>);

impl Scripts {
    /// Which one a command runs, if any.
    pub fn of(&self, words: &[Vec<u8>]) -> Option<Script> {
        let name = words.first()?.to_ascii_uppercase();
        let what = words.get(1)?;
        match name.as_slice() {
            b"SCRIPT" if what.eq_ignore_ascii_case(b"LOAD") => {
                let text = words.get(2)?;
                let hash = Sha1::digest(text);
                let hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                self.0.lock().unwrap().insert(hash, by_text(text)?);
                None
            }
            b"EVALSHA" => {
                let hash = String::from_utf8_lossy(what).to_ascii_lowercase();
                self.0.lock().unwrap().get(&hash).copied()
            }
            b"EVAL" => by_text(what),
            _ => None,
        }
    }
}

fn by_text(text: &[u8]) -> Option<Script> {
    let found = ENDS.iter().find(|(_, end)| text.ends_with(end.as_bytes()));
    found.map(|(script, _)| *script)
}
