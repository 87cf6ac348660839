//! The doctor shows what was signed, and nothing to sign with.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::harness::clinic::{SHORT_KEY, assert_silent, canaries, clinic, forms};
use crate::harness::genuine::genuine;
use crate::harness::hooks::*;
use crate::harness::{Doctor, Request, pivot_with};
use crate::mistakes::{PAID, mistakes};

/// All that is printed about a request, in every way to ask.
fn printed(doctor: &Doctor, request: &Request) -> String {
    let bytes = request.bytes();
    let asked = [
        doctor.ask_loudly(&[], &bytes, Some("trace")),
        doctor.ask_loudly(&["--json"], &bytes, Some("trace")),
    ];
    let texts = asked.map(|typed| {
        assert!(matches!(typed.code, Some(0 | 1)), "{}", typed.shown());
        typed.shown()
    });
    texts.concat()
}

/// Proofs as a gateway sends them: in headers, and where the schemes of the template have them else.
fn proofs(request: &Request) -> Vec<String> {
    let names = [
        "Signature",
        "X-SIGNATURE",
        "X-Hub-Signature-256",
        "X-Callback-Signature",
        "X-Razorpay-Signature",
        "webhook-signature",
        "svix-signature",
        "X-Shop-Signature",
        "x-callback-token",
        "X-API-Key",
    ];
    let sent = request
        .headers
        .iter()
        .filter(|(name, _)| names.contains(&name.as_str()));
    let mut found: Vec<_> = sent
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .collect();
    let inside = |from: &str, until: char| {
        let text = format!(
            "{} {}",
            request.target,
            String::from_utf8_lossy(&request.body)
        );
        text.split_once(from)
            .map(|(_, rest)| rest.split(until).next().unwrap().to_owned())
    };
    found.extend(inside("WORDS=", '&').map(|words| words.split(' ').next().unwrap().to_owned()));
    found.extend(inside("\"signature_key\":\"", '"'));
    found.extend(inside("\"signature\":\"", '"'));
    found.extend(inside("&signature=", '&'));
    found.extend(inside("\"hmacSignature\":\"", '"'));
    found.extend(
        request
            .headers
            .iter()
            .filter(|(name, _)| name == "Stripe-Signature")
            .map(|(_, value)| {
                String::from_utf8_lossy(value)
                    .split_once("v1=")
                    .unwrap()
                    .1
                    .to_owned()
            }),
    );
    let bare = |proof: &String| {
        proof
            .split_once([',', '='])
            .filter(|(_, rest)| rest.len() > 20)
            .map(|(_, rest)| rest.to_owned())
    };
    let stripped: Vec<_> = found.iter().filter_map(bare).collect();
    found.extend(stripped);
    found.retain(|proof| proof.len() > 12);
    found
}

#[test]
fn nothing_to_sign_with_is_printed_of_mistakes() {
    let (doctor, secrets) = (clinic(), canaries());
    let all = mistakes();
    assert!(all.len() > 50);
    for mistake in all {
        let printed = printed(&doctor, &mistake.request);
        assert_silent(mistake.name, &printed, &secrets);
        assert_silent(mistake.name, &printed, &proofs(&mistake.request));
        if !mistake.genuine.is_empty() {
            assert_silent(mistake.name, &printed, &forms(&mistake.genuine));
        }
    }
}

#[test]
fn nothing_to_sign_with_is_printed_of_what_is_genuine() {
    let (doctor, secrets) = (clinic(), canaries());
    for (name, request) in genuine() {
        let printed = printed(&doctor, &request);
        let proofs = proofs(&request);
        assert!(!proofs.is_empty(), "{name}: no proof to look for");
        assert_silent(name, &printed, &secrets);
        assert_silent(name, &printed, &proofs);
        for proof in proofs
            .iter()
            .filter_map(|proof| STANDARD.decode(proof).ok())
        {
            assert_silent(name, &printed, &forms(&proof));
        }
    }
}

#[test]
fn of_a_short_key_nothing_is_printed() {
    let (doctor, secrets) = (clinic(), canaries());
    let genuine = unsigned("pivot-short", PAID).header("X-API-Key", SHORT_KEY);
    assert_silent("genuine", &printed(&doctor, &genuine), &secrets);
    let upper = unsigned("pivot-short", PAID).header("X-API-Key", SHORT_KEY.to_uppercase());
    assert_silent("in capitals", &printed(&doctor, &upper), &secrets);
    // The key of one gateway, sent to another's route, is a secret all the same.
    let elsewhere = pivot_with(SHORT_KEY, PAID);
    assert_silent("elsewhere", &printed(&doctor, &elsewhere), &secrets);
}

#[test]
fn a_digest_inside_a_digest_is_as_good_as_the_proof() {
    let doctor = clinic();
    let body = serde_json::json!({"bill_no": "B-1", "payment_status_code": "2", "signature": hex([7; 20])});
    let printed = printed(&doctor, &unsigned("faspay", body.to_string()));
    let inner = <md5::Md5 as md5::Digest>::digest(format!("{FASPAY_USER}{FASPAY_PASSWORD}B-12"));
    assert_silent("faspay", &printed, &canaries());
    assert_silent("faspay", &printed, &forms(&inner));
    let outer = <sha1::Sha1 as sha1::Digest>::digest(hex(inner));
    assert_silent("faspay", &printed, &forms(&outer));
}
