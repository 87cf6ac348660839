//! One curve: what was measured while there was more and more of one thing.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::Fallible;
use crate::compare::cell;
use crate::figures::Spread;

/// What a figure is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Role {
    /// Of one unit of the work, so that it should not grow; it is drawn.
    Unit,
    /// Drawn beside the one before it.
    Beside,
    /// Only told.
    Told,
}

/// One figure along a curve.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) decimals: usize,
    pub(crate) role: Role,
    /// For each step of the curve a value for each round, or none at all.
    pub(crate) steps: Vec<Vec<f64>>,
}

impl Series {
    /// For each step, unless it has no value.
    pub(crate) fn spreads(&self) -> Vec<Option<Spread>> {
        let spread = |values: &Vec<f64>| Spread::of(values.iter().copied());
        let steps = self.steps.iter();
        steps
            .map(|values| (!values.is_empty()).then(|| spread(values)))
            .collect()
    }

    /// The last median as a multiple of the first.
    fn growth(&self) -> f64 {
        let spreads: Vec<_> = self.spreads().into_iter().flatten().collect();
        let median = |spread: Option<&Spread>| spread.map_or(0.0, |spread| spread.median);
        median(spreads.last()) / median(spreads.first())
    }
}

/// What was measured while there was more and more of one thing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Curve {
    pub(crate) title: String,
    /// The thing, and how much of it there was.
    pub(crate) of: String,
    pub(crate) steps: Vec<usize>,
    pub(crate) series: Vec<Series>,
}

impl Curve {
    /// One round measures all steps, so that what disturbs the machine disturbs all of them.
    /// `measure` gives the values of all series.
    pub(super) fn measure(
        (title, of): (&str, &str),
        steps: &[usize],
        series: &[(&str, usize, Role)],
        rounds: usize,
        mut measure: impl FnMut(usize, usize) -> Fallible<Vec<f64>>,
    ) -> Fallible<Self> {
        let empty = |(name, decimals, role): &(&str, usize, Role)| Series {
            name: (*name).to_owned(),
            decimals: *decimals,
            role: *role,
            steps: vec![Vec::new(); steps.len()],
        };
        let mut series: Vec<Series> = series.iter().map(empty).collect();
        for round in 0..rounds {
            for (index, step) in steps.iter().enumerate() {
                let values = measure(round, *step).map_err(|fault| format!("{title}: {fault}"))?;
                eprintln!("{title}, round {}: {step} {of}: {values:.1?}", round + 1);
                // Where there is nothing to divide by, there is no value.
                let values = series.iter_mut().zip(values);
                for (series, value) in values.filter(|(_, value)| value.is_finite()) {
                    series
                        .steps
                        .get_mut(index)
                        .ok_or("a step too much")?
                        .push(value);
                }
            }
        }
        Ok(Self {
            title: title.to_owned(),
            of: of.to_owned(),
            steps: steps.to_vec(),
            series,
        })
    }
}

/// As a table in Markdown.
pub(super) fn table(curve: &Curve) -> String {
    let mut table = format!("## {}\n\n| {} |", curve.title, curve.of);
    for series in &curve.series {
        let _ = write!(table, " {} |", series.name);
    }
    let _ = write!(table, "\n|---|{}", "---|".repeat(curve.series.len()));
    for (index, step) in curve.steps.iter().enumerate() {
        let _ = write!(table, "\n| {step} |");
        for series in &curve.series {
            let spread = series.spreads().get(index).copied().flatten();
            let shown = |spread| cell(spread, series.decimals);
            let _ = write!(table, " {} |", spread.map_or("-".to_owned(), shown));
        }
    }
    let _ = write!(table, "\n| from first to last |");
    for series in &curve.series {
        let growth = (series.role != Role::Told).then(|| format!("× {:.2}", series.growth()));
        let _ = write!(table, " {} |", growth.unwrap_or("-".to_owned()));
    }
    table + "\n"
}
