//! What the store does in one step. Each script touches one entry, and its shard's memory or the process'
//! mark there, whose keys lie in the same slot of a cluster.

use super::super::{Attempt, Basis, Key};
use super::marks::{Mark, shard};
use crate::rejection::{Rejection, Stored};
use ::redis::aio::ConnectionLike;
use ::redis::{FromRedisValue, RedisResult, Script, ScriptInvocation, Value};
use jiff::Timestamp;
use std::time::Duration;

/// Without flags: when the store is out of memory, it answers what only has to be read, and fails before it
/// has written anything.
const CLAIM: &str = concat!(
    include_str!("clock.lua"),
    include_str!("memory.lua"),
    include_str!("entry.lua"),
    include_str!("claim.lua")
);

/// What ends a claim needs hardly more memory than the claim had, and must not fail for the lack
/// of it. Source: <https://redis.io/docs/latest/develop/programmability/eval-intro/#script-flags>
const SETTLE: &str = concat!(
    "#!lua flags=allow-oom\n",
    include_str!("clock.lua"),
    include_str!("mark.lua"),
    include_str!("entry.lua"),
    include_str!("settle.lua")
);
const RELEASE: &str = concat!(
    "#!lua flags=allow-oom\n",
    include_str!("entry.lua"),
    include_str!("release.lua")
);
const KEEP: &str = include_str!("keep.lua");
const CHECK: &str = concat!(
    "#!lua flags=allow-oom\n",
    include_str!("clock.lua"),
    include_str!("memory.lua"),
    include_str!("mark.lua"),
    include_str!("check.lua")
);

/// The scripts, and the names of the keys that they are given.
pub(super) struct Scripts {
    prefix: Box<str>,
    process: Box<str>,
    claim: Script,
    settle: Script,
    release: Script,
    keep: Script,
    check: Script,
}

impl Scripts {
    /// `process` is a name that no other process has.
    pub(super) fn new(prefix: Box<str>, process: Box<str>) -> Self {
        Self {
            prefix,
            process,
            claim: Script::new(CLAIM),
            settle: Script::new(SETTLE),
            release: Script::new(RELEASE),
            keep: Script::new(KEEP),
            check: Script::new(CHECK),
        }
    }

    /// Makes a new connection know all of them. Whoever calls one loads it where it is missing, so
    /// this only spares the first calls a round trip.
    pub(super) async fn load(&self, connection: &mut impl ConnectionLike) -> RedisResult<()> {
        for script in [
            &self.claim,
            &self.settle,
            &self.release,
            &self.keep,
            &self.check,
        ] {
            script.load_async(connection).await?;
        }
        Ok(())
    }

    /// In a cluster whose slots move, keys of one slot are on two nodes for a while: where the shard's memory
    /// is of no interest, it is not named.
    pub(super) fn claim(
        &self,
        attempt: &Attempt,
        token: u128,
        ours: Timestamp,
    ) -> ScriptInvocation<'_> {
        let mut call = self.claim.key(self.entry(attempt.key));
        if attempt.unseen_since.is_some() {
            call.key(self.beside(shard(attempt.key), "memory"));
        }
        call.arg(&token.to_be_bytes())
            .arg(&attempt.content)
            .arg(millis(attempt.lease))
            .arg(millis(attempt.remember));
        if let Some(at) = attempt.unseen_since {
            call.arg(at.as_millisecond())
                .arg(ours.as_millisecond())
                .arg(attempt.basis.to_string());
        }
        call
    }

    pub(super) fn settle(
        &self,
        attempt: &Attempt,
        token: u128,
        answer: &Stored,
    ) -> ScriptInvocation<'_> {
        let mut call = self.settle.key(self.entry(attempt.key));
        call.key(self.mark(shard(attempt.key)))
            .arg(&token.to_be_bytes())
            .arg(&attempt.content)
            .arg(millis(attempt.remember))
            .arg(answer.status)
            .arg(answer.content_type.as_deref().unwrap_or_default())
            .arg(&*answer.body);
        call
    }

    pub(super) fn release(
        &self,
        attempt: &Attempt,
        token: u128,
        seen: bool,
    ) -> ScriptInvocation<'_> {
        let mut call = self.release.key(self.entry(attempt.key));
        call.arg(&token.to_be_bytes())
            .arg(millis(attempt.remember))
            .arg(u8::from(seen));
        call
    }

    pub(super) fn keep(&self, key: Key, seconds: i64, remember: Duration) -> ScriptInvocation<'_> {
        let mut call = self.keep.key(self.entry(key));
        call.arg(seconds).arg(millis(remember));
        call
    }

    /// Whether the store has what it acknowledged; `anyway` writes, whether anything changed or not.
    pub(super) fn check(
        &self,
        (shard, mark): (char, Mark),
        anyway: bool,
        bases: &[Basis],
        ours: Timestamp,
    ) -> ScriptInvocation<'_> {
        let mut call = self.check.key(self.beside(shard, "memory"));
        call.key(self.mark(shard))
            .arg(ours.as_millisecond())
            .arg(mark.acknowledged)
            .arg(u8::from(mark.lacks()))
            .arg(u8::from(anyway));
        for basis in bases {
            call.arg(basis.to_string());
        }
        call
    }

    /// What stands in braces decides over the slot. Source:
    /// <https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags>
    fn entry(&self, key: Key) -> String {
        self.beside(shard(key), &key.to_string())
    }

    fn mark(&self, shard: char) -> String {
        self.beside(shard, &format!("mark:{}", self.process))
    }

    fn beside(&self, shard: char, name: &str) -> String {
        format!("{}:{{{shard}}}:{name}", self.prefix)
    }
}

/// At least one: the store takes no entry that lives for no time.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .max(1)
}

/// What a claim comes to.
pub(super) enum Claimed {
    Held(u32),
    Not(Rejection),
}

impl FromRedisValue for Claimed {
    fn from_redis_value(value: Value) -> Result<Self, ::redis::ParsingError> {
        let odd = || ::redis::ParsingError::from("an answer of no known form");
        let Value::Array(fields) = value else {
            return Err(odd());
        };
        let mut fields = fields.into_iter();
        let mut next = || fields.next().ok_or_else(odd);
        let word: String = ::redis::from_redis_value(next()?)?;
        Ok(match word.as_str() {
            "held" => Self::Held(::redis::from_redis_value(next()?)?),
            "busy" => Self::Not(Rejection::InFlight {
                wait: Duration::from_millis(::redis::from_redis_value(next()?)?),
            }),
            "conflict" => Self::Not(Rejection::Conflict),
            "unproven" => Self::Not(Rejection::Unproven),
            "down" => Self::Not(Rejection::StoreDown),
            "delivered" => {
                let status = ::redis::from_redis_value(next()?)?;
                let content_type: String = ::redis::from_redis_value(next()?)?;
                let body: Vec<u8> = ::redis::from_redis_value(next()?)?;
                Self::Not(Rejection::Repeat(Stored {
                    status,
                    content_type: (!content_type.is_empty()).then(|| content_type.into()),
                    body: body.into(),
                }))
            }
            _ => return Err(odd()),
        })
    }
}

/// What a delivery comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// It is known from now on.
    Recorded,
    /// Another claim is at the app.
    Held,
    /// One with another content was delivered under this key.
    Other,
}

impl FromRedisValue for Settled {
    fn from_redis_value(value: Value) -> Result<Self, ::redis::ParsingError> {
        match ::redis::from_redis_value(value)? {
            0 => Ok(Self::Held),
            1 => Ok(Self::Recorded),
            2 => Ok(Self::Other),
            _ => Err(::redis::ParsingError::from("an answer of no known form")),
        }
    }
}
