//! The signed time against now, and against what the ledger can prove.

use crate::intake::Received;
use crate::rejection::Rejection;
use crate::scheme::{Authentic, Freshness, Signed};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// The limits for signed times of one gateway.
#[derive(Clone, Copy, Debug)]
pub struct Window(Option<Freshness>);

/// A notification that is authentic and signed at a time we accept.
#[derive(Debug)]
pub struct Fresh {
    received: Received,
    signed: Signed,
}

impl Fresh {
    /// What the proof says.
    #[must_use]
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    /// The request.
    #[must_use]
    pub fn received(&self) -> &Received {
        &self.received
    }

    pub(crate) fn into_parts(self) -> (Received, Signed) {
        (self.received, self.signed)
    }
}

impl Window {
    /// These limits; `None` for a scheme that signs no time.
    #[must_use]
    pub fn new(limits: Option<Freshness>) -> Self {
        Self(limits)
    }

    /// The same limits for what is of no use when it is late.
    #[must_use]
    pub fn without_late(self) -> Self {
        Self(self.0.map(|limits| Freshness {
            late: limits.max_age,
            ..limits
        }))
    }

    /// Whether it is older than `max_age`, and passes only where the ledger proves it unseen.
    #[must_use]
    pub fn is_late(self, at: Timestamp, now: Timestamp) -> bool {
        let age = now.duration_since(at);
        self.0
            .and_then(|limits| SignedDuration::try_from(limits.max_age).ok())
            .is_some_and(|limit| age > limit)
    }

    /// The longest time for which one request stays acceptable.
    #[must_use]
    pub fn span(self) -> Duration {
        let span = |limits: Freshness| limits.late.max(limits.max_age) + limits.max_skew;
        self.0.map(span).unwrap_or_default()
    }

    /// Admits what is younger than `max_age`, and what is `late` where the ledger remembers
    /// everything since it was signed: then it was never delivered, or the ledger would know.
    /// All limits are inclusive.
    ///
    /// # Errors
    /// [`Rejection::Future`], [`Rejection::Stale`] or [`Rejection::Unproven`].
    pub fn check(
        &self,
        authentic: Authentic,
        now: Timestamp,
        complete_since: Timestamp,
    ) -> Result<Fresh, Rejection> {
        let at = authentic.signed().at;
        match (self.0, at) {
            (None, _) => {}
            // A scheme with limits signs a time; without it nothing is fresh.
            (Some(_), None) => return Err(Rejection::MissingProof),
            (Some(limits), Some(at)) => judge(limits, at, now, complete_since)?,
        }
        let (received, signed) = authentic.into_parts();
        Ok(Fresh { received, signed })
    }
}

fn judge(
    limits: Freshness,
    at: Timestamp,
    now: Timestamp,
    complete_since: Timestamp,
) -> Result<(), Rejection> {
    let age = now.duration_since(at);
    let limit = |limit| SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
    if age < SignedDuration::ZERO && age.unsigned_abs() > limits.max_skew {
        return Err(Rejection::Future);
    }
    if age <= limit(limits.max_age) {
        return Ok(());
    }
    if age > limit(limits.late) {
        return Err(Rejection::Stale);
    }
    if at < complete_since {
        return Err(Rejection::Unproven);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    const LIMITS: Freshness = Freshness {
        max_age: Duration::from_secs(300),
        max_skew: Duration::from_secs(60),
        late: Duration::from_secs(3600),
    };

    fn verdict(age: i64, memory: i64) -> Result<(), Rejection> {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let ago = |seconds| now - SignedDuration::from_secs(seconds);
        judge(LIMITS, ago(age), now, ago(memory))
    }

    #[test]
    fn every_limit_is_inclusive_to_the_second() {
        for (age, memory, expected) in [
            (0, 0, Ok(())),
            (-60, 0, Ok(())),
            (-61, 0, Err(Rejection::Future)),
            (300, 0, Ok(())),
            (301, 0, Err(Rejection::Unproven)),
            (301, 300, Err(Rejection::Unproven)),
            (301, 301, Ok(())),
            (3600, 9999, Ok(())),
            (3601, 9999, Err(Rejection::Stale)),
            (i64::from(i32::MAX), 0, Err(Rejection::Stale)),
        ] {
            assert_eq!(verdict(age, memory), expected, "age {age}, memory {memory}");
        }
    }

    proptest! {
        #[test]
        fn nothing_old_passes_without_a_memory_of_its_time(age in 301i64..100_000, memory in 0i64..100_000) {
            let passed = verdict(age, memory).is_ok();
            prop_assert_eq!(passed, age <= 3600 && memory >= age);
        }
    }
}
