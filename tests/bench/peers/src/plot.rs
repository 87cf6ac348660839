//! Curves as small drawings beside each other, all from zero: what lies flat does not grow.

use crate::growth::{Curve, Growth, Series};
use crate::svg::{Svg, WIDTH};

const COLUMNS: usize = 2;
const PANEL: f64 = 176.0;
const HEIGHT: f64 = 96.0;
const SPAN: f64 = 300.0;
const TOP: f64 = 44.0;

pub(crate) fn draw(growth: &Growth) -> String {
    let mut svg = Svg::new();
    svg.text(
        (16.0, 26.0),
        "head",
        "A line that rises grows worse than the work does",
    );
    let mut told = Vec::new();
    let mut count = 0;
    for curve in &growth.curves {
        for series in curve.series.iter().filter(|series| series.drawn) {
            let (row, column) = (count / COLUMNS, count % COLUMNS);
            let left = 70.0 + column as f64 * (WIDTH / COLUMNS as f64 - 8.0);
            panel(&mut svg, (left, TOP + row as f64 * PANEL), curve, series);
            told.push(format!("{}, {}", curve.title, series.name));
            count += 1;
        }
    }
    let rows = count.div_ceil(COLUMNS);
    let bottom = TOP + rows as f64 * PANEL;
    let machine = &growth.machine;
    let source = format!(
        "{}, two cores of {}, Linux {}; medians of {} rounds between the least and the most",
        machine.date, machine.cpu, machine.kernel, growth.rounds
    );
    svg.text((16.0, bottom + 8.0), "small", source);
    let title = "What grows with what: a panel for each thing there can be more of";
    svg.finish(bottom + 22.0, title, &told.join("; "))
}

fn panel(svg: &mut Svg, (left, top): (f64, f64), curve: &Curve, series: &Series) {
    let spreads = series.spreads();
    let known = spreads.iter().flatten();
    let most = known.map(|spread| spread.most).fold(0.0, f64::max);
    let most = if most > 0.0 { most * 1.1 } else { 1.0 };
    let bottom = top + 24.0 + HEIGHT;
    let gap = SPAN / (curve.steps.len().max(2) - 1) as f64;
    let at = |index: usize| left + gap * index as f64;
    let height = |value: f64| bottom - HEIGHT * value / most;

    svg.text(
        (left, top + 12.0),
        "head",
        format!("{}: {}", curve.title, series.name),
    );
    svg.line((left, bottom), (left + SPAN, bottom), "rule");
    svg.text((left - 8.0, bottom + 4.0), "small end", "0");
    for (index, step) in curve.steps.iter().enumerate() {
        svg.text((at(index), bottom + 16.0), "small middle", short(*step));
    }
    let steps = spreads.iter().enumerate();
    let shown: Vec<_> = steps
        .filter_map(|(index, spread)| Some((index, (*spread)?)))
        .collect();
    let upper = shown
        .iter()
        .map(|(index, spread)| (at(*index), height(spread.most)));
    let lower = shown
        .iter()
        .rev()
        .map(|(index, spread)| (at(*index), height(spread.least)));
    svg.path(&upper.chain(lower).collect::<Vec<_>>(), "band");
    let middle = shown
        .iter()
        .map(|(index, spread)| (at(*index), height(spread.median)));
    svg.path(&middle.collect::<Vec<_>>(), "line");
    for (index, spread) in [shown.first(), shown.last()].into_iter().flatten() {
        let class = if *index == 0 { "small" } else { "small end" };
        let decimals = series.decimals;
        let text = format!("{:.decimals$}", spread.median);
        svg.text((at(*index), height(spread.most) - 6.0), class, text);
    }
}

/// A number as short as an axis wants it.
fn short(value: usize) -> String {
    match value {
        value if value >= 1 << 20 && value % (1 << 20) == 0 => format!("{}Mi", value >> 20),
        value if value >= 1024 && value % 1024 == 0 => format!("{}Ki", value >> 10),
        value if value >= 1_000_000 => format!("{}M", value / 1_000_000),
        value if value >= 10_000 => format!("{}k", value / 1000),
        value => value.to_string(),
    }
}
