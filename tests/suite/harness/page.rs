//! A strict reader of the metrics page: what it refuses, some scraper would refuse or misread.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

pub use super::sample::{Labels, Sample, number};
use super::{Kawal, Plain, Request, Response};

/// A page whose every line was understood.
#[derive(Debug, Default)]
pub struct Page(BTreeMap<String, Family>);

/// All samples under one name.
#[derive(Debug)]
pub struct Family {
    pub kind: String,
    pub samples: Vec<Sample>,
}

/// The two forms that there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Prometheus,
    OpenMetrics,
}

impl Kawal {
    #[track_caller]
    pub fn page(&self) -> Page {
        Page::of(self.admin_addr())
    }
}

impl Plain {
    #[track_caller]
    pub fn page(&self) -> Page {
        Page::of(self.admin_addr())
    }
}

impl Page {
    /// The page of this admin listener, in the form that is the default.
    #[track_caller]
    pub fn of(admin: SocketAddr) -> Self {
        let answer = Request::new("GET", "/metrics").send(admin);
        Self::read(&answer, Dialect::Prometheus)
    }

    /// An answer that says that it is of this form, and is.
    #[track_caller]
    pub fn read(answer: &Response, dialect: Dialect) -> Self {
        assert_eq!(answer.status, 200, "{answer:?}");
        let kind = answer.header("content-type").expect("a type");
        assert!(kind.starts_with(dialect.media_type()), "{kind}");
        let text = String::from_utf8(answer.body.clone()).expect("UTF-8");
        Self::parse(&text, dialect).unwrap_or_else(|why| panic!("{why}\n{text}"))
    }

    /// # Errors
    /// The first line that is wrong, and why.
    pub fn parse(text: &str, dialect: Dialect) -> Result<Self, String> {
        let mut page = Self::default();
        let mut current = Open::default();
        let body = match dialect {
            Dialect::Prometheus => text.strip_suffix('\n').ok_or("no line end at the end")?,
            Dialect::OpenMetrics => text
                .strip_suffix("\n# EOF\n")
                .ok_or("no # EOF at the end")?,
        };
        for line in body.split('\n') {
            let read = match line.strip_prefix("# ") {
                Some(comment) => page.comment(comment, &mut current, dialect),
                None => page.sample(line, &mut current, dialect),
            };
            read.map_err(|why| format!("{why}: {line:?}"))?;
        }
        page.close(&mut current)?;
        Ok(page)
    }

    fn comment(&mut self, text: &str, open: &mut Open, dialect: Dialect) -> Result<(), String> {
        let mut words = text.splitn(3, ' ');
        let mut word = || words.next().unwrap_or_default();
        let (what, name, rest) = (word(), word(), word());
        if open.name != name || open.is_full() {
            self.close(open)?;
            if self.0.contains_key(name) {
                return Err("a family comes twice".to_owned());
            }
            open.name = name.to_owned();
        }
        let place = match what {
            "HELP" => &mut open.help,
            "TYPE" => &mut open.kind,
            "UNIT" if dialect == Dialect::OpenMetrics => &mut open.unit,
            _ => return Err("a comment of no use".to_owned()),
        };
        match place.replace(rest.to_owned()) {
            None if !rest.is_empty() => Ok(()),
            None => Err("says nothing".to_owned()),
            Some(_) => Err("said twice".to_owned()),
        }
    }

    fn sample(&mut self, line: &str, open: &mut Open, dialect: Dialect) -> Result<(), String> {
        let sample = Sample::parse(line)?;
        let kind = open.kind.as_deref().ok_or("a sample before its TYPE")?;
        let suffix = sample.name.strip_prefix(&open.name).ok_or("a stranger")?;
        let known = suffixes(kind, dialect).ok_or_else(|| format!("no type {kind}"))?;
        if !known.contains(&suffix) {
            return Err(format!("no {kind} has this name"));
        }
        if kind == "counter" && (!sample.value.is_finite() || sample.value < 0.0) {
            return Err("a counter that does not count".to_owned());
        }
        open.samples.push(sample);
        Ok(())
    }

    /// The family that was read is whole.
    fn close(&mut self, open: &mut Open) -> Result<(), String> {
        let Open {
            name,
            help,
            kind,
            unit,
            samples,
        } = std::mem::take(open);
        if name.is_empty() {
            return Ok(());
        }
        let wrong = |why: &str| Err(format!("{name}: {why}"));
        let (Some(_), Some(kind)) = (help, kind) else {
            return wrong("HELP or TYPE is missing");
        };
        if unit.is_some_and(|unit| !name.ends_with(&format!("_{unit}"))) {
            return wrong("not in its unit");
        }
        if !name.starts_with("kawal_") {
            return wrong("not one of ours");
        }
        let distinct: BTreeSet<_> = samples.iter().map(Sample::series).collect();
        if distinct.len() != samples.len() {
            return wrong("a series comes twice");
        }
        self.0.insert(name, Family { kind, samples });
        Ok(())
    }

    pub fn names(&self) -> BTreeSet<String> {
        self.0.keys().cloned().collect()
    }

    pub fn kind(&self, family: &str) -> Option<&str> {
        self.0.get(family).map(|family| family.kind.as_str())
    }

    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.0.values().flat_map(|family| &family.samples)
    }

    /// Every series that there is, without its value.
    pub fn series(&self) -> BTreeSet<String> {
        self.samples().map(Sample::series).collect()
    }

    /// The series of this name that have these labels among theirs.
    pub fn all<'a>(
        &'a self,
        name: &'a str,
        labels: &'a [(&str, &str)],
    ) -> impl Iterator<Item = &'a Sample> {
        self.samples()
            .filter(move |sample| sample.name == name && sample.has(labels))
    }

    /// The value of the one series of this name that has these labels.
    #[track_caller]
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let found: Vec<_> = self.all(name, labels).collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?}");
        found[0].value
    }

    /// The sum over all series of this name that have these labels.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.all(name, labels).map(|sample| sample.value).sum()
    }
}

/// A family that is being read.
#[derive(Default)]
struct Open {
    name: String,
    help: Option<String>,
    kind: Option<String>,
    unit: Option<String>,
    samples: Vec<Sample>,
}

impl Open {
    /// What describes a family comes before its first sample.
    fn is_full(&self) -> bool {
        !self.samples.is_empty()
    }
}

impl Dialect {
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4",
            Self::OpenMetrics => "application/openmetrics-text",
        }
    }
}

fn suffixes(kind: &str, dialect: Dialect) -> Option<&'static [&'static str]> {
    Some(match (kind, dialect) {
        ("gauge", _) => &[""],
        ("counter", Dialect::Prometheus) => &[""],
        ("counter", Dialect::OpenMetrics) => &["_total"],
        ("info", Dialect::OpenMetrics) => &["_info"],
        ("histogram", _) => &["_bucket", "_sum", "_count"],
        _ => return None,
    })
}
