//! The log: one line per event on stdout, as JSON or as text.

use super::writer::{Lines, LostLines};
use jiff::Timestamp;
use std::fmt::{self, Write};
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
/// says they are not written.
fn may_be_told(line: &Metadata<'_>) -> bool {
    let target = line.target();
    target == "kawal" || target.starts_with("kawal::")
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
                let mut line = String::with_capacity(USUAL_LINE);
                let level = lower(*level);
                write!(line, "{{\"time\":\"{now:.3}\",\"level\":\"{level}\"")?;
                event.record(&mut Members(&mut line));
                line.push_str("}\n");
                writer.write_str(&line)
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

fn lower(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// Room for the line of a usual notification, in bytes.
const USUAL_LINE: usize = 512;

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
    fn string(&mut self, name: &str, value: &str);

    fn text(&mut self, name: &str, value: fmt::Arguments<'_>);

    /// A number or a truth value.
    fn bare(&mut self, name: &str, value: fmt::Arguments<'_>);
}

impl Members<'_> {
    fn begin(&mut self, name: &str) {
        for part in [",\"", name, "\":"] {
            self.0.push_str(part);
        }
    }
}

// A string takes whatever is written to it.
impl Fields for Members<'_> {
    fn string(&mut self, name: &str, value: &str) {
        self.begin(name);
        self.0.push('"');
        let _ = Escaped(self.0).write_str(value);
        self.0.push('"');
    }

    fn text(&mut self, name: &str, value: fmt::Arguments<'_>) {
        self.begin(name);
        self.0.push('"');
        let _ = Escaped(self.0).write_fmt(value);
        self.0.push('"');
    }

    fn bare(&mut self, name: &str, value: fmt::Arguments<'_>) {
        self.begin(name);
        let _ = self.0.write_fmt(value);
    }
}

impl Fields for Words {
    fn string(&mut self, name: &str, value: &str) {
        self.text(name, format_args!("{value}"));
    }

    fn text(&mut self, name: &str, value: fmt::Arguments<'_>) {
        let (value, mut escaped) = (value.to_string(), String::new());
        let _ = Escaped(&mut escaped).write_str(&value);
        match name {
            "message" => self.message = escaped,
            name if is_plain(&value) => self.fields.push_str(&format!(" {name}={value}")),
            // Otherwise as JSON writes it, so that no value looks like another line or field.
            name => self.fields.push_str(&format!(" {name}=\"{escaped}\"")),
        }
    }

    fn bare(&mut self, name: &str, value: fmt::Arguments<'_>) {
        self.fields.push_str(&format!(" {name}={value}"));
    }
}

fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '=' | '\\'))
}

/// Writes text as it stands in a JSON string, and no control character as it is: JSON itself lets those
/// beyond ASCII pass.
struct Escaped<'a>(&'a mut String);

impl Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let is_usual = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\');
        if text.bytes().all(is_usual) {
            return self.0.write_str(text);
        }
        text.chars().try_for_each(|c| match c {
            '"' => self.0.write_str("\\\""),
            '\\' => self.0.write_str("\\\\"),
            '\n' => self.0.write_str("\\n"),
            '\r' => self.0.write_str("\\r"),
            '\t' => self.0.write_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') => {
                write!(self.0, "\\u{:04x}", u32::from(c))
            }
            c => self.0.write_char(c),
        })
    }
}

macro_rules! visit {
    ($($of:ty),*) => {$(
        impl Visit for $of {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                self.text(field.name(), format_args!("{value:?}"));
            }

            fn record_str(&mut self, field: &Field, value: &str) {
                self.string(field.name(), value);
            }

            fn record_u64(&mut self, field: &Field, value: u64) {
                self.bare(field.name(), format_args!("{value}"));
            }

            fn record_i64(&mut self, field: &Field, value: i64) {
                self.bare(field.name(), format_args!("{value}"));
            }

            fn record_f64(&mut self, field: &Field, value: f64) {
                match value.is_finite() {
                    true => self.bare(field.name(), format_args!("{value:?}")),
                    false => self.text(field.name(), format_args!("{value}")),
                }
            }

            fn record_bool(&mut self, field: &Field, value: bool) {
                self.bare(field.name(), format_args!("{value}"));
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
