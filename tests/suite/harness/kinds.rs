//! The kinds of other gateways: what is signed, how, where the proof goes, and a configuration with all of them.

use serde_json::{Value, json};

use super::config::Config;
use super::hashes::{base64, hex};
use super::keys::{GATEWAY, INTEROP, OTHER};
use super::notice::{Key, Notice};
use super::rows::KINDS;
use super::{App, Request};

/// How one kind of gateway notifies.
pub struct Kind {
    /// The scheme, and the name of its gateway in the tests.
    pub scheme: &'static str,
    /// What `X-Kawal-Covers` is to say.
    pub covers: &'static str,
    /// The header with the proof; none where it is in the body.
    pub header: Option<&'static str>,
    /// Literal text before the proof.
    pub mark: &'static str,
    /// Headers that are signed besides.
    pub signed: &'static [&'static str],
    /// The client's id, where one is configured.
    pub client: Option<&'static str>,
    /// Whether it signs a time.
    pub timed: bool,
    /// The newest key of the client, its older one, and a stranger's.
    pub keys: fn() -> [Key; 3],
    pub body: &'static str,
    pub text: fn(&Notice) -> String,
    pub prove: fn(&Notice, &str) -> String,
    pub dress: fn(&Notice, &str) -> Request,
}

/// The second client of every gateway that has clients; its key is the stranger's.
pub const NEIGHBOUR: &str = "NEIGHBOUR01";

impl Kind {
    /// The route of its gateway.
    pub fn path(&self) -> String {
        format!("/hooks/{}", self.scheme)
    }

    /// The route of another gateway of this scheme, which has the stranger's key only.
    pub fn other_path(&self) -> String {
        format!("/others/{}", self.scheme)
    }
}

/// The row of this scheme.
pub fn kind(scheme: &str) -> &'static Kind {
    let found = KINDS.iter().find(|kind| kind.scheme == scheme);
    found.unwrap_or_else(|| panic!("no row for {scheme}"))
}

impl Config {
    /// The template with two gateways of every kind beside.
    pub fn kinds(app: &App) -> Self {
        Self::new(app).with_kinds()
    }

    pub fn with_kinds(mut self) -> Self {
        for kind in &KINDS {
            let scheme = kind.scheme;
            let [new, old, stranger] = (kind.keys)();
            let list = new.list();
            let [new, old, stranger] = [("new", new), ("old", old), ("stranger", stranger)]
                .map(|(name, key)| self.secret(&format!("{scheme}-{name}"), key.file()));
            let mut first = json!({ list: [new, old] });
            let mut other = json!({ list: [stranger] });
            let mut clients = vec![];
            if let Some(id) = kind.client {
                first["id"] = id.into();
                other["id"] = id.into();
                clients.push(json!({"id": NEIGHBOUR, list: [stranger]}));
            }
            clients.insert(0, first);
            let other_name = format!("{scheme}-other");
            self = self
                .gateway(scheme, json!({"scheme": scheme, "clients": clients}))
                .gateway(&other_name, json!({"scheme": scheme, "clients": [other]}))
                .route(json!({"path": kind.path(), "gateway": scheme}))
                .route(json!({"path": kind.other_path(), "gateway": other_name}));
        }
        self
    }

    /// Declares a scheme, written in YAML.
    pub fn declare(self, name: &str, yaml: &str) -> Self {
        let declared: Value = serde_yaml::from_str(yaml).unwrap();
        self.set(&format!("schemes.{name}"), declared)
    }

    /// Adds a gateway.
    pub fn gateway(self, name: &str, gateway: Value) -> Self {
        self.set(&format!("gateways.{name}"), gateway)
    }
}

/// What most of them have in common: HMAC-SHA256 of the body, in hex.
pub const fn body_kind(scheme: &'static str) -> Kind {
    Kind {
        scheme,
        covers: "body",
        header: None,
        mark: "",
        signed: &[],
        client: None,
        timed: false,
        keys: plain,
        body: r#"{"id":"@ID@","status":"PAID","amount":10001,"note":"two  blanks"}"#,
        text: |n| n.body.clone(),
        prove: |n, text| hex(&n.key.sign(text)),
        dress: in_json,
    }
}

fn plain() -> [Key; 3] {
    ["new-0001", "old-0002", "else-003"].map(|key| Key::Text(format!("gateway-canary-{key}")))
}

pub fn whsec() -> [Key; 3] {
    [0xfb, 0xef, 3].map(|byte| Key::Whsec(base64(&[byte; 24])))
}

pub fn rsa() -> [Key; 3] {
    [
        Key::Rsa(&GATEWAY, "gateway-public.pem"),
        Key::Rsa(&OTHER, "other-public.pem"),
        Key::Rsa(&INTEROP, "interop-public.pem"),
    ]
}

pub fn in_base64(notice: &Notice, text: &str) -> String {
    base64(&notice.key.sign(text))
}

pub fn hook_text(n: &Notice) -> String {
    format!("msg_{}.{}.{}", n.id, n.at.as_second(), n.body)
}

pub fn hook(n: &Notice, name: &str, proof: &str) -> Request {
    json(n)
        .header(&format!("{name}-id"), format!("msg_{}", n.id))
        .header(&format!("{name}-timestamp"), n.at.as_second().to_string())
        .header(&format!("{name}-signature"), proof)
}

pub fn json(n: &Notice) -> Request {
    Request::post(&n.path, &n.body).header("Content-Type", "application/json")
}

pub fn in_json(n: &Notice, proof: &str) -> Request {
    json(n).body(n.body.replace("@PROOF@", proof))
}
