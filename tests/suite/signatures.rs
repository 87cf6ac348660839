//! A DOKU signature has one spelling and belongs to one client.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

use crate::harness::gateway::{BRN, BRN_SECRET, MCH, MCH_NEW_SECRET, MCH_OLD_SECRET};
use crate::harness::{Doku, Request, doku};
use crate::refusals::{Bench, LACKING, WRONG};

const PREFIX: &str = "HMACSHA256=";

#[test]
fn a_signature_has_one_spelling() {
    let mut bench = Bench::new();
    let (genuine, mac) = telling_signature();
    let code = STANDARD.encode(&mac);
    let hex: String = mac.iter().map(|byte| format!("{byte:02x}")).collect();
    let whole = format!("{PREFIX}{code}");
    let rows = [
        (
            "the URL alphabet",
            format!("{PREFIX}{}", URL_SAFE.encode(&mac)),
        ),
        (
            "no padding",
            format!("{PREFIX}{}", STANDARD_NO_PAD.encode(&mac)),
        ),
        ("more padding", format!("{whole}=")),
        ("hexadecimal", format!("{PREFIX}{hex}")),
        ("trailing bits", format!("{PREFIX}{}", trailing_bits(&code))),
        ("lower case", format!("{PREFIX}{}", code.to_lowercase())),
        ("upper case", format!("{PREFIX}{}", code.to_uppercase())),
        ("no prefix", code.clone()),
        ("a prefix in lower case", format!("hmacsha256={code}")),
        ("another algorithm", format!("HMACSHA512={code}")),
        ("no algorithm", format!("none={code}")),
        ("the prefix twice", format!("{PREFIX}{whole}")),
        ("the prefix alone", PREFIX.to_owned()),
        ("a comma and itself", format!("{whole},{whole}")),
        ("a comma and a space", format!("{whole}, {whole}")),
        (
            "a wrong one first",
            format!("{PREFIX}{},{whole}", "A".repeat(44)),
        ),
        ("a space inside", format!("{PREFIX} {code}")),
        ("a quoted one", format!("\"{whole}\"")),
        ("an escaped newline", format!("{whole}\\n")),
        ("a percent-encoded newline", format!("{whole}%0A")),
        (
            "a byte short",
            format!("{PREFIX}{}", STANDARD.encode(&mac[..31])),
        ),
        (
            "a byte long",
            format!("{PREFIX}{}", STANDARD.encode([&mac[..], b"x"].concat())),
        ),
        (
            "half of it",
            format!("{PREFIX}{}", STANDARD.encode(&mac[..16])),
        ),
        ("very long", format!("{PREFIX}{}", "A".repeat(8000))),
        ("zeros", format!("{PREFIX}{}", STANDARD.encode([0; 32]))),
    ];
    for (name, value) in rows {
        assert_ne!(value, whole, "{name} changes nothing");
        let request = genuine.clone().replace("Signature", value);
        bench.unauthorized(name, &request, LACKING);
    }
    // A control byte in a value: the head itself is not to be read.
    let broken = genuine.clone().replace("Signature", format!("{whole}\x0b"));
    bench.refused("a vertical tab", &broken, &[400, 401]);
    let broken = genuine.clone().replace("Signature", format!("{whole}é"));
    bench.refused("a letter beyond ASCII", &broken, &[400, 401]);
    bench.admits(&genuine);
}

#[test]
fn a_client_speaks_for_itself_alone() {
    let mut bench = Bench::new();
    let signed = Doku::new("{}");
    let genuine = signed.sign();
    let other = genuine.clone().replace("Client-Id", MCH);
    bench.unauthorized("another client's name", &other, WRONG);
    let rows = [
        ("the other's secret", BRN, MCH_NEW_SECRET, WRONG),
        ("the other's old secret", BRN, MCH_OLD_SECRET, WRONG),
        ("the other way round", MCH, BRN_SECRET, WRONG),
        ("no secret", BRN, "", WRONG),
        (
            "a secret with its newline",
            BRN,
            "SK-brn-canary-secret-0001\n",
            WRONG,
        ),
        (
            "a stranger",
            "BRN-9999-0000000000000",
            BRN_SECRET,
            &["unknown_client"],
        ),
        (
            "a stranger without a secret",
            "BRN-9999-0000000000000",
            "",
            &["unknown_client"],
        ),
        (
            "lower case",
            "brn-0201-1690274481481",
            BRN_SECRET,
            &["unknown_client"],
        ),
        (
            "a part of the name",
            "BRN-0201",
            BRN_SECRET,
            &["unknown_client"],
        ),
        (
            "two names",
            "BRN-0201-1690274481481,MCH-0001-10791114622547",
            BRN_SECRET,
            &["unknown_client"],
        ),
    ];
    for (name, client, secret, reasons) in rows {
        let request = signed.clone().client(client, secret).sign();
        bench.unauthorized(name, &request, reasons);
    }
    bench.admits(&genuine);
}

/// A genuine notification whose signature has a character that the URL alphabet writes otherwise.
fn telling_signature() -> (Request, Vec<u8>) {
    loop {
        let request = doku("{}");
        let signature = request.value("Signature");
        let code = signature.strip_prefix(PREFIX).unwrap();
        if code.contains(['+', '/']) {
            return (request.clone(), STANDARD.decode(code).unwrap());
        }
    }
}

/// The same 32 bytes to a decoder that does not look at the bits which carry nothing.
fn trailing_bits(code: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = code.as_bytes().to_vec();
    let last = bytes.len() - 2;
    let value = ALPHABET.iter().position(|letter| *letter == bytes[last]);
    bytes[last] = ALPHABET[value.unwrap() | 1];
    String::from_utf8(bytes).unwrap()
}
