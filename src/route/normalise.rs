//! Paths that an app may take for a route's although they are others.

/// A path as the most lenient app may read it: percent-decoded until nothing changes, backslashes
/// as slashes, path parameters, NUL and all after it dropped, dot segments resolved, slashes
/// collapsed, letters lower-case.
///
/// `None` where it is encoded more often than anybody has a reason to.
pub(super) fn normalise(path: &str) -> Option<String> {
    let mut bytes = path.as_bytes().to_vec();
    for layer in 0.. {
        let decoded = percent_decode(&bytes);
        if decoded == bytes {
            break;
        }
        if layer == MOST_LAYERS {
            return None;
        }
        bytes = decoded;
    }
    bytes.make_ascii_lowercase();
    let text = String::from_utf8_lossy(&bytes).replace('\\', "/");
    let text = text.split('\0').next().unwrap_or_default();
    let mut segments: Vec<&str> = Vec::new();
    for segment in text.split('/') {
        let plain = segment.split([';', '?', ':']).next().unwrap_or_default();
        // Windows drops dots and spaces at the end of a name; `.` and `..` are names of their own.
        let plain = match plain.trim() {
            dots @ ("." | "..") => dots,
            plain => plain.trim_end_matches(['.', ' ']),
        };
        match plain {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            plain => segments.push(plain),
        }
    }
    Some(segments.join("/"))
}

/// Each layer costs a pass over the path, so an unbounded number would cost its square.
const MOST_LAYERS: usize = 4;

fn percent_decode(bytes: &[u8]) -> Vec<u8> {
    let digit = |at: Option<&u8>| {
        char::from(*at?)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'%'
            && let (Some(high), Some(low)) = (digit(after.first()), digit(after.get(1)))
        {
            decoded.push(high << 4 | low);
            rest = after.get(2..).unwrap_or_default();
        } else {
            decoded.push(*first);
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn normalises_every_disguise_onto_the_plain_path() {
        let plain = normalise("/payments/notifications");
        for disguise in [
            "//payments/notifications",
            "/./payments/notifications",
            "/x/../payments/notifications",
            "/payments%2Fnotifications",
            "/payments/notifications/",
            "/payments/notifications;a=b",
            "/payments;a/notifications",
            "/payments\\notifications",
            "/Payments/NOTIFICATIONS",
            "/%70ayments/notifications",
            "/%2570ayments/notifications",
            "/%252570ayments/notifications",
            "/payments/notifications%00",
            "/payments/notifications%00.png",
            "/payments/%2e%2E/payments/notifications",
            "/payments/notifications%20",
            "/payments/notifications.",
            "/payments/notifications%3fx=1",
            "/payments/notifications::$DATA",
        ] {
            assert_eq!(normalise(disguise), plain, "{disguise}");
        }
        for other in [
            "/payments",
            "/payments/notifications/x",
            "/payment/notifications",
            "/%zz",
        ] {
            assert_ne!(normalise(other), plain, "{other}");
        }
    }

    #[test]
    fn gives_up_on_a_path_that_is_encoded_again_and_again() {
        assert!(normalise("/%25252570ayments").is_some());
        assert_eq!(normalise("/%2525252570ayments"), None);
        assert_eq!(normalise(&format!("/%{}", "25".repeat(10_000))), None);
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(path in "/[a-zA-Z./%;\\\\0-9]{0,40}") {
            if let Some(once) = normalise(&path) {
                prop_assert_eq!(normalise(&once), Some(once));
            }
        }
    }
}
