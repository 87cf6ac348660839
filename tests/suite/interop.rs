//! DOKU's own published libraries sign, the real binary judges: nobody who reads the same documents
//! as we do stands in between. The scripts in `tests/interop` say which function makes what.

use std::fs;

use serde_json::json;

use crate::harness::{App, Config, Kawal, Library, Request, tests_folder};

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
        let node = Library::node("sign.js", zone);
        let token = fetch_token(&node, &kawal, &app);
        let sent = signs(&node, "notification", PAYMENTS, PAYMENT, &token);
        assert_eq!(sent.body, PAYMENT.as_bytes());
        judge(&kawal, &app, &sent);
    }
}

#[test]
fn the_python_library_is_understood() {
    let (app, kawal) = start();
    let python = Library::python("sign.py");
    let token = fetch_token(&python, &kawal, &app);
    let sent = signs(&python, "notification", PAYMENTS, PAYMENT, &token);
    // It signs the compact body and sends another one, with blanks: only minified are they the same.
    assert_ne!(sent.body, PAYMENT.as_bytes());
    judge(&kawal, &app, &sent);
}

#[test]
fn the_node_librarys_asymmetric_signature_is_understood() {
    let (app, kawal) = start();
    let node = Library::node("sign.js", "Asia/Jakarta");
    let sent = signs(&node, "asymmetric", DEBITS, DEBIT, "");
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

/// The library asks Kawal for a token as it would ask DOKU, and reads the answer itself. Kawal refuses a
/// client that it does not know, and the app sees nothing of either.
fn fetch_token(library: &Library, kawal: &Kawal, app: &App) -> String {
    let fetch = |client: &str| {
        library.ask(&json!({
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

fn signs(library: &Library, speak: &str, path: &str, body: &str, token: &str) -> Request {
    let answer = library.ask(&json!({
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
