//! Where one value of a message ends and the next begins, if the message tells.
//!
//! A message that joins values without a mark between them is the same for other values: `1` and `23`
//! make what `12` and `3` make. Whoever replays could then move the border.

use super::place::Place;
use super::template::{Filter, Part, Source};
use super::time::TimeFormat;
use regex_syntax::hir::{Class, Hir, HirKind};
use std::fmt;

/// What is known of the values at places.
pub(super) struct Known<'a> {
    /// Regular expressions that whole values match.
    pub(super) shapes: &'a [(Place, String)],
    /// The signed time.
    pub(super) time: Option<&'a (Place, TimeFormat)>,
    /// Whether letters come in one case afterwards, so that a mark of letters may be one of a value.
    pub(super) folds: bool,
}

/// Values that a message joins so that it does not tell where one ends and the next begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run<'p> {
    /// From the first such value to the last, as they stand in the message.
    pub(super) parts: &'p [Part],
}

impl Run<'_> {
    pub(super) fn sources(&self) -> Vec<&Source> {
        sources(self.parts)
    }
}

impl fmt::Display for Run<'_> {
    /// As a template.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| part.fmt(f))
    }
}

/// The runs of a message.
pub(super) fn runs<'p>(parts: &'p [Part], known: &Known<'_>) -> Vec<Run<'p>> {
    // Whoever moves a border does not know the secret, so it ends what stands beside it.
    let is_secret = |part: &Part| matches!(part, Part::Value(Source::Secret, _));
    let pieces = parts.split(is_secret);
    let mut runs: Vec<Run<'p>> = pieces.filter_map(|parts| joined(parts, known)).collect();
    for part in parts {
        // What is joined to others is no run of its own.
        if runs
            .iter()
            .any(|run| run.parts.iter().any(|in_run| std::ptr::eq(in_run, part)))
        {
            continue;
        }
        let whole = || Run {
            parts: std::slice::from_ref(part),
        };
        match part {
            // Names and values of parameters run into one another.
            Part::Value(Source::Sorted(_), _) => runs.push(whole()),
            Part::Group(inner) if !self::runs(inner, known).is_empty() => runs.push(whole()),
            Part::Nested(inner, filters) => {
                let lossy = filters.iter().rposition(|filter| filter.is_lossy());
                let lossy = lossy.and_then(|at| filters.get(..=at)).unwrap_or_default();
                let is_case = |filter: &Filter| matches!(filter, Filter::Lower | Filter::Upper);
                let folded = Known {
                    folds: known.folds || !lossy.is_empty(),
                    ..*known
                };
                let inside = self::runs(inner, &folded);
                match lossy.is_empty() {
                    true => runs.extend(inside),
                    // What else is lost may be a border.
                    false
                        if !inside.is_empty() || inner.len() > 1 && !lossy.iter().all(is_case) =>
                    {
                        runs.push(whole());
                    }
                    false => {}
                }
            }
            Part::Literal(_) | Part::Value(..) | Part::Group(_) => {}
        }
    }
    runs
}

/// What is left when everything certain is taken away from both ends.
fn joined<'p>(parts: &'p [Part], known: &Known<'_>) -> Option<Run<'p>> {
    let tokens: Vec<Token<'_>> = parts.iter().map(|part| known.token(part)).collect();
    let (mut rest, mut tokens) = (parts, &*tokens);
    while let ([_, after @ ..], [first, next @ ..]) = (rest, tokens)
        && first.ends_before(next.first())
    {
        (rest, tokens) = (after, next);
    }
    while let ([before @ .., _], [next @ .., last]) = (rest, tokens)
        && last.ends_before(next.last())
    {
        (rest, tokens) = (before, next);
    }
    let several = tokens.iter().filter(|token| token.holds > 0).count() > 1;
    let open = matches!(tokens, [Token { value: None, holds, .. }] if *holds > 1);
    (several || open).then_some(Run { parts: rest })
}

fn sources(parts: &[Part]) -> Vec<&Source> {
    let of = |part| match part {
        &Part::Literal(_) | &Part::Value(Source::Secret, _) => Vec::new(),
        Part::Value(source, _) => vec![source],
        Part::Group(inner) | Part::Nested(inner, _) => sources(inner),
    };
    parts.iter().flat_map(of).collect()
}

/// A part, as far as its borders go.
struct Token<'p> {
    /// Text that is always there.
    mark: Option<&'p [u8]>,
    /// `None` for a group that may be there or not.
    value: Option<Value>,
    /// How many values it holds.
    holds: usize,
}

impl Token<'_> {
    /// Whether its end is certain, seen from a side where all is certain, with `next` behind it.
    fn ends_before(&self, next: Option<&Self>) -> bool {
        match (self.mark, &self.value, next) {
            (Some(_), _, _) => true,
            (None, None, _) => false,
            (None, Some(value), _) if value.delimits_itself => true,
            (None, Some(_), None) => true,
            // The first byte that the value cannot hold ends it.
            (None, Some(value), Some(next)) => next
                .mark
                .is_some_and(|mark| mark.iter().any(|byte| !value.alphabet.holds(*byte))),
        }
    }
}

struct Value {
    alphabet: Alphabet,
    /// Whether no value of it begins or ends another.
    delimits_itself: bool,
}

impl Value {
    fn any() -> Self {
        Self::of(|_| true)
    }

    fn of(allowed: impl Fn(u8) -> bool) -> Self {
        Self {
            alphabet: Alphabet::of(allowed),
            delimits_itself: false,
        }
    }
}

impl Known<'_> {
    fn token<'p>(&self, part: &'p Part) -> Token<'p> {
        let (mark, value) = match part {
            Part::Literal(text) => (Some(text.as_bytes()), None),
            Part::Value(source, filters) => (None, Some(self.value(source, filters))),
            Part::Nested(_, filters) => (None, Some(filtered(Value::any(), filters))),
            Part::Group(inner) => match &**inner {
                [Part::Value(source, filters)] => {
                    let may_lack = Value {
                        delimits_itself: false,
                        ..self.value(source, filters)
                    };
                    (None, Some(may_lack))
                }
                _ => (None, None),
            },
        };
        Token {
            mark,
            value,
            holds: sources(std::slice::from_ref(part)).len(),
        }
    }

    fn value(&self, source: &Source, filters: &[Filter]) -> Value {
        let raw = match source {
            Source::Method => Value::of(|byte| byte.is_ascii_uppercase()),
            Source::Path => Value::of(|byte| byte.is_ascii_graphic() && byte != b'?'),
            Source::Query | Source::Target => Value::of(|byte| byte.is_ascii_graphic()),
            Source::Token => Value::of(|byte| in_header(byte) && byte != b':'),
            Source::At(place) => self.at(place),
            Source::Client => Value::of(|byte| byte.is_ascii_graphic()),
            Source::Body | Source::Secret | Source::Sorted(_) => Value::any(),
        };
        let mut value = filtered(raw, filters);
        if self.folds {
            value.alphabet = value.alphabet.in_either_case();
        }
        value
    }

    fn at(&self, place: &Place) -> Value {
        let mut value = match place {
            Place::Header(_) => Value::of(in_header),
            Place::Entry(..) => Value::of(|byte| in_header(byte) && byte != b','),
            Place::Query(_)
            | Place::Form(_)
            | Place::Param(_)
            | Place::Json(_)
            | Place::Item(_) => Value::any(),
        };
        let shapes = self.shapes.iter().filter(|(at, _)| at == place);
        for shape in shapes.filter_map(|(_, shape)| regex_syntax::parse(shape).ok()) {
            value.alphabet = Alphabet::of(|_| false);
            value.alphabet.add(&shape);
            let (least, most) = (
                shape.properties().minimum_len(),
                shape.properties().maximum_len(),
            );
            value.delimits_itself = least.is_some() && least == most;
        }
        match self.time.filter(|(at, _)| at == place) {
            Some((_, format)) if format.delimits_itself() => value.delimits_itself = true,
            Some(_) if !value.delimits_itself => value = Value::of(|byte| byte.is_ascii_digit()),
            Some(_) | None => {}
        }
        value
    }
}

fn filtered(value: Value, filters: &[Filter]) -> Value {
    filters.iter().fold(value, |value, filter| match filter {
        Filter::Md5 | Filter::Sha1 | Filter::Sha256 | Filter::Sha512 => Value {
            delimits_itself: true,
            ..Value::any()
        },
        Filter::Hex => Value {
            alphabet: Alphabet::of(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')),
            ..value
        },
        Filter::Base64 => Value {
            alphabet: Alphabet::of(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)),
            ..value
        },
        Filter::Crc32 => Value::of(|byte| byte.is_ascii_digit()),
        Filter::Lower | Filter::Upper => Value {
            alphabet: value.alphabet.in_either_case(),
            ..value
        },
        Filter::Minify => Value {
            delimits_itself: false,
            ..value
        },
    })
}

fn in_header(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

/// The bytes that a value can hold, a bit each.
struct Alphabet([u64; 4]);

impl Alphabet {
    fn of(allowed: impl Fn(u8) -> bool) -> Self {
        let mut alphabet = Self([0; 4]);
        let allowed = (0..=u8::MAX).filter(|byte| allowed(*byte));
        allowed.for_each(|byte| alphabet.add_range(byte, byte));
        alphabet
    }

    fn holds(&self, byte: u8) -> bool {
        let bits = self.0.get(usize::from(byte / 64)).copied();
        bits.is_none_or(|bits| bits & (1 << (byte % 64)) != 0)
    }

    fn in_either_case(&self) -> Self {
        Self::of(|byte| {
            self.holds(byte)
                || self.holds(byte.to_ascii_lowercase())
                || self.holds(byte.to_ascii_uppercase())
        })
    }

    /// Adds what a regular expression can match.
    fn add(&mut self, shape: &Hir) {
        match shape.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => literal
                .0
                .iter()
                .for_each(|byte| self.add_range(*byte, *byte)),
            HirKind::Class(Class::Bytes(class)) => {
                for range in class.iter() {
                    self.add_range(range.start(), range.end());
                }
            }
            HirKind::Class(Class::Unicode(class)) => {
                for range in class.iter() {
                    let (start, end) = (u32::from(range.start()), u32::from(range.end()));
                    if let Ok(start) = u8::try_from(start.min(0x80))
                        && start < 0x80
                    {
                        let end = u8::try_from(end.min(0x7f)).unwrap_or(0x7f);
                        self.add_range(start, end);
                    }
                    if end >= 0x80 {
                        self.add_range(0x80, 0xff);
                    }
                }
            }
            HirKind::Repetition(repetition) => self.add(&repetition.sub),
            HirKind::Capture(capture) => self.add(&capture.sub),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => {
                parts.iter().for_each(|part| self.add(part));
            }
        }
    }

    fn add_range(&mut self, start: u8, end: u8) {
        for byte in start..=end {
            if let Some(bits) = self.0.get_mut(usize::from(byte / 64)) {
                *bits |= 1 << (byte % 64);
            }
        }
    }
}

#[cfg(test)]
mod tests;
