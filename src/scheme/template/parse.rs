//! From the text of a template to its parts.

use super::filter::Filter;
use super::{Part, Source, TemplateFault};
use crate::scheme::place::Place;

/// The parts of a template.
pub(super) fn parts(text: &str, proof: &Place) -> Result<Vec<Part>, TemplateFault> {
    let mut parser = Parser {
        text,
        proof,
        at: 0,
        depth: 0,
    };
    parser.parts(Inside::Nothing)
}

struct Parser<'a> {
    text: &'a str,
    proof: &'a Place,
    at: usize,
    /// How many parentheses are open.
    depth: usize,
}

/// More open parentheses than this are refused.
const DEEPEST: usize = 8;

/// What is open, and where it opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    Group(usize),
    Nested(usize),
}

impl Inside {
    fn is_mark(self, c: char) -> bool {
        let nested = matches!(self, Self::Nested(_)) && matches!(c, '(' | ')');
        nested || matches!(c, '{' | '}' | '[' | ']')
    }
}

impl Parser<'_> {
    /// Parts up to the end, or up to the mark that closes what is open.
    fn parts(&mut self, inside: Inside) -> Result<Vec<Part>, TemplateFault> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        loop {
            let start = self.at;
            let next = self.next();
            if let Some(mark) = next.filter(|c| inside.is_mark(*c))
                && self.peek() == Some(mark)
            {
                self.next();
                literal.push(mark);
                continue;
            }
            if let Some(plain) = next.filter(|c| !inside.is_mark(*c)) {
                literal.push(plain);
                continue;
            }
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal).into()));
            }
            match (next, inside) {
                (Some('{'), _) => parts.push(self.value(start)?),
                (Some('['), Inside::Nothing) => {
                    parts.push(Part::Group(self.parts(Inside::Group(start))?));
                }
                (Some('['), _) => {
                    return Err(self.fault(start, "a group inside a group or parentheses"));
                }
                (Some(']'), Inside::Group(_))
                | (Some(')'), Inside::Nested(_))
                | (None, Inside::Nothing) => return Ok(parts),
                (None, Inside::Group(open)) => {
                    return Err(self.fault(open, "a bracket that is not closed"));
                }
                (None, Inside::Nested(open)) => {
                    return Err(self.fault(open, "a parenthesis that is not closed"));
                }
                (Some('('), _) => {
                    let says = "a parenthesis that opens nothing; double it for the mark itself";
                    return Err(self.fault(start, says));
                }
                (Some(_), _) => {
                    let says = "a closing mark that opens nothing; double it for the mark itself";
                    return Err(self.fault(start, says));
                }
            }
        }
    }

    fn value(&mut self, open: usize) -> Result<Part, TemplateFault> {
        if self.peek() == Some('(') {
            let inner = self.at;
            self.next();
            self.depth += 1;
            if self.depth > DEEPEST {
                return Err(self.fault(
                    open,
                    "parentheses in parentheses, deeper than any gateway signs",
                ));
            }
            let parts = self.parts(Inside::Nested(inner))?;
            self.depth -= 1;
            let rest = self.up_to_brace(open)?;
            let filters = match rest.strip_prefix('|') {
                Some(words) => self.filters(open, words)?,
                None if rest.is_empty() => Vec::new(),
                None => return Err(self.fault(open, "only filters follow a closing parenthesis")),
            };
            return Ok(Part::Nested(parts, filters));
        }
        let words = self.up_to_brace(open)?;
        let (source, filters) = split(&words);
        let source = Source::parse(source.trim(), self.proof);
        let source = source.map_err(|says| self.fault(open, &says))?;
        let filters = filters.map(|words| self.filters(open, words));
        Ok(Part::Value(
            source,
            filters.transpose()?.unwrap_or_default(),
        ))
    }

    fn up_to_brace(&mut self, open: usize) -> Result<String, TemplateFault> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Some(length) = rest.find('}') else {
            return Err(self.fault(open, "a brace that is not closed"));
        };
        self.at += length + 1;
        Ok(rest.get(..length).unwrap_or_default().to_owned())
    }

    fn filters(&self, open: usize, words: &str) -> Result<Vec<Filter>, TemplateFault> {
        let filters = words.split('|').map(|word| Filter::parse(word.trim()));
        let filters: Result<_, _> = filters.collect();
        filters.map_err(|says| self.fault(open, &says))
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

/// The source and its filters. The first mark of a sorted join may be a bar itself.
fn split(words: &str) -> (&str, Option<&str>) {
    let marks = words.trim_start().strip_prefix("sorted:");
    let first = marks
        .and_then(|marks| marks.chars().next())
        .map_or(0, char::len_utf8);
    let from = marks.map_or(0, |marks| words.len() - marks.len() + first);
    let bar = words.get(from..).and_then(|rest| rest.find('|'));
    match bar.and_then(|bar| words.split_at_checked(from + bar)) {
        Some((source, filters)) => (source, filters.get(1..)),
        None => (words, None),
    }
}
