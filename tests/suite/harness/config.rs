//! A configuration to start from, in a folder of its own, and the words to change it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use super::App;
use super::gateway::{
    BRN, BRN_SECRET, MCH, MCH_NEW_SECRET, MCH_OLD_SECRET, PAN, PIVOT_KEY, QRIS_SECRET,
};
use super::keys::key_text;
use super::snap::{
    B2B_PAYMENT, B2B_RSA_PAYMENT, B2B_RSA_TOKEN, B2B_TOKEN, DEBIT, INQUIRY, PAYMENT, QR,
    RSA_PAYMENT, SNAP_NEW_SECRET, SNAP_OLD_SECRET, SNAP_SECRET,
};

/// A fresh folder that goes away with its last owner.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("kawal-suite-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What `kawal serve` is started with.
#[derive(Clone)]
pub struct Config {
    pub folder: Arc<Folder>,
    tree: Value,
    text: Option<String>,
    pub env: Vec<(String, String)>,
    pub args: Vec<String>,
}

impl Config {
    /// Three gateways, one route each, in front of this app.
    pub fn new(app: &App) -> Self {
        Self::to(&app.url())
    }

    /// The same in front of whatever is there.
    pub fn to(upstream: &str) -> Self {
        let mut config = Self {
            folder: Arc::new(Folder::new()),
            tree: Value::Null,
            text: None,
            env: Vec::new(),
            args: Vec::new(),
        };
        let brn = config.secret("brn", BRN_SECRET);
        let mch_new = config.secret("mch-new", MCH_NEW_SECRET);
        let mch_old = config.secret("mch-old", MCH_OLD_SECRET);
        let qris = config.secret("qris", QRIS_SECRET);
        let pivot = config.secret("pivot", PIVOT_KEY);
        config.tree = json!({
            "listen": "127.0.0.1:0",
            "admin": "127.0.0.1:0",
            "upstream": upstream,
            "gateways": {
                "doku": {"scheme": "doku", "clients": [
                    {"id": BRN, "secrets": [brn]},
                    {"id": MCH, "secrets": [mch_new, mch_old]},
                ]},
                "doku-qris": {"scheme": "doku-qris", "clients": [{"id": PAN, "secrets": [qris]}]},
                "pivot": {"scheme": "pivot", "clients": [{"secrets": [pivot]}]},
            },
            "routes": [
                {"path": "/payments/notifications", "gateway": "doku"},
                {"path": "/payments/qris", "gateway": "doku-qris", "convert": "json", "respond": "gateway"},
                {"path": "/payments/pivot", "gateway": "pivot"},
            ],
        });
        config
    }

    /// The same with the gateways of SNAP BI beside them.
    pub fn snap(app: &App) -> Self {
        Self::new(app).with_snap()
    }

    /// Four SNAP gateways: both ways to sign, each once with tokens of the app's and once with Kawal's.
    pub fn with_snap(mut self) -> Self {
        let brn = self.secret("snap-brn", SNAP_SECRET);
        let new = self.secret("snap-mch-new", SNAP_NEW_SECRET);
        let old = self.secret("snap-mch-old", SNAP_OLD_SECRET);
        let key = self.secret("gateway.pem", key_text("gateway-public.pem"));
        let both = json!([
            {"id": BRN, "secrets": [brn], "public_keys": [key]},
            {"id": MCH, "secrets": [new, old], "public_keys": [key]},
        ]);
        let secrets = json!([{"id": BRN, "secrets": [brn]}, {"id": MCH, "secrets": [new, old]}]);
        let keys = json!([{"id": BRN, "public_keys": [key]}, {"id": MCH, "public_keys": [key]}]);
        let gateways = [
            ("doku-snap", "snap", secrets),
            ("doku-rsa", "snap-asymmetric", keys),
            ("doku-b2b", "snap", both.clone()),
            ("doku-b2b-rsa", "snap-asymmetric", both),
        ];
        for (name, scheme, clients) in gateways {
            self.tree["gateways"][name] = json!({"scheme": scheme, "clients": clients});
        }
        let routes = [
            (PAYMENT, "doku-snap", "va-payment"),
            (INQUIRY, "doku-snap", "va-inquiry"),
            (DEBIT, "doku-snap", "debit-notify"),
            (QR, "doku-snap", "qr-notify"),
            (RSA_PAYMENT, "doku-rsa", "va-payment"),
            (B2B_PAYMENT, "doku-b2b", "va-payment"),
            (B2B_RSA_PAYMENT, "doku-b2b-rsa", "va-payment"),
        ];
        for (path, gateway, service) in routes {
            self = self.route(json!({"path": path, "gateway": gateway, "service": service}));
        }
        for (path, gateway) in [(B2B_TOKEN, "doku-b2b"), (B2B_RSA_TOKEN, "doku-b2b-rsa")] {
            self = self.route(json!({"path": path, "token": gateway}));
        }
        self
    }

    /// Gives a gateway a window that is wide enough for known answers, which are years old.
    pub fn patient(self, gateway: &str) -> Self {
        let window = json!({"max_age": "175200h", "max_skew": "5m", "late": "175200h"});
        self.set(&format!("gateways.{gateway}.freshness"), window)
            .set(&format!("gateways.{gateway}.remember"), "175300h")
    }

    /// Sets what stands under a dotted path (`replay.capacity`), making levels as needed.
    pub fn set(mut self, path: &str, value: impl Into<Value>) -> Self {
        let mut place = &mut self.tree;
        for key in path.split('.') {
            place = &mut place[key];
        }
        *place = value.into();
        self
    }

    /// What stands there.
    pub fn value(&self, path: &str) -> Value {
        self.tree
            .pointer(&format!("/{}", path.replace('.', "/")))
            .unwrap()
            .clone()
    }

    /// Takes a key away.
    pub fn without(mut self, path: &str) -> Self {
        let (parents, key) = path.rsplit_once('.').unwrap_or(("", path));
        let mut place = &mut self.tree;
        for parent in parents.split('.').filter(|parent| !parent.is_empty()) {
            place = &mut place[parent];
        }
        place.as_object_mut().unwrap().remove(key).unwrap();
        self
    }

    /// Adds a route.
    pub fn route(mut self, route: Value) -> Self {
        let routes = self.tree["routes"].as_array_mut().unwrap();
        routes.push(route);
        self
    }

    /// Sets a key of the route with this path.
    pub fn on_route(mut self, path: &str, key: &str, value: impl Into<Value>) -> Self {
        let routes = self.tree["routes"].as_array_mut().unwrap();
        let route = routes.iter_mut().find(|route| route["path"] == path);
        route.unwrap()[key] = value.into();
        self
    }

    /// The whole file as it is, instead of the template.
    pub fn with_text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// One more word after `serve --config FILE`.
    pub fn arg(mut self, word: &str) -> Self {
        self.args.push(word.to_owned());
        self
    }

    /// Writes a secret and gives the reference to it.
    pub fn secret(&self, name: &str, value: impl AsRef<[u8]>) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, value).unwrap();
        format!("file:{}", path.display())
    }

    /// The file's text: JSON, which is YAML as well.
    pub fn text(&self) -> String {
        match &self.text {
            Some(text) => text.clone(),
            None => serde_json::to_string_pretty(&self.tree).unwrap(),
        }
    }

    /// Writes the file and says where.
    pub fn write(&self) -> PathBuf {
        let path = self.folder.path().join("config.yaml");
        std::fs::write(&path, self.text()).unwrap();
        path
    }
}
