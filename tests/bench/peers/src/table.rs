//! The figures as tables in Markdown.

use std::fmt::Write;

use crate::Fallible;
use crate::compare::{Results, cell};
use crate::figures::Row;
use crate::flood::Flood;

/// How the figures came about, without which they mean nothing.
const METHOD: &str = "\
- Everything runs on the same two cores: the contestant, the app behind it (nginx, one process, which
  answers 200 at once), and wrk (one thread), over loopback.
- Each contestant is sent the same notifications, signed ahead, each of them once. Before a round it is
  started afresh and warmed up, and has to let a genuine notification pass and refuse a changed and a
  forged one. In the next round the order is another.
- Whoever leaves one unanswered, answers one wrongly, breaks a connection, or sends the app more or less
  than it should, has no figures, and the run fails. So does a Kawal that drops a line of its log.
- HAProxy and nginx check the HMAC and write no log. Kawal does all it ever does: proof, time, claim in
  the ledger, metrics, and a line of the log for each notification, into a pipe that is emptied at once.
  Its configuration, `peers/conf/kawal.yaml`, is the default with two threads, and with a `max_age` that
  lets notifications that were signed once serve all rounds.
- CPU time is that of the contestant's processes, as the kernel counts it: not wrk's, the app's or Redis'.
- Memory is what is resident; of several processes, what they have of files counts once. What Kawal has
  after the run includes an entry of its ledger for each notification; with duplicates and forgeries
  there are none.
- It has started when it accepts connections; Kawal, when `/readyz` says 200.
";

/// The whole page.
pub(crate) fn page(results: &Results) -> String {
    let mut page = format!(
        "# Kawal beside HAProxy and nginx\n\nMade by `make bench`. {}.\n\nEach figure is the median of {} rounds of {} notifications over {} connections, with the least and the most of them in brackets.\n\n![CPU time per notification and throughput](chart.svg)\n\n{}\n## How it is measured\n\n{METHOD}",
        results.machine.sentence(),
        results.rounds,
        results.notifications,
        results.connections,
        short(&results.rows)
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
    if !results.faults.is_empty() {
        let faults = results.faults.join("\n- ");
        let _ = write!(page, "\n## Without figures\n\n- {faults}\n");
    }
    page
}

/// The first line of the short table, by which it is found again.
const SHORT: &str = "| | CPU time each | a second | memory idle | after |\n";

/// A text with this short table in the place of the one that it has.
pub(crate) fn replaced(text: &str, table: &str) -> Fallible<String> {
    let (before, rest) = text
        .split_once(SHORT)
        .ok_or("there is no table to replace")?;
    let (_, after) = rest.split_once("\n\n").ok_or("the table has no end")?;
    Ok(format!("{before}{table}\n{after}"))
}

/// What stands in the README: who verifies, with the smallest bodies.
pub(crate) fn short(rows: &[Row]) -> String {
    let least = rows.iter().map(|row| row.size).min();
    let mut table = format!("{SHORT}|---|---|---|---|---|\n");
    let words = [
        "haproxy-hmac",
        "nginx-hmac",
        "doku",
        "snap",
        "pivot",
        "forgeries",
    ];
    for row in rows.iter().filter(|row| Some(row.size) == least) {
        if words.contains(&row.word.as_str()) {
            let _ = writeln!(
                table,
                "| {} | {:.1} µs | {:.1} k | {:.0} MiB | {:.0} MiB |",
                row.name,
                row.spread(|sample| sample.user + sample.system).median,
                row.spread(|sample| sample.rate).median / 1e3,
                row.spread(|sample| sample.idle).median,
                row.spread(|sample| sample.after).median,
            );
        }
    }
    table
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

#[cfg(test)]
mod tests {
    use super::{SHORT, replaced, short};

    #[test]
    fn only_the_table_is_replaced() {
        let table = short(&[]);
        let text = format!("before\n\n{SHORT}|---|\n| old | 1 |\n\nafter\n\nend\n");
        let new = replaced(&text, &table).unwrap();
        assert_eq!(new, format!("before\n\n{table}\nafter\n\nend\n"));
        assert_eq!(replaced(&new, &table).unwrap(), new);
        assert!(replaced("no table", &table).is_err());
    }
}
