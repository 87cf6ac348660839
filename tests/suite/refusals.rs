//! One bench for all that must not pass: sends it, and checks answer, reason and the app's silence.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::json;

use crate::harness::{App, Config, KINDS, Kawal, Notice, Request, Response};

/// A parameter that is there twice is not a wrong proof but a message nobody can read in one way.
pub const REPEATED: u16 = 400;

/// A proxy in front of an app that must see nothing.
pub struct Bench {
    pub app: App,
    pub kawal: Kawal,
    judged: usize,
    answers: BTreeSet<String>,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(|config| config)
    }

    pub fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let app = App::start();
        let kawal = Kawal::start(change(Config::new(&app)));
        Self {
            app,
            kawal,
            judged: 0,
            answers: BTreeSet::new(),
        }
    }

    /// It is refused with 401, for one of these reasons, and in the very words of every other 401.
    pub fn unauthorized(&mut self, name: &str, request: &Request, reasons: &[&str]) -> Response {
        let answer = self.kawal.send(request);
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        assert_eq!(self.app.count(), 0, "{name} reached the app");
        self.judged += 1;
        let judged = |line: &serde_json::Value| line["status"] == 401;
        let lines = self.kawal.notifications_where(self.judged, judged);
        let line = &lines[self.judged - 1];
        assert_eq!(line["outcome"], "rejected", "{name}");
        let reason = line["reason"].as_str().unwrap_or_default();
        assert!(reasons.contains(&reason), "{name}: for {reason}");
        self.answers.insert(answer.apart_from_date());
        assert_eq!(
            self.answers.len(),
            1,
            "{name} is told apart: {:?}",
            self.answers
        );
        answer
    }

    /// The same, in the form of a SNAP BI service.
    pub fn unauthorized_snap(
        &mut self,
        service: &str,
        name: &str,
        request: &Request,
        reasons: &[&str],
    ) {
        let answer = self.unauthorized(name, request, reasons);
        assert_snap(&answer, &format!("401{service}00"), "Unauthorized");
    }

    /// It is refused with one of these statuses, for whatever reason.
    pub fn refused(&mut self, name: &str, request: &Request, statuses: &[u16]) {
        let answer = self.kawal.send(request);
        let status = answer.status;
        assert!(statuses.contains(&status), "{name}: {answer:?}");
        assert_eq!(self.app.count(), 0, "{name} reached the app");
        // What is malformed may come too early for a line of the log; a 401 never does.
        self.judged += usize::from(status == 401);
    }

    /// What all the others were made from is genuine, and no refusal has spoilt it.
    pub fn admits(self, genuine: &Request) {
        assert_eq!(self.app.connections(), 0, "somebody knocked at the app");
        assert_eq!(self.kawal.send(genuine).status, 200);
        assert_eq!(self.app.count(), 1);
    }
}

impl Bench {
    /// The same of one notification of every other gateway.
    pub fn admits_all(self) {
        assert_eq!(self.app.connections(), 0, "somebody knocked at the app");
        for (nth, kind) in KINDS.iter().enumerate() {
            let answer = self.kawal.send(&Notice::new(kind).sign());
            assert_eq!(answer.status, 200, "{}", kind.scheme);
            assert_eq!(self.app.count(), nth + 1, "{}", kind.scheme);
        }
    }
}

/// The same text with one bit of the byte at this place changed.
pub fn one_bit_off(text: &str, at: usize) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] ^= 1;
    bytes
}

/// For a proof that is there and wrong.
pub const WRONG: &[&str] = &["bad_proof"];
/// For a proof that is not there.
pub const MISSING: &[&str] = &["missing_proof"];
/// For a proof of which something is left: where absence ends and malformation begins is the reader's choice.
pub const LACKING: &[&str] = &["missing_proof", "bad_proof"];

/// An answer of ours in the form of SNAP BI: these two words and no other, and the time.
pub fn assert_snap(answer: &Response, code: &str, message: &str) {
    let status = code[..3].parse::<u16>().unwrap();
    assert_eq!(answer.status, status, "{code}: {answer:?}");
    let body = format!(r#"{{"responseCode":"{code}","responseMessage":"{message}"}}"#);
    assert_eq!(answer.text(), body);
    assert_snap_head(answer);
}

/// The headers of every answer of ours in that form.
pub fn assert_snap_head(answer: &Response) {
    let kind = answer.header("content-type");
    assert_eq!(kind.as_deref(), Some("application/json"), "{answer:?}");
    let time = answer
        .header("x-timestamp")
        .expect("the time of the answer");
    let time: Timestamp = time.parse().unwrap();
    let age = Timestamp::now().duration_since(time).as_secs();
    assert!((-1..60).contains(&age), "{time} is not now");
}

/// 503, and a whole number of seconds to wait.
pub fn assert_in_flight(answer: &Response) {
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json(), json!({"error": "in_flight"}));
    assert_wait(answer);
}

/// A whole number of seconds to wait.
pub fn assert_wait(answer: &Response) {
    let wait = answer.header("retry-after").expect("a time to come back");
    assert!(
        wait.parse::<u32>().is_ok_and(|seconds| seconds >= 1),
        "{wait}"
    );
}
