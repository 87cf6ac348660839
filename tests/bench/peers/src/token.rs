//! The access token that SNAP notifications bear, asked for as the gateway asks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs8::DecodePrivateKey;
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::Fallible;
use crate::exchange::send;
use crate::signer::CLIENT;

/// A throw-away key that belongs to nobody.
const KEY: &str = include_str!("../../../keys/gateway-private.pem");

/// A token from the Kawal at this port. It is made with the client's secret, so that every other
/// Kawal with that secret knows it too.
pub(crate) fn fetch(port: u16) -> Fallible<String> {
    let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
    let digest = Sha256::digest(format!("{CLIENT}|{time}"));
    let key = RsaPrivateKey::from_pkcs8_pem(KEY)?;
    let signature = STANDARD.encode(key.sign(Pkcs1v15Sign::new::<Sha256>(), &digest)?);
    let body = r#"{"grantType":"client_credentials"}"#;
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nX-CLIENT-KEY: {CLIENT}\r\nX-TIMESTAMP: {time}\r\nX-SIGNATURE: {signature}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = send(port, request.as_bytes())?;
    let value: Value = serde_json::from_str(&answer.body)?;
    let token = value.get("accessToken").and_then(Value::as_str);
    let token = token.ok_or_else(|| format!("no token: {} {}", answer.status, answer.body))?;
    Ok(token.to_owned())
}
