//! Where a configuration comes from: a file, then the environment.

use super::fault::Fault;
use super::files::Reader;
use figment::providers::{Env, Format as _, Yaml};
use figment::value::{Dict, Value};
use figment::{Figment, Profile};
use std::path::PathBuf;

/// The file given, else the one that `KAWAL_CONFIG` names, else `kawal.yaml` in the working folder
/// where there is one, else `/etc/kawal/kawal.yaml`.
#[must_use]
pub fn find(given: Option<PathBuf>) -> PathBuf {
    let named = std::env::var_os("KAWAL_CONFIG").filter(|name| !name.is_empty());
    if let Some(given) = given.or_else(|| named.map(PathBuf::from)) {
        return given;
    }
    let here = PathBuf::from("kawal.yaml");
    if here.exists() {
        here
    } else {
        PathBuf::from("/etc/kawal/kawal.yaml")
    }
}

/// The file, with the environment merged over it.
pub(super) fn read(files: &Reader) -> Result<Value, Fault> {
    let whole = |says: String| Fault {
        path: String::new(),
        says,
    };
    let text = files.text().map_err(|error| {
        whole(format!(
            "cannot be read: {error}; --config FILE names another one"
        ))
    })?;
    // Read first by a parser that refuses a key that occurs twice; the next one takes the last.
    let yaml: serde_yaml::Value = serde_yaml::from_str(&text).map_err(|error| {
        whole(format!(
            "is not sound YAML: {}",
            without_secrets(&error.to_string())
        ))
    })?;
    let is_mapping = yaml.is_mapping();
    // Of a large one there is not more at a time than has to be.
    drop(yaml);
    if !is_mapping {
        return Err(whole(
            "is empty or no configuration: it needs listen, upstream, gateways and routes".into(),
        ));
    }
    let environment = Env::prefixed("KAWAL_")
        .filter(|name| !is_injected(name.as_str()) && name != "config")
        .split("__");
    let merged = Figment::from(Yaml::string(&text)).merge(environment);
    let dict: Dict = merged
        .select(Profile::Default)
        .extract()
        .map_err(|error| whole(format!("is not sound: {}", error.kind)))?;
    Ok(Value::from(dict))
}

/// What occurs twice where a reference to a secret belongs may be a secret, and is not repeated.
fn without_secrets(error: &str) -> String {
    let hidden = |place: &str| {
        ["secrets", "password"]
            .iter()
            .any(|name| place.contains(name))
    };
    match error.split_once(" with key ") {
        Some((before, after)) if hidden(before) => {
            let place = after.rfind(" at line ").and_then(|at| after.get(at..));
            format!("{before}{}", place.unwrap_or_default())
        }
        _ => error.to_owned(),
    }
}

/// Kubernetes puts these into every pod of a namespace with a Service whose name begins with
/// `kawal`. Source: <https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables>
fn is_injected(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split('_').collect();
    let pairs = || words.iter().zip(words.iter().skip(1));
    let service = pairs().any(|(a, b)| *a == "service" && matches!(*b, "host" | "port"));
    let number = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let port = words.last() == Some(&"port") || pairs().any(|(a, b)| *a == "port" && number(b));
    service || port
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_kubernetes_injects() {
        for name in [
            "SERVICE_HOST",
            "SERVICE_PORT",
            "SERVICE_PORT_HTTP",
            "PORT",
            "PORT_8080_TCP",
            "PORT_8080_TCP_ADDR",
            "X_SERVICE_HOST",
            "SIDECAR_PORT_80_UDP_PROTO",
        ] {
            assert!(is_injected(name), "{name}");
        }
        for name in [
            "LISTEN",
            "REPLAY__CAPACITY",
            "UPSTREAM",
            "FOO",
            "TIMEOUTS__UPSTREAM",
        ] {
            assert!(!is_injected(name), "{name}");
        }
    }
}
