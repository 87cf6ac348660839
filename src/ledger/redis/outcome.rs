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
        if self.try_end(attempt, hold, &ending).await != Ok(true) {
            self.end_later(attempt, hold, ending);
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
        if self.unsettled.borrow().len() >= MOST_UNSETTLED {
            self.lose(attempt.key);
            return self.marks.miss(shard(attempt.key));
        }
        self.count_unsettled(|unsettled| unsettled.insert(waiting));
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
            if self.try_until(attempt.until(), attempt, hold, ending).await {
                return;
            }
        }
    }

    /// Until nobody would take a copy any more: what was delivered stays true when its lease is over.
    async fn persist_delivery(&self, attempt: &Attempt, hold: Hold, ending: &Ending) {
        while Instant::now() < attempt.until() {
            if self.try_until(attempt.until(), attempt, hold, ending).await {
                return;
            }
        }
        self.lose(attempt.key);
        let end = attempt.now + attempt.remember;
        while Instant::now() < end {
            if self.try_until(end, attempt, hold, ending).await {
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

    /// Tries once when the store takes it; comes back a while later where it did not.
    async fn try_until(
        &self,
        until: Instant,
        attempt: &Attempt,
        hold: Hold,
        ending: &Ending,
    ) -> bool {
        let takes = |link: &Link| link.takes(Operation::Settle).is_some();
        let mut link = self.link.subscribe();
        let waited = timeout_at(until.into(), link.wait_for(takes)).await.is_ok();
        if waited && self.try_end(attempt, hold, ending).await == Ok(true) {
            return true;
        }
        sleep(AGAIN).await;
        false
    }

    /// False where another claim is at the app, and has to end first.
    async fn try_end(
        &self,
        attempt: &Attempt,
        hold: Hold,
        ending: &Ending,
    ) -> Result<bool, Failure> {
        let answer = match ending {
            Ending::Delivered { answer, .. } => answer,
            Ending::Free { seen } => {
                let call = self.scripts.release(attempt, hold.token, *seen);
                return self
                    .run::<bool>(Operation::Release, &call)
                    .await
                    .map(|_| true);
            }
        };
        let call = self.scripts.settle(attempt, hold.token, answer);
        let (settled, number) = self.run(Operation::Settle, &call).await?;
        self.marks.acknowledge(shard(attempt.key), number);
        match settled {
            Settled::Recorded => Ok(true),
            Settled::Held => Ok(false),
            Settled::Other => {
                self.lose(attempt.key);
                Ok(true)
            }
        }
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
