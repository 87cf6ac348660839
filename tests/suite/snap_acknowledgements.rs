//! `respond: gateway`: an app that says 2xx in its own words is acknowledged in those of SNAP BI.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::snap::{DEBIT, PAYMENT, QR, Snap};
use crate::harness::{App, Config, Kawal, Reply, Response, samples};
use crate::refusals::{assert_snap, assert_snap_head};

fn acknowledging(app: &App) -> Kawal {
    let mut config = Config::snap(app);
    for path in [PAYMENT, DEBIT, QR] {
        config = config.on_route(path, "respond", "gateway");
    }
    Kawal::start(config)
}

/// The answer to a payment with this body, first and again.
fn answers(kawal: &Kawal, target: &str, body: &str) -> [Response; 2] {
    let signed = Snap::new(body).target(target);
    let answers = [kawal.send(&signed.sign()), kawal.send(&signed.sign())];
    for answer in &answers {
        assert_eq!(answer.status, 200, "{body}: {answer:?}");
        assert_snap_head(answer);
    }
    assert_eq!(answers[0].text(), answers[1].text(), "{body}");
    answers
}

fn echo(data: &str) -> String {
    format!(
        r#"{{"responseCode":"2002500","responseMessage":"Successful","virtualAccountData":{{{data}}}}}"#
    )
}

#[test]
fn a_payment_gets_its_account_back() {
    let app = App::answering(Reply::new(202).header("X-Shop", "inside").body("thanks"));
    let kawal = acknowledging(&app);
    let body = String::from_utf8(samples("snap-va-payment.json").remove(0).1).unwrap();
    let [answer, _] = answers(&kawal, PAYMENT, &body);
    assert_eq!(
        answer.text(),
        echo(
            r#""partnerServiceId":"   77777","customerNo":"0000000000001","virtualAccountNo":"   777770000000000001","virtualAccountName":"Toru Yamashita","trxId":"23219829713","paymentRequestId":"12839218738127830""#
        )
    );
    assert!(!answer.has("x-shop"), "the app's own line went through");
    // The published answer, apart from the wording of its message.
    let mut published: Value =
        serde_json::from_slice(&samples("snap-va-payment-response-2002500").remove(0).1).unwrap();
    published["responseMessage"] = json!("Successful");
    assert_eq!(answer.json(), published);
    assert_eq!(app.only().text(), body);
}

#[test]
fn what_is_echoed_stands_as_it_was_sent() {
    let app = App::start();
    let kawal = acknowledging(&app);
    let rows = [
        // Values as they are written, in an order of our own.
        (
            r#"{"paymentRequestId":"1","trxId":"\u00e9 \/ \" \\ \ud83d\ude00","virtualAccountName":"José  — 印","virtualAccountNo":" 1 ","customerNo":"","partnerServiceId":"   7"}"#,
            r#""partnerServiceId":"   7","customerNo":"","virtualAccountNo":" 1 ","virtualAccountName":"José  — 印","trxId":"\u00e9 \/ \" \\ \ud83d\ude00","paymentRequestId":"1""#,
        ),
        // Numbers are nobody's to print again.
        (
            r#"{"customerNo":12345678901234567890.10, "trxId":1E5 }"#,
            r#""customerNo":12345678901234567890.10,"trxId":1E5"#,
        ),
        // What is not there is left out, and what stands deeper is something else.
        (
            r#"{"trxId":"1","paidAmount":{"customerNo":"2"},"virtualaccountno":"3"}"#,
            r#""trxId":"1""#,
        ),
        (r#"{"paidAmount":{"value":"1.00"}}"#, ""),
        ("{}", ""),
    ];
    for (body, data) in rows {
        let [answer, _] = answers(&kawal, PAYMENT, body);
        assert_eq!(answer.text(), echo(data), "{body}");
    }
    assert_eq!(app.count(), rows.len());
}

/// Whatever the body is, the acknowledgement is one: the app has said that it took it.
#[test]
fn an_odd_body_is_acknowledged_with_what_can_be_read() {
    let app = App::start();
    let kawal = acknowledging(&app);
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let bodies = [
        "no JSON",
        "",
        "[]",
        "null",
        "7",
        "\"text\"",
        "{\"trxId\":",
        "\u{feff}{\"trxId\":\"1\"}",
        "{\"trxId\":\"1\",\"trxId\":\"2\"}",
        "{\"trxId\":\"\\ud800\"}",
        &deep,
    ];
    for (nth, body) in bodies.iter().enumerate() {
        let signed = Snap::new(body).hashing_raw();
        let answer = kawal.send(&signed.sign());
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_snap_head(&answer);
        let text = answer.text();
        let start =
            r#"{"responseCode":"2002500","responseMessage":"Successful","virtualAccountData":{"#;
        assert!(text.starts_with(start) && text.ends_with("}}"), "{text}");
        assert_eq!(app.wait_for(nth + 1).len(), nth + 1);
    }
}

#[test]
fn a_debit_gets_an_approval_code_that_stays_the_same() {
    let app = App::start();
    let kawal = acknowledging(&app);
    let replica = acknowledging(&app);
    let mut codes = Vec::new();
    for (name, body) in samples("snap-debit-notify-directdebit") {
        let body = String::from_utf8(body).unwrap();
        let [answer, _] = answers(&kawal, DEBIT, &body);
        let told = answer.json();
        let code = told["approvalCode"].as_str().unwrap().to_owned();
        assert!(
            code.len() == 12 && code.bytes().all(|b| b.is_ascii_digit()),
            "{code}"
        );
        let expected = json!({
            "responseCode": "2005600", "approvalCode": code, "responseMessage": "Successful",
        });
        assert_eq!(told, expected);

        // A copy that was signed anew, and one that met another replica.
        let anew = Snap::new(&body)
            .target(DEBIT)
            .at(&crate::harness::now())
            .token("other");
        assert_eq!(kawal.send(&anew.sign()).json(), told, "{name}");
        assert_eq!(replica.send(&anew.sign()).json(), told, "{name}");
        assert!(!codes.contains(&code), "{name} has the code of another");
        codes.push(code);
    }
    assert_eq!(app.count(), 2 * codes.len());
}

#[test]
fn every_debit_has_an_approval_code_of_its_own() {
    let app = App::start();
    let kawal = acknowledging(&app);
    let mut codes = BTreeSet::new();
    for n in 0..100 {
        let request = Snap::new(format!("[{n}]")).target(DEBIT).sign();
        let code = kawal.send(&request).json()["approvalCode"].clone();
        codes.insert(code.as_str().unwrap().to_owned());
    }
    assert_eq!(codes.len(), 100, "{codes:?}");
}

#[test]
fn a_qr_payment_is_acknowledged() {
    let app = App::answering(Reply::new(204));
    let kawal = acknowledging(&app);
    let [answer, _] = answers(&kawal, QR, "{\"originalReferenceNo\":\"1\"}");
    assert_snap(&answer, "2005200", "Successful");
    assert_eq!(app.count(), 1);
}

#[test]
fn only_a_success_of_the_app_is_acknowledged() {
    let app = App::start();
    let kawal = acknowledging(&app);
    let rows = [(PAYMENT, "2002500"), (DEBIT, "2005600"), (QR, "2005200")];
    for (nth, (target, code)) in rows.into_iter().enumerate() {
        let request = Snap::new("{}").target(target).sign();
        for status in [302, 400, 404, 409, 500, 503] {
            app.next(Reply::new(status).header("X-Shop", "yes").body("no"));
            let answer = kawal.send(&request);
            assert_eq!((answer.status, answer.text().as_str()), (status, "no"));
            assert!(answer.has("x-shop"), "{target}");
        }
        assert_eq!(app.count(), 7 * nth + 6);
        // And then it is, by whichever copy the app takes.
        let answer = kawal.send(&request);
        assert_eq!(answer.json()["responseCode"], code);
    }
    assert_eq!(app.count(), 21);
}
