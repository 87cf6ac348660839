//! Adyen's batches: items that each bear a proof of their own.

use serde_json::{Value, json};

use super::hashes::{base64, hmac_sha256};
use super::{Notice, Request, kind};

/// An item that nobody has sent yet, signed.
pub fn item() -> Value {
    signed(bare())
}

pub fn bare() -> Value {
    let reference = Notice::new(kind("adyen")).id;
    json!({
        "additionalData": {},
        "amount": {"currency": "IDR", "value": 10001},
        "eventCode": "AUTHORISATION",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "order-1",
        "originalReference": "",
        "pspReference": reference,
        "success": "true",
    })
}

/// The text that the documents sign: eight values, those that are not there empty.
pub fn text(item: &Value) -> String {
    let names = [
        "/pspReference",
        "/originalReference",
        "/merchantAccountCode",
        "/merchantReference",
        "/amount/value",
        "/amount/currency",
        "/eventCode",
        "/success",
    ];
    let values = names.map(|name| match item.pointer(name) {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    });
    values.join(":")
}

pub fn signed(mut item: Value) -> Value {
    let [key, ..] = (kind("adyen").keys)();
    let proof = hmac_sha256(&key.bytes(), text(&item).as_bytes());
    item["additionalData"]["hmacSignature"] = base64(&proof).into();
    item
}

/// A value changed after it was signed.
pub fn altered(mut item: Value, pointer: &str, value: impl Into<Value>) -> Value {
    *item.pointer_mut(pointer).unwrap() = value.into();
    item
}

pub fn batch(items: &[&Value]) -> Request {
    let wrap = |item: &&Value| json!({"NotificationRequestItem": item});
    let items: Vec<_> = items.iter().map(wrap).collect();
    let body = json!({"live": "false", "notificationItems": items});
    Request::post("/hooks/adyen", body.to_string()).header("Content-Type", "application/json")
}
