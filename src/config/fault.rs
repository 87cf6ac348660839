//! What is wrong in a configuration: every fault its own line, with its key and what is right.

use figment::error::Kind;
use figment::value::{Dict, Value};
use serde::de::DeserializeOwned;
use std::fmt;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The key path, such as `gateways.doku.clients[0].secrets[0]`; empty for the file as a whole.
    pub path: String,
    /// What is wrong and what would be right.
    pub says: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.says),
            path => write!(f, "{path}: {}", self.says),
        }
    }
}

impl Fault {
    /// A fault that is not the configuration's.
    #[must_use]
    pub fn ours() -> Self {
        Self {
            path: String::new(),
            says: "a fault of our own kept it from being read; see the log".to_owned(),
        }
    }
}

/// All faults found so far.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<Fault>);

impl Faults {
    pub(super) fn add(&mut self, path: impl Into<String>, says: impl Into<String>) {
        self.0.push(Fault {
            path: path.into(),
            says: says.into(),
        });
    }

    /// The value, or `None` with its fault added.
    pub(super) fn take<T>(&mut self, path: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|says| self.add(path, says)).ok()
    }

    /// Reads a section. Each of its keys is tried alone, so that one run tells all that is wrong.
    pub(super) fn section<T: DeserializeOwned>(&mut self, path: &str, value: &Value) -> Option<T> {
        if value.as_dict().is_none() {
            self.add(
                path,
                "is no section; right are keys below it, such as `key: value`",
            );
            return None;
        }
        let error = match value.deserialize::<T>() {
            Ok(section) => return Some(section),
            Err(error) => error,
        };
        let before = self.0.len();
        let sound = self.sound_keys::<T>(path, value);
        match sound.deserialize::<T>().err() {
            // What is there, and faulty, has been told of.
            Some(missing) if is_missing(&missing) && !is_there(value, &missing) => {
                self.explain(path, missing);
            }
            _ if self.0.len() == before => self.explain(path, error),
            _ => {}
        }
        None
    }

    /// The section without its faulty keys, whose faults are added.
    pub(super) fn sound_keys<T: DeserializeOwned>(&mut self, path: &str, value: &Value) -> Value {
        let mut sound = Dict::new();
        for (key, inner) in value.as_dict().into_iter().flatten() {
            let alone = Value::from(Dict::from([(key.clone(), inner.clone())]));
            match alone.deserialize::<T>() {
                // What is missing beside a key says nothing of the key.
                Err(error) if !is_missing(&error) || !error.path.is_empty() => {
                    self.explain(path, error)
                }
                _ => {
                    sound.insert(key.clone(), inner.clone());
                }
            }
        }
        Value::from(sound)
    }

    fn explain(&mut self, section: &str, error: figment::Error) {
        let mut path = section.to_owned();
        for step in &error.path {
            path = join(&path, step);
        }
        match error.kind {
            Kind::UnknownField(key, known) => {
                let says = format!("unknown key{}", suggest(&key, known));
                // The path may or may not end with the key already.
                let ends = path == key || path.ends_with(&format!(".{key}"));
                let path = if ends { path } else { join(&path, &key) };
                self.add(path, says);
            }
            Kind::UnknownVariant(word, known) => {
                self.add(
                    path,
                    format!("`{word}` is unknown{}", suggest(&word, known)),
                );
            }
            Kind::MissingField(key) => self.add(join(&path, &key), "missing, and required"),
            Kind::InvalidType(found, wanted) => {
                let wanted = wanted.replace("usize", "a whole number");
                let wanted = wanted
                    .replace("a sequence", "a list")
                    .replace("a map", "a section");
                self.add(path, format!("{} where {wanted} belongs", plain(&found)));
            }
            Kind::InvalidValue(_, wanted) if wanted == "parsable string" => {
                self.add(path, "is no size; right are, for example, 512KiB and 1MiB");
            }
            // What stands there may be a secret in the wrong place.
            Kind::InvalidValue(_, wanted) => self.add(path, format!("is not {wanted}")),
            kind @ (Kind::Message(_)
            | Kind::InvalidLength(..)
            | Kind::DuplicateField(_)
            | Kind::ISizeOutOfRange(_)
            | Kind::USizeOutOfRange(_)
            | Kind::Unsupported(_)
            | Kind::UnsupportedKey(..)) => self.add(path, kind.to_string()),
        }
    }
}

fn is_missing(error: &figment::Error) -> bool {
    matches!(error.kind, Kind::MissingField(_))
}

/// Whether the key that is said to be missing stands in the section.
fn is_there(section: &Value, missing: &figment::Error) -> bool {
    let Kind::MissingField(key) = &missing.kind else {
        return false;
    };
    missing.path.is_empty()
        && section
            .as_dict()
            .is_some_and(|dict| dict.contains_key(&**key))
}

/// What was found, without its value: it may be a secret in the wrong place.
fn plain(found: &figment::error::Actual) -> &'static str {
    use figment::error::Actual;
    match found {
        Actual::Bool(_) => "true or false",
        Actual::Unsigned(_) | Actual::Signed(_) => "a number",
        Actual::Float(_) => "a fraction",
        Actual::Char(_) | Actual::Str(_) => "text",
        Actual::Unit | Actual::Option => "nothing",
        Actual::Seq => "a list",
        Actual::Map => "a section",
        Actual::Bytes(_)
        | Actual::NewtypeStruct
        | Actual::Enum
        | Actual::UnitVariant
        | Actual::NewtypeVariant
        | Actual::TupleVariant
        | Actual::StructVariant
        | Actual::Other(_) => "something else",
    }
}

/// `a.b` and `a.b[0]`.
pub(super) fn join(path: &str, step: &str) -> String {
    if step.bytes().all(|byte| byte.is_ascii_digit()) && !step.is_empty() {
        format!("{path}[{step}]")
    } else if path.is_empty() {
        step.to_owned()
    } else {
        format!("{path}.{step}")
    }
}

/// The nearest known word, or all of them.
pub(super) fn suggest(word: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|other| (strsim::damerau_levenshtein(word, other), other))
        .filter(|(distance, other)| *distance <= 2 && *distance < other.len())
        .min();
    match nearest {
        Some((_, other)) => format!("; did you mean `{other}`?"),
        None => format!("; right are {}", known.join(", ")),
    }
}
