//! One moment, written in the ways that gateways and their libraries write it.

use jiff::civil::DateTime;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// Jakarta's offset, in which most notifications here are written.
const WIB: SignedDuration = SignedDuration::from_hours(7);

/// The same moment in other texts; also with the local time said to be UTC, and the reverse.
pub(super) fn otherwise(text: &str) -> Vec<String> {
    let mut others: Vec<String> = Vec::new();
    for moment in moments(text) {
        for other in texts(moment) {
            if other != text && !others.contains(&other) {
                others.push(other);
            }
        }
    }
    others
}

/// The moments that a text may mean, the likeliest first.
fn moments(text: &str) -> Vec<Timestamp> {
    let number = text.parse::<i64>().ok();
    let unix = number.and_then(|number| match text.len() {
        0..=11 => Timestamp::from_second(number).ok(),
        12..=13 => Timestamp::from_millisecond(number).ok(),
        _ => None,
    });
    let compact = DateTime::strptime("%Y%m%d%H%M%S", text).ok();
    let civil = text.replace('T', " ");
    let civil = DateTime::strptime("%Y-%m-%d %H:%M:%S", &civil).ok();
    let in_utc = compact.or(civil);
    let in_utc = in_utc.and_then(|civil| Offset::UTC.to_timestamp(civil).ok());
    let exact = unix.or_else(|| text.parse().ok()).or(in_utc);
    let Some(exact) = exact else {
        return Vec::new();
    };
    let shifted = [exact.checked_sub(WIB).ok(), exact.checked_add(WIB).ok()];
    [Some(exact)].into_iter().chain(shifted).flatten().collect()
}

fn texts(at: Timestamp) -> Vec<String> {
    let local = at.checked_add(WIB).unwrap_or(at);
    let utc = |format: &str| at.strftime(format).to_string();
    let wib = |format: &str| local.strftime(format).to_string();
    vec![
        utc("%Y-%m-%dT%H:%M:%SZ"),
        wib("%Y-%m-%dT%H:%M:%S+07:00"),
        utc("%Y-%m-%dT%H:%M:%S.%3fZ"),
        wib("%Y-%m-%dT%H:%M:%S.%3f+07:00"),
        utc("%Y-%m-%dT%H:%M:%S+00:00"),
        wib("%Y-%m-%dT%H:%M:%S+0700"),
        utc("%Y-%m-%dT%H:%M:%S"),
        wib("%Y-%m-%dT%H:%M:%S"),
        utc("%Y-%m-%d %H:%M:%S"),
        wib("%Y-%m-%d %H:%M:%S"),
        utc("%Y%m%d%H%M%S"),
        wib("%Y%m%d%H%M%S"),
        at.as_second().to_string(),
        at.as_millisecond().to_string(),
        utc("%a, %d %b %Y %H:%M:%S GMT"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_one_moment_in_many_ways() {
        for text in [
            "2026-01-31T09:00:00+07:00",
            "1769824800",
            "1769824800000",
            "2026-01-31 02:00:00",
        ] {
            let others = otherwise(text);
            for other in [
                "2026-01-31T02:00:00Z",
                "2026-01-31T09:00:00+07:00",
                "1769824800",
            ] {
                assert!(
                    other == text || others.iter().any(|o| o == other),
                    "{text}: {others:?}"
                );
            }
            assert!(!others.iter().any(|other| other == text));
        }
        assert!(otherwise("yesterday").is_empty());
    }
}
