//! The status page as somebody sees it in a browser.

use serde_json::{Value, json};

use super::{Browser, Kawal, until};

/// The status page, open.
pub struct Board {
    pub browser: Browser,
}

impl Board {
    /// The page of this process, once it shows something.
    pub fn of(kawal: &Kawal) -> Self {
        Self::at(&format!("http://{}/status", kawal.admin_addr()))
    }

    pub fn at(url: &str) -> Self {
        let browser = Browser::start();
        browser.resize(1400, 900);
        browser.open(url);
        browser.wait("document.getElementById('version').textContent");
        Self { browser }
    }

    /// The sentences at the top, each with its kind: good, warn or bad.
    pub fn states(&self) -> Vec<(String, String)> {
        let body = "return [...document.querySelectorAll('#state > *')].map(e => [e.className, e.innerText])";
        serde_json::from_value(self.browser.run(body)).unwrap()
    }

    /// Waits until one of them holds this text, and gives its kind.
    #[track_caller]
    pub fn wait_for_state(&self, text: &str) -> String {
        let kind = || {
            let states = self.states();
            let found = states.into_iter().find(|(_, said)| said.contains(text));
            found.map(|(kind, _)| kind)
        };
        until(text, || kind().is_some());
        kind().unwrap()
    }

    /// The rows of the last decisions by column; under `COLUMN title` what a cell says beside its text.
    pub fn rows(&self) -> Vec<Value> {
        let rows = self.browser.run(
            "const columns = [...document.querySelectorAll('#scroll th')].map(e => e.textContent);
             const members = (cell, at) => [[columns[at], cell.textContent], [columns[at] + ' title', cell.title]];
             return [...document.querySelectorAll('#decisions tr')]
               .map(row => Object.fromEntries([...row.cells].flatMap(members)));",
        );
        rows.as_array().unwrap().clone()
    }

    /// Waits until there are this many.
    #[track_caller]
    pub fn wait_for_rows(&self, count: usize) -> Vec<Value> {
        let waited = format!("document.querySelectorAll('#decisions tr').length === {count}");
        self.browser.wait(&waited);
        self.rows()
    }

    /// The card of a gateway: its text, class, counts by outcome (10 minutes, since the start) and
    /// reasons.
    pub fn card(&self, gateway: &str) -> Value {
        let found = self.browser.run_with(
            "const card = [...document.querySelectorAll('article')]
               .find(e => e.querySelector('h3').textContent === arguments[0]);
             if (!card) return null;
             const number = cell => Number(cell.textContent.replaceAll(',', ''));
             const counts = kind => Object.fromEntries([...card.querySelectorAll(`.${kind} tbody tr`)]
               .map(({cells: [name, ...rest]}) => [name.textContent, rest.map(number)]));
             return {text: card.innerText, mode: card.className, outcomes: counts('outcomes'),
               reasons: counts('reasons'), label: card.querySelector('svg').getAttribute('aria-label')};",
            json!([gateway]),
        );
        assert!(found.is_object(), "no card of {gateway}");
        found
    }

    /// The bars in the picture of a gateway.
    pub fn bars(&self, gateway: &str) -> Vec<Bar> {
        let bars = self.browser.run_with(
            "const card = [...document.querySelectorAll('article')]
               .find(e => e.querySelector('h3').textContent === arguments[0]);
             return [...card.querySelectorAll('svg g')].flatMap(column =>
               [...column.querySelectorAll('rect:not(.reach)')].map(bar => ({
                 outcome: bar.getAttribute('class'), title: column.querySelector('title').textContent,
                 x: bar.x.baseVal.value, top: bar.y.baseVal.value, height: bar.height.baseVal.value})));",
            json!([gateway]),
        );
        let bars = bars.as_array().unwrap().iter();
        bars.map(Bar::read).collect()
    }

    /// How far the page reaches beyond its window, and the worst of what should hold its content.
    pub fn overflow(&self) -> i64 {
        let found = self.browser.run(
            "const beyond = e => e.scrollWidth - e.clientWidth;
             return Math.max(document.documentElement.scrollWidth - innerWidth,
               ...['body', 'main', 'article', '#state p', '#facts div'].flatMap(
                 kind => [...document.querySelectorAll(kind)].map(beyond)));",
        );
        found.as_i64().unwrap()
    }
}

/// One rectangle: so many notifications of one outcome in ten seconds.
#[derive(Debug)]
pub struct Bar {
    pub outcome: String,
    /// What its column says.
    pub title: String,
    pub x: f64,
    pub top: f64,
    pub height: f64,
}

impl Bar {
    fn read(bar: &Value) -> Self {
        let number = |key: &str| bar[key].as_f64().unwrap();
        let text = |key: &str| bar[key].as_str().unwrap().to_owned();
        Self {
            outcome: text("outcome"),
            title: text("title"),
            x: number("x"),
            top: number("top"),
            height: number("height"),
        }
    }

    /// How many it stands for, as its column says.
    pub fn count(&self) -> f64 {
        let name = self.outcome.replace('_', " ");
        let (_, told) = self.title.split_once(": ").unwrap();
        let mut parts = told.split(", ");
        let count = parts.find_map(|part| part.strip_suffix(&format!(" {name}")));
        count.unwrap().replace(',', "").parse().unwrap()
    }
}
