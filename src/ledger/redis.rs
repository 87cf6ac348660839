//! The ledger in a store that replicas share: Redis or Valkey.
//!
//! Every step is one script on one entry, so it happens whole or not at all, by the store's clock. A
//! token tells a claim from every other, so that a step whose reply was lost can be taken again.
//! The connection is made and examined by [`Redis::keep_connected`] alone: nothing is claimed in a
//! store that may forget.

mod address;
mod channel;
mod complaint;
mod connection;
mod examine;
mod figures;
mod marks;
mod script;
mod step;

pub use address::{Address, Password};
pub use complaint::Complaint;

use super::claim::{Ending, Hold};
use super::{Attempt, Key};
use crate::rejection::Rejection;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use connection::Connection;
use figures::{Figures, Operation};
use marks::Marks;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use schemars::JsonSchema;
use script::{Claimed, Scripts};
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use step::Failure;
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout_at};

/// What becomes of a notification when the store does not answer.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Unavailable {
    /// 503: the gateway tries again.
    #[default]
    Reject,
    /// It goes to the app unclaimed: a copy may reach the app too.
    Forward,
}

/// How the store is used.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it is.
    pub address: Address,
    /// What all keys begin with.
    pub prefix: Box<str>,
    /// One step, a second try included.
    pub timeout: Duration,
    /// What becomes of notifications without it.
    pub unavailable: Unavailable,
}

/// The store, as one replica sees it.
pub(super) struct Redis {
    settings: Settings,
    scripts: Scripts,
    figures: Figures,
    link: watch::Sender<Link>,
    seen: Mutex<Seen>,
    marks: Marks,
    /// Somebody has reason to doubt the link.
    doubt: Notify,
    /// Deliveries that the store does not know of yet.
    unsettled: watch::Sender<usize>,
}

/// What was seen of the store at the last look.
#[derive(Default)]
struct Seen {
    connection: Option<Connection>,
    /// How many connections there were.
    number: u64,
    complaint: Option<Complaint>,
    is_clock_off: bool,
}

/// What claims are made through.
#[derive(Clone, Debug)]
enum Link {
    Down,
    Up { connection: Connection, number: u64 },
}

/// How long the background waits before it tries again.
const AGAIN: Duration = Duration::from_millis(250);

impl Redis {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            scripts: Scripts::new(settings.prefix.clone(), process().into()),
            figures: Figures::new(),
            settings,
            link: watch::Sender::new(Link::Down),
            seen: Mutex::default(),
            marks: Marks::default(),
            doubt: Notify::new(),
            unsettled: watch::Sender::new(0),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        self.figures.register(registry);
    }

    /// The right to make the next attempt.
    pub(super) async fn claim(self: &Arc<Self>, attempt: &Attempt) -> Result<Hold, Rejection> {
        let hold = Hold {
            attempt: 1,
            token: token()?,
            is_known: true,
        };
        let call = self.scripts.claim(attempt, hold.token);
        let failure = match self.run(Operation::Claim, &call).await {
            Ok(Claimed::Held(attempt)) => return Ok(Hold { attempt, ..hold }),
            Ok(Claimed::Not(why)) => return Err(why),
            Err(Failure::Full) => return Err(Rejection::Saturated),
            Err(failure) => failure,
        };
        // What has to be proven unseen cannot be, without the store.
        let forward = self.settings.unavailable == Unavailable::Forward;
        if forward && attempt.unseen_since.is_none() {
            self.figures.bypassed.inc();
            return Ok(Hold {
                is_known: false,
                ..hold
            });
        }
        if failure == Failure::Unsure {
            self.end_later(attempt, hold, Ending::Free { seen: false });
        }
        Err(Rejection::StoreDown)
    }

    /// What is known under a key from now on: `seconds`, unless another time is already.
    pub(super) async fn keep(
        &self,
        key: Key,
        seconds: i64,
        remember: Duration,
    ) -> Result<i64, Rejection> {
        let call = self.scripts.keep(key, seconds, remember);
        self.run(Operation::Keep, &call)
            .await
            .map_err(|failure| match failure {
                Failure::Full => Rejection::Saturated,
                Failure::Down | Failure::Unsure | Failure::Refused => Rejection::StoreDown,
            })
    }

    /// Ends a claim, unless another has taken it over.
    pub(super) async fn end(self: &Arc<Self>, attempt: &Attempt, hold: Hold, ending: Ending) {
        if self.try_end(attempt, hold, &ending).await.is_err() {
            self.end_later(attempt, hold, ending);
        }
    }

    /// Ends it in the background, as long as the lease lasts: afterwards it has no say.
    pub(super) fn end_later(self: &Arc<Self>, attempt: &Attempt, hold: Hold, ending: Ending) {
        // Without a runtime, nothing was ever claimed.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (redis, attempt) = (Arc::clone(self), *attempt);
        let waits = matches!(ending, Ending::Delivered(_));
        if waits {
            self.unsettled.send_modify(|count| *count += 1);
            self.figures.unsettled.inc();
        }
        runtime.spawn(async move {
            redis.persist(&attempt, hold, &ending).await;
            if waits {
                redis.unsettled.send_modify(|count| *count -= 1);
                redis.figures.unsettled.dec();
            }
        });
    }

    async fn persist(&self, attempt: &Attempt, hold: Hold, ending: &Ending) {
        let until = attempt.until();
        let up = |link: &Link| matches!(link, Link::Up { .. });
        let mut link = self.link.subscribe();
        while Instant::now() < until {
            let is_up = timeout_at(until.into(), link.wait_for(up)).await.is_ok();
            if is_up && self.try_end(attempt, hold, ending).await.is_ok() {
                return;
            }
            sleep(AGAIN).await;
        }
        if matches!(ending, Ending::Delivered(_)) {
            self.marks.forget(script::shard(attempt.key));
            self.figures.lost.inc();
            tracing::error!(
                id = %attempt.key,
                "a delivery could not be recorded before its lease ended: a copy reaches the app again"
            );
        }
    }

    async fn try_end(&self, attempt: &Attempt, hold: Hold, ending: &Ending) -> Result<(), Failure> {
        let (shard, number) = (script::shard(attempt.key), self.marks.next());
        let (operation, call) = match ending {
            Ending::Delivered(answer) => {
                let call = self.scripts.settle(attempt, hold.token, answer, number);
                (Operation::Settle, call)
            }
            Ending::Free { seen } => {
                let call = self.scripts.release(attempt, hold.token, *seen);
                (Operation::Release, call)
            }
        };
        let is_ours: bool = self.run(operation, &call).await?;
        if matches!(ending, Ending::Free { .. }) {
            return Ok(());
        }
        self.marks.acknowledge(shard, number, number);
        if !is_ours {
            self.figures.lost.inc();
            tracing::warn!(
                id = %attempt.key,
                "a delivery came after its claim: another copy may have reached the app"
            );
        }
        Ok(())
    }

    pub(super) fn unsettled(&self) -> usize {
        *self.unsettled.borrow()
    }

    /// Comes back when the store knows of every delivery.
    pub(super) async fn settled(&self) {
        let mut unsettled = self.unsettled.subscribe();
        let _ = unsettled.wait_for(|count| *count == 0).await;
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// A name that no other process has; where the system gives no random bits, no claim is made either.
fn process() -> String {
    format!("{:032x}", token().unwrap_or_default())
}

/// 128 random bits.
fn token() -> Result<u128, Rejection> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Rejection::Internal)?;
    Ok(u128::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests;
