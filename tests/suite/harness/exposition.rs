//! What Kawal exports, by names: what a query may ask for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::promql::Query;
use super::{App, Config, Kawal, Store};

/// The labels of each metric, and the values that were seen under them.
#[derive(Clone, Debug, Default)]
pub struct Exposition(BTreeMap<String, Labels>);

type Labels = BTreeMap<String, BTreeSet<String>>;

/// What Prometheus gives every series, or is told to.
pub const SCRAPED: [&str; 3] = ["namespace", "job", "instance"];

impl Exposition {
    /// Reads a page of the admin listener.
    pub fn of(page: &str) -> Self {
        let mut all = Self::default();
        for line in page.lines().filter(|line| !line.starts_with('#')) {
            let Some((series, _)) = line.rsplit_once(' ') else {
                continue;
            };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let known = all.0.entry(name.to_owned()).or_default();
            let labels = labels.trim_end_matches('}');
            for label in labels.split("\",").filter(|label| !label.is_empty()) {
                let (label, value) = label.split_once("=\"").unwrap();
                let values = known.entry(label.to_owned()).or_default();
                values.insert(value.trim_end_matches('"').to_owned());
            }
        }
        all
    }

    /// All that a process exports from its start, with a ledger in memory or in Redis.
    pub fn of_every_kind() -> Self {
        static ALL: OnceLock<Exposition> = OnceLock::new();
        let read = || {
            let app = App::start();
            let pages = [Store::Memory, Store::Redis].map(|store| {
                let kawal = Kawal::start(Config::snap(&app).on(&store));
                Self::of(&kawal.metrics())
            });
            pages.into_iter().fold(Self::default(), Self::and)
        };
        ALL.get_or_init(read).clone()
    }

    /// The series of both.
    pub fn and(mut self, other: Self) -> Self {
        for (metric, labels) in other.0 {
            let known = self.0.entry(metric).or_default();
            for (label, values) in labels {
                known.entry(label).or_default().extend(values);
            }
        }
        self
    }

    /// With what a rule makes of this query: its first metric, by fewer labels.
    pub fn record(mut self, name: &str, query: &Query) -> Self {
        let source = &query.selectors[0].metric;
        let mut labels = self.0.get(source).cloned().unwrap_or_default();
        labels.retain(|label, _| query.labels.contains(label));
        self.0.insert(name.to_owned(), labels);
        self
    }

    /// What each metric is called, without the endings of a histogram's parts.
    pub fn families(&self) -> BTreeSet<String> {
        self.0.keys().map(|name| family(name).to_owned()).collect()
    }

    pub fn has(&self, metric: &str, label: &str) -> bool {
        let known = self.0.get(metric);
        known.is_some_and(|labels| labels.contains_key(label))
    }

    /// Fails when the query asks for a metric, a label or a value that is not exported.
    #[track_caller]
    pub fn answers(&self, query: &Query, place: &str) {
        let mut labels: BTreeSet<&str> = SCRAPED.into();
        for selector in &query.selectors {
            let metric = &selector.metric;
            let known = self.0.get(metric);
            let known = known.unwrap_or_else(|| panic!("{place}: no metric {metric}"));
            labels.extend(known.keys().map(String::as_str));
            for (label, asked) in &selector.matchers {
                if SCRAPED.contains(&label.as_str()) {
                    continue;
                }
                let values = known.get(label);
                let values = values.unwrap_or_else(|| panic!("{place}: no {label} in {metric}"));
                for value in asked.split('|').filter(|value| *value != ANY) {
                    assert!(
                        values.contains(value),
                        "{place}: {metric} has no {label}=\"{value}\", only {values:?}"
                    );
                }
            }
        }
        for label in &query.labels {
            let known = labels.contains(label.as_str());
            assert!(known, "{place}: none of its metrics has {label}");
        }
    }
}

/// What stands for a variable of the dashboard.
pub const ANY: &str = ".*";

/// A counter's `_total` is part of its name, a histogram's endings are not.
pub fn family(name: &str) -> &str {
    let endings = ["_bucket", "_sum", "_count"];
    let ending = endings.into_iter().find(|ending| name.ends_with(ending));
    ending.map_or(name, |ending| &name[..name.len() - ending.len()])
}
