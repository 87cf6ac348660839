//! The gateways: signers written from the gateways' documents, independent of the code under test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use jiff::{Span, Timestamp};
use sha2::{Digest, Sha256};

use super::Request;

pub const BRN: &str = "BRN-0201-1690274481481";
pub const BRN_SECRET: &str = "SK-brn-canary-secret-0001";
pub const MCH: &str = "MCH-0001-10791114622547";
/// The client in rotation has two secrets; both are accepted.
pub const MCH_NEW_SECRET: &str = "SK-mch-canary-secret-new2";
pub const MCH_OLD_SECRET: &str = "SK-mch-canary-secret-old1";
pub const PAN: &str = "936008990000047435";
pub const QRIS_SECRET: &str = "shared-canary-key-qris";
pub const PIVOT_KEY: &str = "pivot-canary-callback-key";

/// A DOKU notification under way to its signature.
#[derive(Clone, Debug)]
pub struct Doku {
    pub client: String,
    pub secret: String,
    pub request_id: String,
    pub timestamp: String,
    pub target: String,
    /// The path that is signed, where it is not the one that is sent.
    pub signed_target: Option<String>,
    pub body: Vec<u8>,
}

impl Doku {
    /// Of the first client, now, with an id of its own, for the template's route.
    pub fn new(body: impl AsRef<[u8]>) -> Self {
        Self {
            client: BRN.to_owned(),
            secret: BRN_SECRET.to_owned(),
            request_id: unique("request"),
            timestamp: now(),
            target: "/payments/notifications".to_owned(),
            signed_target: None,
            body: body.as_ref().to_vec(),
        }
    }

    pub fn client(mut self, id: &str, secret: &str) -> Self {
        self.client = id.to_owned();
        self.secret = secret.to_owned();
        self
    }

    pub fn id(mut self, request_id: &str) -> Self {
        self.request_id = request_id.to_owned();
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

    pub fn signing_target(mut self, target: &str) -> Self {
        self.signed_target = Some(target.to_owned());
        self
    }

    /// The text under the signature. Values stand as they are, lines end in LF, the last one in nothing.
    pub fn component(&self) -> String {
        let target = self.signed_target.as_ref().unwrap_or(&self.target);
        format!(
            "Client-Id:{}\nRequest-Id:{}\nRequest-Timestamp:{}\nRequest-Target:{}\nDigest:{}",
            self.client,
            self.request_id,
            self.timestamp,
            target,
            digest(&self.body)
        )
    }

    pub fn signature(&self) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(self.component().as_bytes());
        let code = STANDARD.encode(mac.finalize().into_bytes());
        format!("HMACSHA256={code}")
    }

    pub fn sign(&self) -> Request {
        Request::post(&self.target, &self.body)
            .header("Content-Type", "application/json")
            .header("Client-Id", &self.client)
            .header("Request-Id", &self.request_id)
            .header("Request-Timestamp", &self.timestamp)
            .header("Signature", self.signature())
    }
}

/// A genuine, fresh DOKU notification with this body.
pub fn doku(body: impl AsRef<[u8]>) -> Request {
    Doku::new(body).sign()
}

/// The digest that DOKU puts under the signature.
pub fn digest(body: &[u8]) -> String {
    STANDARD.encode(Sha256::digest(body))
}

/// A genuine Pivot callback with this body.
pub fn pivot(body: impl AsRef<[u8]>) -> Request {
    pivot_with(PIVOT_KEY, body)
}

/// A Pivot callback with whatever key.
pub fn pivot_with(key: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> Request {
    Request::post("/payments/pivot", body)
        .header("Content-Type", "application/JSON")
        .header("Accept", "application/JSON")
        .header("X-API-Key", key)
}

/// Now, as DOKU writes it.
pub fn now() -> String {
    written(Timestamp::now())
}

pub fn ago(duration: Duration) -> String {
    written(Timestamp::now() - duration)
}

pub fn ahead(duration: Duration) -> String {
    written(Timestamp::now() + duration)
}

/// `YYYY-MM-DDTHH:MM:SSZ`.
pub fn written(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `yyyyMMddHHmmss` on Jakarta's clocks.
pub fn jakarta(moment: Timestamp) -> String {
    let shifted = moment + Span::new().hours(7);
    shifted.strftime("%Y%m%d%H%M%S").to_string()
}

/// A text that no other call gives.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}-{}", std::process::id(), number())
}

pub fn number() -> u32 {
    static COUNTER: AtomicU32 = AtomicU32::new(1);
    COUNTER.fetch_add(1, Ordering::Relaxed)
}
