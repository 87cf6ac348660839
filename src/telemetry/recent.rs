//! The last decisions, for whoever looks.

use crate::forward::Verdict;
use crate::ledger::Key;
use jiff::Timestamp;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;

/// So many are kept.
const KEPT: usize = 50;

/// What was decided of one notification.
#[derive(Clone, Debug)]
pub struct RecentDecision {
    /// When.
    pub time: Timestamp,
    /// Whose it was.
    pub gateway: Arc<str>,
    /// Where it came.
    pub route: Arc<str>,
    /// The configured id of its client, where it is proven.
    pub client: Option<Arc<str>>,
    /// What it has come to.
    pub outcome: &'static str,
    /// Why it was refused.
    pub reason: Option<&'static str>,
    /// What observe mode says.
    pub verdict: Option<Verdict>,
    /// Its key in the ledger.
    pub id: Option<Key>,
    /// How often the app may have seen it.
    pub attempt: Option<u32>,
    /// Seconds since it was signed.
    pub age_s: Option<i64>,
    /// What the gateway was answered; `None` where it had to make way.
    pub status: Option<u16>,
    /// What the app answered.
    pub app_status: Option<u16>,
    /// Microseconds from its head to its answer.
    pub total_us: u64,
}

/// The last decisions.
#[derive(Debug, Default)]
pub struct Recent(Mutex<VecDeque<RecentDecision>>);

impl Recent {
    pub(super) fn add(&self, decision: RecentDecision) {
        let mut kept = self.0.lock();
        if kept.len() == KEPT {
            kept.pop_back();
        }
        kept.push_front(decision);
    }

    /// All of them, newest first.
    #[must_use]
    pub fn all(&self) -> Vec<RecentDecision> {
        self.0.lock().iter().cloned().collect()
    }
}
