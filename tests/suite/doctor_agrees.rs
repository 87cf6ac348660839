//! The doctor's verdict is the sidecar's, for the same bytes.

use crate::harness::clinic::furnished;
use crate::harness::genuine::genuine;
use crate::harness::wire::Connection;
use crate::harness::{App, Config, Diagnosis, Doctor, Kawal};
use crate::mistakes::mistakes;
use crate::oddities::{broken, odd};
use serde_json::Value;

/// The sidecar, its app, and a doctor with the same configuration.
struct Pair {
    app: App,
    kawal: Kawal,
    doctor: Doctor,
    told: usize,
}

impl Pair {
    fn new() -> Self {
        let app = App::start();
        let kawal = Kawal::start(furnished(Config::new(&app)));
        let doctor = Doctor {
            file: kawal.config.folder.path().join("config.yaml"),
            config: kawal.config.clone(),
        };
        Self {
            app,
            kawal,
            doctor,
            told: 0,
        }
    }

    /// Shows both the same bytes; the difference, if there is one.
    fn differ(&mut self, name: &str, bytes: &[u8]) -> Option<String> {
        let before = self.app.count();
        let typed = self.doctor.ask(&["--json"], bytes);
        // What is no request at all has no diagnosis.
        let found = (typed.code != Some(64)).then(|| Diagnosis::read(typed));
        let mut connection = Connection::open(self.kawal.addr());
        let _ = connection.write(bytes);
        let Ok(answer) = connection.read("POST") else {
            return Some(format!("{name}: no answer"));
        };
        let accepted = (200..300).contains(&answer.status);
        let reason = match answer.status {
            200..300 | 401 => self.logged(),
            _ => answer.json()["error"].as_str().map(str::to_owned),
        };
        let (said, said_why) = match &found {
            Some(found) => (found.accepted(), found.reason()),
            None => (false, Some("malformed")),
        };
        let same = said == accepted && said_why == reason.as_deref();
        let silent = self.app.count() == before;
        assert!(accepted || silent, "{name} reached the app: {answer:?}");
        let shown = || {
            format!(
                "{name}: {} {reason:?}, but {said} {said_why:?}",
                answer.status
            )
        };
        (!same).then(shown)
    }

    /// The reason of the latest decision in the log.
    fn logged(&mut self) -> Option<String> {
        self.told += 1;
        let decided = |line: &Value| [200, 401].contains(&line["status"].as_u64().unwrap_or(0));
        let lines = self.kawal.notifications_where(self.told, decided);
        let reason = lines[self.told - 1]["reason"].as_str();
        reason.map(str::to_owned)
    }
}

#[test]
fn of_what_is_genuine() {
    let mut pair = Pair::new();
    let all = genuine();
    let differences: Vec<_> = all
        .iter()
        .filter_map(|(name, request)| pair.differ(name, &request.bytes()))
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn of_usual_mistakes() {
    let mut pair = Pair::new();
    let all = mistakes();
    let differences: Vec<_> = all
        .iter()
        .filter_map(|m| pair.differ(m.name, &m.request.bytes()))
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
    assert_eq!(pair.app.count(), 0, "a mistake reached the app");
}

#[test]
fn of_everything_else() {
    let mut pair = Pair::new();
    let differences: Vec<_> = odd()
        .iter()
        .filter_map(|(name, request)| pair.differ(name, &request.bytes()))
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn of_broken_messages() {
    let mut pair = Pair::new();
    let differences: Vec<_> = broken()
        .iter()
        .filter_map(|(name, bytes)| pair.differ(name, bytes))
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
}
