//! Gateways whose references may be anything: what a careless user declares.

use serde_json::json;

use super::hooks::{hex, mac256};
use super::{Config, Request};

pub const LOOSE_SECRET: &str = "loose-canary-secret-0001";

fn scheme(reference: &str) -> String {
    format!(
        r#"
proof: {{kind: hmac, hash: sha256, at: "header:X-Proof", encoding: hex, messages: ["{{body}}"]}}
reference: {reference}
shapes: {{"{reference}": "(?s).*"}}
"#
    )
}

impl Config {
    /// Two gateways beside the others: one has its reference in the body, one in a header.
    pub fn with_loose_references(mut self) -> Self {
        for (name, place) in [
            ("loose", "json:/id"),
            ("loose-header", "header:X-Reference"),
        ] {
            let secret = self.secret(name, LOOSE_SECRET);
            let gateway = json!({"scheme": name, "clients": [{"secrets": [secret]}]});
            self = self
                .declare(name, &scheme(place))
                .gateway(name, gateway)
                .route(json!({"path": format!("/{name}"), "gateway": name}));
        }
        self
    }
}

/// What holds for this body.
pub fn loose_proof(body: &str) -> String {
    hex(mac256(LOOSE_SECRET, body))
}

/// A notification to one of the two, under this proof.
pub fn signed_loosely(gateway: &str, body: &str, proof: &str) -> Request {
    Request::post(&format!("/{gateway}"), body)
        .header("Content-Type", "application/json")
        .header("X-Proof", proof)
}
