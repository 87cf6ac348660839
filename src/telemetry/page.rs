//! The metrics as they are read.

use super::families::SKEW;
use super::metrics::{Metrics, Readings};
use crate::answer::Answer;
use prometheus_client::encoding::text;
use std::fmt::Write as _;

/// The two forms of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// <https://prometheus.io/docs/instrumenting/exposition_formats/>
    Prometheus,
    /// <https://prometheus.io/docs/specs/om/open_metrics_spec/>
    OpenMetrics,
}

impl Format {
    /// The one that a reader asks for in its `Accept` header.
    #[must_use]
    pub fn accepted(accept: Option<&str>) -> Self {
        match accept.is_some_and(|accept| {
            accept
                .to_ascii_lowercase()
                .contains("application/openmetrics-text")
        }) {
            true => Self::OpenMetrics,
            false => Self::Prometheus,
        }
    }
}

/// All metrics.
#[must_use]
pub fn page(metrics: &Metrics, now: Readings, format: Format) -> Answer {
    let mut body = String::new();
    // Writing to memory does not fail.
    let _ = text::encode(&mut body, metrics.read(now));
    let (body, form) = match format {
        Format::Prometheus => (plain(&body), "text/plain; version=0.0.4; charset=utf-8"),
        Format::OpenMetrics => (
            without_negative_sums(&body),
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        ),
    };
    Answer {
        status: 200,
        headers: vec![("Content-Type".to_owned(), form.into())],
        body: body.into(),
    }
}

/// A histogram whose values may be negative has neither sum nor count there. Source:
/// <https://prometheus.io/docs/specs/om/open_metrics_spec/#histogram>
fn without_negative_sums(text: &str) -> String {
    let may_stay = |line: &&str| {
        let of_skew = line.strip_prefix(SKEW);
        of_skew.is_none_or(|rest| !rest.starts_with("_sum") && !rest.starts_with("_count"))
    };
    let lines = text.lines().filter(may_stay);
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The same in the older form: there a family is named as its samples are, and no type is `info`.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let described = line
            .strip_prefix("# HELP ")
            .and_then(|rest| rest.split_once(' '));
        let Some((name, help)) = described else {
            if line != "# EOF" {
                let _ = writeln!(plain, "{line}");
            }
            continue;
        };
        let kind = lines.next_if(|line| line.starts_with("# TYPE "));
        let kind = kind
            .and_then(|line| line.rsplit(' ').next())
            .unwrap_or("untyped");
        let (name, kind) = match kind {
            "counter" => (format!("{name}_total"), "counter"),
            "info" => (format!("{name}_info"), "gauge"),
            other => (name.to_owned(), other),
        };
        let _ = writeln!(plain, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_form_names_families_as_their_samples() {
        let text = "# HELP a What runs.\n# TYPE a info\na_info{v=\"1\"} 1\n# HELP b Bs.\n# TYPE b counter\n\
                    b_total 2\n# HELP c Cs.\n# TYPE c gauge\nc 3\n# EOF\n";
        let expected = "# HELP a_info What runs.\n# TYPE a_info gauge\na_info{v=\"1\"} 1\n# HELP b_total Bs.\n\
                        # TYPE b_total counter\nb_total 2\n# HELP c Cs.\n# TYPE c gauge\nc 3\n";
        assert_eq!(plain(text), expected);
    }
}
