//! The signed time: one grammar per scheme, no guessing.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// How a scheme writes its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeFormat {
    /// RFC 3339 with `Z` or an offset and an optional fraction.
    Rfc3339,
    /// Seconds since 1970.
    Unix,
    /// Milliseconds since 1970.
    UnixMillis,
    /// `yyyyMMddHHmmss` in a fixed zone.
    Compact(Offset),
}

impl TimeFormat {
    /// The time that the text names; `None` where it is not of this grammar or no real time.
    pub(super) fn parse(self, text: &str) -> Option<Timestamp> {
        match self {
            Self::Rfc3339 => rfc3339(text),
            Self::Unix => Timestamp::from_second(digits(text, 1..=11)?).ok(),
            Self::UnixMillis => Timestamp::from_millisecond(digits(text, 1..=14)?).ok(),
            Self::Compact(offset) => {
                digits(text, 14..=14)?;
                let mut rest = Fields(text);
                let date = rest.date("")?;
                offset.to_timestamp(rest.time(date, "", 0)?).ok()
            }
        }
    }

    /// Whether no text of this grammar begins or ends another, so that nothing can be moved over its
    /// border.
    pub(super) fn delimits_itself(self) -> bool {
        match self {
            Self::Rfc3339 | Self::Compact(_) => true,
            Self::Unix | Self::UnixMillis => false,
        }
    }

    /// Writes a time so that [`Self::parse`] reads it, to the second.
    pub(super) fn print(self, at: Timestamp) -> String {
        match self {
            Self::Rfc3339 => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            Self::Unix => at.as_second().to_string(),
            Self::UnixMillis => at.as_millisecond().to_string(),
            Self::Compact(offset) => offset.to_datetime(at).strftime("%Y%m%d%H%M%S").to_string(),
        }
    }
}

/// Reads `+07:00`.
pub(super) fn parse_offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let mut rest = Fields(rest);
    let (hours, minutes) = (rest.take(2)?, rest.after(":")?.take(2)?);
    if !rest.0.is_empty() || hours > 23 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60)).ok()
}

fn rfc3339(text: &str) -> Option<Timestamp> {
    let mut rest = Fields(text);
    let date = rest.date("-")?;
    rest.after("T")?;
    let nanos = text.get(19..).and_then(fraction).unwrap_or_default();
    let civil = rest.time(date, ":", nanos.0)?;
    let zone = rest.0.get(nanos.1..)?;
    let offset = if zone == "Z" {
        Offset::UTC
    } else {
        parse_offset(zone)?
    };
    offset.to_timestamp(civil).ok()
}

/// `.123` as nanoseconds and its length in bytes.
fn fraction(text: &str) -> Option<(i32, usize)> {
    let all = text.strip_prefix('.')?;
    let end = all.find(|c: char| !c.is_ascii_digit()).unwrap_or(all.len());
    let places = u32::try_from(end)
        .ok()
        .filter(|places| (1..=9).contains(places))?;
    let value: i32 = all.get(..end)?.parse().ok()?;
    Some((value.checked_mul(10i32.checked_pow(9 - places)?)?, end + 1))
}

fn digits(text: &str, length: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let plain = length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// What is left of a text of fixed-width numbers.
struct Fields<'a>(&'a str);

impl Fields<'_> {
    fn take(&mut self, width: usize) -> Option<i16> {
        let (field, rest) = self.0.split_at_checked(width)?;
        self.0 = rest;
        digits(field, width..=width).and_then(|value| value.try_into().ok())
    }

    fn after(&mut self, separator: &str) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(separator)?;
        Some(self)
    }

    fn date(&mut self, separator: &str) -> Option<(i16, i8, i8)> {
        let year = self.take(4)?;
        let month = self.after(separator)?.take(2)?;
        let day = self.after(separator)?.take(2)?;
        Some((year, month.try_into().ok()?, day.try_into().ok()?))
    }

    fn time(&mut self, date: (i16, i8, i8), separator: &str, nanos: i32) -> Option<DateTime> {
        let hour = self.take(2)?.try_into().ok()?;
        let minute = self.after(separator)?.take(2)?.try_into().ok()?;
        let second = self.after(separator)?.take(2)?.try_into().ok()?;
        DateTime::new(date.0, date.1, date.2, hour, minute, second, nanos).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_each_grammar() {
        let seven = parse_offset("+07:00").unwrap();
        for (format, text, second) in [
            (TimeFormat::Rfc3339, "2020-08-11T08:45:42Z", 1_597_135_542),
            (
                TimeFormat::Rfc3339,
                "2020-08-11T15:45:42+07:00",
                1_597_135_542,
            ),
            (
                TimeFormat::Rfc3339,
                "2020-08-11T08:45:42.123456789Z",
                1_597_135_542,
            ),
            (TimeFormat::Unix, "1597135542", 1_597_135_542),
            (TimeFormat::UnixMillis, "1597135542999", 1_597_135_542),
            (TimeFormat::Compact(seven), "20200811154542", 1_597_135_542),
        ] {
            let at = format.parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(at.as_second(), second, "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "2020-08-11T08:45:42",
            "2020-08-11 08:45:42Z",
            "2020-08-11t08:45:42z",
            "2020-08-11T24:00:00Z",
            "2020-08-11T08:45:60Z",
            "2020-02-30T08:45:42Z",
            "2020-08-11T08:45Z",
            "2020-08-11T08:45:42.Z",
            "2020-08-11T08:45:42.1234567890Z",
            "2020-08-11T08:45:42+0700",
            "2020-08-11T08:45:42+07:00x",
            "2020-08-11T08:45:42Z ",
            "+020-08-11T08:45:42Z",
            "２020-08-11T08:45:42Z",
            "99999-08-11T08:45:42Z",
            "1597135542",
        ] {
            assert_eq!(TimeFormat::Rfc3339.parse(text), None, "{text}");
        }
        for text in ["-1", "+1", "1e9", "15971355420000", " 1"] {
            assert_eq!(TimeFormat::Unix.parse(text), None, "{text}");
        }
        let utc = TimeFormat::Compact(Offset::UTC);
        for text in [
            "0241107195933",
            "20241332195933",
            "2024110719593x",
            "202411071959330",
        ] {
            assert_eq!(utc.parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            for format in [TimeFormat::Rfc3339, TimeFormat::Unix, TimeFormat::UnixMillis,
                           TimeFormat::Compact(Offset::UTC)] {
                let _ = format.parse(&text);
            }
        }

        #[test]
        fn reads_what_it_prints(second in 0i64..10_000_000_000) {
            let at = Timestamp::from_second(second).unwrap();
            for format in [TimeFormat::Rfc3339, TimeFormat::Unix, TimeFormat::UnixMillis,
                           TimeFormat::Compact(parse_offset("+07:00").unwrap())] {
                prop_assert_eq!(format.parse(&format.print(at)), Some(at));
            }
        }
    }
}
