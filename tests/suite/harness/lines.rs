//! A strict reader of the log in both of its forms: what it cannot read is not a line of the log.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// One event: its fields in their order, time, level and message among them.
#[derive(Clone, Debug, PartialEq)]
pub struct Line(pub Vec<(String, Value)>);

impl Line {
    /// A field's value; null where there is none.
    pub fn value(&self, name: &str) -> Value {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map_or(Value::Null, |(_, value)| value.clone())
    }

    /// A field's value as text.
    pub fn text(&self, name: &str) -> String {
        let value = self.value(name);
        match value.as_str() {
            Some(text) => text.to_owned(),
            None if value.is_null() => String::new(),
            None => value.to_string(),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }

    pub fn is(&self, message: &str) -> bool {
        self.text("message") == message
    }
}

/// All lines of this output, in either form.
#[track_caller]
pub fn read(form: Form, output: &str) -> Vec<Line> {
    assert!(output.is_empty() || output.ends_with('\n'), "{output:?}");
    let mut lines = Vec::new();
    // Not `lines()`: a lone carriage return is to be seen.
    for raw in output.split_terminator('\n') {
        lines.push(form.line(raw));
    }
    lines
}

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Json,
    Text,
}

impl Form {
    /// What stands after `--log`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Text => "text",
        }
    }

    #[track_caller]
    pub fn line(self, raw: &str) -> Line {
        // Breaks of a line and orders to a terminal, in ASCII, in Latin-1 and in Unicode.
        let unsafe_ones = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        assert!(!raw.contains(unsafe_ones), "not one line: {raw:?}");
        let line = match self {
            Self::Json => json(raw),
            Self::Text => text(raw),
        };
        let line = line.unwrap_or_else(|why| panic!("{why}: {raw:?}"));
        check(&line, raw);
        line
    }
}

/// What every line has.
#[track_caller]
fn check(line: &Line, raw: &str) {
    let time = line.text("time");
    assert!(time.parse::<jiff::Timestamp>().is_ok(), "time: {raw}");
    let level = line.text("level");
    let levels = ["trace", "debug", "info", "warn", "error"];
    assert!(levels.contains(&level.as_str()), "level: {raw}");
    assert!(!line.text("message").is_empty(), "message: {raw}");
    let mut names: Vec<_> = line.0.iter().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), line.0.len(), "a field is there twice: {raw}");
}

fn json(raw: &str) -> Result<Line, String> {
    let members: Members = serde_json::from_str(raw).map_err(|e| e.to_string())?;
    Ok(Line(members.0))
}

/// The members of an object, those that are there twice too.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// `TIME LEVEL message key=value ...`; a value that is not a plain word stands in JSON quotes.
fn text(raw: &str) -> Result<Line, String> {
    let (time, rest) = raw.split_once(' ').ok_or("no time")?;
    let (level, rest) = rest.trim_start().split_once(' ').ok_or("no level")?;
    let mut words = rest.trim_start();
    let mut message = Vec::new();
    while !words.is_empty() && !begins_field(words) {
        let (word, after) = words.split_once(' ').unwrap_or((words, ""));
        message.push(word);
        words = after;
    }
    let mut fields = vec![
        ("time".to_owned(), Value::from(time)),
        ("level".to_owned(), Value::from(level.to_lowercase())),
        ("message".to_owned(), Value::from(message.join(" "))),
    ];
    while !words.is_empty() {
        let (name, rest) = words.split_once('=').ok_or("no field")?;
        if !is_name(name) {
            return Err(format!("{name:?} is no name"));
        }
        let (value, rest) = value(rest)?;
        fields.push((name.to_owned(), value));
        words = match rest.strip_prefix(' ') {
            Some(rest) => rest,
            None if rest.is_empty() => rest,
            None => return Err(format!("no space before {rest:?}")),
        };
    }
    Ok(Line(fields))
}

fn begins_field(words: &str) -> bool {
    words.split_once('=').is_some_and(|(name, _)| is_name(name))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
}

/// The value that a text begins with, and the rest.
fn value(rest: &str) -> Result<(Value, &str), String> {
    if rest.starts_with('"') {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let value = values
            .next()
            .ok_or("no value")?
            .map_err(|e| e.to_string())?;
        let end = values.byte_offset();
        return Ok((Value::from(value), &rest[end..]));
    }
    let (word, _) = rest.split_once(' ').unwrap_or((rest, ""));
    match word.contains('"') {
        true => Err(format!("{word:?} is not quoted")),
        false => Ok((Value::from(word), &rest[word.len()..])),
    }
}
