//! The keys of the other gateways: both of a rotation count, nobody else's do, and each is read in one way.

use serde_json::json;

use crate::harness::hashes::{base64, ed25519_public, hex, hmac_sha256, unbase64};
use crate::harness::kinds::NEIGHBOUR;
use crate::harness::*;
use crate::refusals::{Bench, LACKING, WRONG};

#[test]
fn both_keys_of_a_rotation_are_accepted() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    let mut delivered = 0;
    for kind in &KINDS {
        let [new, old, _] = (kind.keys)();
        for key in [&new, &old] {
            let notice = Notice::new(kind).key(key.clone());
            assert_eq!(kawal.send(&notice.sign()).status, 200, "{}", kind.scheme);
            delivered += 1;
        }
        // Whichever key signs the retry, it is the same notification; in the body, the proof is content.
        let notice = Notice::new(kind);
        let [first, retry] = [new, old].map(|key| notice.clone().key(key).sign());
        assert_eq!(kawal.send(&first).status, 200, "{}", kind.scheme);
        delivered += 1;
        let status = match kind.scheme {
            "faspay" | "adyen" => 409,
            _ => 200,
        };
        assert_eq!(kawal.send(&retry).status, status, "{}", kind.scheme);
        delivered += usize::from(["midtrans", "duitku"].contains(&kind.scheme));
        assert_eq!(app.count(), delivered, "{}", kind.scheme);
    }
}

#[test]
fn a_key_counts_for_its_gateway_only() {
    let mut bench = Bench::with(Config::with_kinds);
    for kind in &KINDS {
        let [new, old, stranger] = (kind.keys)();
        let notice = Notice::new(kind);
        let request = notice.clone().key(stranger).sign();
        bench.unauthorized(kind.scheme, &request, WRONG);
        for key in [new, old] {
            let path = kind.other_path();
            let request = notice.clone().key(key).path(&path).sign();
            bench.unauthorized(kind.scheme, &request, WRONG);
        }
    }
    bench.admits_all();
}

#[test]
fn a_key_counts_for_its_client_only() {
    let mut bench = Bench::with(Config::with_kinds);
    let mut rows = 0;
    for kind in KINDS.iter().filter(|kind| kind.client.is_some()) {
        let name = kind.scheme;
        let [new, _, stranger] = (kind.keys)();
        let notice = Notice::new(kind);
        let lent = notice.clone().client(NEIGHBOUR).key(new);
        bench.unauthorized(name, &lent.sign(), WRONG);
        let lent = notice.clone().key(stranger);
        bench.unauthorized(name, &lent.sign(), WRONG);
        // Nobody has this id; where it is not sent, no id of ours makes the proof.
        let reasons: &[&str] = match name {
            "faspay" => WRONG,
            _ => &["unknown_client"],
        };
        let unknown = notice.clone().client("NOBODY1");
        bench.unauthorized(name, &unknown.sign(), reasons);
        rows += 1;
    }
    assert_eq!(rows, 3);
    bench.admits_all();
}

#[test]
fn each_client_is_told_by_its_key() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    for (nth, name) in ["duitku", "nicepay-snap", "faspay"].iter().enumerate() {
        let kind = kind(name);
        let [_, _, stranger] = (kind.keys)();
        let notice = Notice::new(kind).client(NEIGHBOUR).key(stranger);
        assert_eq!(kawal.send(&notice.sign()).status, 200, "{name}");
        let seen = app.wait_for(nth + 1).remove(nth);
        assert_eq!(seen.all("X-Kawal-Client"), [NEIGHBOUR], "{name}");
    }
}

/// A gateway with one key, written so.
fn with_key(config: Config, scheme: &str, list: &str, text: &str) -> Config {
    let key = config.secret("written", text);
    let client = json!([{ list: [key] }]);
    config.set(&format!("gateways.{scheme}.clients"), client)
}

#[test]
fn a_key_file_may_be_written_in_the_ways_that_gateways_show_it() {
    let [hook, ..] = (kind("svix").keys)();
    let bare = base64(&hook.bytes());
    let whsec = ["standard-webhooks", "svix"].map(|scheme| {
        let forms = vec![
            bare.clone(),
            format!("whsec_{bare}"),
            format!("whsec_{bare}\n"),
        ];
        (scheme, "secrets", forms)
    });
    let public = ed25519_public(&[1; 32]);
    // RFC 8410: an algorithm's name before the bytes.
    let der = [
        b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
        &public[..],
    ]
    .concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64(&der)
    );
    let ed25519 = vec![
        base64(&public),
        format!("whpk_{}", base64(&public)),
        format!("whpk_{}\n", base64(&public)),
        pem,
    ];
    let digits = "A1".repeat(32);
    let rows = whsec.into_iter().chain([
        ("standard-webhooks-asymmetric", "public_keys", ed25519),
        (
            "adyen",
            "secrets",
            vec![digits.clone(), digits.to_lowercase(), format!("{digits}\n")],
        ),
    ]);
    let mut started = 0;
    for (scheme, list, forms) in rows {
        for text in forms {
            let app = App::start();
            let kawal = Kawal::start(with_key(Config::kinds(&app), scheme, list, &text));
            let notice = Notice::new(kind(scheme));
            assert_eq!(kawal.send(&notice.sign()).status, 200, "{scheme}: {text}");
            assert_eq!(app.count(), 1);
            started += 1;
        }
    }
    assert_eq!(started, 13);
}

/// A signer that takes the key in another way is nobody.
#[test]
fn a_key_is_decoded_in_one_way() {
    let mut bench = Bench::with(Config::with_kinds);
    for name in ["standard-webhooks", "svix"] {
        let notice = Notice::new(kind(name));
        let file = notice.key.file();
        let bare = file.trim_start_matches("whsec_");
        for key in [&file, bare] {
            let request = notice.clone().key(Key::Text(key.to_owned())).sign();
            bench.unauthorized(&format!("{name} with {key}"), &request, LACKING);
        }
    }
    let adyen = Notice::new(kind("adyen"));
    let text = adyen.key.file();
    for key in [text.clone(), text.to_lowercase()] {
        let request = adyen.clone().key(Key::Text(key)).sign();
        bench.unauthorized("adyen with the text", &request, WRONG);
    }
    let stripe = Notice::new(kind("stripe"));
    let file = stripe.key.file();
    let bare = file.trim_start_matches("whsec_");
    let text = (stripe.kind.text)(&stripe);
    let decoded = unbase64(bare);
    for key in [bare.as_bytes(), &decoded] {
        let proof = hex(&hmac_sha256(key, text.as_bytes()));
        let request = stripe.bearing(&format!("v1={proof}"));
        bench.unauthorized("stripe with a decoded key", &request, WRONG);
    }
    // The public key is no secret, and everybody has it.
    for name in [
        "standard-webhooks-asymmetric",
        "durianpay-snap",
        "nicepay-snap",
    ] {
        let notice = Notice::new(kind(name));
        let key = Key::Text(notice.key.file());
        let request = notice.clone().key(key).sign();
        bench.unauthorized(&format!("{name} with its public key"), &request, WRONG);
    }
    bench.admits_all();
}
