//! The figures as tables in Markdown.

use std::fmt::Write;

use crate::compare::{Results, cell};
use crate::figures::Row;
use crate::flood::Flood;

/// The whole page, with all that a figure means nothing without.
pub(crate) fn page(results: &Results) -> String {
    let mut page = format!(
        "# Measured side by side\n\nBy `make bench` on {}.\n\nEach figure is the median of {} rounds, with the least and the most in brackets; in every round each contestant is started afresh and sent {} notifications, each of them new, over {} connections.\n",
        results.machine.sentence(),
        results.rounds,
        results.notifications,
        results.connections
    );
    let mut sizes: Vec<usize> = results.rows.iter().map(|row| row.size).collect();
    sizes.dedup();
    for size in sizes {
        let rows = results.rows.iter().filter(|row| row.size == size);
        let rows: Vec<Row> = rows.cloned().collect();
        let _ = write!(page, "\n{}", of_size(size, &rows));
    }
    if !results.floods.is_empty() {
        let _ = write!(page, "\n{}", of_floods(&results.floods));
    }
    page
}

/// All contestants with one size of bodies.
pub(crate) fn of_size(size: usize, rows: &[Row]) -> String {
    let mut table = format!(
        "## Bodies of {}\n\n| contestant | per second | p50 µs | p99 µs | CPU µs each | of it user + system | MiB idle | after | start ms |\n|---|---|---|---|---|---|---|---|---|\n",
        bytes(size)
    );
    for row in rows {
        let _ = writeln!(
            table,
            "| {} | {} | {:.0} | {} | {} | {:.1} + {:.1} | {:.1} | {} | {:.0} |",
            row.name,
            cell(row.spread(|sample| sample.rate), 0),
            row.spread(|sample| sample.p50).median,
            cell(row.spread(|sample| sample.p99), 0),
            cell(row.spread(|sample| sample.user + sample.system), 1),
            row.spread(|sample| sample.user).median,
            row.spread(|sample| sample.system).median,
            row.spread(|sample| sample.idle).median,
            cell(row.spread(|sample| sample.after), 1),
            row.spread(|sample| sample.start).median,
        );
    }
    table
}

/// What a flood leaves to genuine ones.
pub(crate) fn of_floods(floods: &[Flood]) -> String {
    let mut table = String::from(
        "## Beside a flood of forgeries\n\nHalf of the connections bring genuine notifications of 90 bytes, the other half nothing, then forgeries at full speed: the genuine ones' share is 50 %.\n\n| contestant | alone, per second | p99 µs | beside the flood | p99 µs | kept | forgeries, per second |\n|---|---|---|---|---|---|---|\n",
    );
    for flood in floods {
        let alone = Flood::spread(&flood.alone, |one| one.rate);
        let beside = Flood::spread(&flood.beside, |one| one.rate);
        let _ = writeln!(
            table,
            "| {} | {} | {:.0} | {} | {:.0} | {:.0} % | {} |",
            flood.name,
            cell(alone, 0),
            Flood::spread(&flood.alone, |one| one.p99).median,
            cell(beside, 0),
            Flood::spread(&flood.beside, |one| one.p99).median,
            100.0 * beside.median / alone.median,
            cell(
                crate::figures::Spread::of(flood.forgeries.iter().copied()),
                0
            ),
        );
    }
    table
}

/// A size as people write it.
pub(crate) fn bytes(size: usize) -> String {
    match size {
        size if size >= 1 << 20 && size % (1 << 20) == 0 => format!("{} MiB", size >> 20),
        size if size >= 1 << 10 && size % (1 << 10) == 0 => format!("{} KiB", size >> 10),
        size => format!("{size} B"),
    }
}
