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
mod info;
mod marks;
mod outcome;
mod script;
mod step;

pub use address::{Address, Password};
pub use complaint::Complaint;

use super::claim::{Ending, Hold};
use super::{Attempt, Basis, Key};
use crate::rejection::Rejection;
use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use connection::Connection;
use figures::{Figures, Operation};
use jiff::Timestamp;
use marks::Marks;
use parking_lot::Mutex;
use prometheus_client::registry::Registry;
use schemars::JsonSchema;
use script::{Claimed, Scripts};
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};
use step::Failure;
use tokio::sync::{Notify, watch};

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
    bases: Mutex<Bases>,
    /// Which turn of the bases the store was told last.
    told: watch::Sender<u64>,
    /// Somebody has reason to doubt the link.
    doubt: Notify,
    /// Deliveries that the store does not know of yet, each with its claim's token.
    unsettled: watch::Sender<BTreeSet<(Key, u128)>>,
}

/// The bases of entries that may be late, and how often they changed.
#[derive(Clone)]
struct Bases {
    list: Box<[Basis]>,
    /// Those that were always among them since the store was told last: what came in between is named otherwise.
    kept: Box<[Basis]>,
    turn: u64,
}

/// What was seen of the store at the last look.
#[derive(Default)]
struct Seen {
    connection: Option<Connection>,
    /// How many connections there were.
    number: u64,
    complaint: Option<Complaint>,
    is_clock_off: bool,
    /// What the store's clock said, in microseconds since 1970, and when it was asked.
    told_time: Option<(i64, Instant)>,
    /// When the log last told of a refusal.
    told: Option<Instant>,
}

/// What the store can be reached through.
#[derive(Clone, Debug)]
enum Link {
    Down,
    /// Outcomes are written, and nothing is claimed yet: no copy overtakes what the app took before.
    Settling(Opened),
    Up(Opened),
}

/// A connection, and how many there were before.
#[derive(Clone, Debug)]
struct Opened {
    connection: Connection,
    number: u64,
}

impl Link {
    /// What this step can be taken through.
    fn takes(&self, operation: Operation) -> Option<&Opened> {
        match (self, operation) {
            (Self::Up(opened), _)
            | (Self::Settling(opened), Operation::Settle | Operation::Release) => Some(opened),
            (Self::Down | Self::Settling(_), _) => None,
        }
    }
}

impl Redis {
    pub(super) fn new(settings: Settings, bases: &[Basis]) -> Self {
        Self {
            scripts: Scripts::new(settings.prefix.clone(), process().into()),
            figures: Figures::new(),
            settings,
            link: watch::Sender::new(Link::Down),
            seen: Mutex::default(),
            marks: Marks::default(),
            bases: Mutex::new(Bases {
                kept: bases.into(),
                list: bases.into(),
                turn: 1,
            }),
            told: watch::Sender::default(),
            doubt: Notify::new(),
            unsettled: watch::Sender::default(),
        }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        self.figures.register(registry);
    }

    pub(super) fn is_up(&self) -> bool {
        matches!(&*self.link.borrow(), Link::Up(_))
    }

    /// From now on entries have these bases; comes back when the store knows, or while nothing can be
    /// claimed in it.
    pub(super) async fn follow(&self, bases: &[Basis]) {
        let turn = {
            let mut followed = self.bases.lock();
            if *followed.list == *bases {
                return;
            }
            followed.list = bases.into();
            let kept = followed.kept.iter().filter(|basis| bases.contains(basis));
            followed.kept = kept.copied().collect();
            followed.turn += 1;
            followed.turn
        };
        self.doubt.notify_one();
        let (mut told, mut links) = (self.told.subscribe(), self.link.subscribe());
        let is_closed = |link: &Link| matches!(link, Link::Down);
        tokio::select! {
            _ = told.wait_for(|told| *told >= turn) => {}
            _ = links.wait_for(is_closed) => {}
        }
    }

    /// The right to make the next attempt.
    pub(super) async fn claim(self: &Arc<Self>, attempt: &Attempt) -> Result<Hold, Rejection> {
        let hold = Hold {
            attempt: 1,
            token: token()?,
            is_known: true,
        };
        let call = self.scripts.claim(attempt, hold.token, Timestamp::now());
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
        match self.run(Operation::Keep, &call).await {
            Ok(kept) => Ok(kept),
            Err(Failure::Full) => Err(Rejection::Saturated),
            Err(_) if self.settings.unavailable == Unavailable::Forward => {
                self.figures.bypassed.inc();
                tracing::error!(id = %key, "a token is granted without the ledger");
                Ok(seconds)
            }
            Err(Failure::Down | Failure::Unsure | Failure::Refused) => Err(Rejection::StoreDown),
        }
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
