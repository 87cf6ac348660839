//! Whether a request reached the app as it was sent.

use super::{Pairs, Recorded, Request};

/// Lines that belong to one connection, or to the framing on it.
const OF_THE_CONNECTION: [&str; 10] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Method, target, body and headers are those that were sent, less what no app is to see of this gateway.
#[track_caller]
pub fn sent_on(name: &str, gateway: &str, request: &Request, seen: &Recorded) {
    let secret = match gateway {
        "pivot" => "x-api-key",
        "xendit" => "x-callback-token",
        _ => "",
    };
    let json = (gateway == "doku-qris").then(|| parameters(request));
    let json = json.flatten();
    let expected = match &json {
        Some(pairs) => {
            let path = request.target.split('?').next().unwrap();
            assert_eq!(Pairs::read(&seen.body).0, *pairs, "{name}");
            ("POST", path)
        }
        None => {
            assert!(seen.body == request.body, "{name}: {}", seen.text());
            (&*request.method, &*request.target)
        }
    };
    assert_eq!((&*seen.method, &*seen.target), expected, "{name}");
    if json.is_some() {
        assert_eq!(seen.all("content-type"), ["application/json"], "{name}");
    }
    let goes_on = |line: &&(String, Vec<u8>)| {
        let line = line.0.to_ascii_lowercase();
        let plain = line.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let made = json.is_some() && line == "content-type";
        let dropped = line == secret || line.starts_with("x-kawal-") || made;
        plain && !dropped && !OF_THE_CONNECTION.contains(&&*line)
    };
    let sent: Vec<_> = request.headers.iter().filter(goes_on).collect();
    let came: Vec<_> = seen.headers.iter().filter(goes_on).collect();
    assert_eq!(came, sent, "{name}");
    assert!(secret.is_empty() || !seen.has(secret), "{name}: {secret}");
}

/// The parameters of a query or a form, in their order; none where they have no single reading.
fn parameters(request: &Request) -> Option<Vec<(String, String)>> {
    let query = request.target.split_once('?').map(|(_, query)| query);
    let form = String::from_utf8(request.body.clone()).ok()?;
    let texts = [query.unwrap_or_default(), &form];
    let pairs = texts.iter().flat_map(|text| text.split('&'));
    let pairs = pairs.filter(|pair| !pair.is_empty());
    let pairs: Option<Vec<_>> = pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((unescape(name)?, unescape(value)?))
        })
        .collect();
    let pairs = pairs?;
    let mut names: Vec<_> = pairs.iter().map(|(name, _)| name).collect();
    names.sort_unstable();
    names.dedup();
    (names.len() == pairs.len()).then_some(pairs)
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next()?, rest.next()?];
                let digits = std::str::from_utf8(&digits).ok()?;
                u8::from_str_radix(digits, 16).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}
