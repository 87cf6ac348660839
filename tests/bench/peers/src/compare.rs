//! All contestants beside each other: in every round each of them once, in turn.

use std::fs;

use serde::{Deserialize, Serialize};

use crate::Fallible;
use crate::chart;
use crate::contestant::{Contestant, chosen};
use crate::figures::{Row, Sample, Spread};
use crate::flood::{self, Flood};
use crate::guard::Guard;
use crate::load::Plan;
use crate::machine::{Machine, keep_to_two_cores};
use crate::servers::{Kawal, USUAL, app};
use crate::sets::Sets;
use crate::table;
use crate::token;
use crate::trial::Stage;
use crate::words::Words;

/// What a run leaves behind.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) machine: Machine,
    pub(crate) rounds: usize,
    pub(crate) notifications: usize,
    pub(crate) connections: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) floods: Vec<Flood>,
    /// Who did not do its work, and how that showed; it has no figures.
    pub(crate) faults: Vec<String>,
}

/// Measures, prints the tables and stores them.
pub(crate) fn run(words: &Words) -> Fallible<()> {
    let contestants = chosen(words)?;
    let machine = Machine::look(words)?;
    keep_to_two_cores()?;
    let guard = Guard::new()?;
    let app = app(&guard)?;
    let stage = Stage {
        guard: &guard,
        app: &app,
        plan: Plan {
            connections: words.connections,
            count: words.notifications,
        },
    };
    let token = token(&stage, words)?;
    let mut results = Results {
        machine,
        rounds: words.rounds,
        notifications: words.notifications,
        connections: words.connections,
        rows: Vec::new(),
        floods: Vec::new(),
        faults: Vec::new(),
    };
    for (index, size) in words.sizes.iter().enumerate() {
        let differs = |one: &&Contestant| index == 0 || one.has_body();
        let contestants: Vec<_> = contestants.iter().filter(differs).cloned().collect();
        let sets = Sets::sign(&stage, *size, &token, &contestants)?;
        let (rows, faults) = rounds(&stage, words.rounds, &sets, &contestants);
        println!("{}", table::of_size(*size, &rows));
        results.rows.extend(rows);
        results.faults.extend(faults);
    }
    if words.flood {
        match flood::run(&stage, words.rounds, &token, &contestants) {
            Ok(floods) => results.floods = floods,
            Err(fault) => results.faults.push(fault.to_string()),
        }
        println!("{}", table::of_floods(&results.floods));
    }
    store(words, &results)?;
    if results.faults.is_empty() {
        Ok(())
    } else {
        Err(results.faults.join("\n").into())
    }
}

/// A token that is good in all rounds, under whichever Kawal.
fn token(stage: &Stage<'_>, words: &Words) -> Fallible<String> {
    let binary = words.binaries.first().ok_or("there is no Kawal")?;
    let kawal = Kawal {
        binary: &binary.path,
        with_redis: false,
        capacity: 1000,
        template: USUAL,
        secrets: 0,
    };
    token::fetch(kawal.start(stage.guard, stage.app.port)?.port)
}

/// Every contestant in every round, until it fails.
fn rounds(
    stage: &Stage<'_>,
    rounds: usize,
    sets: &Sets,
    contestants: &[Contestant],
) -> (Vec<Row>, Vec<String>) {
    let row = |one: &Contestant| Row {
        word: one.word.to_owned(),
        name: one.name.clone(),
        size: sets.size(),
        samples: Vec::new(),
    };
    let mut rows: Vec<Row> = contestants.iter().map(row).collect();
    let mut faults: Vec<(String, String)> = Vec::new();
    for round in 0..rounds {
        for (contestant, row) in turn(contestants, &mut rows, round) {
            if faults.iter().any(|(name, _)| *name == row.name) {
                continue;
            }
            match stage.measure(contestant, sets) {
                Ok(sample) => {
                    eprintln!("{}", line(row, round, &sample));
                    row.samples.push(sample);
                }
                Err(fault) => {
                    eprintln!("{}: {fault}", row.name);
                    let sentence = format!("{}, {} B: {fault}", row.name, row.size);
                    faults.push((row.name.clone(), sentence));
                }
            }
        }
    }
    rows.retain(|row| faults.iter().all(|(name, _)| *name != row.name));
    (rows, faults.into_iter().map(|(_, fault)| fault).collect())
}

fn line(row: &Row, round: usize, sample: &Sample) -> String {
    let cpu = sample.user + sample.system;
    let (size, round, name) = (row.size, round + 1, &row.name);
    format!(
        "{size} B, round {round}: {name}: {:.0}/s, {cpu:.1} us",
        sample.rate
    )
}

/// In another order each round, so that none always follows the same other.
pub(crate) fn turn<'a, R>(
    contestants: &'a [Contestant],
    rows: &'a mut [R],
    round: usize,
) -> Vec<(&'a Contestant, &'a mut R)> {
    let mut order: Vec<_> = contestants.iter().zip(rows).collect();
    // Five is prime to the numbers of contestants that there usually are.
    let by = (round * 5) % order.len().max(1);
    order.rotate_left(by);
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

/// Writes the tables and the chart anew, from the figures of an earlier run.
pub(crate) fn draw(words: &Words) -> Fallible<()> {
    let file = words.out.join("results.json");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    write(words, &serde_json::from_str(&text)?)
}

fn store(words: &Words, results: &Results) -> Fallible<()> {
    fs::create_dir_all(&words.out)?;
    let json = serde_json::to_string(results)? + "\n";
    fs::write(words.out.join("results.json"), json)?;
    write(words, results)?;
    println!("stored in {}", words.out.display());
    Ok(())
}

fn write(words: &Words, results: &Results) -> Fallible<()> {
    fs::write(words.out.join("results.md"), table::page(results))?;
    fs::write(words.out.join("chart.svg"), chart::draw(results))?;
    // A part of the contestants is not what a README shows.
    let is_whole = words.only.is_empty() && results.faults.is_empty();
    if let Some(readme) = words.readme.as_ref().filter(|_| is_whole) {
        let text = fs::read_to_string(readme)?;
        fs::write(
            readme,
            table::replaced(&text, &table::short(&results.rows))?,
        )?;
    }
    Ok(())
}

/// A median with what it lies between, in as many decimals.
pub(crate) fn cell(spread: Spread, decimals: usize) -> String {
    let Spread {
        least,
        median,
        most,
    } = spread;
    format!("{median:.decimals$} ({least:.decimals$}..{most:.decimals$})")
}
