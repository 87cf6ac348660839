//! `kawal sign` and `kawal send`, typed by somebody who has the sidecar's configuration.

use std::path::Path;

use super::clinic::furnished;
use super::typed::{Typed, typed};
use super::wire::{Connection, Response};
use super::{App, Config, Kawal};

/// An app, the sidecar in front of it, and the file to type commands with.
pub struct Typist {
    pub app: App,
    pub kawal: Kawal,
}

impl Typist {
    pub fn new() -> Self {
        let app = App::start();
        let kawal = Kawal::start(furnished(Config::new(&app)));
        Self { app, kawal }
    }

    pub fn folder(&self) -> &Path {
        self.kawal.config.folder.path()
    }

    /// `kawal COMMAND --config FILE` and these words.
    pub fn types(&self, command: &str, words: &[&str], stdin: &[u8]) -> Typed {
        let whole = [&[command, "--config", "config.yaml"], words].concat();
        typed(&whole, self.folder(), stdin)
    }

    /// A notification for this route, with these words more.
    pub fn sign(&self, route: Route, words: &[&str]) -> Typed {
        let words = [&["--gateway", route.0, "--path", route.1], words].concat();
        self.types("sign", &words, b"")
    }

    /// What a notification is that can be signed.
    pub fn signed(&self, route: Route, words: &[&str]) -> Vec<u8> {
        self.sign(route, words).done(route.0).stdout
    }

    /// Sends one to the sidecar, with these words more.
    pub fn send(&self, route: Route, words: &[&str]) -> Typed {
        let to = format!("http://{}", self.kawal.addr());
        let first = ["--gateway", route.0, "--path", route.1, "--to", &to];
        self.types("send", &[&first[..], words].concat(), b"")
    }

    /// What the doctor says of these bytes.
    pub fn verify(&self, capture: &[u8], words: &[&str]) -> Typed {
        self.types("verify", &[words, &["-"]].concat(), capture)
    }

    /// Puts these bytes on the wire.
    pub fn deliver(&self, bytes: &[u8]) -> Response {
        let mut connection = Connection::open(self.kawal.addr());
        let _ = connection.write(bytes);
        connection.read("POST").unwrap()
    }
}

/// A gateway and a path of it.
pub type Route = (&'static str, &'static str);

/// Every route of the template whose notifications the configuration's own secrets sign.
pub const SIGNABLE: [Route; 18] = [
    ("doku", "/payments/notifications"),
    ("doku", "/inner/doku"),
    ("doku-qris", "/payments/qris"),
    ("pivot", "/payments/pivot"),
    ("doku-snap", "/v1/transfer-va/payment"),
    ("doku-snap", "/v1.0/debit/notify"),
    ("doku-b2b", "/b2b/transfer-va/payment"),
    ("standard-webhooks", "/hooks/standard-webhooks"),
    ("svix", "/hooks/svix"),
    ("stripe", "/hooks/stripe"),
    ("github", "/hooks/github"),
    ("xendit", "/hooks/xendit"),
    ("midtrans", "/hooks/midtrans"),
    ("tripay", "/hooks/tripay"),
    ("razorpay", "/hooks/razorpay"),
    ("duitku", "/hooks/duitku"),
    ("faspay", "/hooks/faspay"),
    ("adyen", "/hooks/adyen"),
];

/// Those that only the gateway can sign.
pub const UNSIGNABLE: [Route; 6] = [
    ("doku-rsa", "/rsa/transfer-va/payment"),
    ("doku-b2b-rsa", "/b2b-rsa/transfer-va/payment"),
    ("doku-b2b", "/b2b/access-token"),
    ("durianpay-snap", "/hooks/durianpay-snap"),
    ("nicepay-snap", "/hooks/nicepay-snap"),
    (
        "standard-webhooks-asymmetric",
        "/hooks/standard-webhooks-asymmetric",
    ),
];

/// Those whose proof or time stands in the query or in the body, so that headers alone are not enough.
pub const INSIDE: [Route; 5] = [
    ("doku-qris", "/payments/qris"),
    ("midtrans", "/hooks/midtrans"),
    ("duitku", "/hooks/duitku"),
    ("faspay", "/hooks/faspay"),
    ("adyen", "/hooks/adyen"),
];

pub const DOKU: Route = SIGNABLE[0];
pub const SNAP: Route = SIGNABLE[4];
pub const PIVOT: Route = SIGNABLE[3];
