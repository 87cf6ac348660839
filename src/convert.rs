//! What is forwarded: the bytes that were verified, or JSON made from them.

use crate::intake::{Parameters, Received};
use crate::rejection::Rejection;
use crate::scheme::Signed;
use crate::token::Authorized;
use bytes::Bytes;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// Whether a notification is converted for the app.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Convert {
    /// Forwarded as it came.
    #[default]
    None,
    /// Query parameters or a form become one flat JSON object of strings.
    Json,
}

/// A request in the form in which the app gets it.
#[derive(Debug)]
pub struct Message {
    received: Received,
    json: Option<Bytes>,
}

/// An authorized notification in the form in which it will be forwarded.
#[derive(Debug)]
pub struct Payload {
    message: Message,
    signed: Signed,
    unseen_since: Option<Timestamp>,
    content: Content,
}

/// SHA-256 of everything that is forwarded of a notification: method, target, body. White space that
/// the proof leaves out is left out here too: a copy that only looks different is a copy.
pub type Content = [u8; 32];

impl Message {
    /// Converts a request.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] where the parameters have no single reading.
    pub fn convert(received: Received, convert: Convert) -> Result<Self, Rejection> {
        let json = match convert {
            Convert::None => None,
            Convert::Json => Some(object(received.parameters()?)),
        };
        Ok(Self { received, json })
    }

    /// The method towards the app.
    #[must_use]
    pub fn method(&self) -> &str {
        if self.is_converted() {
            "POST"
        } else {
            self.received.head().method()
        }
    }

    /// The target towards the app.
    #[must_use]
    pub fn target(&self) -> &str {
        let head = self.received.head();
        if self.is_converted() {
            head.path()
        } else {
            head.target()
        }
    }

    /// The body towards the app.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        self.json.as_ref().unwrap_or(self.received.body())
    }

    /// The headers as they came.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.received.head().headers()
    }

    /// Whether the body is JSON of our making.
    #[must_use]
    pub fn is_converted(&self) -> bool {
        self.json.is_some()
    }
}

impl Payload {
    /// Prepares a notification for the app.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] where the parameters have no single reading.
    pub fn prepare(authorized: Authorized, convert: Convert) -> Result<Self, Rejection> {
        let unseen_since = authorized.unseen_since();
        let (received, signed) = authorized.into_parts();
        let message = Message::convert(received, convert)?;
        let mut payload = Self {
            message,
            signed,
            unseen_since,
            content: Content::default(),
        };
        payload.content = payload.digest();
        Ok(payload)
    }

    /// What the app gets.
    #[must_use]
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// What the proof says.
    #[must_use]
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    /// Where it is late: it passes only if the ledger proves that it was not delivered since then.
    #[must_use]
    pub fn unseen_since(&self) -> Option<Timestamp> {
        self.unseen_since
    }

    /// The digest of what is forwarded.
    #[must_use]
    pub fn content(&self) -> Content {
        self.content
    }

    fn digest(&self) -> Content {
        let Message { received, json } = &self.message;
        let body: [u8; 32] = match json {
            None if self.signed.minified => *received.minified_sha256(),
            None => *received.body_sha256(),
            Some(json) => Sha256::digest(json).into(),
        };
        let mut hash = Sha256::new();
        for field in [
            "kawal content 1",
            self.message.method(),
            self.message.target(),
        ] {
            hash.update(field.len().to_be_bytes());
            hash.update(field);
        }
        hash.update(body);
        hash.finalize().into()
    }
}

/// One flat object in the order of the wire, every value a string: one output for one input.
fn object(parameters: &Parameters) -> Bytes {
    let mut json = String::from("{");
    for (index, (name, value)) in parameters.iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        json.push_str(&serde_json::Value::from(name).to_string());
        json.push(':');
        json.push_str(&serde_json::Value::from(value).to_string());
    }
    json.push('}');
    Bytes::from(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Head;
    use proptest::prelude::*;

    fn converted(query: &str) -> Result<String, Rejection> {
        let head = format!("POST /q?{query} HTTP/1.1\r\nHost: h\r\n\r\n");
        let received = Received::new(Head::parse(head.as_bytes()).unwrap(), Bytes::new());
        let json = object(received.parameters()?);
        Ok(String::from_utf8(json.to_vec()).unwrap())
    }

    #[test]
    fn keeps_order_and_text_as_strings() {
        assert_eq!(
            converted("B=2000.00&A=YURI+PRAMANA&C=%22%5C%C3%A9").as_deref(),
            Ok(r#"{"B":"2000.00","A":"YURI PRAMANA","C":"\"\\é"}"#)
        );
        assert_eq!(converted("").as_deref(), Ok("{}"));
        assert!(converted("A=1&A=2").is_err());
    }

    proptest! {
        #[test]
        fn says_in_json_what_the_query_said(pairs in proptest::collection::btree_map(
            "[A-Za-z0-9._é-]{1,8}", "[^\\p{Cc}]{0,12}", 0..8)) {
            let escape = |text: &str| text.bytes().map(|b| format!("%{b:02x}")).collect::<String>();
            let query: Vec<_> = pairs.iter().map(|(n, v)| format!("{}={}", escape(n), escape(v))).collect();
            let json: std::collections::BTreeMap<String, String> =
                serde_json::from_str(&converted(&query.join("&")).unwrap()).unwrap();
            prop_assert_eq!(json, pairs);
        }
    }
}
