//! Where the ledger is kept.

use super::fault::Faults;
use super::shape::{RedisShape, ReplayShape, Store};
use crate::ledger::{Address, Basis, Kept, Password, Settings};
use crate::route::{Purpose, Route};
use crate::secret::Reference;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

/// The store, where it is sound.
pub(super) fn store(
    faults: &mut Faults,
    warnings: &mut Vec<String>,
    replay: &ReplayShape,
    base: &Path,
) -> Option<Kept> {
    if replay.capacity == 0 {
        faults.add("replay.capacity", "must be at least 1");
    }
    let shape = replay.redis.as_ref();
    // What is wrong in it is told, also where it is of no use yet.
    let settings = shape.and_then(|value| {
        let shape = faults.section::<RedisShape>("replay.redis", value)?;
        settings(faults, &shape, replay, base)
    });
    match replay.store {
        Store::Memory => {
            if shape.is_some() {
                warnings.push("replay.redis: of no use with store: memory".into());
            }
            Some(Kept::Memory {
                capacity: replay.capacity,
            })
        }
        Store::Redis => {
            if shape.is_none() {
                let says = "missing, and required with store: redis: `url: redis://HOST:6379/0`";
                faults.add("replay.redis", says);
            }
            settings.map(Kept::Shared)
        }
    }
}

/// What of a store takes effect only at the start, as it is written.
pub(super) fn pinned(replay: &ReplayShape) -> [(&'static str, String); 3] {
    let of_redis = |text: String| match replay.store {
        Store::Memory => String::new(),
        Store::Redis => text,
    };
    let redis = serde_json::to_string(&replay.redis).unwrap_or_default();
    [
        ("replay.store", format!("{:?}", replay.store)),
        ("replay.redis", of_redis(redis)),
        (
            "replay.unavailable",
            of_redis(format!("{:?}", replay.unavailable)),
        ),
    ]
}

/// Under which bases these routes claim, each once.
pub(super) fn bases(routes: &[Route]) -> Box<[Basis]> {
    let notify = routes.iter().filter(|r| r.purpose == Purpose::Notify);
    let bases: BTreeSet<_> = notify.map(|route| route.basis).collect();
    bases.into_iter().collect()
}

fn settings(
    faults: &mut Faults,
    shape: &RedisShape,
    replay: &ReplayShape,
    base: &Path,
) -> Option<Settings> {
    let at = "replay.redis.password";
    let password = shape.password.as_deref().and_then(|text| {
        let reference = faults.take(at, text.parse::<Reference>())?;
        let password = Password::new(reference, base.to_owned());
        faults.take(at, password.read())?;
        Some(password)
    });
    let address = faults.take("replay.redis.url", Address::parse(&shape.url));
    if shape.password.is_none() && address.as_ref().is_some_and(Address::names_a_user) {
        let says =
            "missing: replay.redis.url names a user, and without a password nobody is logged in";
        faults.add(at, says);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
    if !shape.prefix.chars().all(plain) || !(1..=64).contains(&shape.prefix.len()) {
        let says = "must be 1 to 64 letters, digits, dots, colons, - and _";
        faults.add("replay.redis.prefix", says);
    }
    if !(SHORTEST..=LONGEST).contains(&shape.timeout) {
        faults.add("replay.redis.timeout", "must be from 1ms to 10s");
    }
    Some(Settings {
        address: address?.with_password(password),
        prefix: shape.prefix.as_str().into(),
        timeout: shape.timeout,
        unavailable: replay.unavailable,
    })
}

const SHORTEST: Duration = Duration::from_millis(1);
/// A lease has 15 s of margin, of which a claim may take a part.
const LONGEST: Duration = Duration::from_secs(10);
