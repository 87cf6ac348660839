//! The JSON Schema that editors check a configuration with says what Kawal says.

use std::fs;

use serde_json::Value;

use crate::cli::kawal;
use crate::harness::*;

fn schema() -> Value {
    let printed = kawal(&["check", "--schema"]);
    assert_eq!(printed.code, Some(0), "{printed:?}");
    serde_json::from_str(&printed.stdout).unwrap()
}

fn files(kind: &str) -> Vec<(String, Value)> {
    let folder = tests_folder().join("config").join(kind);
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().path());
    let read = files.filter_map(|path| {
        let text = fs::read_to_string(&path).unwrap();
        let value = serde_yaml::from_str(&text).ok()?;
        Some((path.display().to_string(), value))
    });
    read.collect()
}

#[test]
fn every_valid_file_satisfies_it() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let files = files("valid");
    assert!(files.len() >= 21);
    for (file, value) in files {
        let faults: Vec<_> = schema
            .iter_errors(&value)
            .map(|fault| fault.to_string())
            .collect();
        assert!(faults.is_empty(), "{file}: {faults:?}");
    }
}

#[test]
fn unknown_keys_and_bare_secrets_do_not() {
    let schema = jsonschema::validator_for(&schema()).unwrap();
    let mut sound = files("valid");
    let everything = sound
        .iter()
        .position(|(file, _)| file.ends_with("everything.yaml"));
    let (_, sound) = sound.swap_remove(everything.unwrap());
    assert!(schema.is_valid(&sound));
    type Change = fn(&mut Value);
    let changes: [(&str, Change); 12] = [
        ("a key at the top", |v| v["lisen"] = "x".into()),
        ("no upstream", |v| {
            drop(v.as_object_mut().unwrap().remove("upstream"))
        }),
        ("a key of a section", |v| {
            v["timeouts"]["uptream"] = "1s".into()
        }),
        ("a word", |v| v["unmatched"] = "maybe".into()),
        ("a key of a gateway", |v| {
            v["gateways"]["doku"]["shceme"] = "x".into()
        }),
        ("a word for the store", |v| {
            v["replay"]["store"] = "rediss".into()
        }),
        ("a word for its absence", |v| {
            v["replay"]["unavailable"] = "allow".into()
        }),
        ("a key of the store", |v| {
            v["replay"]["redis"]["passwort"] = "env:X".into()
        }),
        ("a bare password of the store", |v| {
            v["replay"]["redis"]["password"] = "SK-1".into()
        }),
        ("a list for an address", |v| {
            v["replay"]["redis"]["url"] = vec!["redis://127.0.0.1"].into()
        }),
        ("a bare secret", |v| {
            v["gateways"]["doku"]["clients"][0]["secrets"][0] = "SK-1".into()
        }),
        ("a key of a route", |v| {
            v["routes"][0]["gatway"] = "x".into()
        }),
    ];
    for (what, change) in changes {
        let mut changed = sound.clone();
        change(&mut changed);
        assert!(!schema.is_valid(&changed), "{what}");
    }
}
