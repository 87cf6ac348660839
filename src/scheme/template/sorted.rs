//! All parameters, sorted by name and joined.

use crate::intake::Parameters;
use crate::scheme::place::Place;
use std::fmt::{self, Write as _};

/// Every parameter but the proof, sorted by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::scheme) struct Sorted {
    /// Between a name and its value; left out, values stand alone.
    between: Option<char>,
    /// Between one parameter and the next.
    joint: char,
    /// The name of the parameter that holds the proof.
    without: Option<Box<str>>,
}

impl fmt::Display for Sorted {
    /// As it is written in templates.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sorted:")?;
        self.between
            .map_or(Ok(()), |between| f.write_char(between))?;
        f.write_char(self.joint)
    }
}

impl Sorted {
    pub(super) fn parse(marks: &str, proof: &Place) -> Result<Self, String> {
        let mut chars = marks.chars();
        let (between, joint) = match (chars.next(), chars.next(), chars.next()) {
            (Some(joint), None, _) => (None, joint),
            (Some(between), Some(joint), None) => (Some(between), joint),
            _ => {
                return Err(format!(
                    "`sorted:{marks}` takes one mark between values, or two: the one between a name and \
                     its value, then the one between parameters, such as sorted:=&"
                ));
            }
        };
        let without = match proof {
            Place::Query(name) | Place::Form(name) | Place::Param(name) => Some(name.clone()),
            Place::Header(_) | Place::Entry(..) | Place::Json(_) | Place::Item(_) => None,
        };
        Ok(Self {
            between,
            joint,
            without,
        })
    }

    /// `None` where there is no parameter but the proof.
    pub(super) fn join(&self, parameters: &Parameters) -> Option<String> {
        let others = |(name, _): &(&str, &str)| self.without.as_deref() != Some(*name);
        let mut pairs: Vec<_> = parameters.iter().filter(others).collect();
        pairs.sort_unstable();
        let text = |(name, value): (&str, &str)| match self.between {
            Some(between) => format!("{name}{between}{value}"),
            None => value.to_owned(),
        };
        let texts: Vec<String> = pairs.into_iter().map(text).collect();
        let joined = texts.join(self.joint.encode_utf8(&mut [0; 4]));
        (!texts.is_empty()).then_some(joined)
    }
}
