//! One sender for every gateway of the fullest configuration.

use super::gateway::BRN;
use super::snap::{B2B_PAYMENT, B2B_RSA_PAYMENT, RSA_PAYMENT, SNAP_SECRET};
use super::tokens::{Jwt, b2b_jwt, b2b_key, token_key};
use super::{App, Config, KINDS, Notice, Qris, Request, Snap, doku, pivot, snap, unique};

impl Config {
    /// The template with every other kind of gateway, and those of SNAP BI, beside.
    pub fn fullest(app: &App) -> Self {
        Self::new(app).with_everybody()
    }

    pub fn with_everybody(self) -> Self {
        self.with_kinds().with_snap()
    }

    /// Sets a key of every gateway.
    pub fn every_gateway(self, key: &str, value: &serde_json::Value) -> Self {
        let gateways = self.value("gateways");
        let names = gateways.as_object().unwrap().keys();
        names.fold(self, |config, name| {
            config.set(&format!("gateways.{name}.{key}"), value.clone())
        })
    }
}

/// A genuine notification of each, with an identity of its own, and the name of its gateway.
pub fn everybody() -> Vec<(&'static str, Request)> {
    let kinds = KINDS.iter();
    let kinds = kinds.map(|kind| (kind.scheme, Notice::new(kind).sign()));
    let body = || format!("{{\"n\": \"{}\"}}", unique("n"));
    let rsa_key = token_key(SNAP_SECRET, "doku-b2b-rsa", BRN);
    let rsa_token = Jwt::new("doku-b2b-rsa", BRN).hs256(&rsa_key);
    let b2b_token = b2b_jwt().hs256(&b2b_key());
    let b2b = Snap::new(body()).target(B2B_PAYMENT).token(&b2b_token);
    let b2b_rsa = Snap::new(body()).target(B2B_RSA_PAYMENT).token(&rsa_token);
    let rsa = Snap::new(body()).target(RSA_PAYMENT);
    let mut all: Vec<_> = kinds.collect();
    all.extend([
        ("doku", doku(body())),
        ("doku", doku(body()).chunked(3)),
        ("doku-qris", Qris::new().sign()),
        ("doku-qris", Qris::new().form()),
        ("pivot", pivot(body())),
        ("doku-snap", snap(body())),
        ("doku-rsa", rsa.sign_rsa()),
        ("doku-b2b", b2b.sign()),
        ("doku-b2b-rsa", b2b_rsa.sign_rsa()),
    ]);
    all
}
