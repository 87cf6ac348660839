//! What only a look inside can tell; the fixtures under `tests/config` tell the rest.

use super::*;
use figment::providers::{Format as _, Yaml};

fn value(yaml: &str) -> Value {
    Value::from(
        figment::Figment::from(Yaml::string(yaml))
            .extract::<figment::value::Dict>()
            .unwrap(),
    )
}

fn faults(yaml: &str) -> Vec<String> {
    let built = Config::build(
        &value(yaml),
        &Reader::new(Path::new("/nonexistent/kawal.yaml"), false),
    );
    built.unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn tells_every_fault_at_once() {
    let told = faults(
        "listen: here\nadmn: 127.0.0.1:1\nthreads: 0\ntimeouts: {heder: 1s, body: 1}\n\
         gateways:\n  a: {scheme: dokku, clients: [{id: x, secrets: [plain, 'file:none']}]}\n\
         routes: [{path: a, gateway: b}, {gateway: a}]\n",
    );
    for (path, word) in [
        ("listen: ", "`here` is no IP address"),
        ("admn: ", "did you mean `admin`"),
        ("upstream: ", "missing"),
        ("threads: ", "at least 1"),
        ("timeouts.heder: ", "did you mean `header`"),
        ("timeouts.body: ", "a number where"),
        (
            "gateways.a.scheme: ",
            "unknown scheme `dokku`; did you mean `doku`?",
        ),
        ("gateways.a.clients[0].secrets[0]: ", "is not a reference"),
        ("gateways.a.clients[0].secrets[1]: ", "cannot be read"),
        ("routes[0].path: ", "must begin with a slash"),
        ("routes[0].gateway: ", "unknown gateway `b`"),
        ("routes[1].path: ", "missing"),
    ] {
        assert!(
            told.iter()
                .any(|line| line.starts_with(path) && line.contains(word)),
            "{path} {word} is not told by {told:#?}"
        );
    }
    assert_eq!(told.len(), 12, "{told:#?}");
}

#[test]
fn warns_of_what_a_snap_gateway_leaves_open() {
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/gateway-public.pem");
    let gateways = "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:1\ngateways:\n  \
         g: {scheme: snap-asymmetric, clients: [{id: A, public_keys: ['file:KEY'], secrets: ['file:KEY2']}, \
         {id: B, public_keys: ['file:KEY'], secrets: ['file:KEY2']}]}\nroutes:\n";
    // Any file of sound length will do for a secret.
    let secret = Path::new(env!("CARGO_MANIFEST_DIR")).join("clippy.toml");
    let gateways = gateways.replace("KEY2", secret.to_str().unwrap());
    let gateways = gateways.replace("KEY", key.to_str().unwrap());
    for (routes, words) in [
        (
            "  - {path: /a, gateway: g}\n",
            &[
                "without service",
                "all of its merchants",
                "in common",
                "token route only",
                "token route only",
            ][..],
        ),
        (
            "  - {path: /a, gateway: g, service: va-payment}\n  - {path: /t, token: g}\n",
            &["in common"],
        ),
        (
            "  - {path: /t, token: g}\n",
            &["no route leads to it", "in common"],
        ),
    ] {
        let config = Config::build(
            &value(&format!("{gateways}{routes}")),
            &Reader::new(Path::new("/kawal.yaml"), false),
        );
        let mut warnings = config.unwrap().warnings;
        for word in words {
            let at = warnings.iter().position(|warning| warning.contains(word));
            warnings.remove(at.unwrap_or_else(|| panic!("no {word} in {warnings:#?}")));
        }
        assert!(warnings.is_empty(), "{routes}: {warnings:#?}");
    }
}
