//! Nothing that proves anything is ever printed, nor what people paid.

use crate::harness::gateway::{BRN_SECRET, MCH_NEW_SECRET, MCH_OLD_SECRET, PIVOT_KEY, QRIS_SECRET};
use crate::harness::{App, Config, Doku, Kawal, Qris, Reply, doku, pivot, pivot_with};

const CANARY: &str = "canary-in-a-body";

#[test]
fn no_output_holds_a_secret_a_proof_a_body_or_a_query() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let body = format!("{{\"name\":\"{CANARY}\"}}");
    let signed = Doku::new(&body);
    let by_doku = signed
        .clone()
        .target("/payments/notifications?shop=query-canary")
        .sign();
    let by_qris = Qris::new().set("CUSTOMERNAME", CANARY).signed();
    let forged = by_doku
        .clone()
        .replace("Signature", "HMACSHA256=forged-canary");
    let mut conflicting = signed.clone();
    conflicting.body.push(b' ');

    app.next(Reply::new(500).body("answer-canary"));
    let mut sent = 0;
    for request in [
        doku(&body),
        by_doku.clone(),
        by_doku.clone(),
        forged,
        conflicting.sign(),
        by_qris.bare(),
        by_qris.clone().set("AMOUNT", "1.00").bare(),
        by_qris.clone().set("WORDS", "words-canary").bare(),
        pivot(&body),
        pivot_with("key-canary-of-a-stranger", &body),
    ] {
        kawal.send(&request);
        sent += 1;
    }
    kawal.notifications(sent);
    app.next(Reply::hangup());
    kawal.send(&doku(&body));
    kawal.notifications(sent + 1);

    let output = kawal.output();
    let signature = signed.signature();
    let words = by_qris.field("WORDS");
    let secrets = [
        BRN_SECRET,
        MCH_NEW_SECRET,
        MCH_OLD_SECRET,
        QRIS_SECRET,
        PIVOT_KEY,
        &signature[11..],
        words,
        CANARY,
        "query-canary",
        "forged-canary",
        "words-canary",
        "key-canary",
        "answer-canary",
    ];
    for secret in secrets {
        assert!(!output.contains(secret), "{secret} was printed: {output}");
    }
}

#[test]
fn what_a_stranger_writes_cannot_make_a_line_of_the_log() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let name = "BRN\",\"outcome\":\"delivered\",\"x\":\"";
    let request = Doku::new("{}").client(name, "whatever-secret").sign();
    assert_eq!(kawal.send(&request).status, 401);
    kawal.notifications(1);
    let lines = kawal.log();
    assert!(lines.iter().all(|line| line.is_object()), "{lines:?}");
    assert!(lines.iter().all(|line| line["outcome"] != "delivered"));
    assert_eq!(app.count(), 0);
}
