//! The signed time against now.

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
    unseen_since: Option<Timestamp>,
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

    /// Where it is late: it passes only if the ledger proves that it was not delivered since then, which is a
    /// little before it was signed.
    #[must_use]
    pub fn unseen_since(&self) -> Option<Timestamp> {
        self.unseen_since
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

    /// Admits what is younger than `max_age`, and what is `late` on a condition that the ledger
    /// checks: that it remembers everything since it can have come first. Then it was never delivered, or the
    /// ledger would know. All limits are inclusive.
    ///
    /// # Errors
    /// [`Rejection::Future`] or [`Rejection::Stale`].
    pub fn check(&self, authentic: Authentic, now: Timestamp) -> Result<Fresh, Rejection> {
        let unseen_since = match (self.0, authentic.signed().at) {
            (None, _) => None,
            // A scheme with limits signs a time; without it nothing is fresh.
            (Some(_), None) => return Err(Rejection::MissingProof),
            (Some(limits), Some(at)) => judge(limits, at, now)?,
        };
        let (received, signed) = authentic.into_parts();
        Ok(Fresh {
            received,
            signed,
            unseen_since,
        })
    }
}

/// A notification comes before its signed time where the gateway's clock is ahead of ours: by this much at
/// most, where both are set over the network, and by less where even `max_age` is less. More would refuse
/// genuine retries for as much longer after a memory has begun.
const CLOCKS_DIFFER: Duration = Duration::from_secs(30);

/// Of what is late, the earliest time at which it can have been delivered.
fn judge(limits: Freshness, at: Timestamp, now: Timestamp) -> Result<Option<Timestamp>, Rejection> {
    let age = now.duration_since(at);
    let limit = |limit| SignedDuration::try_from(limit).unwrap_or(SignedDuration::MAX);
    if age < SignedDuration::ZERO && age.unsigned_abs() > limits.max_skew {
        return Err(Rejection::Future);
    }
    if age <= limit(limits.max_age) {
        return Ok(None);
    }
    if age > limit(limits.late) {
        return Err(Rejection::Stale);
    }
    let ahead = CLOCKS_DIFFER.min(limits.max_skew).min(limits.max_age);
    let since = SignedDuration::try_from(ahead)
        .ok()
        .and_then(|ahead| at.checked_sub(ahead).ok());
    Ok(Some(since.unwrap_or(Timestamp::MIN)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const LIMITS: Freshness = Freshness {
        max_age: Duration::from_secs(300),
        max_skew: Duration::from_secs(60),
        late: Duration::from_secs(3600),
    };

    #[test]
    fn every_limit_is_inclusive_to_the_second() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        for (age, is_late) in [
            (0, Ok(false)),
            (-60, Ok(false)),
            (-61, Err(Rejection::Future)),
            (300, Ok(false)),
            (301, Ok(true)),
            (3600, Ok(true)),
            (3601, Err(Rejection::Stale)),
            (i64::from(i32::MAX), Err(Rejection::Stale)),
        ] {
            let at = now - SignedDuration::from_secs(age);
            let earliest = at - SignedDuration::from_secs(30);
            let expected = is_late.map(|is_late| is_late.then_some(earliest));
            assert_eq!(judge(LIMITS, at, now), expected, "age {age}");
        }
    }
}
