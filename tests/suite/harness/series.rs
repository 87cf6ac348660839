//! Metrics by their labels, in whatever order they stand.

use super::Kawal;

impl Kawal {
    /// The sum of all series of this name that have these labels; fails when there is none.
    #[track_caller]
    pub fn series(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let page = self.metrics();
        let values = found(&page, name, labels);
        assert!(!values.is_empty(), "no {name} with {labels:?} in {page}");
        values.iter().sum()
    }

    /// The same; nothing where there is none.
    #[track_caller]
    pub fn series_so_far(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        found(&self.metrics(), name, labels).iter().sum()
    }
}

fn found(page: &str, name: &str, labels: &[(&str, &str)]) -> Vec<f64> {
    let lines = page.lines().filter(|line| !line.starts_with('#'));
    let values = lines.filter_map(|line| {
        let (series, value) = line.rsplit_once(' ')?;
        let (found, own) = series.split_once('{').unwrap_or((series, "}"));
        let own: Vec<_> = own.trim_end_matches('}').split(',').collect();
        let has = |(name, value): &(&str, &str)| own.contains(&&*format!("{name}=\"{value}\""));
        let meant = found == name && labels.iter().all(has);
        meant.then(|| value.parse().expect("a number"))
    });
    values.collect()
}
