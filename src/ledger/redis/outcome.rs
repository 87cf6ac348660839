//! What the app said is written down: at once, or in the background for as long as it takes.

use super::figures::Operation;
use super::marks::shard;
use super::script::Settled;
use super::step::Failure;
use super::{Link, Redis};
use crate::ledger::claim::{Ending, Hold};
use crate::ledger::{Attempt, Key};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout_at};

/// How long the background waits before it tries again.
const AGAIN: Duration = Duration::from_millis(250);
/// The same for what could not be written in the time of a lease, though the store can be reached.
const SELDOM: Duration = Duration::from_secs(5);
/// Deliveries that wait for the store at a time: each holds an answer of up to 8 KiB.
const MOST_UNSETTLED: usize = 10_000;

impl Redis {
    /// Ends a claim, unless another has taken it over.
    pub(in super::super) async fn end(
        self: &Arc<Self>,
        attempt: &Attempt,
        hold: Hold,
        ending: Ending,
    ) {
        let waiting = (attempt.key, hold.token);
        let is_delivered = matches!(ending, Ending::Delivered { .. });
        if is_delivered {
            self.count_unsettled(|unsettled| unsettled.insert(waiting));
        }
        match self.try_end(attempt, hold, &ending).await {
            Ok(Settled::Recorded) => {}
            Ok(Settled::Other) => self.lose(attempt.key),
            Ok(Settled::Held) | Err(_) => return self.end_later(attempt, hold, ending),
        }
        if is_delivered {
            self.count_unsettled(|unsettled| unsettled.remove(&waiting));
        }
    }

    /// Ends it in the background.
    pub(in super::super) fn end_later(
        self: &Arc<Self>,
        attempt: &Attempt,
        hold: Hold,
        ending: Ending,
    ) {
        // Without a runtime, nothing was ever claimed.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let (redis, attempt) = (Arc::clone(self), *attempt);
        if matches!(ending, Ending::Free { .. }) {
            runtime.spawn(async move { redis.persist_release(&attempt, hold, &ending).await });
            return;
        }
        let waiting = (attempt.key, hold.token);
        if self.unsettled.borrow().len() > MOST_UNSETTLED {
            self.count_unsettled(|unsettled| unsettled.remove(&waiting));
            self.lose(attempt.key);
            return self.marks.miss(shard(attempt.key));
        }
        runtime.spawn(async move {
            redis.persist_delivery(&attempt, hold, &ending).await;
            redis.count_unsettled(|unsettled| unsettled.remove(&waiting));
        });
    }

    fn count_unsettled(&self, change: impl FnOnce(&mut BTreeSet<(Key, u128)>) -> bool) {
        self.unsettled.send_modify(|unsettled| {
            change(unsettled);
            let count = i64::try_from(unsettled.len()).unwrap_or(i64::MAX);
            self.figures.unsettled.set(count);
        });
    }

    /// Until the lease ends: it ends the claim as well.
    async fn persist_release(&self, attempt: &Attempt, hold: Hold, ending: &Ending) {
        while Instant::now() < attempt.until() {
            let until = (attempt.until(), AGAIN);
            if self.try_until(until, attempt, hold, ending).await.is_some() {
                return;
            }
        }
    }

    /// Until nobody would take a copy any more: what was delivered stays true when its lease is over.
    async fn persist_delivery(&self, attempt: &Attempt, hold: Hold, ending: &Ending) {
        while Instant::now() < attempt.until() {
            let until = (attempt.until(), AGAIN);
            match self.try_until(until, attempt, hold, ending).await {
                None => {}
                Some(true) => return,
                Some(false) => return self.lose(attempt.key),
            }
        }
        self.lose(attempt.key);
        let end = attempt.now + attempt.remember;
        while Instant::now() < end {
            let until = (end, SELDOM);
            if self.try_until(until, attempt, hold, ending).await.is_some() {
                return;
            }
        }
        self.marks.miss(shard(attempt.key));
    }

    fn lose(&self, id: Key) {
        self.figures.lost.inc();
        tracing::error!(
            %id,
            "a delivery could not be recorded before its lease ended: a copy may reach the app again"
        );
    }

    /// Tries once when the store takes it; comes back a while later where it did not. True where it is recorded,
    /// false where it never can be.
    async fn try_until(
        &self,
        (until, pause): (Instant, Duration),
        attempt: &Attempt,
        hold: Hold,
        ending: &Ending,
    ) -> Option<bool> {
        let takes = |link: &Link| link.takes(Operation::Settle).is_some();
        let mut link = self.link.subscribe();
        let waited = timeout_at(until.into(), link.wait_for(takes)).await.is_ok();
        if waited {
            match self.try_end(attempt, hold, ending).await {
                Ok(Settled::Recorded) => return Some(true),
                Ok(Settled::Other) => return Some(false),
                Ok(Settled::Held) | Err(_) => {}
            }
        }
        sleep(pause).await;
        None
    }

    async fn try_end(
        &self,
        attempt: &Attempt,
        hold: Hold,
        ending: &Ending,
    ) -> Result<Settled, Failure> {
        let answer = match ending {
            Ending::Delivered { answer, .. } => answer,
            Ending::Free { seen } => {
                let call = self.scripts.release(attempt, hold.token, *seen);
                let released = self.run::<bool>(Operation::Release, &call).await;
                return released.map(|_| Settled::Recorded);
            }
        };
        let shard = shard(attempt.key);
        let known = self.marks.of(shard).acknowledged;
        let call = self.scripts.settle(attempt, hold.token, answer);
        let (settled, before, after): (_, i64, i64) = self.run(Operation::Settle, &call).await?;
        // Some were lost, and those that follow would make up for their number.
        if before < known {
            self.marks.miss(shard);
            self.doubt.notify_one();
        }
        self.marks.acknowledge(shard, after);
        Ok(settled)
    }

    pub(in super::super) fn unsettled(&self) -> Vec<Key> {
        let unsettled = self.unsettled.borrow();
        unsettled.iter().map(|(key, _)| *key).collect()
    }

    /// Comes back when the store knows of every delivery.
    pub(in super::super) async fn settled(&self) {
        let mut unsettled = self.unsettled.subscribe();
        let _ = unsettled.wait_for(BTreeSet::is_empty).await;
    }
}
