//! What the doctor is asked about: a configuration with every scheme, and its secrets in all forms.

use serde_json::json;

use super::gateway::{BRN_SECRET, MCH_NEW_SECRET, MCH_OLD_SECRET, PIVOT_KEY, QRIS_SECRET};
use super::hooks::*;
use super::snap::{SNAP_NEW_SECRET, SNAP_OLD_SECRET, SNAP_SECRET};
use super::tokens::b2b_key;
use super::{Config, Doctor, Request};

/// A client whose secret file ends in a blank and a newline, and one whose ends in two newlines.
pub const BLANK: &str = "BRN-blank";
pub const NEWLINE: &str = "BRN-newline";
pub const SPACED_SECRET: &str = "SK-spaced-canary-secret-1";
pub const SPACED: &str = "/hooks/doku-spaced";
/// A static key whose file ends in a blank.
pub const SPACED_KEY: &str = "pivot-spaced-canary-key";
/// As few characters as a key may have: nothing of it is little enough to show.
pub const SHORT_KEY: &str = "cnry-8ch";
/// What an ingress turns the path under `PUBLIC` into.
pub const INNER: &str = "/inner/doku";
/// A path with capitals.
pub const MIXED: &str = "/Hooks/DokuNotify";
pub const PUBLIC: &str = "/payments/doku";
pub const SHOP_KEY: &str = "shop-canary-secret-0001";

/// A doctor who has all keys.
pub fn clinic() -> Doctor {
    Doctor::new(furnished(Config::to("http://127.0.0.1:9")))
}

/// All gateways of the template, and some with faults of their own.
pub fn furnished(config: Config) -> Config {
    let config = config.with_snap().with_hooks();
    let blank = config.secret("blank", format!("{SPACED_SECRET} \n"));
    let newline = config.secret("newline", format!("{SPACED_SECRET}\n\n"));
    let spaced = config.secret("spaced-key", format!("{SPACED_KEY} \n"));
    let short = config.secret("short-key", SHORT_KEY);
    let shop = config.secret("shop", SHOP_KEY);
    let spaced_clients = json!([
        {"id": BLANK, "secrets": [blank]},
        {"id": NEWLINE, "secrets": [newline]},
    ]);
    config
        .set("schemes.shop", shop_scheme())
        .hook("shop", "shop", json!({"secrets": [shop]}))
        .hook("pivot-spaced", "pivot", json!({"secrets": [spaced]}))
        .hook("pivot-short", "pivot", json!({"secrets": [short]}))
        .hook("doku-spaced", "doku", json!({}))
        .set("gateways.doku-spaced.clients", spaced_clients)
        .route(json!({"path": MIXED, "gateway": "doku"}))
        .route(json!({"path": INNER, "gateway": "doku", "public_path": PUBLIC}))
}

/// A scheme of the user's own, which signs the query and a value with anything in it.
fn shop_scheme() -> serde_json::Value {
    json!({
        "proof": {"kind": "hmac", "hash": "sha256", "at": "header:X-Shop-Signature",
            "prefix": "sig=", "encoding": "base64url",
            "messages": ["{method} {target}\n{header:X-Shop-Time}\n{header:X-Shop-Note}\n{body}"]},
        "time": {"at": "header:X-Shop-Time", "format": "unix-ms"},
    })
}

/// A notification of the shop on its way to its signature.
#[derive(Clone)]
pub struct Shop {
    pub target: String,
    pub time: String,
    pub note: String,
    pub body: Vec<u8>,
}

impl Shop {
    pub fn new(body: impl AsRef<[u8]>) -> Self {
        Self {
            target: hook("shop"),
            time: format!("{}000", seconds()),
            note: "a note".to_owned(),
            body: body.as_ref().to_vec(),
        }
    }

    pub fn mac(&self) -> Vec<u8> {
        let head = format!("POST {}\n{}\n{}\n", self.target, self.time, self.note);
        mac256(SHOP_KEY, [head.as_bytes(), &self.body].concat())
    }

    pub fn sign(&self) -> Request {
        self.under(&format!("sig={}", base64url(self.mac())))
    }

    pub fn under(&self, proof: &str) -> Request {
        Request::post(&self.target, &self.body)
            .header("X-Shop-Time", &self.time)
            .header("X-Shop-Note", &self.note)
            .header("X-Shop-Signature", proof)
    }
}

/// Every secret of that configuration in every form in which it could slip out.
pub fn canaries() -> Vec<String> {
    let texts = [
        BRN_SECRET,
        MCH_NEW_SECRET,
        MCH_OLD_SECRET,
        QRIS_SECRET,
        PIVOT_KEY,
        SNAP_SECRET,
        SNAP_NEW_SECRET,
        SNAP_OLD_SECRET,
        STANDARD_KEY,
        STANDARD_BYTES,
        SVIX_KEY,
        SVIX_BYTES,
        STRIPE_KEY,
        STRIPE_BYTES,
        GITHUB_KEY,
        XENDIT_TOKEN,
        MIDTRANS_KEY,
        TRIPAY_KEY,
        TRIPAY_BYTES,
        RAZORPAY_KEY,
        DUITKU_KEY,
        FASPAY_PASSWORD,
        ADYEN_KEY,
        ADYEN_BYTES,
        SPACED_SECRET,
        SPACED_KEY,
        SHORT_KEY,
        SHOP_KEY,
    ];
    let mut forms: Vec<_> = texts
        .iter()
        .flat_map(|text| forms(text.as_bytes()))
        .collect();
    forms.extend(texts.map(str::to_owned));
    forms.extend(self::forms(&b2b_key()));
    forms
}

/// Bytes as hex and base64, also where they begin in the middle of something longer.
pub fn forms(bytes: &[u8]) -> Vec<String> {
    let mut forms = vec![hex(bytes), hex(bytes).to_uppercase(), base64url(bytes)];
    forms.push(base64(bytes).trim_end_matches('=').to_owned());
    for before in 1..3 {
        let code = base64([&vec![b'-'; before], bytes].concat());
        forms.push(code[4..code.len() - 4].to_owned());
    }
    forms.retain(|form| form.len() >= 8);
    forms
}

/// What was printed holds none of these.
#[track_caller]
pub fn assert_silent(name: &str, printed: &str, hidden: &[String]) {
    for text in hidden {
        assert!(text.len() >= 8, "{name}: `{text}` is too short to look for");
        assert!(
            !printed.contains(text),
            "{name}: {text} was printed: {printed}"
        );
    }
}
