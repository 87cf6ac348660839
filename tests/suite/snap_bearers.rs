//! A token opens for its own client and gateway, and only under Kawal's own signature.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::gateway::{BRN, MCH};
use crate::harness::keys::{GATEWAY, OTHER, key_text, rsa_signature};
use crate::harness::snap::{B2B_PAYMENT, B2B_RSA_PAYMENT, SNAP_NEW_SECRET, SNAP_SECRET, Snap};
use crate::harness::tokens::{B2B, b2b_jwt, b2b_key, bearing, token_key};
use crate::harness::{Config, Jwt, tests_folder};
use crate::refusals::Bench;

const BAD: &[&str] = &["bad_token"];

/// The recipes of the table, with our algorithm in place of RS256.
fn adapted(name: &str, recipe: &Value) -> String {
    let now = Timestamp::now().as_second();
    let jwt = b2b_jwt();
    let exp = recipe["claims"]["exp"].as_str();
    let exp = exp.map(|text| now + text.strip_prefix("now").unwrap().parse::<i64>().unwrap());
    let jwt = match exp {
        Some(exp) => jwt.claim("exp", exp),
        None => jwt.without("exp"),
    };
    let client = recipe["claims"]["clientId"].as_str().unwrap();
    let jwt = jwt.claim("sub", if client == "X" { BRN } else { client });
    match name {
        "genuine" | "expired" | "no-exp" | "wrong-client-id" => jwt.hs256(&b2b_key()),
        "attacker-signed" => jwt.hs256(&token_key("SK-of-somebody-else-1", B2B, BRN)),
        "garbage-signature" => jwt.with_segment(&[0; 3]),
        "alg-none" => jwt.algorithm("none").with_segment(b""),
        "hs256-with-public-key" => jwt.hs256(key_text("gateway-public.pem").as_bytes()),
        // The word belongs to the header: `bearing` adds it.
        "bearer-prefix-kept" => jwt.hs256(&b2b_key()),
        other => panic!("a recipe that no test knows: {other}"),
    }
}

#[test]
fn every_recipe_is_judged_as_listed() {
    let path = tests_folder().join("vectors/jwt-negative.json");
    let table: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut bench = Bench::with(Config::with_snap);
    let (mut admitted, mut refused) = (Vec::new(), 0);
    for row in &table {
        let name = row["name"].as_str().unwrap();
        let token = adapted(name, &row["inputs"]["recipe"]);
        if row["expected"]["admit"] == true {
            admitted.push(token);
        } else {
            refused += 1;
            bench.unauthorized_snap("25", name, &bearing(&token).sign(), BAD);
        }
    }
    assert!(
        admitted.len() >= 2 && refused >= 7,
        "the table is thinner than it was"
    );
    for (nth, token) in admitted.iter().enumerate() {
        let signed = Snap::new(format!("[{nth}]"))
            .target(B2B_PAYMENT)
            .token(token);
        assert_eq!(bench.kawal.send(&signed.sign()).status, 200);
    }
    assert_eq!(bench.app.count(), admitted.len());
}

#[test]
fn the_algorithm_is_ours_and_never_the_tokens() {
    let mut bench = Bench::with(Config::with_snap);
    let (jwt, key) = (b2b_jwt(), b2b_key());
    let rs256 = |jwt: Jwt, key| {
        let signature = rsa_signature(key, jwt.text().as_bytes());
        let text = jwt.text();
        let signature = STANDARD.decode(signature).unwrap();
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    let mut headless = jwt.clone();
    headless.header = json!({"typ": "JWT"});
    let mut rows = vec![
        (
            "HS512 by name alone".to_owned(),
            jwt.clone().algorithm("HS512").hs256(&key),
        ),
        (
            "HS512".to_owned(),
            jwt.clone().algorithm("HS512").hs512(&key),
        ),
        (
            "HS384".to_owned(),
            jwt.clone().algorithm("HS384").hs384(&key),
        ),
        ("HS512 under the name of HS256".to_owned(), jwt.hs512(&key)),
        (
            "RS256 by name alone".to_owned(),
            jwt.clone().algorithm("RS256").hs256(&key),
        ),
        (
            "RS256 of the gateway".to_owned(),
            rs256(jwt.clone().algorithm("RS256"), &GATEWAY),
        ),
        (
            "RS256 of nobody".to_owned(),
            rs256(jwt.clone().algorithm("RS256"), &OTHER),
        ),
        (
            "RS256 under the name of HS256".to_owned(),
            rs256(jwt.clone(), &GATEWAY),
        ),
        ("no algorithm".to_owned(), headless.hs256(&key)),
    ];
    for word in ["none", "None", "NONE", "nOnE", ""] {
        let named = jwt.clone().algorithm(word);
        rows.push((
            format!("`{word}` without a signature"),
            format!("{}.", named.text()),
        ));
        rows.push((format!("`{word}` with one"), named.hs256(&key)));
    }
    for word in ["hs256", "HS256 ", "Hs256"] {
        rows.push((format!("`{word}`"), jwt.clone().algorithm(word).hs256(&key)));
    }
    for (name, token) in rows {
        bench.unauthorized_snap("25", &name, &bearing(&token).sign(), BAD);
    }
    bench.admits(&bearing(&jwt.hs256(&key)).sign());
}

#[test]
fn every_claim_decides() {
    let mut bench = Bench::with(Config::with_snap);
    let now = Timestamp::now().as_second();
    let rows = [
        (
            "an end as a word",
            b2b_jwt().claim("exp", (now + 900).to_string()),
        ),
        ("no end at all", b2b_jwt().claim("exp", Value::Null)),
        ("ends", b2b_jwt().claim("exp", json!([now + 900]))),
        ("an end long ago", b2b_jwt().claim("exp", 0)),
        ("an end before all time", b2b_jwt().claim("exp", -1)),
        ("an end a minute ago", b2b_jwt().claim("exp", now - 60)),
        ("nobody's", b2b_jwt().without("sub")),
        ("another client's", b2b_jwt().claim("sub", MCH)),
        (
            "a client in lower case",
            b2b_jwt().claim("sub", BRN.to_lowercase()),
        ),
        ("clients", b2b_jwt().claim("sub", json!([BRN]))),
        ("an empty client", b2b_jwt().claim("sub", "")),
        ("for no gateway", b2b_jwt().without("aud")),
        (
            "for another gateway",
            b2b_jwt().claim("aud", "doku-b2b-rsa"),
        ),
        (
            "for a gateway in upper case",
            b2b_jwt().claim("aud", "DOKU-B2B"),
        ),
        ("by nobody", b2b_jwt().without("iss")),
        ("by another", b2b_jwt().claim("iss", "DOKU")),
        ("by us in upper case", b2b_jwt().claim("iss", "KAWAL")),
    ];
    for (name, jwt) in rows {
        bench.unauthorized_snap("25", name, &bearing(&jwt.hs256(&b2b_key())).sign(), BAD);
    }
    bench.admits(&bearing(&b2b_jwt().hs256(&b2b_key())).sign());
}

#[test]
fn only_the_key_of_this_secret_gateway_and_client_signs() {
    let mut bench = Bench::with(Config::with_snap);
    let jwt = b2b_jwt();
    let public = key_text("gateway-public.pem");
    let rows = [
        ("the secret itself", SNAP_SECRET.as_bytes().to_vec()),
        ("another secret", token_key(SNAP_NEW_SECRET, B2B, BRN)),
        (
            "another gateway",
            token_key(SNAP_SECRET, "doku-b2b-rsa", BRN),
        ),
        ("another client", token_key(SNAP_SECRET, B2B, MCH)),
        (
            "names that run together",
            token_key(SNAP_SECRET, "doku-b2bB", &BRN[1..]),
        ),
        ("no names", token_key(SNAP_SECRET, "", "")),
        ("an empty key", Vec::new()),
        ("zeros", vec![0; 32]),
        ("the public key", public.trim_end().into()),
    ];
    for (name, key) in rows {
        bench.unauthorized_snap("25", name, &bearing(&jwt.hs256(&key)).sign(), BAD);
    }
    // Genuine ones, each where another is wanted.
    let others = [
        ("of another client", B2B, MCH, SNAP_NEW_SECRET),
        ("of another gateway", "doku-b2b-rsa", BRN, SNAP_SECRET),
    ];
    for (name, gateway, client, secret) in others {
        let token = Jwt::new(gateway, client).hs256(&token_key(secret, gateway, client));
        bench.unauthorized_snap("25", name, &bearing(&token).sign(), BAD);
        let asymmetric = bearing(&token).target(B2B_RSA_PAYMENT);
        if gateway == B2B {
            bench.unauthorized_snap("25", name, &asymmetric.sign_rsa(), BAD);
        }
    }
    bench.admits(&bearing(&jwt.hs256(&b2b_key())).sign());
}

#[test]
fn a_token_has_three_segments_and_a_whole_signature() {
    let mut bench = Bench::with(Config::with_snap);
    let token = b2b_jwt().hs256(&b2b_key());
    let (text, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = text.split_once('.').unwrap();
    let later = b2b_jwt().claim("exp", 4_102_444_800_i64).text();
    let rows = [
        ("no signature", text.to_owned()),
        ("an empty signature", format!("{text}.")),
        ("garbage", format!("{text}.AAAA")),
        ("no base64", format!("{text}.***")),
        ("a signature cut short", token[..token.len() - 2].to_owned()),
        ("half a signature", format!("{text}.{}", &signature[..22])),
        ("the signature twice", format!("{token}{signature}")),
        ("a fourth segment", format!("{token}.{signature}")),
        ("no claims", format!("{header}..{signature}")),
        ("no header", format!(".{claims}.{signature}")),
        ("other claims", format!("{later}.{signature}")),
        (
            "the claims twice",
            format!("{header}.{claims}{claims}.{signature}"),
        ),
        ("dots", "..".to_owned()),
        ("a word", "token".to_owned()),
        ("two tokens", format!("{token}, {token}")),
        ("a word before", format!("Token {token}")),
        ("very long", "A".repeat(8000)),
    ];
    for (name, token) in rows {
        bench.unauthorized_snap("25", name, &bearing(&token).sign(), BAD);
    }
    // No colon is part of a token: it could be moved over the border to the path.
    let json = b2b_jwt().claims.to_string();
    bench.unauthorized_snap("25", "JSON", &bearing(&json).sign(), &["bad_proof"]);
    bench.admits(&bearing(&token).sign());
}
