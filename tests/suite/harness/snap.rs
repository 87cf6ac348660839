//! SNAP BI notifications, signed as the documents say.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::{Span, Timestamp};
use rsa::RsaPrivateKey;
use sha2::{Digest, Sha256, Sha512};

use super::Request;
use super::gateway::{BRN, number};
use super::keys::{GATEWAY, rsa_signature};

pub const SNAP_SECRET: &str = "SK-snap-canary-secret-0001";
/// The client in rotation has two secrets; both are accepted.
pub const SNAP_NEW_SECRET: &str = "SK-snap-canary-secret-new2";
pub const SNAP_OLD_SECRET: &str = "SK-snap-canary-secret-old1";
/// A token that some app issued: to Kawal a word like any other.
pub const APP_TOKEN: &str = "app-canary-token.eyJ.x";

pub const PAYMENT: &str = "/v1/transfer-va/payment";
pub const INQUIRY: &str = "/v1.1/transfer-va/inquiry";
pub const DEBIT: &str = "/v1.0/debit/notify";
pub const QR: &str = "/v1.0/qr/qr-mpm-notify";
/// Where the signature is asymmetric.
pub const RSA_PAYMENT: &str = "/rsa/transfer-va/payment";
/// Where the token has to be one of Kawal's, and where those come from.
pub const B2B_PAYMENT: &str = "/b2b/transfer-va/payment";
pub const B2B_TOKEN: &str = "/b2b/access-token";
/// Both at once.
pub const B2B_RSA_PAYMENT: &str = "/b2b-rsa/transfer-va/payment";
pub const B2B_RSA_TOKEN: &str = "/b2b-rsa/access-token";

/// A notification under way to its signature.
#[derive(Clone, Debug)]
pub struct Snap {
    pub client: String,
    pub secret: String,
    pub method: String,
    pub target: String,
    /// The path that is signed, where it is not the one that is sent.
    pub signed_target: Option<String>,
    /// The value of `Authorization`; left out where there is none.
    pub authorization: Option<String>,
    /// The token that is signed.
    pub token: String,
    pub timestamp: String,
    pub external_id: String,
    pub body: Vec<u8>,
    /// What is hashed, where it is not the minified body.
    pub hashed: Option<Vec<u8>>,
}

impl Snap {
    /// Of the first client, now, under the app's token, for the route of payments.
    pub fn new(body: impl AsRef<[u8]>) -> Self {
        Self {
            client: BRN.to_owned(),
            secret: SNAP_SECRET.to_owned(),
            method: "POST".to_owned(),
            target: PAYMENT.to_owned(),
            signed_target: None,
            authorization: None,
            token: String::new(),
            timestamp: jakarta_time(Timestamp::now()),
            external_id: format!("{}{:06}", std::process::id(), number()),
            body: body.as_ref().to_vec(),
            hashed: None,
        }
        .token(APP_TOKEN)
    }

    pub fn client(mut self, id: &str, secret: &str) -> Self {
        self.client = id.to_owned();
        self.secret = secret.to_owned();
        self
    }

    pub fn method(mut self, method: &str) -> Self {
        self.method = method.to_owned();
        self
    }

    pub fn target(mut self, target: &str) -> Self {
        self.target = target.to_owned();
        self
    }

    pub fn signing_target(mut self, target: &str) -> Self {
        self.signed_target = Some(target.to_owned());
        self
    }

    pub fn token(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self.token = token.to_owned();
        self
    }

    /// Another spelling of the header, the same token under the signature.
    pub fn authorization(mut self, value: &str) -> Self {
        self.authorization = Some(value.to_owned());
        self
    }

    /// No header, and nothing in its place under the signature.
    pub fn without_token(mut self) -> Self {
        self.authorization = None;
        self.token = String::new();
        self
    }

    pub fn at(mut self, timestamp: &str) -> Self {
        self.timestamp = timestamp.to_owned();
        self
    }

    pub fn external_id(mut self, id: &str) -> Self {
        self.external_id = id.to_owned();
        self
    }

    pub fn hashing(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.hashed = Some(bytes.as_ref().to_vec());
        self
    }

    /// Signed over the body as it is.
    pub fn hashing_raw(self) -> Self {
        let body = self.body.clone();
        self.hashing(body)
    }

    /// The digest under the signature.
    pub fn digest(&self) -> String {
        match &self.hashed {
            Some(bytes) => sha256_hex(bytes),
            None => sha256_hex(&minify(&self.body)),
        }
    }

    /// The text under the symmetric signature.
    pub fn text(&self) -> String {
        format!(
            "{}:{}:{}:{}:{}",
            self.method,
            self.signed_target(),
            self.token,
            self.digest(),
            self.timestamp
        )
    }

    /// The text under the asymmetric signature.
    pub fn rsa_text(&self) -> String {
        format!(
            "{}:{}:{}:{}",
            self.method,
            self.signed_target(),
            self.digest(),
            self.timestamp
        )
    }

    pub fn signature(&self) -> String {
        hmac_sha512(self.secret.as_bytes(), &self.text())
    }

    pub fn rsa_signature(&self) -> String {
        rsa_signature(&GATEWAY, self.rsa_text().as_bytes())
    }

    /// With the client's secret.
    pub fn sign(&self) -> Request {
        self.with_signature(&self.signature())
    }

    /// With the gateway's private key.
    pub fn sign_rsa(&self) -> Request {
        self.with_signature(&self.rsa_signature())
    }

    /// With whatever private key.
    pub fn sign_rsa_with(&self, key: &RsaPrivateKey) -> Request {
        self.with_signature(&rsa_signature(key, self.rsa_text().as_bytes()))
    }

    /// All headers that any kind of notification has, under whatever signature.
    pub fn with_signature(&self, signature: &str) -> Request {
        let request = Request::new(&self.method, &self.target)
            .body(&self.body)
            .header("Content-Type", "application/json")
            .header("X-TIMESTAMP", &self.timestamp)
            .header("X-SIGNATURE", signature)
            .header("X-PARTNER-ID", &self.client)
            .header("X-EXTERNAL-ID", &self.external_id)
            .header("CHANNEL-ID", "VA004")
            .header("X-DEVICE-ID", "09864ADCASA")
            .header("X-IP-ADDRESS", "192.0.2.8")
            .header("Authorization-customer", "customer-canary-token");
        match &self.authorization {
            Some(value) => request.header("Authorization", value),
            None => request,
        }
    }

    fn signed_target(&self) -> &str {
        self.signed_target.as_ref().unwrap_or(&self.target)
    }
}

/// A genuine, fresh payment notification with this body.
pub fn snap(body: impl AsRef<[u8]>) -> Request {
    Snap::new(body).sign()
}

/// HMAC-SHA512 in base64.
pub fn hmac_sha512(secret: &[u8], text: &str) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(secret).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The rule as the documents have it: white space outside strings goes, everything else stays.
pub fn minify(body: &[u8]) -> Vec<u8> {
    let (mut kept, mut inside, mut escaped) = (Vec::new(), false, false);
    for byte in body {
        if inside {
            inside = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
        } else if b" \t\r\n".contains(byte) {
            continue;
        } else {
            inside = *byte == b'"';
        }
        kept.push(*byte);
    }
    kept
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As Jakarta writes it, `YYYY-MM-DDTHH:MM:SS+07:00`.
pub fn jakarta_time(moment: Timestamp) -> String {
    let shifted = moment + Span::new().hours(7);
    shifted.strftime("%Y-%m-%dT%H:%M:%S+07:00").to_string()
}
