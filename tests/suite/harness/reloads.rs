//! A process that is given another configuration while it runs, and what it says of it.

use std::fs;

use serde_json::{Value, json};

use super::{App, Config, Doku, Kawal, doku, unique, until};

/// What the log says when a configuration was taken over, and when it was not.
pub const TAKEN: &str = "reloaded";
pub const REFUSED: &str = "reload refused";

impl Config {
    /// Puts another file in the place of the old one, as careful editors do: nobody ever sees a part of it.
    pub fn replace(&self) {
        let path = self.folder.path().join("config.yaml");
        let beside = self.folder.path().join("config.yaml.beside");
        fs::write(&beside, self.text()).unwrap();
        fs::rename(beside, path).unwrap();
    }

    /// The same with one route more, for DOKU's notifications.
    pub fn routed(&self, path: &str) -> Self {
        self.clone().route(json!({"path": path, "gateway": "doku"}))
    }
}

impl Kawal {
    /// Has this configuration loaded at once, and gives the line that says that it was taken over.
    #[track_caller]
    pub fn reload(&self, config: &Config) -> Value {
        config.replace();
        self.hang_up()
    }

    /// The same of what lies in the files by now.
    #[track_caller]
    pub fn hang_up(&self) -> Value {
        taken(self.next_reload(|| self.signal("HUP")))
    }

    /// Has it loaded at once, and gives the line that says why it was not taken over.
    #[track_caller]
    pub fn hang_up_in_vain(&self) -> Value {
        refused(self.next_reload(|| self.signal("HUP")))
    }

    /// What comes of a change that nobody tells of, once it is seen.
    #[track_caller]
    pub fn notices(&self, change: impl FnOnce()) -> Value {
        taken(self.next_reload(change))
    }

    /// The same of one that must not be taken over.
    #[track_caller]
    pub fn notices_a_fault(&self, change: impl FnOnce()) -> Value {
        refused(self.next_reload(change))
    }

    /// The line of the first reload after this.
    fn next_reload(&self, act: impl FnOnce()) -> Value {
        let before = self.reloads().len();
        act();
        until("a reload", || self.reloads().len() > before);
        until("it is counted", || self.decided_reloads() > before);
        self.reloads().remove(before)
    }

    /// Hangs up with this configuration, and waits until something was decided: for many in a row, since it reads
    /// no log.
    #[track_caller]
    pub fn reload_quickly(&self, config: &Config) {
        let before = self.decided_reloads();
        config.replace();
        self.signal("HUP");
        until("it is decided", || self.decided_reloads() > before);
    }

    #[track_caller]
    fn decided_reloads(&self) -> usize {
        self.series("kawal_reloads_total", &[]) as usize
    }

    /// The lines of all reloads so far, of either outcome.
    pub fn reloads(&self) -> Vec<Value> {
        let is_one = |line: &Value| line["message"] == TAKEN || line["message"] == REFUSED;
        self.log().into_iter().filter(is_one).collect()
    }

    /// How often what (`config`, `keys`) was loaded with this result (`success`, `failure`).
    #[track_caller]
    pub fn reload_count(&self, what: &str, result: &str) -> usize {
        let labels = [("what", what), ("result", result)];
        self.series("kawal_reloads_total", &labels) as usize
    }

    /// What a genuine notification to this path is answered.
    pub fn status_at(&self, path: &str) -> u16 {
        self.send(&Doku::new("{}").target(path).sign()).status
    }

    /// It does its work: what is genuine reaches this app, what is forged does not, and it is ready.
    #[track_caller]
    pub fn serves(&self, app: &App) {
        let before = app.count();
        let genuine = doku(unique("body"));
        let answer = self.send(&genuine);
        assert_eq!(answer.status, 200, "{answer:?} {}", self.output());
        assert_eq!(self.send(&genuine.body("forged")).status, 401);
        assert_eq!(app.count(), before + 1);
        assert_eq!(self.admin("/readyz").status, 200);
    }
}

#[track_caller]
fn taken(line: Value) -> Value {
    assert_eq!(line["message"], TAKEN, "{line}");
    assert_eq!(line["level"], "info", "{line}");
    line
}

#[track_caller]
fn refused(line: Value) -> Value {
    assert_eq!(line["message"], REFUSED, "{line}");
    assert_eq!(line["level"], "error", "{line}");
    line
}
