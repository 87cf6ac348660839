//! Parts as they are written in a template.

use super::{Filter, Part, Source};
use std::fmt;

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_part(self, f, &['{', '}', '[', ']'])
    }
}

fn write_part(part: &Part, f: &mut fmt::Formatter<'_>, marks: &[char]) -> fmt::Result {
    match part {
        Part::Literal(text) => text.chars().try_for_each(|c| match marks.contains(&c) {
            true => write!(f, "{c}{c}"),
            false => write!(f, "{c}"),
        }),
        Part::Value(source, filters) => {
            f.write_str("{")?;
            if let Source::Sorted(sorted) = source {
                write!(f, "{sorted}")?;
            } else {
                write!(f, "{source}")?;
            }
            write_filters(filters, f)
        }
        Part::Group(inner) => {
            f.write_str("[")?;
            inner
                .iter()
                .try_for_each(|part| write_part(part, f, marks))?;
            f.write_str("]")
        }
        Part::Nested(inner, filters) => {
            f.write_str("{(")?;
            let marks = ['{', '}', '[', ']', '(', ')'];
            inner
                .iter()
                .try_for_each(|part| write_part(part, f, &marks))?;
            f.write_str(")")?;
            write_filters(filters, f)
        }
    }
}

fn write_filters(filters: &[Filter], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    filters
        .iter()
        .try_for_each(|filter| write!(f, "|{}", filter.name()))?;
    f.write_str("}")
}
