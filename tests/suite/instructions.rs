//! What the judgement costs, in instructions: unlike times, they are the same on every run.

use std::collections::BTreeMap;
use std::fs;

use serde::{Deserialize, Serialize};

use crate::harness::judged::{Judged, TIME};
use crate::harness::*;

/// By so many percent a count may differ from the recorded one. What differs from run to run, by the seeds of
/// hash maps, is less than a third of it.
const TOLERANCE: f64 = 1.0;
/// The same where another compiler, tool or processor counts than did for the record.
const TOLERANCE_ELSEWHERE: f64 = 25.0;
const ANEW: &str = "`make instructions` records what it costs now";

/// `tests/bench/instructions.json`.
#[derive(Serialize, Deserialize)]
struct Record {
    /// What was counted with.
    setting: String,
    /// For each notification, by kind.
    instructions: BTreeMap<String, u64>,
}

/// Nor fewer: a record that is far too high would let the next regression pass.
#[test]
fn no_scheme_costs_more_instructions_than_are_recorded() {
    let Some(valgrind) = Valgrind::find() else {
        return;
    };
    let config = Config::judged();
    let count = |judged: Judged| {
        let requests: Vec<_> = (0..judged.count).map(&judged.request).collect();
        let config = config.clone().reduced_to(&requests[..1]);
        let warm = judged.count / 4;
        let counted = valgrind.instructions(&config, TIME, warm, &requests);
        (judged.name, counted)
    };
    let counted = Record {
        setting: valgrind.setting(),
        instructions: judged::all().into_iter().map(count).collect(),
    };
    let file = tests_folder().join("bench/instructions.json");
    if std::env::var_os("RECORD_INSTRUCTIONS").is_some() {
        let text = serde_json::to_string_pretty(&counted).unwrap() + "\n";
        return fs::write(file, text).unwrap();
    }
    let record: Record = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let complaints = compare(&counted, &record);
    assert!(complaints.is_empty(), "{}\n{ANEW}", complaints.join("\n"));
}

fn compare(counted: &Record, record: &Record) -> Vec<String> {
    let tolerance = match counted.setting == record.setting {
        true => TOLERANCE,
        false => {
            let (now, then) = (&counted.setting, &record.setting);
            eprintln!("counted with {now}, and recorded with {then}: {TOLERANCE_ELSEWHERE} % pass");
            TOLERANCE_ELSEWHERE
        }
    };
    let mut complaints = Vec::new();
    for (name, count) in &counted.instructions {
        let Some(recorded) = record.instructions.get(name) else {
            complaints.push(format!("{name}: {count} instructions, and none recorded"));
            continue;
        };
        let more = (*count as f64 / *recorded as f64 - 1.0) * 100.0;
        if more.abs() > tolerance {
            complaints.push(format!(
                "{name}: {count} instructions, {more:+.1} % against the {recorded} recorded"
            ));
        }
    }
    let gone =
        { record.instructions.keys() }.filter(|name| !counted.instructions.contains_key(*name));
    complaints.extend(gone.map(|name| format!("{name}: recorded, and no longer counted")));
    complaints
}

fn record(setting: &str, instructions: &[(&str, u64)]) -> Record {
    let instructions = instructions.iter();
    Record {
        setting: setting.to_owned(),
        instructions: instructions.map(|(n, i)| (n.to_string(), *i)).collect(),
    }
}

#[test]
fn what_costs_more_or_less_than_is_recorded_is_told() {
    let recorded = record("here", &[("doku", 10_000), ("snap", 10_000)]);
    let told = |setting, doku, snap| {
        let counted = record(setting, &[("doku", doku), ("snap", snap)]);
        compare(&counted, &recorded)
    };
    assert!(told("here", 10_099, 9_901).is_empty());
    assert_eq!(
        told("here", 10_110, 9_000),
        [
            "doku: 10110 instructions, +1.1 % against the 10000 recorded",
            "snap: 9000 instructions, -10.0 % against the 10000 recorded",
        ]
    );
    assert!(told("elsewhere", 12_490, 7_510).is_empty());
    assert_eq!(told("elsewhere", 12_600, 7_400).len(), 2);
}

#[test]
fn what_stands_on_one_side_alone_is_told() {
    let [doku, snap] = ["doku", "snap"].map(|name| record("here", &[(name, 10_000)]));
    assert_eq!(
        compare(&doku, &snap),
        [
            "doku: 10000 instructions, and none recorded",
            "snap: recorded, and no longer counted",
        ]
    );
}
