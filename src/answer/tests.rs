//! Answers, with plain values.

use super::*;

#[test]
fn all_unauthorized_answers_look_alike() {
    let first = Answer::to(&Rejection::BadProof, Form::Plain);
    assert_eq!(
        (first.status, &*first.body),
        (401, &b"{\"error\":\"unauthorized\"}"[..])
    );
    for other in [
        Rejection::BadToken,
        Rejection::Future,
        Rejection::MissingProof,
        Rejection::Stale,
        Rejection::UnknownClient,
        Rejection::Unproven,
    ] {
        assert_eq!(Answer::to(&other, Form::Plain), first, "{other:?}");
    }
}

#[test]
fn waits_are_whole_seconds_and_never_none() {
    for (wait, text) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (44_900, "45")] {
        let wait = Duration::from_millis(wait);
        let answer = Answer::to(&Rejection::InFlight { wait }, Form::Plain);
        assert_eq!(answer.status, 503);
        assert!(
            answer.headers.contains(&header("Retry-After", text)),
            "{wait:?}"
        );
    }
}

#[test]
fn keeps_a_body_whole_or_not_at_all() {
    let kept = |length, encoding| {
        let answer = Answer {
            status: 201,
            headers: vec![header("content-type", "a/b"), header("X-A", "b"), encoding],
            body: Bytes::from(vec![b'x'; length]),
        };
        let stored = answer.keep(|| None);
        assert_eq!(stored.status, 201);
        (
            stored.content_type.as_deref() == Some("a/b"),
            stored.body.len(),
        )
    };
    let plain = || header("X-B", "c");
    assert_eq!(kept(Stored::LARGEST, plain()), (true, Stored::LARGEST));
    assert_eq!(kept(Stored::LARGEST + 1, plain()), (false, 0));
    assert_eq!(kept(9, header("Content-Encoding", "gzip")), (false, 0));
}

#[test]
fn an_acknowledgement_replaces_only_a_success() {
    let with = Acknowledgement {
        status: 200,
        content_type: Some("text/plain".into()),
        body: "SUCCESS".into(),
    };
    let app = |status| AppAnswer {
        status,
        headers: Vec::new(),
        body: Bytes::from("app"),
    };
    let body = |reply| Answer::relay(reply, Some(&with), Form::Plain).body;
    assert_eq!(body(Reply::Complete(app(201))), "SUCCESS");
    assert_eq!(body(Reply::Broken(app(204))), "SUCCESS");
    assert_eq!(body(Reply::Complete(app(500))), "app");
    let broken = Answer::relay(Reply::Broken(app(500)), Some(&with), Form::Plain);
    assert_eq!(broken.status, 502);
}

#[test]
fn a_snap_code_begins_with_its_status() {
    let at = Timestamp::constant(1_800_000_000, 0);
    let wait = Duration::from_secs(9);
    for (rejection, service, code) in [
        (Rejection::BadProof, Service::VaPayment, "4012500"),
        (Rejection::BadToken, Service::VaPayment, "4012500"),
        (Rejection::Stale, Service::DebitNotify, "4015600"),
        (Rejection::Forbidden, Service::QrNotify, "4035201"),
        (
            Rejection::Method("POST".into()),
            Service::VaInquiry,
            "4052400",
        ),
        (Rejection::Conflict, Service::VaPayment, "4092500"),
        (Rejection::Malformed("odd"), Service::Token, "4007300"),
        (Rejection::InFlight { wait }, Service::VaPayment, "5032500"),
        (Rejection::UpstreamDown, Service::VaPayment, "5022500"),
        (Rejection::UpstreamTimeout, Service::VaPayment, "5042500"),
        (Rejection::Internal, Service::VaPayment, "5002500"),
    ] {
        let answer = Answer::to(&rejection, Form::Snap { service, at });
        assert!(
            code.starts_with(&answer.status.to_string()),
            "{rejection:?}"
        );
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["responseCode"], code, "{rejection:?}");
        let message = body["responseMessage"].as_str().unwrap();
        assert!(!message.is_empty() && message != "Refused", "{rejection:?}");
        assert_eq!(answer.header("X-TIMESTAMP"), Some("2027-01-15T08:00:00Z"));
        // What tells a sender when to come again, or how, stays.
        let plain = Answer::to(&rejection, Form::Plain);
        for name in ["Retry-After", "Allow"] {
            assert_eq!(answer.header(name), plain.header(name), "{rejection:?}");
        }
    }
}

#[test]
fn an_answer_that_cannot_be_kept_has_a_stand_in() {
    let large = Answer {
        status: 201,
        headers: vec![header("Content-Type", "a/b")],
        body: Bytes::from(vec![b'x'; Stored::LARGEST + 1]),
    };
    let key = Key::default();
    let body = br#"{"trxId":"a\/b","customerNo":"  1","other":2,"paymentRequestId":null}"#;
    let kept = large.keep(|| Respond::Snap(Service::VaPayment).acknowledgement(body, key));
    assert_eq!(
        (kept.status, kept.content_type.as_deref()),
        (200, Some(JSON))
    );
    assert_eq!(
        std::str::from_utf8(&kept.body).unwrap(),
        r#"{"responseCode":"2002500","responseMessage":"Successful","virtualAccountData":{"customerNo":"  1","trxId":"a\/b"}}"#
    );
}

#[test]
fn a_body_with_two_readings_is_not_echoed() {
    let respond = Respond::Snap(Service::VaPayment);
    for body in [
        &br#"{"trxId":"1","trxId":"2"}"#[..],
        br#"["1","2","3","4","5","6"]"#,
        b"trxId=1",
        b"",
    ] {
        let acknowledgement = respond.acknowledgement(body, Key::default()).unwrap();
        assert!(
            acknowledgement
                .body
                .ends_with(r#""virtualAccountData":{}}"#),
            "{body:?}"
        );
    }
}
