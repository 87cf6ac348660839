//! What the admin listener counts, as Prometheus would read it.

use std::thread;
use std::time::{Duration, Instant};

use super::{Kawal, PATIENCE};

impl Kawal {
    /// The value of a metric without labels; fails when there is none.
    #[track_caller]
    pub fn metric(&self, name: &str) -> f64 {
        self.metric_with(name, "")
    }

    /// The value of a metric that has these labels (`operation="claim"`); fails when there is none.
    #[track_caller]
    pub fn metric_with(&self, name: &str, labels: &str) -> f64 {
        let text = self.metrics();
        let found = sample(&text, name, labels);
        found.unwrap_or_else(|| panic!("no {name}{{{labels}}} in {text}"))
    }

    /// Waits until a metric without labels has this value.
    #[track_caller]
    pub fn wait_for_metric(&self, name: &str, value: f64) {
        self.wait_for_metric_with(name, "", value);
    }

    #[track_caller]
    pub fn wait_for_metric_with(&self, name: &str, labels: &str, value: f64) {
        let until = Instant::now() + PATIENCE;
        loop {
            let text = self.metrics();
            let found = sample(&text, name, labels);
            if found.is_some_and(|found| (found - value).abs() < 1e-9) {
                return;
            }
            let late = Instant::now() > until;
            assert!(!late, "{name}{{{labels}}} is not {value} in {text}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// The whole page.
    #[track_caller]
    pub fn metrics(&self) -> String {
        let answer = self.admin("/metrics");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    }
}

/// The value of the line with this name and these labels among its own; without any, of the bare line.
fn sample(page: &str, name: &str, labels: &str) -> Option<f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let mut values = lines.filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (found, own) = series.split_once('{').unwrap_or((series, ""));
        let meant = found == name && own.is_empty() == labels.is_empty() && own.contains(labels);
        meant.then(|| value.parse().expect("a number"))
    });
    values.next()
}
