//! What is no key is not taken over: the old one serves on, and nothing of what lies in its place is told.

use std::fs;

use crate::harness::broken::Broken;
use crate::harness::gateway::{BRN_SECRET, PIVOT_KEY};
use crate::harness::keys::{bare, key_text};
use crate::harness::snap::SNAP_SECRET;

#[test]
fn a_key_that_is_none_is_not_taken_over() {
    let mut broken = Broken::new();
    let public = key_text("other-public.pem");
    let private = key_text("gateway-private.pem");
    let secret = ("brn", "gateways.doku.clients[0].secrets[0]");
    let key = ("own.pem", "gateways.doku-rsa.clients[0].public_keys[0]");
    let (certificate, short) = (key_text("certificate.pem"), key_text("short-public.pem"));
    let (bare_public, half) = (bare(&public), public[..200].to_owned());
    let rows = [
        ("empty", secret, "", "is empty"),
        ("a newline", secret, "\n", "is empty"),
        ("too short", secret, "s3cr3t!\n", "shorter than 8"),
        ("a public key", secret, &public, "shared secret belongs"),
        ("a bare key", secret, &bare_public, "shared secret belongs"),
        ("a private key", secret, &private, "shared secret belongs"),
        (
            "words",
            key,
            "our key, as it was sent\n",
            "neither PEM nor base64",
        ),
        ("an empty key", key, "", "is empty"),
        ("the private half", key, &private, "a private key"),
        ("a certificate", key, &certificate, "a certificate"),
        ("a short key", key, &short, "at least 2048"),
        ("half a key", key, &half, "copy the key again"),
    ];
    for (case, (name, path), content, right) in rows {
        broken.kawal.config.secret(name, content);
        broken.is_told(case, &[name, path, right]);
        broken.mend();
    }
    for (case, (name, path)) in [("no secret", secret), ("no public key", key)] {
        broken.remove(name);
        broken.is_told(case, &[name, path, "cannot be read"]);
        fs::create_dir(broken.file(name)).unwrap();
        broken.is_told(case, &[name, path, "cannot be read"]);
        broken.mend();
    }
    let output = broken.kawal.output();
    let bare_private = bare(&key_text("gateway-private.pem"));
    let secrets = ["s3cr3t!", BRN_SECRET, SNAP_SECRET, PIVOT_KEY];
    for hidden in secrets.into_iter().chain([&bare_private[..40]]) {
        assert!(!output.contains(hidden), "{hidden} was printed");
    }
}
