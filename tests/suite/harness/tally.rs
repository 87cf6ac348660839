//! What a test sent, what the log told and what the metrics counted, in a form in which they can be compared.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::page::Page;
use super::{Kawal, PATIENCE};

/// How often each gateway's notifications came to what, and for which reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// By gateway and outcome.
    pub outcomes: Counts,
    /// By gateway and reason; the gateway is empty where there was no route.
    pub reasons: Counts,
}

pub type Counts = BTreeMap<(String, String), u64>;

impl Tally {
    /// One more that came to this; empty words count nothing.
    pub fn add(&mut self, gateway: &str, outcome: &str, reason: &str) {
        for (counts, word) in [(&mut self.outcomes, outcome), (&mut self.reasons, reason)] {
            if !word.is_empty() {
                *counts.entry((gateway.into(), word.into())).or_default() += 1;
            }
        }
    }

    /// What the log says: one line for each notification, and one for each request that was none.
    pub fn of_log(lines: &[Value]) -> Self {
        let mut tally = Self::default();
        for line in lines {
            let text = |name: &str| line[name].as_str().unwrap_or_default();
            match text("message") {
                "notification" => tally.add(text("gateway"), text("outcome"), text("reason")),
                "refused" => tally.add(text("gateway"), "", text("reason")),
                _ => {}
            }
        }
        tally
    }

    /// What is counted, without what never happened.
    pub fn of_page(page: &Page) -> Self {
        let counts = |name: &str, label: &str| -> Counts {
            let series = page.all(name, &[]).filter(|sample| sample.value > 0.0);
            let key = |name: &str, labels: &super::page::Labels| labels[name].clone();
            series
                .map(|sample| {
                    assert_eq!(sample.labels.len(), 2, "{sample:?}");
                    let key = (key("gateway", &sample.labels), key(label, &sample.labels));
                    (key, sample.value as u64)
                })
                .collect()
        };
        Self {
            outcomes: counts("kawal_notifications_total", "outcome"),
            reasons: counts("kawal_rejections_total", "reason"),
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (counts, others) in [
            (&mut self.outcomes, &other.outcomes),
            (&mut self.reasons, &other.reasons),
        ] {
            for (key, count) in others {
                *counts.entry(key.clone()).or_default() += count;
            }
        }
    }

    pub fn notifications(&self) -> u64 {
        self.outcomes.values().sum()
    }
}

impl Kawal {
    /// Waits until as much is counted as was sent, and compares all: neither more nor less, nor anything else.
    #[track_caller]
    pub fn assert_counted(&self, sent: &Tally) {
        let total = |tally: &Tally| tally.notifications() + tally.reasons.values().sum::<u64>();
        let until = Instant::now() + PATIENCE;
        while total(&Tally::of_page(&self.page())) < total(sent) {
            if Instant::now() > until {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(Tally::of_page(&self.page()), *sent, "counted, sent");
        let told = || Tally::of_log(&self.log());
        while total(&told()) < total(sent) && Instant::now() < until {
            thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(told(), *sent, "told, sent");
    }
}
