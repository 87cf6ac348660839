//! The gateways beside DOKU and Pivot: a route and a key for each, and how each signs.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde_json::json;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::gateway::unique;
use super::keys::key_text;
use super::{Config, Request};

/// Standard Webhooks and Svix write their keys in base64, after a prefix.
pub const STANDARD_KEY: &str = "whsec_c3RhbmRhcmQtY2FuYXJ5LWtleS0wMDAx";
pub const STANDARD_BYTES: &str = "standard-canary-key-0001";
pub const SVIX_KEY: &str = "whsec_c3ZpeC1jYW5hcnktc2VjcmV0LWtleTAx";
pub const SVIX_BYTES: &str = "svix-canary-secret-key01";
/// Stripe's key looks the same and is text.
pub const STRIPE_KEY: &str = "whsec_c3RyaXBlLWNhbmFyeS1zZWNyZXQtMDAx";
pub const STRIPE_BYTES: &str = "stripe-canary-secret-001";
pub const GITHUB_KEY: &str = "github-canary-secret-0001";
pub const XENDIT_TOKEN: &str = "xendit-canary-token-0001";
pub const MIDTRANS_KEY: &str = "SB-Mid-server-canary-0001";
/// Text that looks like hex.
pub const TRIPAY_KEY: &str = "7472697061792d63616e6172792d6b65792d303030312121";
pub const TRIPAY_BYTES: &str = "tripay-canary-key-0001!!";
pub const RAZORPAY_KEY: &str = "razorpay-canary-secret-0001";
pub const DUITKU_KEY: &str = "duitku-canary-api-key-0001";
pub const DUITKU_ID: &str = "DXXXX0001";
pub const FASPAY_PASSWORD: &str = "faspay-canary-password-0001";
pub const FASPAY_USER: &str = "bot98765";
pub const ADYEN_KEY: &str = "616479656e2d63616e6172792d6b65792d6f662d33322d62797465732d303031";
pub const ADYEN_BYTES: &str = "adyen-canary-key-of-32-bytes-001";
/// The public half of a key that nobody kept.
const ED25519_KEY: &str = "MVaIf+EfKOuo+M9Si6bKG4ks99XXbW4tIz8nJyu3jXk=";

/// Every built-in scheme that is neither DOKU's nor Pivot's, and the keys of one client.
const HOOKS: [(&str, Option<&str>, &str); 12] = [
    ("standard-webhooks", None, STANDARD_KEY),
    ("svix", None, SVIX_KEY),
    ("stripe", None, STRIPE_KEY),
    ("github", None, GITHUB_KEY),
    ("xendit", None, XENDIT_TOKEN),
    ("midtrans", None, MIDTRANS_KEY),
    ("tripay", None, TRIPAY_KEY),
    ("razorpay", None, RAZORPAY_KEY),
    ("duitku", Some(DUITKU_ID), DUITKU_KEY),
    ("faspay", Some(FASPAY_USER), FASPAY_PASSWORD),
    ("adyen", None, ADYEN_KEY),
    ("standard-webhooks-asymmetric", None, ED25519_KEY),
];

/// Where a gateway of the template sends to.
pub fn hook(gateway: &str) -> String {
    format!("/hooks/{gateway}")
}

impl Config {
    /// One gateway and one route for each of the other built-in schemes, by their names.
    pub fn with_hooks(mut self) -> Self {
        for (scheme, id, key) in HOOKS {
            let kind = match key {
                ED25519_KEY => "public_keys",
                _ => "secrets",
            };
            let mut client = json!({kind: [self.secret(scheme, key)]});
            if let Some(id) = id {
                client["id"] = json!(id);
            }
            self = self.hook(scheme, scheme, client);
        }
        let key = self.secret("hooks-gateway.pem", key_text("other-public.pem"));
        let nicepay = json!({"id": "nicepay-client", "public_keys": [key.clone()]});
        self.hook(
            "durianpay-snap",
            "durianpay-snap",
            json!({"public_keys": [key]}),
        )
        .hook("nicepay-snap", "nicepay-snap", nicepay)
    }

    /// A gateway of one client, and a route for it.
    pub fn hook(self, gateway: &str, scheme: &str, client: serde_json::Value) -> Self {
        let place = format!("gateways.{gateway}");
        self.set(&place, json!({"scheme": scheme, "clients": [client]}))
            .route(json!({"path": hook(gateway), "gateway": gateway}))
    }
}

/// A JSON body for this gateway's route, with nothing under a proof yet.
pub fn unsigned(gateway: &str, body: impl AsRef<[u8]>) -> Request {
    Request::post(&hook(gateway), body).header("Content-Type", "application/json")
}

/// Now, in seconds.
pub fn seconds() -> String {
    Timestamp::now().as_second().to_string()
}

/// Standard Webhooks, or what it was made from: `name` begins the headers' names.
pub fn standard(name: &str, time: &str, body: &str, proof: impl Fn(&str) -> String) -> Request {
    let gateway = if name == "svix" {
        name
    } else {
        "standard-webhooks"
    };
    let id = unique("msg");
    unsigned(gateway, body)
        .header(&format!("{name}-id"), &id)
        .header(&format!("{name}-timestamp"), time)
        .header(
            &format!("{name}-signature"),
            proof(&format!("{id}.{time}.{body}")),
        )
}

/// One proof in their list.
pub fn v1(mac: Vec<u8>) -> String {
    format!("v1,{}", STANDARD.encode(mac))
}

pub fn stripe(time: &str, body: &str, proof: impl Fn(&str) -> String) -> Request {
    let proof = proof(&format!("{time}.{body}"));
    unsigned("stripe", body).header("Stripe-Signature", format!("t={time},v1={proof}"))
}

/// An event of Stripe, whose id is its identity.
pub fn stripe_event() -> String {
    let id = unique("evt").replace('-', "_");
    format!("{{\"id\":\"{id}\",\"type\":\"payment_intent.succeeded\"}}")
}

pub fn github(body: &[u8], proof: &str) -> Request {
    unsigned("github", body).header("X-Hub-Signature-256", proof)
}

/// What Midtrans signs, and the notification with this proof of it.
pub fn midtrans(proof: impl Fn(&str) -> String) -> Request {
    let order = unique("order");
    let proof = proof(&format!("{order}20010000.00"));
    let body = json!({"order_id": order, "status_code": "200", "gross_amount": "10000.00",
        "transaction_status": "settlement", "signature_key": proof});
    unsigned("midtrans", body.to_string())
}

/// A batch of one item under this proof.
pub fn adyen(proof: impl Fn(&str) -> String) -> Request {
    let reference = unique("PSP").replace('-', "");
    let text = format!("{reference}::TestMerchant:order-1:1130:EUR:AUTHORISATION:true");
    let item = json!({"pspReference": reference, "merchantAccountCode": "TestMerchant",
        "merchantReference": "order-1", "amount": {"value": 1130, "currency": "EUR"},
        "eventCode": "AUTHORISATION", "success": "true",
        "additionalData": {"hmacSignature": proof(&text)}});
    let batch = json!({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]});
    unsigned("adyen", batch.to_string())
}

/// HMAC with SHA-256, the key whatever bytes.
pub fn mac256(key: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_ref()).unwrap();
    mac.update(text.as_ref());
    mac.finalize().into_bytes().to_vec()
}

pub fn mac512(key: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key.as_ref()).unwrap();
    mac.update(text.as_ref());
    mac.finalize().into_bytes().to_vec()
}

pub fn mac1(key: impl AsRef<[u8]>, text: impl AsRef<[u8]>) -> Vec<u8> {
    let mut mac = Hmac::<Sha1>::new_from_slice(key.as_ref()).unwrap();
    mac.update(text.as_ref());
    mac.finalize().into_bytes().to_vec()
}

pub fn sha256(text: impl AsRef<[u8]>) -> Vec<u8> {
    Sha256::digest(text).to_vec()
}

pub fn sha512(text: impl AsRef<[u8]>) -> Vec<u8> {
    Sha512::digest(text).to_vec()
}

pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    STANDARD.encode(bytes)
}

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
