//! One line of the metrics page: a name, labels and a number.

use std::collections::BTreeMap;

pub type Labels = BTreeMap<String, String>;

#[derive(Clone, Debug)]
pub struct Sample {
    pub name: String,
    pub labels: Labels,
    pub value: f64,
}

impl Sample {
    /// Name and labels, as one text.
    pub fn series(&self) -> String {
        format!("{}{:?}", self.name, self.labels)
    }

    pub fn has(&self, labels: &[(&str, &str)]) -> bool {
        let own = |name: &str| self.labels.get(name).map(String::as_str);
        labels.iter().all(|(name, value)| own(name) == Some(value))
    }

    /// `name{label="value",...} number`
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(line: &str) -> Result<Self, String> {
        let end = line.find(['{', ' ']).ok_or("no value")?;
        let (name, mut rest) = line.split_at(end);
        if !is_name(name) {
            return Err("no name".to_owned());
        }
        let mut labels = Labels::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = read_labels(inside, &mut labels)?;
        }
        let value = rest.strip_prefix(' ').ok_or("no space")?;
        Ok(Self {
            name: name.to_owned(),
            labels,
            value: number(value)?,
        })
    }
}

/// Reads up to the closing brace, and gives what follows.
fn read_labels<'a>(mut rest: &'a str, labels: &mut Labels) -> Result<&'a str, String> {
    loop {
        let (name, after) = rest.split_once("=\"").ok_or("no label")?;
        if !is_name(name) || name.contains(':') {
            return Err(format!("{name:?} is no label"));
        }
        let (value, after) = unescape(after)?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err("a label comes twice".to_owned());
        }
        match after.split_at_checked(1) {
            Some(("}", after)) => return Ok(after),
            Some((",", after)) => rest = after,
            _ => return Err("a label without an end".to_owned()),
        }
    }
}

/// Reads up to the closing quote, and gives what follows.
fn unescape(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &text[at + 1..])),
            '\\' => value.push(match chars.next() {
                Some((_, 'n')) => '\n',
                Some((_, c @ ('"' | '\\'))) => c,
                _ => return Err("an escape that is none".to_owned()),
            }),
            _ => value.push(c),
        }
    }
    Err("a value without an end".to_owned())
}

fn is_name(name: &str) -> bool {
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    name.chars().all(sound) && name.chars().next().is_some_and(|c| !c.is_ascii_digit())
}

/// Without a time behind it.
pub fn number(text: &str) -> Result<f64, String> {
    match text {
        "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        "NaN" => Ok(f64::NAN),
        // Rust also knows words that Prometheus does not.
        _ if text.contains(|c: char| c.is_ascii_alphabetic() && c != 'e' && c != 'E') => {
            Err("no number".to_owned())
        }
        _ => text.parse().map_err(|_| "no number".to_owned()),
    }
}
