//! The configuration: routes and clients, of which all but one stand only there.

use std::fmt::Write;
use std::thread;
use std::time::Duration;

use super::{Curve, Field, Role};
use crate::Fallible;
use crate::account::{cpu, memory};
use crate::figures::MEBIBYTE;
use crate::load::Plan;
use crate::servers::USUAL;
use crate::trial::check_lines;

const STEPS: [usize; 5] = [1, 10, 100, 1000, 10_000];
const PLAN: Plan = Plan {
    connections: 32,
    count: 20_000,
};
/// How long it is looked at while nothing comes: twice as long as it takes between two looks at its files.
const QUIET: Duration = Duration::from_secs(4);

/// The route that is used is the first one.
pub(super) fn routes(field: &Field<'_>) -> Fallible<Curve> {
    let template = |step: usize| {
        let mut template = USUAL.to_owned();
        for number in 1..step {
            let _ = writeln!(template, "  - {{path: /notify/{number}, gateway: doku}}");
        }
        template
    };
    measure(field, ("Routes", "routes"), template, |_| 0)
}

/// The client that is used is the last one. Each has a secret of its own in a file of its own.
pub(super) fn clients(field: &Field<'_>) -> Fallible<Curve> {
    const CLIENT: &str = "    clients: [{id: MCH-1, secrets: [file:secret]}]\n";
    let template = |step: usize| {
        let mut clients = String::from("    clients:\n");
        for number in 1..step {
            let line = format!("      - {{id: BRN-{number}, secrets: [file:secret-{number}]}}");
            let _ = writeln!(clients, "{line}");
        }
        clients.push_str("      - {id: MCH-1, secrets: [file:secret]}\n");
        USUAL.replacen(CLIENT, &clients, 1)
    };
    measure(field, ("Clients", "clients"), template, |step| step - 1)
}

fn measure(
    field: &Field<'_>,
    names: (&str, &str),
    template: impl Fn(usize) -> String,
    secrets: impl Fn(usize) -> usize,
) -> Fallible<Curve> {
    let set = field.sign(90, 1..1 + PLAN.whole())?;
    Curve::measure(
        names,
        &STEPS,
        &[
            ("CPU µs each", 1, Role::Unit),
            ("start ms", 1, Role::Told),
            ("MiB idle", 1, Role::Told),
            ("CPU ms a second without traffic", 2, Role::Told),
        ],
        field.rounds,
        |_, step| {
            let server = field.start(&template(step), 100_000, secrets(step))?;
            let pid = server.process.pid();
            let idle = memory(pid)?.resident / MEBIBYTE;
            let before = cpu(pid)?;
            thread::sleep(QUIET);
            let after = cpu(pid)?;
            let quiet = after.user + after.system - before.user - before.system;
            let sample = field.cost(&server, &set, PLAN)?;
            check_lines(&server)?;
            Ok(vec![
                sample.user + sample.system,
                sample.start,
                idle,
                quiet * 1e3 / QUIET.as_secs_f64(),
            ])
        },
    )
}
