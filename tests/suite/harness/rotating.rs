//! Keys in rotation: for each way to prove a notification an old key and a new one, and who signs with either.

use serde_json::{Value, json};

use super::gateway::{BRN, pivot_with};
use super::keys::{GATEWAY, OTHER, key_text};
use super::snap::RSA_PAYMENT;
use super::{Config, Doku, Kawal, Request, Snap, unique};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    Old,
    New,
}

use Age::{New, Old};

/// One way to prove.
pub struct Rotating {
    pub gateway: &'static str,
    /// As metrics name them.
    pub client: &'static str,
    pub kind: &'static str,
    old: &'static str,
    new: &'static str,
    sign: fn(Age, &str) -> Request,
}

const DOKU: [&str; 2] = ["SK-doku-canary-secret-old", "SK-doku-canary-secret-new"];
const SNAP: [&str; 2] = ["SK-snap-canary-secret-old", "SK-snap-canary-secret-new"];
const PIVOT: [&str; 2] = [
    "pivot-canary-key-that-is-old",
    "pivot-canary-key-that-is-new",
];

/// HMAC over the body, SNAP BI's HMAC, RSA, and a static key.
pub const ROTATING: [Rotating; 4] = [
    Rotating {
        gateway: "doku",
        client: BRN,
        kind: "secret",
        old: DOKU[0],
        new: DOKU[1],
        sign: |age, body| Doku::new(body).client(BRN, DOKU[age as usize]).sign(),
    },
    Rotating {
        gateway: "doku-snap",
        client: BRN,
        kind: "secret",
        old: SNAP[0],
        new: SNAP[1],
        sign: |age, body| Snap::new(body).client(BRN, SNAP[age as usize]).sign(),
    },
    Rotating {
        gateway: "doku-rsa",
        client: BRN,
        kind: "public_key",
        old: "gateway-public.pem",
        new: "other-public.pem",
        sign: |age, body| {
            let key = if age == Old { &GATEWAY } else { &OTHER };
            Snap::new(body).target(RSA_PAYMENT).sign_rsa_with(key)
        },
    },
    Rotating {
        gateway: "pivot",
        client: "",
        kind: "secret",
        old: PIVOT[0],
        new: PIVOT[1],
        sign: |age, body| pivot_with(PIVOT[age as usize], body),
    },
];

impl Rotating {
    /// A genuine notification that nobody has sent before.
    pub fn signed_by(&self, age: Age) -> Request {
        self.signed(age, &format!("{{\"n\":\"{}\"}}", unique("n")))
    }

    /// A genuine notification with this body.
    pub fn signed(&self, age: Age, body: &str) -> Request {
        (self.sign)(age, body)
    }

    /// What the file of a key holds.
    pub fn key(&self, age: Age) -> String {
        let key = if age == Old { self.old } else { self.new };
        match self.kind {
            "public_key" => key_text(key),
            _ => key.to_owned(),
        }
    }

    /// The clients of the gateway, with these references to keys.
    pub fn clients(&self, references: &[String]) -> Value {
        let mut client = json!({});
        client[format!("{}s", self.kind)] = json!(references);
        if !self.client.is_empty() {
            client["id"] = json!(self.client);
        }
        json!([client])
    }

    /// How many proofs the key in this place has held so far.
    #[track_caller]
    pub fn held(&self, kawal: &Kawal, position: usize) -> usize {
        let position = position.to_string();
        let labels = [
            ("gateway", self.gateway),
            ("client", self.client),
            ("kind", self.kind),
            ("position", &position),
        ];
        kawal.series_so_far("kawal_key_verifications_total", &labels) as usize
    }
}

/// All of them with keys of these ages, newest first.
pub fn listing(config: &Config, ages: &[Age]) -> Config {
    ROTATING.iter().fold(config.clone(), |config, rotating| {
        let write = |age: &Age| {
            let name = format!("{}-{age:?}", rotating.gateway);
            config.secret(&name, rotating.key(*age))
        };
        let references: Vec<_> = ages.iter().map(write).collect();
        let clients = rotating.clients(&references);
        config.set(&format!("gateways.{}.clients", rotating.gateway), clients)
    })
}

/// The steps of a rotation.
pub const BEFORE: &[Age] = &[Old];
pub const OVERLAP: &[Age] = &[New, Old];
pub const AFTER: &[Age] = &[New];
