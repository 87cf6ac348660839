//! What the store does in one step. Each script touches one entry, and its shard's memory, whose
//! keys lie in the same slot of a cluster.

use super::super::{Attempt, Key};
use crate::rejection::{Rejection, Stored};
use ::redis::aio::ConnectionLike;
use ::redis::{FromRedisValue, RedisResult, Script, ScriptInvocation, Value};
use std::time::Duration;

/// Parts of the key space that remember by themselves since when they are complete: in a cluster,
/// one node may lose its data alone.
pub(super) const SHARDS: &str = "0123456789abcdef";

/// A script that only reads when the store is out of memory.
const CLAIM: &str = concat!(
    include_str!("memory.lua"),
    include_str!("entry.lua"),
    include_str!("claim.lua")
);

/// What ends a claim needs hardly more memory than the claim had, and must not fail for the lack
/// of it. Source: <https://redis.io/docs/latest/develop/programmability/eval-intro/#script-flags>
const SETTLE: &str = concat!(
    "#!lua flags=allow-oom\n",
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

    pub(super) fn claim(&self, attempt: &Attempt, token: u128) -> ScriptInvocation<'_> {
        let signed = attempt.unseen_since.map(|at| at.as_millisecond());
        let mut call = self.claim.key(self.entry(attempt.key));
        call.key(self.beside(shard(attempt.key), "memory"))
            .arg(&token.to_be_bytes())
            .arg(&attempt.content)
            .arg(millis(attempt.lease))
            .arg(millis(attempt.remember))
            .arg(signed.map(|at| at.to_string()).unwrap_or_default());
        call
    }

    pub(super) fn settle(
        &self,
        attempt: &Attempt,
        token: u128,
        answer: &Stored,
        number: i64,
    ) -> ScriptInvocation<'_> {
        let mut call = self.settle.key(self.entry(attempt.key));
        call.key(self.mark(shard(attempt.key)))
            .arg(&token.to_be_bytes())
            .arg(&attempt.content)
            .arg(millis(attempt.remember))
            .arg(answer.status)
            .arg(answer.content_type.as_deref().unwrap_or_default())
            .arg(&*answer.body)
            .arg(number);
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

    pub(super) fn check(&self, shard: char, known: i64, number: i64) -> ScriptInvocation<'_> {
        let mut call = self.check.key(self.beside(shard, "memory"));
        call.key(self.mark(shard)).arg(known).arg(number);
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

/// The first hex digit of a key.
pub(super) fn shard(key: Key) -> char {
    char::from_digit(u32::from(key.first() >> 4), 16).unwrap_or('0')
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
