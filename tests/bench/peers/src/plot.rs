//! Curves as small drawings beside each other, all from zero: what lies flat does not grow.

use crate::figures::Spread;
use crate::growth::{Curve, Growth, Role, Series};
use crate::svg::{Svg, WIDTH};

const COLUMNS: usize = 2;
const PANEL: f64 = 172.0;
const HEIGHT: f64 = 96.0;
const SPAN: f64 = 320.0;
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
        for (index, series) in curve.series.iter().enumerate() {
            if series.role != Role::Unit {
                continue;
            }
            let beside = curve.series.get(index + 1);
            let beside = beside.filter(|series| series.role == Role::Beside);
            let (row, column) = (count / COLUMNS, count % COLUMNS);
            let left = 60.0 + column as f64 * (WIDTH / COLUMNS as f64 - 4.0);
            let corner = (left, TOP + row as f64 * PANEL);
            panel(&mut svg, corner, curve, (series, beside));
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

fn panel(
    svg: &mut Svg,
    (left, top): (f64, f64),
    curve: &Curve,
    (series, beside): (&Series, Option<&Series>),
) {
    let bottom = top + 30.0 + HEIGHT;
    let all = [Some(series), beside].into_iter().flatten();
    let spreads = all.flat_map(Series::spreads).flatten();
    let most = spreads.map(|spread| spread.most).fold(0.0, f64::max);
    let most = if most > 0.0 { most * 1.1 } else { 1.0 };
    let gap = SPAN / (curve.steps.len().max(2) - 1) as f64;
    let place =
        |index: usize, value: f64| (left + gap * index as f64, bottom - HEIGHT * value / most);

    let title = format!("{}: {}", curve.title, series.name);
    svg.text((left, top + 12.0), "head", title);
    svg.line((left, bottom), (left + SPAN, bottom), "rule");
    svg.text((left - 8.0, bottom + 4.0), "small end", "0");
    for (index, step) in curve.steps.iter().enumerate() {
        let (x, _) = place(index, 0.0);
        svg.text((x, bottom + 16.0), "small middle", short(*step));
    }
    if let Some(beside) = beside {
        svg.text(
            (left + SPAN, bottom - 6.0),
            "small end",
            format!("dashed: {}", beside.name),
        );
        let known = known(beside);
        let middle = known
            .iter()
            .map(|(index, spread)| place(*index, spread.median));
        svg.path(&middle.collect::<Vec<_>>(), "other");
    }
    let known = known(series);
    let upper = known
        .iter()
        .map(|(index, spread)| place(*index, spread.most));
    let lower = known
        .iter()
        .rev()
        .map(|(index, spread)| place(*index, spread.least));
    svg.path(&upper.chain(lower).collect::<Vec<_>>(), "band");
    let middle = known
        .iter()
        .map(|(index, spread)| place(*index, spread.median));
    svg.path(&middle.collect::<Vec<_>>(), "line");
    for (index, spread) in [known.first(), known.last()].into_iter().flatten() {
        let is_first = known.first().is_some_and(|(first, _)| first == index);
        let class = if is_first { "small" } else { "small end" };
        let decimals = series.decimals;
        let (x, y) = place(*index, spread.most);
        svg.text((x, y - 6.0), class, format!("{:.decimals$}", spread.median));
    }
}

/// The steps that have a value.
fn known(series: &Series) -> Vec<(usize, Spread)> {
    let steps = series.spreads().into_iter().enumerate();
    steps
        .filter_map(|(index, spread)| Some((index, spread?)))
        .collect()
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
