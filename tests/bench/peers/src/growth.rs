//! What grows with what: one curve for each thing there can be more of. Every figure is for one unit
//! of the work, so that a curve that rises grows worse than the work does.

mod connections;
mod content;
mod curve;
mod ledger;
mod settings;

use std::fmt::Write;
use std::fs;
use std::ops::Range;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::Fallible;
use crate::figures::Sample;
use crate::guard::Guard;
use crate::load::Plan;
use crate::machine::{Machine, keep_to_two_cores, open_many};
use crate::plot;
use crate::servers::{Kawal, Server, app};
use crate::set::Set;
use crate::signer::Kind;
use crate::words::Words;

use curve::table;
pub(crate) use curve::{Curve, Role, Series};

/// What a run leaves behind.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Growth {
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) curves: Vec<Curve>,
    /// What could not be measured, and why.
    pub(crate) faults: Vec<String>,
}

/// What all curves are measured with.
pub(crate) struct Field<'a> {
    guard: &'a Guard,
    app: Server<'a>,
    binary: &'a Path,
    rounds: usize,
}

impl<'a> Field<'a> {
    /// Warms up with the first of a set and measures with those behind them.
    fn cost(&self, server: &Server<'_>, set: &Set, plan: Plan) -> Fallible<Sample> {
        plan.warm_up(set).run(self.guard, server.port)?;
        let measured = plan.measured(set);
        let (sample, seen) = measured.cost(self.guard, server, server.port)?;
        if !plan.is_done(&seen, 0.0) {
            return Err(format!("{} sent: {seen:?}", plan.count).into());
        }
        Ok(sample)
    }

    /// Signs notifications of DOKU's kind.
    fn sign(&self, size: usize, numbers: Range<usize>) -> Fallible<Set> {
        Set::sign(self.guard, &Kind::Doku, size, numbers)
    }

    /// Starts a Kawal with this configuration.
    fn start(&self, template: &str, capacity: usize, secrets: usize) -> Fallible<Server<'a>> {
        let kawal = Kawal {
            binary: self.binary,
            with_redis: false,
            capacity,
            template,
            secrets,
        };
        kawal.start(self.guard, self.app.port)
    }
}

/// The word of a curve, and how it is measured.
type Measure = (&'static str, fn(&Field<'_>) -> Fallible<Curve>);

const ALL: [Measure; 6] = [
    ("ledger", ledger::measure),
    ("idle", connections::idle),
    ("connections", connections::busy),
    ("bodies", content::bodies),
    ("routes", settings::routes),
    ("clients", settings::clients),
];

/// Measures, prints the tables and stores them.
pub(crate) fn run(words: &Words) -> Fallible<()> {
    if let Some(word) = words
        .only
        .iter()
        .find(|word| ALL.iter().all(|(one, _)| one != word))
    {
        let names: Vec<_> = ALL.iter().map(|(word, _)| *word).collect();
        return Err(format!("{word} is no curve; there are: {}", names.join(",")).into());
    }
    let machine = Machine::look(words)?;
    keep_to_two_cores()?;
    open_many()?;
    let guard = Guard::new()?;
    let binary = words.binaries.first().ok_or("there is no Kawal")?;
    let field = Field {
        guard: &guard,
        app: app(&guard)?,
        binary: &binary.path,
        rounds: words.rounds,
    };
    let mut growth = Growth {
        machine,
        rounds: words.rounds,
        curves: Vec::new(),
        faults: Vec::new(),
    };
    for (word, measure) in ALL {
        if words.only.is_empty() || words.only.iter().any(|other| other == word) {
            match measure(&field) {
                Ok(curve) => {
                    println!("{}", table(&curve));
                    growth.curves.push(curve);
                }
                Err(fault) => growth.faults.push(fault.to_string()),
            }
        }
    }
    fs::create_dir_all(&words.out)?;
    let json = serde_json::to_string(&growth)? + "\n";
    fs::write(words.out.join("growth.json"), json)?;
    write(words, &growth)?;
    println!("stored in {}", words.out.display());
    if growth.faults.is_empty() {
        Ok(())
    } else {
        Err(growth.faults.join("\n").into())
    }
}

/// Writes tables and charts anew, from the figures of an earlier run if there was one.
pub(crate) fn draw(words: &Words) -> Fallible<()> {
    match fs::read_to_string(words.out.join("growth.json")) {
        Ok(text) => write(words, &serde_json::from_str(&text)?),
        Err(_) => Ok(()),
    }
}

fn write(words: &Words, growth: &Growth) -> Fallible<()> {
    let mut page = format!(
        "# What grows with what\n\nBy `make bench-growth` on {}. Medians of {} rounds, with the least and the most in brackets.\n\nNotifications of 90 bytes, signed as DOKU does, over 32 connections, unless a table says otherwise; of many routes the first one is used, of many clients the last one. What is of one unit of the work should not grow: the last line of a table says what became of it from the first value to the last.\n\n![All curves](growth.svg)\n",
        growth.machine.sentence(),
        growth.rounds
    );
    for curve in &growth.curves {
        let _ = write!(page, "\n{}", table(curve));
    }
    fs::write(words.out.join("growth.md"), page)?;
    Ok(fs::write(words.out.join("growth.svg"), plot::draw(growth))?)
}
