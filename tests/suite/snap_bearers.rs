//! A token opens for its own client, gateway and time, and only under Kawal's own signature.

use std::thread;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::gateway::{BRN, MCH, written};
use crate::harness::keys::{GATEWAY, OTHER, key_text, rsa_signature};
use crate::harness::snap::{
    B2B_PAYMENT, B2B_RSA_PAYMENT, B2B_TOKEN, PAYMENT, SNAP_NEW_SECRET, SNAP_SECRET, Snap,
};
use crate::harness::tokens::{access_token, token_key};
use crate::harness::{App, Config, Jwt, Kawal, TokenRequest, tests_folder};
use crate::refusals::{Bench, assert_snap};

const GATEWAY_NAME: &str = "doku-b2b";
const BAD: &[&str] = &["bad_token"];

fn genuine() -> Jwt {
    Jwt::new(GATEWAY_NAME, BRN)
}

fn key() -> Vec<u8> {
    token_key(SNAP_SECRET, GATEWAY_NAME, BRN)
}

/// A notification whose signature is right, and covers this token.
fn bearing(token: &str) -> Snap {
    Snap::new("{}").target(B2B_PAYMENT).token(token)
}

/// The recipes of the table, with our algorithm in place of RS256.
fn adapted(name: &str, recipe: &Value) -> String {
    let now = Timestamp::now().as_second();
    let jwt = genuine();
    let exp = recipe["claims"]["exp"].as_str();
    let exp = exp.map(|text| now + text.strip_prefix("now").unwrap().parse::<i64>().unwrap());
    let jwt = match exp {
        Some(exp) => jwt.claim("exp", exp),
        None => jwt.without("exp"),
    };
    let client = recipe["claims"]["clientId"].as_str().unwrap();
    let jwt = jwt.claim("sub", if client == "X" { BRN } else { client });
    match name {
        "genuine" | "expired" | "no-exp" | "wrong-client-id" => jwt.hs256(&key()),
        "attacker-signed" => jwt.hs256(&token_key("SK-of-somebody-else-1", GATEWAY_NAME, BRN)),
        "garbage-signature" => jwt.with_segment(&[0; 3]),
        "alg-none" => jwt.algorithm("none").with_segment(b""),
        "hs256-with-public-key" => jwt.hs256(key_text("gateway-public.pem").as_bytes()),
        // The word belongs to the header: `bearing` adds it.
        "bearer-prefix-kept" => jwt.hs256(&key()),
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
    let (jwt, key) = (genuine(), key());
    let rs256 = |jwt: Jwt, key| {
        let signature = rsa_signature(key, jwt.text().as_bytes());
        let text = jwt.text();
        let signature = base64::engine::general_purpose::STANDARD
            .decode(signature)
            .unwrap();
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
            genuine().claim("exp", (now + 900).to_string()),
        ),
        ("no end at all", genuine().claim("exp", Value::Null)),
        ("ends", genuine().claim("exp", json!([now + 900]))),
        ("an end long ago", genuine().claim("exp", 0)),
        ("an end before all time", genuine().claim("exp", -1)),
        ("an end a minute ago", genuine().claim("exp", now - 60)),
        ("nobody's", genuine().without("sub")),
        ("another client's", genuine().claim("sub", MCH)),
        (
            "a client in lower case",
            genuine().claim("sub", BRN.to_lowercase()),
        ),
        ("clients", genuine().claim("sub", json!([BRN]))),
        ("an empty client", genuine().claim("sub", "")),
        ("for no gateway", genuine().without("aud")),
        (
            "for another gateway",
            genuine().claim("aud", "doku-b2b-rsa"),
        ),
        (
            "for a gateway in upper case",
            genuine().claim("aud", "DOKU-B2B"),
        ),
        ("by nobody", genuine().without("iss")),
        ("by another", genuine().claim("iss", "DOKU")),
        ("by us in upper case", genuine().claim("iss", "KAWAL")),
    ];
    for (name, jwt) in rows {
        bench.unauthorized_snap("25", name, &bearing(&jwt.hs256(&key())).sign(), BAD);
    }
    bench.admits(&bearing(&genuine().hs256(&key())).sign());
}

#[test]
fn only_the_key_of_this_secret_gateway_and_client_signs() {
    let mut bench = Bench::with(Config::with_snap);
    let jwt = genuine();
    let public = key_text("gateway-public.pem");
    let rows = [
        ("the secret itself", SNAP_SECRET.as_bytes().to_vec()),
        (
            "another secret",
            token_key(SNAP_NEW_SECRET, GATEWAY_NAME, BRN),
        ),
        (
            "another gateway",
            token_key(SNAP_SECRET, "doku-b2b-rsa", BRN),
        ),
        ("another client", token_key(SNAP_SECRET, GATEWAY_NAME, MCH)),
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
        ("of another client", GATEWAY_NAME, MCH, SNAP_NEW_SECRET),
        ("of another gateway", "doku-b2b-rsa", BRN, SNAP_SECRET),
    ];
    for (name, gateway, client, secret) in others {
        let token = Jwt::new(gateway, client).hs256(&token_key(secret, gateway, client));
        bench.unauthorized_snap("25", name, &bearing(&token).sign(), BAD);
        let asymmetric = bearing(&token).target(B2B_RSA_PAYMENT);
        if gateway == GATEWAY_NAME {
            bench.unauthorized_snap("25", name, &asymmetric.sign_rsa(), BAD);
        }
    }
    bench.admits(&bearing(&jwt.hs256(&key())).sign());
}

#[test]
fn a_token_has_three_segments_and_a_whole_signature() {
    let mut bench = Bench::with(Config::with_snap);
    let token = genuine().hs256(&key());
    let (text, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = text.split_once('.').unwrap();
    let later = genuine().claim("exp", 4_102_444_800_i64).text();
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
    let json = genuine().claims.to_string();
    bench.unauthorized_snap("25", "JSON", &bearing(&json).sign(), &["bad_proof"]);
    bench.admits(&bearing(&token).sign());
}

#[test]
fn a_token_does_not_stand_in_for_a_signature_nor_a_signature_for_a_token() {
    let mut bench = Bench::with(Config::with_snap);
    let token = access_token(&bench.kawal.send(&TokenRequest::new().sign()));
    let right = bearing(&token);
    let forged = right.clone().client(BRN, "SK-of-somebody-else-1");
    bench.unauthorized_snap("25", "a forged signature", &forged.sign(), &["bad_proof"]);
    // Where both are wrong, the signature is what is told of.
    let both = forged.token("token");
    bench.unauthorized_snap("25", "both", &both.sign(), &["bad_proof"]);
    let asymmetric = Snap::new("{}").target(B2B_RSA_PAYMENT);
    let missing = asymmetric.clone().without_token().sign_rsa();
    bench.unauthorized_snap("25", "no token", &missing, &["bad_token", "missing_proof"]);
    bench.unauthorized_snap("25", "an app's token", &asymmetric.sign_rsa(), BAD);
    bench.unauthorized_snap(
        "25",
        "another gateway's",
        &asymmetric.token(&token).sign_rsa(),
        BAD,
    );
    bench.unauthorized_snap("25", "an app's token", &bearing("token").sign(), BAD);
    bench.admits(&right.sign());
}

#[test]
fn without_a_token_route_the_token_is_the_apps_affair() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let ended = genuine().claim("exp", 1).hs256(&key());
    for (nth, token) in ["x", "a b", "e30.e30.", &ended].iter().enumerate() {
        let signed = Snap::new(format!("[{nth}]")).target(PAYMENT).token(token);
        assert_eq!(kawal.send(&signed.sign()).status, 200, "{token}");
        assert_eq!(app.count(), nth + 1);
    }
}

#[test]
fn an_end_is_an_end_by_the_signed_time_and_by_the_clock() {
    let mut bench = Bench::with(Config::with_snap);
    let second =
        |offset: i64| Timestamp::from_second(Timestamp::now().as_second() + offset).unwrap();
    // Signed so long ago, with a token that ended so long after or before that.
    let rows = [
        ("at its very end", second(-60), 0),
        ("a second after", second(-60), -1),
        ("just now, a minute after", second(0), -60),
        ("by a clock that is ahead, a second ago", second(200), -201),
    ];
    for (name, at, ends) in rows {
        let token = genuine().claim("exp", at.as_second() + ends).hs256(&key());
        let request = bearing(&token).at(&written(at)).sign();
        bench.unauthorized_snap("25", name, &request, BAD);
    }
    let good = [
        (second(-60), 1),
        (second(-60), 30),
        // A gateway's clock that is ahead takes nothing from its token.
        (second(200), -100),
    ];
    for (nth, (at, ends)) in good.into_iter().enumerate() {
        let token = genuine().claim("exp", at.as_second() + ends).hs256(&key());
        let signed = Snap::new(format!("[{nth}]"))
            .target(B2B_PAYMENT)
            .token(&token);
        let answer = bench.kawal.send(&signed.at(&written(at)).sign());
        assert_eq!(answer.status, 200, "{at} {ends}: {answer:?}");
    }
    assert_eq!(bench.app.count(), 3);
}

/// Retries come for hours, some as they were first sent: what was good then is still worth delivering.
#[test]
fn a_late_retry_bears_the_token_of_its_time() {
    let app = App::start();
    let window = json!({"max_age": "2s", "max_skew": "5m", "late": "1h"});
    let config = Config::snap(&app).set("gateways.doku-b2b.freshness", window);
    let kawal = Kawal::start(config);
    let signed = Timestamp::from_second(Timestamp::now().as_second() + 1).unwrap();
    let sent = |ends: i64, body: &str| {
        let token = genuine()
            .claim("exp", signed.as_second() + ends)
            .hs256(&key());
        let notification = Snap::new(body).target(B2B_PAYMENT).token(&token);
        notification.at(&written(signed)).sign()
    };
    let (good, ended) = (sent(1, "[1]"), sent(0, "[2]"));
    // The wait is what this story is about.
    let late: SystemTime = (signed + Duration::from_millis(3100)).into();
    thread::sleep(late.duration_since(SystemTime::now()).unwrap_or_default());
    assert_snap(&kawal.send(&ended), "4012500", "Unauthorized");
    assert_eq!(kawal.reason(1), "bad_token");
    assert_eq!(app.count(), 0);
    assert_eq!(kawal.send(&good).status, 200);
    assert_eq!(app.count(), 1);
    // A token that somebody asked for then does not open for what is signed now.
    let token = genuine().claim("exp", signed.as_second() + 1).hs256(&key());
    assert_eq!(kawal.send(&bearing(&token).sign()).status, 401);
    assert_eq!(
        kawal
            .send(&TokenRequest::new().target(B2B_TOKEN).sign())
            .status,
        200
    );
    assert_eq!(app.count(), 1);
}
