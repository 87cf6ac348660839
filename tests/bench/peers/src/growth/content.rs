//! Bodies: what a kibibyte costs, the more of them there are.

use super::{Curve, Field, Role};
use crate::Fallible;
use crate::load::Plan;
use crate::servers::USUAL;
use crate::set::Set;
use crate::trial::check_lines;

const STEPS: [usize; 6] = [90, 4096, 16_384, 65_536, 262_144, 1_048_576];
const COUNT: usize = 20_000;
/// Of large bodies fewer are sent: all together so many bytes.
const BYTES: usize = 1 << 30;

pub(super) fn bodies(field: &Field<'_>) -> Fallible<Curve> {
    let plan = |size: usize| Plan {
        connections: 32,
        count: COUNT.min(BYTES / size),
    };
    let sign = |size: &usize| field.sign(*size, 1..1 + plan(*size).whole());
    let sets = STEPS.iter().map(sign).collect::<Fallible<Vec<Set>>>()?;
    let mut smallest = 0.0;
    Curve::measure(
        ("Size of bodies", "bytes"),
        &STEPS,
        &[
            ("CPU µs each", 1, Role::Told),
            ("CPU µs for each KiB more", 2, Role::Unit),
            ("p99 ms", 1, Role::Told),
            ("MiB after", 1, Role::Told),
        ],
        field.rounds,
        |_, step| {
            let set = sets.iter().find(|set| set.size == step);
            let set = set.ok_or("a size without a set")?;
            let server = field.start(USUAL, 100_000, 0)?;
            let sample = field.cost(&server, set, plan(step))?;
            check_lines(&server)?;
            let cpu = sample.user + sample.system;
            if step == 90 {
                smallest = cpu;
            }
            let more = (step - 90) as f64 / 1024.0;
            Ok(vec![
                cpu,
                (cpu - smallest) / more,
                sample.p99 / 1e3,
                sample.after,
            ])
        },
    )
}
