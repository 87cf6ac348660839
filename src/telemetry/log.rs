//! The log: one line per event on stdout, as JSON or as text.

use super::writer::{Lines, LostLines};
use jiff::Timestamp;
use serde_json::Value;
use std::fmt;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// One JSON object per line.
    #[default]
    Json,
    /// For people at a terminal.
    Text,
}

/// The log at work; it ends with this.
pub struct Log {
    lines: Lines,
    /// What it could not write.
    pub lost: LostLines,
}

impl Drop for Log {
    fn drop(&mut self) {
        self.lines.flush();
    }
}

/// Starts the log on stdout. It never blocks: lines that a full pipe cannot take are dropped, and counted.
/// `filter` says which of our own lines are written, as `RUST_LOG` does elsewhere.
///
/// # Errors
/// A sentence about a filter that cannot be read.
pub fn start(form: Form, filter: &str) -> Result<Log, String> {
    let filter = read_filter(filter)?;
    let lost = LostLines::default();
    let lines =
        Lines::to_stdout(lost.clone()).map_err(|error| format!("cannot write the log: {error}"))?;
    let layer = tracing_subscriber::fmt::layer()
        .event_format(Line(form))
        .with_writer(lines.clone());
    tracing_subscriber::registry()
        .with(filter)
        .with(filter_fn(may_be_told))
        .with(layer)
        .init();
    std::panic::set_hook(Box::new(|panic| {
        // The message may hold what was sent; the place does not.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "a fault of our own");
    }));
    Ok(Log { lines, lost })
}

/// A word that is no level would be taken for the name of a library, and silence everything else.
fn read_filter(text: &str) -> Result<EnvFilter, String> {
    let right = "RUST_LOG: cannot be read; right is, for example, warn or kawal=debug";
    let text = match text.trim() {
        "" => "info",
        text => text,
    };
    let is_level = |word: &str| word.parse::<LevelFilter>().is_ok();
    let is_ours = |word: &str| word == "kawal" || word.starts_with("kawal::");
    let mut words = text
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    if !words.all(|word| word.contains(['=', '[']) || is_level(word) || is_ours(word)) {
        return Err(right.to_owned());
    }
    EnvFilter::try_new(text).map_err(|_| right.to_owned())
}

/// Lines of libraries may hold what was sent, and there may be any number of them, so whatever the filter
/// says they are not written; but for those of Pingora's accept loop.
fn may_be_told(line: &Metadata<'_>) -> bool {
    let target = line.target();
    let is_ours = target == "kawal" || target.starts_with("kawal::");
    is_ours || (target == "pingora_core::services::listening" && *line.level() <= Level::ERROR)
}

/// Time, level, then the event's fields in their order.
struct Line(Form);

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let level = event.metadata().level();
        let now = Timestamp::now();
        match self.0 {
            Form::Json => {
                let level = level.as_str().to_ascii_lowercase();
                let mut line = format!("{{\"time\":\"{now:.3}\",\"level\":\"{level}\"");
                event.record(&mut Members(&mut line));
                writeln!(writer, "{line}}}")
            }
            Form::Text => {
                let mut words = Words::default();
                event.record(&mut words);
                let Words { message, fields } = words;
                writeln!(writer, "{now:.3} {level:5} {message}{fields}")
            }
        }
    }
}

/// Appends fields as JSON members.
struct Members<'a>(&'a mut String);

/// Collects fields as ` name=value`, and the message.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

/// Takes the fields of an event, one after the other.
trait Fields {
    fn add(&mut self, name: &str, value: Value);

    /// Where a line of Pingora's was written is nobody's concern.
    fn take(&mut self, field: &Field, value: Value) {
        if !field.name().starts_with("log.") {
            self.add(field.name(), value);
        }
    }
}

impl Fields for Members<'_> {
    fn add(&mut self, name: &str, value: Value) {
        let (name, value) = (Value::from(name), escape_controls(value.to_string()));
        self.0.push_str(&format!(",{name}:{value}"));
    }
}

impl Fields for Words {
    fn add(&mut self, name: &str, value: Value) {
        let plain = value.as_str().filter(|text| is_plain(text));
        // Otherwise as JSON writes it, so that no value looks like another line or field.
        let text = plain.map_or_else(|| escape_controls(value.to_string()), str::to_owned);
        match name {
            "message" => {
                self.message = value
                    .as_str()
                    .map_or(text, |said| escape_controls(said.to_owned()))
            }
            name => self.fields.push_str(&format!(" {name}={text}")),
        }
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '=' | '\\'))
}

/// JSON escapes the control characters of ASCII alone.
fn escape_controls(text: String) -> String {
    let is_hostile = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if !text.contains(is_hostile) {
        return text;
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match is_hostile(c) {
            // As JSON writes them.
            true => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => escaped.push(c),
        }
    }
    escaped
}

macro_rules! visit {
    ($($of:ty),*) => {$(
        impl Visit for $of {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                self.take(field, format!("{value:?}").into());
            }

            fn record_str(&mut self, field: &Field, value: &str) {
                self.take(field, value.into());
            }

            fn record_u64(&mut self, field: &Field, value: u64) {
                self.take(field, value.into());
            }

            fn record_i64(&mut self, field: &Field, value: i64) {
                self.take(field, value.into());
            }

            fn record_f64(&mut self, field: &Field, value: f64) {
                self.take(field, value.into());
            }

            fn record_bool(&mut self, field: &Field, value: bool) {
                self.take(field, value.into());
            }
        }
    )*};
}

visit!(Members<'_>, Words);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_would_silence_everything_is_refused() {
        for text in [
            "",
            " info ",
            "WARN",
            "off",
            "kawal",
            "kawal::server=off",
            "error,kawal=debug",
            "redis=trace,2",
        ] {
            assert!(read_filter(text).is_ok(), "{text}");
        }
        for text in ["warning", "information", "kawla", "info,wran", "kawal=loud"] {
            assert!(read_filter(text).is_err(), "{text}");
        }
    }
}
