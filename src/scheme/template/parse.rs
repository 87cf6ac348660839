//! From the text of a template to its parts.

use super::filter::Filter;
use super::{Part, Source, TemplateFault};

/// The parts of a template.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, TemplateFault> {
    Parser { text, at: 0 }.parts(None)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    /// Parts up to the end, or up to the bracket of the group that opened at `group`.
    fn parts(&mut self, group: Option<usize>) -> Result<Vec<Part>, TemplateFault> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        loop {
            let start = self.at;
            let next = self.next();
            if let Some(mark @ ('{' | '}' | '[' | ']')) = next
                && self.peek() == Some(mark)
            {
                self.next();
                literal.push(mark);
                continue;
            }
            if let Some(plain) = next
                && !matches!(plain, '{' | '}' | '[' | ']')
            {
                literal.push(plain);
                continue;
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal).into()));
            }
            match (next, group) {
                (Some('{'), _) => parts.push(self.value(start)?),
                (Some('['), None) => parts.push(Part::Group(self.parts(Some(start))?)),
                (Some('['), Some(_)) => return Err(self.fault(start, "a group inside a group")),
                (Some(']'), Some(_)) | (None, None) => return Ok(parts),
                (None, Some(open)) => return Err(self.fault(open, "a bracket that is not closed")),
                (Some(_), _) => {
                    let says = "a closing mark that opens nothing; double it for the mark itself";
                    return Err(self.fault(start, says));
                }
            }
        }
    }

    fn value(&mut self, open: usize) -> Result<Part, TemplateFault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(length) = rest.find('}') else {
            return Err(self.fault(open, "a brace that is not closed"));
        };
        let mut words = rest.get(..length).unwrap_or_default().split('|');
        self.at += length + 1;
        let source = Source::parse(words.next().unwrap_or_default().trim());
        let source = source.map_err(|says| self.fault(open, &says))?;
        let filters = words.map(|word| Filter::parse(word.trim()));
        let filters: Result<_, _> = filters.collect();
        Ok(Part::Value(
            source,
            filters.map_err(|says| self.fault(open, &says))?,
        ))
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn fault(&self, at: usize, says: &str) -> TemplateFault {
        let before = self.text.get(..at).unwrap_or_default();
        TemplateFault {
            at: before.chars().count() + 1,
            says: says.to_owned(),
        }
    }
}
