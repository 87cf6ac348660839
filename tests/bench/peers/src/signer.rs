//! Signs notifications as the gateways' documents say, by none of Kawal's code.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256, Sha512};

use crate::Fallible;

/// What the gateway and everybody who verifies have in common.
pub(crate) const SECRET: &str = "SK-test-secret";
/// What somebody else has.
const OTHER_SECRET: &str = "SK-nobodys-secret";
pub(crate) const CLIENT: &str = "MCH-1";

/// Which notifications a set holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Doku,
    /// DOKU's, under a wrong signature.
    Forged,
    Pivot,
    Snap {
        token: String,
    },
    /// To a path that no route has, without a body.
    Unrouted,
    /// The same with a body.
    UnroutedPost,
}

/// The time that all of a set were signed at, once for each gateway's way of writing it.
pub(crate) struct Times {
    utc: String,
    jakarta: String,
}

impl Times {
    pub(crate) fn now() -> Fallible<Self> {
        let now = jiff::Timestamp::now();
        let later = now.checked_add(jiff::Span::new().hours(7))?;
        Ok(Self {
            utc: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            jakarta: later.strftime("%Y-%m-%dT%H:%M:%S+07:00").to_string(),
        })
    }
}

/// The head of a request that bears this body: the headers that gateways send, and the proof.
pub(crate) fn head(kind: &Kind, number: usize, times: &Times, body: &[u8]) -> Fallible<String> {
    let (path, proof) = match kind {
        Kind::Unrouted => {
            let head = "GET /page HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/html\r\n\r\n";
            return Ok(head.to_owned());
        }
        Kind::Doku => ("/notify", doku("/notify", number, times, body, SECRET)?),
        Kind::Forged => (
            "/notify",
            doku("/notify", number, times, body, OTHER_SECRET)?,
        ),
        Kind::UnroutedPost => ("/page", doku("/page", number, times, body, SECRET)?),
        Kind::Pivot => ("/pivot", format!("X-API-Key: {SECRET}\r\n")),
        Kind::Snap { token } => ("/snap", snap("/snap", token, number, times, body)?),
    };
    let length = body.len();
    Ok(format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{proof}Content-Length: {length}\r\n\r\n"
    ))
}

fn doku(path: &str, number: usize, times: &Times, body: &[u8], key: &str) -> Fallible<String> {
    let (time, digest) = (&times.utc, STANDARD.encode(Sha256::digest(body)));
    let text = format!(
        "Client-Id:{CLIENT}\nRequest-Id:request-{number:08}\nRequest-Timestamp:{time}\nRequest-Target:{path}\nDigest:{digest}"
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes())?;
    mac.update(text.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    Ok(format!(
        "Client-Id: {CLIENT}\r\nRequest-Id: request-{number:08}\r\nRequest-Timestamp: {time}\r\nSignature: HMACSHA256={signature}\r\n"
    ))
}

/// The bodies here hold no white space, so that they are minified already.
fn snap(path: &str, token: &str, number: usize, times: &Times, body: &[u8]) -> Fallible<String> {
    let time = &times.jakarta;
    let digest = Sha256::digest(body);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut mac = Hmac::<Sha512>::new_from_slice(SECRET.as_bytes())?;
    mac.update(format!("POST:{path}:{token}:{digest}:{time}").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    Ok(format!(
        "Authorization: Bearer {token}\r\nX-TIMESTAMP: {time}\r\nX-SIGNATURE: {signature}\r\nX-PARTNER-ID: {CLIENT}\r\nX-EXTERNAL-ID: {number:08}\r\nCHANNEL-ID: VA004\r\n"
    ))
}

/// What a body begins with and no other does.
pub(crate) fn own(kind: &Kind, number: usize) -> String {
    if *kind == Kind::Unrouted {
        return String::new();
    }
    format!(r#"{{"order":{{"id":"INV-{number:07}","amount":10000}},"#)
}

/// What all bodies of this kind and size end with.
pub(crate) fn rest(kind: &Kind, size: usize) -> Fallible<String> {
    if *kind == Kind::Unrouted {
        return Ok(String::new());
    }
    let own = own(kind, 1).len();
    let mut rest = String::from(r#""transaction":{"status":"SUCCESS"}"#);
    let (opened, closed) = (r#","items":["#, "]");
    let (note, end) = (r#","note":""#, "\"}");
    let item = r#"{"sku":"A-000001","name":"Kopi Gayo, 250 g","quantity":1,"price":65000}"#;
    let room = size
        .checked_sub(own + rest.len() + note.len() + end.len())
        .ok_or("a body has at least 90 bytes")?;
    let items = room.saturating_sub(opened.len() + closed.len()) / (item.len() + 1);
    if items > 0 {
        rest.push_str(opened);
        rest.push_str(&vec![item; items].join(","));
        rest.push_str(closed);
    }
    rest.push_str(note);
    let short = size.saturating_sub(own + rest.len() + end.len());
    rest.push_str(&"x".repeat(short));
    rest.push_str(end);
    Ok(rest)
}

#[cfg(test)]
mod tests {
    use super::{CLIENT, Kind, Times, head, own, rest};

    #[test]
    fn bodies_are_as_long_as_they_should_be() {
        for size in [90, 91, 1024, 65_536, 1 << 20] {
            let body = own(&Kind::Doku, 7) + &rest(&Kind::Doku, size).unwrap();
            assert_eq!(body.len(), size);
            let value: serde_json::Value = serde_json::from_str(&body).unwrap();
            assert_eq!(value["order"]["id"], "INV-0000007");
        }
        assert!(rest(&Kind::Doku, 89).is_err());
    }

    #[test]
    fn a_forged_one_differs_in_its_signature_only() {
        let times = Times::now().unwrap();
        let lines = |kind| {
            let head = head(&kind, 3, &times, b"{}").unwrap();
            let lines = head.lines().map(str::to_owned);
            lines.collect::<Vec<_>>()
        };
        let (genuine, forged) = (lines(Kind::Doku), lines(Kind::Forged));
        assert!(genuine.contains(&format!("Client-Id: {CLIENT}")));
        let pairs = genuine.iter().zip(&forged);
        let differing: Vec<_> = pairs.filter(|(one, other)| one != other).collect();
        assert_eq!(differing.len(), 1);
        assert!(differing[0].0.starts_with("Signature: HMACSHA256="));
    }
}
