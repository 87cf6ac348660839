//! Where one value of a message ends and the next begins, if the message tells.
//!
//! A message that joins values without a mark between them is the same for other values: `1` and `23`
//! make what `12` and `3` make. Whoever replays could then move the border.

use super::place::Place;
use super::template::{Filter, Part, Source};
use super::time::TimeFormat;
use regex_syntax::hir::{Class, Hir, HirKind};

/// What is known of the values at places.
pub(super) struct Known<'a> {
    /// Regular expressions that whole values match.
    pub(super) shapes: &'a [(Place, String)],
    /// The signed time.
    pub(super) time: Option<&'a (Place, TimeFormat)>,
}

/// The values whose borders a message does not tell: each run is joined in this order.
pub(super) fn runs<'p>(parts: &'p [Part], known: &Known<'_>) -> Vec<Vec<&'p Source>> {
    let mut runs = Vec::new();
    let mut tokens = Vec::new();
    for part in parts {
        tokens.push(match part {
            Part::Literal(text) => Token::Mark(text.as_bytes()),
            // The secret and the configured id are the same in every message of a client.
            Part::Value(Source::Secret | Source::Client, _) => Token::Constant,
            Part::Value(source, filters) => {
                // Names and values of parameters run into one another.
                if matches!(source, Source::Sorted(_)) {
                    runs.push(vec![source]);
                }
                Token::Value(vec![source], known.value(source, filters))
            }
            Part::Group(inner) => match &**inner {
                [Part::Value(source, filters)] => {
                    let value = known.value(source, filters);
                    let may_lack = Value {
                        delimits_itself: false,
                        ..value
                    };
                    Token::Value(vec![source], may_lack)
                }
                inner => Token::Open(sources(inner)),
            },
            Part::Nested(inner, filters) => {
                runs.extend(self::runs(inner, known));
                Token::Value(sources(inner), filtered(Value::any(), filters))
            }
        });
    }
    let open = unresolved(&tokens);
    let run: Vec<_> = open.iter().flat_map(Token::sources).copied().collect();
    let several = open
        .iter()
        .filter(|token| !token.sources().is_empty())
        .count()
        > 1;
    if several || matches!(open, [Token::Open(sources)] if sources.len() > 1) {
        runs.push(run);
    }
    runs
}

fn sources(parts: &[Part]) -> Vec<&Source> {
    let of = |part| match part {
        &Part::Literal(_) => Vec::new(),
        Part::Value(Source::Secret | Source::Client, _) => Vec::new(),
        Part::Value(source, _) => vec![source],
        Part::Group(inner) | Part::Nested(inner, _) => sources(inner),
    };
    parts.iter().flat_map(of).collect()
}

enum Token<'p> {
    /// Text that is always there.
    Mark(&'p [u8]),
    /// A value that does not change.
    Constant,
    Value(Vec<&'p Source>, Value),
    /// A group that may be there or not.
    Open(Vec<&'p Source>),
}

impl<'p> Token<'p> {
    fn sources(&self) -> &[&'p Source] {
        match self {
            Self::Mark(_) | Self::Constant => &[],
            Self::Value(sources, _) | Self::Open(sources) => sources,
        }
    }

    /// Whether its end is certain, seen from a side where all is certain, with `next` behind it.
    fn ends_before(&self, next: Option<&Self>) -> bool {
        match (self, next) {
            (Self::Mark(_) | Self::Constant, _) => true,
            (Self::Open(_), _) => false,
            (Self::Value(_, value), _) if value.delimits_itself => true,
            (Self::Value(..), None) => true,
            // The first byte that the value cannot hold ends it.
            (Self::Value(_, value), Some(Self::Mark(mark))) => {
                mark.iter().any(|byte| !value.alphabet.holds(*byte))
            }
            (Self::Value(..), Some(_)) => false,
        }
    }
}

/// What is left when everything certain is taken away from both ends.
fn unresolved<'t, 'p>(tokens: &'t [Token<'p>]) -> &'t [Token<'p>] {
    let mut rest = tokens;
    while let [first, after @ ..] = rest
        && first.ends_before(after.first())
    {
        rest = after;
    }
    while let [before @ .., last] = rest
        && last.ends_before(before.last())
    {
        rest = before;
    }
    rest
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
    fn value(&self, source: &Source, filters: &[Filter]) -> Value {
        let raw = match source {
            Source::Method => Value::of(|byte| byte.is_ascii_uppercase()),
            Source::Path => Value::of(|byte| byte.is_ascii_graphic() && byte != b'?'),
            Source::Query | Source::Target => Value::of(|byte| byte.is_ascii_graphic()),
            Source::Token => Value::of(|byte| byte.is_ascii_graphic() && byte != b':'),
            Source::At(place) => self.at(place),
            Source::Body | Source::Client | Source::Secret | Source::Sorted(_) => Value::any(),
        };
        filtered(raw, filters)
    }

    fn at(&self, place: &Place) -> Value {
        let mut value = match place {
            Place::Header(_) => Value::of(|byte| !byte.is_ascii_control()),
            Place::Entry(..) => Value::of(|byte| !byte.is_ascii_control() && byte != b','),
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
