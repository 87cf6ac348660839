//! The comparison as a chart: CPU time as bars of user and system, and throughput beside them.

use std::fmt::Write;

use crate::compare::Results;
use crate::figures::{Row, Spread};
use crate::svg::{Svg, WIDTH};
use crate::table::bytes;

const LEFT: f64 = 232.0;
const CPU_END: f64 = 500.0;
const RATE: f64 = 572.0;
const RATE_END: f64 = 760.0;
const ROW: f64 = 26.0;
const BAR: f64 = 16.0;
const TOP: f64 = 84.0;

/// Of the smallest bodies, where what is not the body's weighs most.
pub(crate) fn draw(results: &Results) -> String {
    let size = results.rows.iter().map(|row| row.size).min().unwrap_or(0);
    let rows = results.rows.iter().filter(|row| row.size == size);
    let rows: Vec<&Row> = rows.collect();
    let cpu = |row: &Row| row.spread(|sample| sample.user + sample.system);
    let rate = |row: &Row| row.spread(|sample| sample.rate);
    let most =
        |of: &dyn Fn(&Row) -> Spread| rows.iter().map(|row| of(row).most).fold(1.0_f64, f64::max);
    let (most_cpu, most_rate) = (most(&cpu), most(&rate));

    let mut svg = Svg::new();
    legend(&mut svg, size);
    let mut told = String::new();
    for (index, row) in rows.iter().enumerate() {
        let y = TOP + ROW * index as f64;
        let middle = y + BAR / 2.0;
        let family = family(row);
        svg.text((LEFT - 10.0, y + 12.5), "end", &row.name);

        let scale = (CPU_END - LEFT) / most_cpu;
        let user = row.spread(|sample| sample.user).median;
        let spread = cpu(row);
        svg.bar((LEFT, y), user * scale, BAR, &format!("{family}1"));
        let system = (spread.median - user).max(0.0);
        let at = LEFT + user * scale;
        svg.bar((at, y), system * scale, BAR, &format!("{family}2"));
        reach(&mut svg, LEFT, scale, middle, spread);
        let end = LEFT + spread.most * scale + 6.0;
        svg.text((end, y + 12.5), "", format!("{:.1} µs", spread.median));

        let scale = (RATE_END - RATE) / most_rate;
        let spread = rate(row);
        svg.bar((RATE, y), spread.median * scale, BAR, &format!("{family}1"));
        reach(&mut svg, RATE, scale, middle, spread);
        let end = RATE + spread.most * scale + 6.0;
        svg.text((end, y + 12.5), "", thousands(spread.median));
        let _ = write!(
            told,
            "{}: {:.1} µs, {:.0} a second. ",
            row.name,
            cpu(row).median,
            spread.median
        );
    }
    let bottom = TOP + ROW * rows.len() as f64;
    svg.line((LEFT, TOP - 6.0), (LEFT, bottom), "rule");
    svg.line((RATE, TOP - 6.0), (RATE, bottom), "rule");
    svg.text((16.0, bottom + 22.0), "small", source(results));
    let title = "CPU time per notification and throughput, Kawal beside HAProxy and nginx";
    svg.finish(bottom + 36.0, title, &told)
}

fn legend(svg: &mut Svg, size: usize) {
    svg.text((16.0, 26.0), "head", format!("Bodies of {}", bytes(size)));
    svg.text((LEFT, 48.0), "head", "CPU time each, less is better");
    svg.text((RATE, 48.0), "head", "per second, more is better");
    let mut x = LEFT;
    for (class, word) in [
        ("peer1", ""),
        ("ours1", "user"),
        ("peer2", ""),
        ("ours2", "system"),
    ] {
        svg.bar((x, 58.0), 10.0, 10.0, class);
        x += 14.0;
        if !word.is_empty() {
            svg.text((x, 67.0), "small", word);
            x += 44.0;
        }
    }
    svg.text((RATE, 67.0), "small", "lines: least and most of all rounds");
}

/// From the least to the most.
fn reach(svg: &mut Svg, from: f64, scale: f64, y: f64, spread: Spread) {
    let (least, most) = (from + spread.least * scale, from + spread.most * scale);
    svg.line((least, y), (most, y), "reach");
    for x in [least, most] {
        svg.line((x, y - 3.0), (x, y + 3.0), "reach");
    }
}

fn family(row: &Row) -> &'static str {
    if row.name.starts_with("Kawal") {
        "ours"
    } else {
        "peer"
    }
}

fn thousands(value: f64) -> String {
    format!("{:.1} k", value / 1000.0)
}

/// One line below the chart that says where it comes from.
fn source(results: &Results) -> String {
    let machine = &results.machine;
    let line = format!(
        "{}, two cores of {}, Linux {}; medians of {} rounds of {} notifications",
        machine.date, machine.cpu, machine.kernel, results.rounds, results.notifications
    );
    debug_assert!(line.len() as f64 * 5.6 < WIDTH, "too long for its line");
    line
}
