//! SNAP BI: what is signed in one way only, and what is not signed at all.

use super::*;

const SNAP_HEADERS: &str = "X-PARTNER-ID: BRN-0001-1\r\nX-EXTERNAL-ID: 418075533589\r\n\
    Authorization: Bearer eyJ.test.token\r\nX-TIMESTAMP: 2024-05-02T14:43:08+07:00\r\n";

/// Source: five vendor libraries agree on it; the key is a test key.
const SNAP_BODY: &str = r#"{"partnerServiceId":"  88899","trxId":"INV-1","paidAmount":{"value":"10000.00","currency":"IDR"}}"#;
const SNAP_PROOF: &str =
    "Aj8ord+EYlMFyX9BN9BsIjMk/DuHHNWoH9je1/AkkU0AHzed3naEWXDQPlkx3Cs1Mob5BCAnkyAJirVzHNYP/A==";

fn snap(target: &str, headers: &str, body: &str) -> Result<Signed, Rejection> {
    let ring = KeyRing::new(vec![
        client(Some("BRN-0001-1"), &["SK-test-secret"]),
        client(Some("BRN-0002-2"), &["SK-test-secret"]),
    ]);
    let headers = format!("X-SIGNATURE: {SNAP_PROOF}\r\n{headers}");
    let sent = received(target, &headers, body);
    let authentic = preset("snap").authenticate(sent, "g", &ring, None);
    authentic.map(|authentic| authentic.into_parts().1)
}

#[test]
fn snap_takes_either_reading_of_the_body_and_any_spelling_of_bearer() {
    let path = "/v1/transfer-va/payment";
    let identity = snap(path, SNAP_HEADERS, SNAP_BODY).unwrap().identity;
    let spaced = SNAP_BODY.replace(",\"", " ,\n\"");
    for (headers, body) in [
        (SNAP_HEADERS.to_owned(), &spaced),
        (SNAP_HEADERS.replace("Bearer ", "bearer "), &spaced),
        (SNAP_HEADERS.replace("Bearer ", "BEARER  "), &spaced),
        (SNAP_HEADERS.replace("Bearer ", ""), &spaced),
        // What nobody signed makes no other notification, the client's name included.
        (SNAP_HEADERS.replace("418075533589", "1"), &spaced),
        (SNAP_HEADERS.replace("BRN-0001-1", "BRN-0002-2"), &spaced),
    ] {
        assert_eq!(
            snap(path, &headers, body).unwrap().identity,
            identity,
            "{headers}"
        );
    }
    for (headers, body, reason) in [
        (
            SNAP_HEADERS.replace("Bearer", "Basic"),
            SNAP_BODY,
            Rejection::BadProof,
        ),
        (
            SNAP_HEADERS.replace("Bearer eyJ.test.token", "Bearer "),
            SNAP_BODY,
            Rejection::MissingProof,
        ),
        (
            SNAP_HEADERS.replace("+07:00", "+08:00"),
            SNAP_BODY,
            Rejection::BadProof,
        ),
        (
            SNAP_HEADERS.replace("418075533589", "a b"),
            SNAP_BODY,
            Rejection::BadProof,
        ),
        (
            SNAP_HEADERS.to_owned(),
            &SNAP_BODY.replace("  88899", " 88899"),
            Rejection::BadProof,
        ),
    ] {
        assert_eq!(
            snap(path, &headers, body).unwrap_err(),
            reason,
            "{headers}{body}"
        );
    }
    assert_eq!(
        snap("/v1/transfer-va/payment?a=1", SNAP_HEADERS, SNAP_BODY).unwrap_err(),
        Rejection::BadProof
    );
}

#[test]
fn only_a_reference_of_the_right_shape_is_told() {
    let scheme = preset("snap");
    for (value, told) in [
        ("418075533589", Some("418075533589")),
        ("a b", None),
        ("", None),
        (
            "2024-05-02T14:43:08:b5b3ad4e-2d2b-4a6a-8f4e-6b7e21d1f0aa",
            Some("2024-05-02T14:43:08:b5b3ad4e-2d2b-4a6a-8f4e-6b7e21d1f0aa"),
        ),
        (
            "12345678901234567890123456789012345678901234567890123456789012345",
            None,
        ),
    ] {
        let sent = received("/", &format!("X-EXTERNAL-ID: {value}\r\n"), "");
        assert_eq!(scheme.reference(&sent).as_deref(), told, "{value}");
    }
}
