//! `kawal verify`: judges one captured request offline, and says why it is refused.

use super::{Exit, complain, say, table};
use crate::clock::Clock;
use crate::config::Config;
use crate::doctor::{Capture, Chart, Diagnosis, Outcome, Verdict, diagnose};
use jiff::Timestamp;
use std::io::Read as _;
use std::path::Path;

/// Longer captures are refused, in bytes.
const LONGEST: u64 = 16 * 1024 * 1024;

pub(super) fn run(config: &Config, at: Option<Timestamp>, json: bool, file: &Path) -> Exit {
    let capture = match read(file).and_then(|bytes| Capture::read(&bytes)) {
        Ok(capture) => capture,
        Err(why) => {
            complain(&format!("{} {why}", file.display()));
            return Exit::WrongUsage;
        }
    };
    let mut now = Clock::start().now();
    now.wall = at.unwrap_or(now.wall);
    let chart = Chart {
        routes: &config.routes,
        gateways: &config.gateways,
        head_limit: config.limits.head,
    };
    let diagnosis = diagnose(&capture, chart, now);
    let exit = match diagnosis.verdict {
        Verdict::Accepted => Exit::Done,
        Verdict::Rejected => Exit::No,
    };
    let text = match json {
        true => serde_json::to_string_pretty(&diagnosis).unwrap_or_default() + "\n",
        false => in_words(&diagnosis),
    };
    say(&text, exit)
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let told = |error: std::io::Error| format!("cannot be read: {error}");
    let length = if file.as_os_str() == "-" {
        std::io::stdin().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        let opened = std::fs::File::open(file).map_err(told)?;
        opened.take(LONGEST + 1).read_to_end(&mut bytes)
    };
    match length.map_err(told)? as u64 > LONGEST {
        true => Err("is longer than 16 MiB, and no request is".into()),
        false => Ok(bytes),
    }
}

fn in_words(diagnosis: &Diagnosis) -> String {
    let notes = diagnosis.notes.iter();
    let mut text: String = notes.map(|note| format!("note: {note}\n")).collect();
    let rows = diagnosis.steps.iter().map(|step| {
        let outcome = match step.outcome {
            Outcome::Ok => "ok",
            Outcome::Failed => "FAILED",
            Outcome::Skipped => "-",
        };
        vec![
            format!("  {}", step.step),
            outcome.to_owned(),
            step.says.clone(),
        ]
    });
    text.push_str("steps:\n");
    text.push_str(&table(&rows.collect::<Vec<_>>()));
    for signed in &diagnosis.signed {
        let client = signed.client.as_deref();
        let client = client.map_or(String::new(), |id| format!("by client {id}: "));
        text.push_str(&format!("signed: {client}{}\n", cut(&signed.message)));
        if let Some(expected) = &signed.expected {
            text.push_str(&format!("expected: {expected}\n"));
        }
    }
    if let Some(given) = &diagnosis.given {
        text.push_str(&format!("given: {given}\n"));
    }
    if let Some(cause) = diagnosis.cause {
        text.push_str(&format!("cause: {cause}\n"));
    }
    if let Some(explanation) = &diagnosis.explanation {
        text.push_str(&format!("{explanation}\n"));
    }
    let verdict = match (diagnosis.verdict, diagnosis.reason) {
        (Verdict::Accepted, _) => "accepted".to_owned(),
        (Verdict::Rejected, reason) => format!("rejected: {}", reason.unwrap_or_default()),
    };
    text + &format!("verdict: {verdict}\n")
}

/// As much of a message as a terminal is fit for; `--json` has the whole.
fn cut(message: &str) -> String {
    const MOST: usize = 4096;
    match message.char_indices().nth(MOST) {
        None => message.to_owned(),
        Some((end, _)) => {
            let rest = message.len() - end;
            format!(
                "{}… ({rest} bytes more)",
                message.get(..end).unwrap_or_default()
            )
        }
    }
}
