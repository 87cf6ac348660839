//! The ledger: what a notification costs, and what an entry takes, the more of them there are.

use super::{Curve, Field, Role};
use crate::Fallible;
use crate::figures::MEBIBYTE;
use crate::load::{Load, Plan};
use crate::servers::{Server, USUAL};
use crate::trial::check_lines;

const STEPS: [usize; 4] = [0, 10_000, 100_000, 1_000_000];
const CAPACITY: usize = 2_000_000;
/// Of each step.
const PLAN: Plan = Plan {
    connections: 32,
    count: 10_000,
};
/// A set holds no more, which wrk keeps in memory as a whole.
const CHUNK: usize = 100_000;

/// The smaller ledgers are filled anew in each round; the largest one is filled once and lasts.
pub(crate) fn measure(field: &Field<'_>) -> Fallible<Curve> {
    let last = STEPS.iter().max().copied().unwrap_or_default();
    let large = field.start(USUAL, CAPACITY, 0)?;
    let mut without = 0.0;
    fill(field, &large, last)?;
    Curve::measure(
        ("Entries in the ledger", "entries"),
        &STEPS,
        &[
            ("CPU µs each", 1, Role::Unit),
            ("p99 µs", 0, Role::Told),
            ("bytes an entry", 0, Role::Unit),
            ("MiB", 1, Role::Told),
        ],
        field.rounds,
        |round, step| {
            let from = if step == last {
                last + round * PLAN.whole()
            } else {
                last
            };
            let set = field.sign(90, from + 1..from + 1 + PLAN.whole())?;
            let fresh = (step != last).then(|| field.start(USUAL, CAPACITY, 0));
            let fresh = fresh.transpose()?;
            let server = fresh.as_ref().unwrap_or(&large);
            if fresh.is_some() {
                fill(field, server, step)?;
            }
            let sample = field.cost(server, &set, PLAN)?;
            check_lines(server)?;
            if step == 0 {
                without = sample.idle;
            }
            let entries = from_zero(step, round);
            let entry = (sample.idle - without) * MEBIBYTE / entries as f64;
            Ok(vec![
                sample.user + sample.system,
                sample.p99,
                entry,
                sample.idle,
            ])
        },
    )
}

/// How many entries more there are than in the smallest ledger when it is measured.
fn from_zero(step: usize, round: usize) -> usize {
    let lasts = STEPS.iter().max() == Some(&step);
    step + if lasts {
        round * (PLAN.warm() + PLAN.count)
    } else {
        0
    }
}

/// Sends as many notifications at full speed.
fn fill(field: &Field<'_>, server: &Server<'_>, entries: usize) -> Fallible<()> {
    for first in (0..entries).step_by(CHUNK) {
        let count = CHUNK.min(entries - first);
        let spare = PLAN.connections;
        let set = field.sign(90, first + 1..first + 1 + count + spare)?;
        let load = Load {
            set: &set,
            first: 1,
            count,
            connections: PLAN.connections,
        };
        let seen = load.run(field.guard, server.port)?;
        if seen.refusals != 0.0 || seen.failures != 0.0 {
            return Err(format!("not filled: {seen:?}").into());
        }
    }
    Ok(())
}
