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
    let built = Config::build(&value(yaml), Path::new("/nonexistent"));
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
