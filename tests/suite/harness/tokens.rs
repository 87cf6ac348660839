//! Access tokens: asked for as the gateway asks, and made and read by hand.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use rsa::RsaPrivateKey;
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};

use super::gateway::BRN;
use super::keys::{GATEWAY, rsa_signature};
use super::snap::{B2B_PAYMENT, B2B_TOKEN, SNAP_SECRET, Snap, jakarta_time};
use super::{Request, Response};

/// HMAC with the hash that is named.
macro_rules! mac {
    ($hash:ty, $key:expr, $text:expr) => {{
        let mut mac = Hmac::<$hash>::new_from_slice($key).unwrap();
        mac.update($text);
        mac.finalize().into_bytes().to_vec()
    }};
}

/// The only body that a token request has.
pub const GRANT: &str = r#"{"grantType":"client_credentials"}"#;

/// A request for a token under way to its signature.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    pub client: String,
    pub timestamp: String,
    pub target: String,
    pub body: Vec<u8>,
}

impl TokenRequest {
    /// Of the first client, now.
    pub fn new() -> Self {
        Self {
            client: BRN.to_owned(),
            timestamp: jakarta_time(Timestamp::now()),
            target: B2B_TOKEN.to_owned(),
            body: GRANT.as_bytes().to_vec(),
        }
    }

    pub fn client(mut self, id: &str) -> Self {
        self.client = id.to_owned();
        self
    }

    pub fn at(mut self, timestamp: &str) -> Self {
        self.timestamp = timestamp.to_owned();
        self
    }

    pub fn target(mut self, target: &str) -> Self {
        self.target = target.to_owned();
        self
    }

    pub fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    pub fn text(&self) -> String {
        format!("{}|{}", self.client, self.timestamp)
    }

    pub fn sign(&self) -> Request {
        self.sign_with(&GATEWAY)
    }

    pub fn sign_with(&self, key: &RsaPrivateKey) -> Request {
        self.with_signature(&rsa_signature(key, self.text().as_bytes()))
    }

    pub fn with_signature(&self, signature: &str) -> Request {
        Request::post(&self.target, &self.body)
            .header("Content-Type", "application/json")
            .header("X-CLIENT-KEY", &self.client)
            .header("X-TIMESTAMP", &self.timestamp)
            .header("X-SIGNATURE", signature)
    }
}

/// The token in an answer to such a request.
pub fn access_token(answer: &Response) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["accessToken"].as_str().unwrap().to_owned()
}

/// A JSON Web Token in the making.
#[derive(Clone, Debug)]
pub struct Jwt {
    pub header: Value,
    pub claims: Value,
}

impl Jwt {
    /// What Kawal says in a token of this gateway for this client, issued now.
    pub fn new(gateway: &str, client: &str) -> Self {
        let now = Timestamp::now().as_second();
        Self {
            header: json!({"alg": "HS256", "typ": "JWT"}),
            claims: json!({
                "iss": "kawal",
                "aud": gateway,
                "sub": client,
                "iat": now,
                "exp": now + 900,
                "jti": "made-by-hand",
            }),
        }
    }

    pub fn algorithm(mut self, name: &str) -> Self {
        self.header["alg"] = json!(name);
        self
    }

    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.claims.as_object_mut().unwrap().remove(name).unwrap();
        self
    }

    /// The first two segments.
    pub fn text(&self) -> String {
        let segment = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", segment(&self.header), segment(&self.claims))
    }

    pub fn hs256(&self, key: &[u8]) -> String {
        self.with_segment(&mac!(Sha256, key, self.text().as_bytes()))
    }

    pub fn hs384(&self, key: &[u8]) -> String {
        self.with_segment(&mac!(Sha384, key, self.text().as_bytes()))
    }

    pub fn hs512(&self, key: &[u8]) -> String {
        self.with_segment(&mac!(Sha512, key, self.text().as_bytes()))
    }

    /// Under whatever bytes.
    pub fn with_segment(&self, signature: &[u8]) -> String {
        format!("{}.{}", self.text(), URL_SAFE_NO_PAD.encode(signature))
    }

    /// Header, claims, and whether the signature is HS256 under this key.
    pub fn read(token: &str, key: &[u8]) -> (Value, Value, bool) {
        let segments: Vec<_> = token.split('.').collect();
        assert_eq!(segments.len(), 3, "{token}");
        let bytes = |at: usize| URL_SAFE_NO_PAD.decode(segments[at]).unwrap();
        let text = format!("{}.{}", segments[0], segments[1]);
        let holds = bytes(2) == mac!(Sha256, key, text.as_bytes());
        let json = |at| serde_json::from_slice(&bytes(at)).unwrap();
        (json(0), json(1), holds)
    }
}

/// The key for the tokens of a client, by HKDF (RFC 5869) written out.
pub fn token_key(secret: &str, gateway: &str, client: &str) -> Vec<u8> {
    let pseudorandom = mac!(Sha256, b"kawal snap b2b token 1", secret.as_bytes());
    let mut info = Vec::new();
    for part in [gateway, client] {
        info.extend((part.len() as u64).to_be_bytes());
        info.extend(part.as_bytes());
    }
    // One block is all that 32 bytes need.
    info.push(1);
    mac!(Sha256, &pseudorandom, &info)
}

/// The gateway of the template that demands tokens of a symmetric signature.
pub const B2B: &str = "doku-b2b";

/// A token as that gateway issues it to the first client.
pub fn b2b_jwt() -> Jwt {
    Jwt::new(B2B, BRN)
}

/// What it is signed with.
pub fn b2b_key() -> Vec<u8> {
    token_key(SNAP_SECRET, B2B, BRN)
}

/// A notification whose signature is right, and covers this token.
pub fn bearing(token: &str) -> Snap {
    Snap::new("{}").target(B2B_PAYMENT).token(token)
}
