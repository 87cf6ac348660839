//! Gateways whose schemes are declared: what is signed, how, and what must not be changed.

use jiff::Timestamp;
use serde_json::json;

use super::declared::{
    CASHFREE, ESPAY, IFORTEPAY, INTEGRATED, MAIB, MONETICO, NICEPAY, PHONEPE, VALUES,
};
use super::gateway::{unique, written};
use super::hashes::{
    base64, ed25519_public, ed25519_signature, hex, hmac_sha256, hmac_sha512, sha256_hex,
    sha512_hex, unhex,
};
use super::snap::jakarta_time;
use super::{Config, Request};

const KEY: &str = "declared-canary-key-0001";
/// What one of them writes in hex.
const HEX_KEY: &str = "6465636c617265642d63616e6172792d";

/// A declared scheme with a gateway that signs so.
pub struct Row {
    pub name: &'static str,
    pub yaml: &'static str,
    pub covers: &'static str,
    /// A notification of its own at every call.
    pub sign: fn() -> Request,
    /// What stands in every one of them and is covered, and what somebody would like to read there.
    pub bent: &'static [(&'static str, &'static str)],
}

pub const ROWS: [Row; 9] = [
    Row {
        name: "cashfree",
        yaml: CASHFREE,
        covers: "body",
        sign: cashfree,
        bent: &[("10001", "10002")],
    },
    Row {
        name: "maib",
        yaml: MAIB,
        covers: "body",
        sign: maib,
        bent: &[("10001", "10002"), ("sha256=", "sha256"), ("sha256=", "")],
    },
    Row {
        name: "ifortepay",
        yaml: IFORTEPAY,
        covers: "body",
        sign: || ifortepay("https://merchant.example/cb"),
        bent: &[("10001", "10002"), ("v1", "v2")],
    },
    Row {
        name: "phonepe",
        yaml: PHONEPE,
        covers: "fields:response",
        sign: phonepe,
        bent: &[("eyJzdWNjZXNz", "eyJmYWlsdXJl"), ("###", "##"), ("###", "")],
    },
    Row {
        name: "monetico",
        yaml: MONETICO,
        covers: "fields:*",
        sign: || monetico("1"),
        bent: &[
            ("montant=10001", "montant=10002"),
            ("code-retour=paid", "code-retour=Annulation"),
            ("montant=", "Montant="),
            ("&reference", "&extra=1&reference"),
        ],
    },
    Row {
        name: "values",
        yaml: VALUES,
        covers: "fields:*",
        sign: || values(&[("amount", "10001"), ("order", ""), ("status", "paid up")]),
        bent: &[("10001", "10002"), ("paid", "due"), ("amount=", "zmount=")],
    },
    Row {
        name: "espay",
        yaml: ESPAY,
        covers: "fields:rq_datetime,order_id",
        sign: espay,
        bent: &[("order_id=o", "order_id=p"), ("2026-01-01", "2026-01-02")],
    },
    Row {
        name: "nicepay",
        yaml: NICEPAY,
        covers: "fields:iMid,tXid,amt",
        sign: nicepay,
        bent: &[("amt=10001", "amt=10002"), ("iMid=IM", "iMid=IN")],
    },
    Row {
        name: "integrated",
        yaml: INTEGRATED,
        covers: "body",
        sign: integrated,
        bent: &[("10001", "10002"), ("evt-", "evu-")],
    },
];

fn body() -> String {
    format!(r#"{{"id":"{}","amount":10001}}"#, unique("declared"))
}

fn form(fields: &str) -> Request {
    Request::post("", fields).header("Content-Type", "application/x-www-form-urlencoded")
}

fn cashfree() -> Request {
    let (time, body) = (Timestamp::now().as_second(), body());
    let proof = hmac_sha256(KEY.as_bytes(), format!("{time}{body}").as_bytes());
    Request::post("", body)
        .header("x-webhook-timestamp", time.to_string())
        .header("x-webhook-signature", base64(&proof))
}

pub fn maib() -> Request {
    let (time, body) = (Timestamp::now().as_millisecond(), body());
    let proof = hmac_sha256(KEY.as_bytes(), format!("{body}.{time}").as_bytes());
    Request::post("", body)
        .header("X-Signature-Timestamp", time.to_string())
        .header("X-Signature", format!("sha256={}", base64(&proof)))
}

pub fn ifortepay(url: &str) -> Request {
    let (time, body) = (jakarta_time(Timestamp::now()), body());
    let text = format!("{url}:v1:{}:{time}", sha256_hex(&body));
    let proof = hmac_sha512(KEY.as_bytes(), text.as_bytes());
    Request::post("", body)
        .header("X-VERSION", "v1")
        .header("X-TIMESTAMP", time)
        .header("X-SIGNATURE", base64(&proof))
}

fn phonepe() -> Request {
    let response = format!("eyJzdWNjZXNz{}", hex(unique("").as_bytes()));
    let proof = sha256_hex(&format!("{response}{KEY}"));
    let body = json!({ "response": response });
    Request::post("", body.to_string()).header("X-VERIFY", format!("{proof}###1"))
}

/// The fields are signed decoded, in the order of their names; upper case goes before lower case.
pub fn monetico(version: &str) -> Request {
    let reference = unique("R");
    let text = format!(
        "TPE=9000001*code-retour=paid*montant=10001*reference={reference}*texte-libre=a b&c*version={version}"
    );
    let proof = hex(&hmac_sha256(&unhex(HEX_KEY), text.as_bytes())).to_uppercase();
    form(&format!(
        "version={version}&montant=10001&MAC={proof}&texte-libre=a+b%26c&TPE=9000001\
         &reference={reference}&code-retour=paid"
    ))
}

/// In the order of the names: what is empty keeps its place.
pub fn values(fields: &[(&str, &str)]) -> Request {
    let id = unique("id");
    let mut fields = [fields, &[("zid", id.as_str())]].concat();
    fields.sort_unstable();
    let text: Vec<&str> = fields.iter().map(|(_, value)| *value).collect();
    let digest = unhex(&sha512_hex(&format!("{}|{KEY}", text.join("|"))));
    let proof = base64(&digest).replace('+', "-").replace('/', "_");
    let pairs = fields.iter().rev();
    let pairs: Vec<_> = pairs
        .map(|(name, value)| format!("{name}={}", value.replace(' ', "%20")))
        .collect();
    let query = format!("{}&sign={}", pairs.join("&"), proof.trim_end_matches('='));
    Request::post(&format!("?{query}"), "")
}

pub fn espay() -> Request {
    let (order, time) = (unique("order"), "2026-01-01 09:00:00");
    let text = format!("##{KEY}##{time}##{order}##PAYMENTREPORT##");
    let proof = sha256_hex(&text.to_uppercase());
    let time = time.replace(' ', "+");
    form(&format!(
        "rq_uuid=1&rq_datetime={time}&order_id={order}&amount=10001&signature={proof}"
    ))
}

fn nicepay() -> Request {
    let id = unique("TX");
    let proof = sha256_hex(&format!("IMID{id}10001{KEY}"));
    form(&format!(
        "iMid=IMID&tXid={id}&amt=10001&status=0&merchantToken={proof}"
    ))
}

fn integrated() -> Request {
    let (id, time, body) = (unique("evt"), written(Timestamp::now()), body());
    let digest = base64(&unhex(&sha512_hex(&body)));
    let proof = ed25519_signature(&[7; 32], format!("{digest}|{id}|{time}").as_bytes());
    Request::post("", body)
        .header("X-Webhook-Event-Id", id)
        .header("X-Webhook-Event-Timestamp", time)
        .header("X-Webhook-Signature", proof)
}

/// The route of a scheme, before the query that a request may have.
pub fn to(name: &str, request: Request) -> Request {
    let target = format!("/declared/{name}{}", request.target);
    request.target(&target)
}

pub fn declared(config: Config) -> Config {
    let plain = json!({"secrets": [config.secret("plain", KEY)]});
    let hex = json!({"secrets": [config.secret("hex", HEX_KEY)]});
    let public = base64(&ed25519_public(&[7; 32]));
    let public = json!({"public_keys": [config.secret("ed25519", public)]});
    ROWS.iter().fold(config, |config, row| {
        let client = match row.name {
            "monetico" => &hex,
            "integrated" => &public,
            _ => &plain,
        };
        let path = format!("/declared/{}", row.name);
        config
            .declare(row.name, row.yaml)
            .gateway(row.name, json!({"scheme": row.name, "clients": [client]}))
            .route(json!({"path": path, "gateway": row.name}))
    })
}
