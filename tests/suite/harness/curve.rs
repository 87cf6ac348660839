//! What a process takes of the machine, second by second.

use std::fmt;
use std::time::Duration;

use super::{Kawal, Page};

/// One look.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    pub second: u64,
    pub resident_kib: usize,
    pub anonymous_kib: usize,
    pub descriptors: usize,
    pub threads: usize,
    pub connections: usize,
    pub entries: usize,
    pub delivered: usize,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Curve(Vec<Point>);

/// No entry takes more, in bytes, with the answer that is kept in it.
const ENTRY: usize = 256;
/// So many looks are one figure: their median.
const LOOKS: usize = 8;

impl Point {
    pub fn of(kawal: &Kawal, since: Duration) -> Self {
        let page = kawal.page();
        let gauge = |name| page.value(name, &[]) as usize;
        Self {
            second: since.as_secs(),
            resident_kib: kawal.resident_kib(),
            anonymous_kib: kawal.anonymous_kib(),
            descriptors: kawal.descriptors(),
            threads: kawal.threads(),
            connections: gauge("kawal_connections"),
            entries: gauge("kawal_ledger_entries"),
            delivered: delivered(&page),
        }
    }
}

/// How many the app took so far.
pub fn delivered(page: &Page) -> usize {
    let labels = [("outcome", "delivered")];
    page.sum("kawal_notifications_total", &labels) as usize
}

impl Curve {
    pub fn add(&mut self, point: Point) {
        self.0.push(point);
    }

    /// KiB by which memory grew from the end of the first third to the end, without what the ledger may take for
    /// its entries; negative where it shrank.
    pub fn growth_kib(&self) -> i64 {
        let third = self.0.len() / 3;
        let [before, after] = [&self.0[..third], &self.0].map(|points| {
            let last = &points[points.len() - LOOKS..];
            let mut rest: Vec<_> = last.iter().map(Point::without_entries).collect();
            rest.sort_unstable();
            rest[LOOKS / 2]
        });
        after - before
    }
}

impl Point {
    fn without_entries(&self) -> i64 {
        self.anonymous_kib as i64 - (self.entries * ENTRY / 1024) as i64
    }
}

/// A table of twenty rows, and of the last.
impl fmt::Display for Curve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "second  KiB  descriptors  threads  connections  entries  delivered"
        )?;
        let step = (self.0.len() / 20).max(1);
        let rows = self.0.iter().step_by(step).chain(self.0.last());
        for p in rows {
            writeln!(
                f,
                "{:6} {:6} {:6} {:6} {:6} {:6} {:8} {:8}",
                p.second,
                p.resident_kib,
                p.anonymous_kib,
                p.descriptors,
                p.threads,
                p.connections,
                p.entries,
                p.delivered
            )?;
        }
        Ok(())
    }
}
