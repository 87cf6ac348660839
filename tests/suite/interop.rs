//! DOKU's own published libraries sign, the real binary judges: nobody who reads the same documents
//! as we do stands in between. The scripts in `tests/interop` say which function makes what.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::harness::{App, Config, Kawal, Request, tests_folder};

const CLIENT: &str = "BRN-0201-1690274481481";
const SECRET: &str = "SK-interop-canary-secret";
const PAYMENTS: &str = "/v1/transfer-va/payment";
const DEBITS: &str = "/v1.0/debit/notify";

/// In ASCII without bare numbers and escapes, what the libraries sign is what the documents say. The
/// blanks inside the strings are signed.
const PAYMENT: &str = concat!(
    r#"{"partnerServiceId":"   77777","customerNo":"0000000000001","#,
    r#""virtualAccountNo":"   777770000000000001","virtualAccountName":"Toru Yamashita","#,
    r#""trxId":"23219829713","paymentRequestId":"12839218738127830","#,
    r#""paidAmount":{"value":"11500.00","currency":"IDR"}}"#
);

/// No blank anywhere: see `asymmetric` in `sign.js`.
const DEBIT: &str = concat!(
    r#"{"originalPartnerReferenceNo":"INVALLO201223002","latestTransactionStatus":"00","#,
    r#""amount":{"value":"11500.00","currency":"IDR"}}"#
);

#[test]
fn the_node_library_is_understood() {
    // In UTC the library writes its offset as -00:00: odd, and valid.
    for zone in ["Asia/Jakarta", "UTC"] {
        let (app, kawal) = start();
        let node = Library::node(zone);
        let token = node.fetch_token(&kawal, &app);
        let sent = node.signs("notification", PAYMENTS, PAYMENT, &token);
        assert_eq!(sent.body, PAYMENT.as_bytes());
        judge(&kawal, &app, &sent);
    }
}

#[test]
fn the_python_library_is_understood() {
    let (app, kawal) = start();
    let python = Library::python();
    let token = python.fetch_token(&kawal, &app);
    let sent = python.signs("notification", PAYMENTS, PAYMENT, &token);
    // It signs the compact body and sends another one, with blanks: only minified are they the same.
    assert_ne!(sent.body, PAYMENT.as_bytes());
    judge(&kawal, &app, &sent);
}

#[test]
fn the_node_librarys_asymmetric_signature_is_understood() {
    let (app, kawal) = start();
    let node = Library::node("Asia/Jakarta");
    let sent = node.signs("asymmetric", DEBITS, DEBIT, "");
    judge(&kawal, &app, &sent);
}

/// One with another amount is refused and the app sees nothing; the genuine one arrives byte for byte.
fn judge(kawal: &Kawal, app: &App, genuine: &Request) {
    let service = if genuine.target == PAYMENTS { 25 } else { 56 };
    let text = String::from_utf8(genuine.body.clone()).unwrap();
    let tampered = genuine.clone().body(text.replace("11500.00", "91500.00"));
    let answer = kawal.send(&tampered);
    assert_eq!(answer.status, 401, "{answer:?}");
    let refused =
        json!({"responseCode": format!("401{service}00"), "responseMessage": "Unauthorized"});
    assert_eq!(answer.json(), refused);
    assert_eq!(app.count(), 0, "a tampered one reached the app");
    kawal.wait_for_log(|line| line["reason"] == "bad_proof");

    let answer = kawal.send(genuine);
    assert_eq!(answer.status, 200, "{genuine:?} {}", kawal.output());
    let accepted = &answer.json()["responseCode"];
    assert_eq!(accepted, &json!(format!("200{service}00")));
    let seen = app.only();
    assert_eq!(seen.body, genuine.body);
    assert_eq!(seen.header("X-Kawal-Client").as_deref(), Some(CLIENT));
}

fn start() -> (App, Kawal) {
    let app = App::start();
    let config = Config::new(&app);
    let secret = config.secret("snap", SECRET);
    let key = tests_folder().join("keys/interop-public.pem");
    let key = format!("file:{}", key.display());
    let symmetric = json!({"id": CLIENT, "secrets": [secret], "public_keys": [key]});
    let asymmetric = json!({"id": CLIENT, "public_keys": [key]});
    let config = config
        .set("gateways.snap", json!({"scheme": "snap", "clients": [symmetric]}))
        .set("gateways.rsa", json!({"scheme": "snap-asymmetric", "clients": [asymmetric]}))
        .route(json!({"path": "/authorization/v1/access-token/b2b", "token": "snap"}))
        .route(json!({"path": PAYMENTS, "gateway": "snap", "service": "va-payment", "respond": "gateway"}))
        .route(json!({"path": DEBITS, "gateway": "rsa", "service": "debit-notify", "respond": "gateway"}));
    let kawal = Kawal::start(config);
    (app, kawal)
}

/// Made for this test, and good for nothing else.
fn private_key() -> String {
    fs::read_to_string(tests_folder().join("keys/interop-private.pem")).unwrap()
}

/// A library of DOKU's behind a small script that takes and gives JSON.
struct Library {
    program: PathBuf,
    script: &'static str,
    zone: &'static str,
}

impl Library {
    fn node(zone: &'static str) -> Self {
        assert_installed("package-lock.json", "node_modules");
        Self {
            program: PathBuf::from("node"),
            script: "sign.js",
            zone,
        }
    }

    fn python() -> Self {
        assert_installed("requirements.txt", "venv");
        Self {
            program: place().join("venv/bin/python"),
            script: "sign.py",
            zone: "UTC",
        }
    }

    /// The library asks Kawal for a token as it would ask DOKU, and reads the answer itself. Kawal
    /// refuses a client that it does not know, and the app sees nothing of either.
    fn fetch_token(&self, kawal: &Kawal, app: &App) -> String {
        let fetch = |client: &str| {
            self.ask(&json!({
                "speak": "token",
                "base": format!("http://{}", kawal.addr()),
                "client": client,
                "privateKey": private_key(),
            }))
        };
        let refused = fetch("BRN-0000-0000000000000");
        assert_eq!(refused["responseCode"], "4017300", "{refused}");
        let answer = fetch(CLIENT);
        assert_eq!(answer["responseCode"], "2007300", "{}", kawal.output());
        assert_eq!(answer["tokenType"], "Bearer");
        assert_eq!(app.connections(), 0);
        answer["accessToken"].as_str().unwrap().to_owned()
    }

    fn signs(&self, speak: &str, path: &str, body: &str, token: &str) -> Request {
        let answer = self.ask(&json!({
            "speak": speak,
            "path": path,
            "client": CLIENT,
            "secret": SECRET,
            "privateKey": private_key(),
            "token": token,
            "body": body,
        }));
        let headers = answer["headers"].as_object().unwrap();
        let request = Request::post(path, answer["body"].as_str().unwrap());
        headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value.as_str().unwrap())
        })
    }

    fn ask(&self, question: &Value) -> Value {
        let mut child = Command::new(&self.program)
            .arg(tests_folder().join("interop").join(self.script))
            .env("NODE_PATH", place().join("node_modules"))
            .env("TZ", self.zone)
            // The way to Kawal leads through no proxy, whatever the way to a registry does.
            .env("no_proxy", "127.0.0.1")
            .env("NO_PROXY", "127.0.0.1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}: `make test` installs it", self.program.display()));
        let question = question.to_string();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(question.as_bytes()).unwrap();
        drop(stdin);
        let done = child.wait_with_output().unwrap();
        assert!(done.status.success(), "{} failed", self.script);
        serde_json::from_slice(&done.stdout).unwrap()
    }
}

fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/interop")
}

/// An installation ends with a copy of the pins that it was made from.
fn assert_installed(pins: &str, folder: &str) {
    let pinned = fs::read(tests_folder().join("interop").join(pins)).unwrap();
    let installed = fs::read(place().join(folder).join("installed")).unwrap_or_default();
    assert!(
        installed == pinned,
        "DOKU's libraries are not in target/interop as tests/interop/{pins} pins them: `make test` installs them"
    );
}
