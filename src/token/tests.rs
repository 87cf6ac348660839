//! Tokens, with times of our choice.

use super::*;
use crate::secret::Client;
use jiff::SignedDuration;

fn ring(secrets: &[&str]) -> KeyRing {
    let client = |id: &str| Client {
        id: Some(id.into()),
        secrets: secrets
            .iter()
            .map(|text| Secret::new(text.as_bytes().to_vec()).unwrap())
            .collect(),
        public_keys: Vec::new(),
    };
    KeyRing::new(vec![client("BRN-1"), client("BRN-2")])
}

fn issuer(gateway: &str, secrets: &[&str]) -> Issuer {
    Issuer::new(gateway.into(), &ring(secrets)).unwrap()
}

fn request(client: &str) -> TokenRequest {
    TokenRequest {
        client: client.into(),
        identity: [7; 32],
    }
}

const NOW: Timestamp = Timestamp::constant(1_800_000_000, 0);

fn later(seconds: i64) -> Timestamp {
    NOW + SignedDuration::from_secs(seconds)
}

#[test]
fn a_token_is_good_for_its_lifetime_client_and_gateway() {
    let ours = issuer("snap", &["SK-newer-secret", "SK-older-secret"]);
    let token = ours.issue(&request("BRN-1"), NOW).unwrap();
    let other_gateway = issuer("snap2", &["SK-newer-secret"]);
    let replica = issuer("snap", &["SK-newer-secret", "SK-older-secret"]);
    let rotated = issuer("snap", &["SK-newest-secret", "SK-newer-secret"]);
    let foreign = issuer("snap", &["SK-other-secret"]);
    for (issuer, client, at, good) in [
        (&ours, "BRN-1", 0, true),
        (&ours, "BRN-1", 899, true),
        (&ours, "BRN-1", 900, false),
        (&ours, "BRN-2", 0, false),
        (&ours, "BRN-3", 0, false),
        (&replica, "BRN-1", 0, true),
        (&rotated, "BRN-1", 0, true),
        (&other_gateway, "BRN-1", 0, false),
        (&foreign, "BRN-1", 0, false),
    ] {
        let verdict = issuer.check(&token, client, later(at));
        assert_eq!(verdict.is_ok(), good, "{issuer:?} {client} {at}");
    }
}

#[test]
fn a_request_names_its_token() {
    let ours = issuer("snap", &["SK-newer-secret"]);
    let token = |identity| {
        let request = TokenRequest {
            identity,
            ..request("BRN-1")
        };
        ours.issue(&request, NOW).unwrap()
    };
    assert_eq!(token([7; 32]), token([7; 32]));
    assert_ne!(token([7; 32]), token([8; 32]));
}

#[test]
fn only_what_says_everything_in_the_right_type_is_a_token() {
    let ours = issuer("snap", &["SK-newer-secret"]);
    let exp = NOW.as_second() + 900;
    let genuine = serde_json::json!({
        "iss": "kawal", "aud": "snap", "sub": "BRN-1", "iat": exp - 900, "exp": exp, "jti": "1"
    });
    let judge = |claims: &serde_json::Value, algorithm| {
        let key = &ours.keys("BRN-1").unwrap()[0].signs;
        let token = jsonwebtoken::encode(&Header::new(algorithm), claims, key).unwrap();
        ours.check(&token, "BRN-1", NOW).is_ok()
    };
    assert!(judge(&genuine, Algorithm::HS256));
    assert!(!judge(&genuine, Algorithm::HS384));
    assert!(!judge(&genuine, Algorithm::HS512));
    for (claim, value) in [
        ("exp", serde_json::json!(null)),
        ("exp", serde_json::json!(exp.to_string())),
        ("exp", serde_json::json!(1e300)),
        ("exp", serde_json::json!(NOW.as_second())),
        ("iss", serde_json::json!("doku")),
        ("aud", serde_json::json!(["snap"])),
        ("aud", serde_json::json!("snap2")),
        ("sub", serde_json::json!("BRN-2")),
        ("sub", serde_json::json!(null)),
    ] {
        let mut claims = genuine.clone();
        claims[claim] = value.clone();
        assert!(!judge(&claims, Algorithm::HS256), "{claim}: {value}");
        claims.as_object_mut().unwrap().remove(claim);
        assert!(!judge(&claims, Algorithm::HS256), "without {claim}");
    }
}
