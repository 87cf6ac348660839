//! What was counted and written until now.

use super::{Kawal, Request, until};

impl Kawal {
    /// The sum of all series of this name that have these labels; nothing where there are none.
    pub fn counted(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let page = self.metrics();
        let lines = page.lines().filter(|line| !line.starts_with('#'));
        let values = lines.filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            let (found, own) = series.split_once('{').unwrap_or((series, ""));
            let has = |(label, text): &(&str, &str)| own.contains(&format!("{label}=\"{text}\""));
            let meant = found == name && labels.iter().all(has);
            meant.then(|| value.parse::<f64>().expect("a number"))
        });
        values.sum()
    }

    /// How many notifications were decided. Whatever was answered before is among them: lines keep their order, so
    /// that all of them are there when that of a stranger is.
    pub fn decided(&self) -> usize {
        let strangers = || {
            let lines = self.log().into_iter();
            lines.filter(|line| line["reason"] == "no_route").count()
        };
        let before = strangers();
        assert_eq!(self.send(&Request::new("GET", "/nowhere")).status, 404);
        until("the stranger is told of", || strangers() > before);
        self.notifications(0).len()
    }

    /// Waits until so many were counted, and sees that it is not more.
    pub fn wait_for_count(&self, name: &str, labels: &[(&str, &str)], count: usize) {
        let count = count as f64;
        let what = format!("{name} {labels:?} is {count}");
        until(&what, || self.counted(name, labels) >= count);
        assert_eq!(self.counted(name, labels), count, "{name} {labels:?}");
    }
}
