//! Configuration files as people write them: the good ones load, and each bad one is told where and how.

use std::fs;

use crate::cli::run;
use crate::fixture::{Fixture, fixtures};
use crate::harness::kawal::command;
use crate::harness::*;

const GOOD: &str = "upstream: http://127.0.0.1:3000
gateways: {doku: {scheme: doku, clients: [{id: BRN-1, secrets: [file:@DIR@/key]}]}}
routes: [{path: /payments/notifications, gateway: doku}]
";

#[test]
fn every_valid_file_is_accepted_with_a_table_of_its_routes() {
    for fixture in fixtures("valid", 21) {
        let name = &fixture.name;
        let exit = fixture.run(&["check"], &[]);
        assert_eq!(exit.code, Some(0), "{name}: {exit:?}");
        let file: serde_yaml::Value = serde_yaml::from_str(&fixture.text).unwrap();
        let routes = file["routes"].as_sequence().unwrap();
        assert!(!routes.is_empty(), "{name} has no route");
        for route in routes {
            let issues = !route["token"].is_null();
            let gateway = &route[if issues { "token" } else { "gateway" }];
            // A request for a token has a scheme of its own, whatever the gateway's is.
            let scheme = match issues {
                true => "snap-token",
                false => file["gateways"][gateway]["scheme"].as_str().unwrap(),
            };
            let kind = KINDS.iter().find(|kind| kind.scheme == scheme);
            let covers = match scheme {
                _ if issues => "with a token",
                "doku" | "snap" | "snap-asymmetric" => "body",
                "doku-qris" => "fields",
                "pivot" => "nothing",
                other if file["schemes"][other].is_mapping() => "",
                other => kind.unwrap_or_else(|| panic!("{name}: {other}")).covers,
            };
            let path = route["path"].as_str().unwrap();
            let words = [path, gateway.as_str().unwrap(), scheme, covers];
            let row = |line: &str| words.iter().all(|word| line.contains(word));
            assert!(exit.stdout.lines().any(row), "{name}, {words:?}: {exit:?}");
        }
    }
}

#[test]
fn every_invalid_file_is_refused_with_one_line_for_each_fault() {
    let mut failures = Vec::new();
    for fixture in fixtures("invalid", 230) {
        for words in [["check"], ["serve"]] {
            let exit = fixture.run(&words, &[]);
            for failure in fixture.judge(&exit) {
                failures.push(format!(
                    "{} {}: {failure}\n{}",
                    words[0], fixture.name, exit.stderr
                ));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_environment_overrides_the_file() {
    let fixture = Fixture::new("environment", GOOD);
    assert_eq!(
        fixture.run(&["check"], &[]).code,
        Some(78),
        "it has no `listen`"
    );
    let listen = ("KAWAL_LISTEN", "127.0.0.1:0");
    assert_eq!(fixture.run(&["check"], &[listen]).code, Some(0));
    let exit = fixture.run(&["check"], &[listen, ("KAWAL_REPLAY__CAPACITY", "0")]);
    assert_eq!(exit.code, Some(78), "{exit:?}");
    let named = ["replay.capacity", "KAWAL_REPLAY__CAPACITY"];
    assert!(
        named.iter().any(|name| exit.stderr.contains(name)),
        "{exit:?}"
    );
    let repaired = Fixture::new("repaired", &format!("replay: {{capacity: 0}}\n{GOOD}"));
    let capacity = ("KAWAL_REPLAY__CAPACITY", "10");
    assert_eq!(repaired.run(&["check"], &[listen, capacity]).code, Some(0));
}

#[test]
fn an_unknown_variable_of_our_name_is_an_error_and_those_of_kubernetes_are_not() {
    let fixture = Fixture::new("variables", &format!("listen: 127.0.0.1:0\n{GOOD}"));
    let exit = fixture.run(&["check"], &[("KAWAL_FOO", "1")]);
    assert_eq!(exit.code, Some(78), "{exit:?}");
    assert!(exit.stderr.contains("KAWAL_FOO"), "{exit:?}");
    // What every pod gets beside a Service with the name kawal.
    let injected = [
        ("KAWAL_SERVICE_HOST", "10.0.0.1"),
        ("KAWAL_SERVICE_PORT", "8080"),
        ("KAWAL_SERVICE_PORT_HTTP", "8080"),
        ("KAWAL_PORT", "tcp://10.0.0.1:8080"),
        ("KAWAL_PORT_8080_TCP", "tcp://10.0.0.1:8080"),
        ("KAWAL_PORT_8080_TCP_PROTO", "tcp"),
        ("KAWAL_PORT_8080_TCP_PORT", "8080"),
        ("KAWAL_PORT_8080_TCP_ADDR", "10.0.0.1"),
    ];
    let exit = fixture.run(&["check"], &injected);
    assert_eq!(exit.code, Some(0), "{exit:?}");
}

#[test]
fn the_file_is_found_by_flag_then_variable_then_place() {
    let fixture = Fixture::new("found", &format!("listen: 127.0.0.1:0\n{GOOD}"));
    let file = fixture.file();
    let file = file.to_str().unwrap();
    let folder = fixture.folder.path();
    let check = || {
        let mut check = command();
        check.arg("check").current_dir(folder);
        check
    };
    let by_variable = run(check().env("KAWAL_CONFIG", file));
    assert_eq!(by_variable.code, Some(0), "{by_variable:?}");
    let by_flag = run(check()
        .args(["--config", file])
        .env("KAWAL_CONFIG", "absent.yaml"));
    assert_eq!(by_flag.code, Some(0), "{by_flag:?}");
    let absent = run(check().env("KAWAL_CONFIG", "absent.yaml"));
    assert_eq!(absent.code, Some(78), "{absent:?}");
    assert!(absent.stderr.starts_with("kawal: "), "{absent:?}");
    assert!(absent.stderr.contains("absent.yaml"), "{absent:?}");
    fs::rename(file, folder.join("kawal.yaml")).unwrap();
    let by_place = run(&mut check());
    assert_eq!(by_place.code, Some(0), "{by_place:?}");
}

/// Of a pod that does not start, people see the log and nothing else.
#[test]
fn whoever_misses_a_file_is_told_what_is_there_instead() {
    let folder = config::Folder::new();
    let place = folder.path().display().to_string();
    let refusal = |file: &str| {
        let exit = run(command().args(["check", "--config", &format!("{place}/{file}")]));
        assert_eq!(exit.code, Some(78), "{exit:?}");
        exit.stderr
    };
    let empty = refusal("kawal.yaml");
    assert!(
        empty.contains(&format!("the folder {place} is empty")),
        "{empty}"
    );
    let nowhere = refusal("etc/kawal.yaml");
    assert!(
        nowhere.contains(&format!("there is no folder {place}/etc")),
        "{nowhere}"
    );
    // Kubernetes keeps links of its own there.
    for name in ["..data", "config.yaml", "old.yaml"] {
        fs::write(folder.path().join(name), GOOD.replace("@DIR@", &place)).unwrap();
    }
    let misnamed = refusal("kawal.yaml");
    assert!(
        misnamed.contains(&format!("{place} holds config.yaml, old.yaml;")),
        "{misnamed}"
    );
    let secret = refusal("config.yaml");
    assert!(
        secret.contains(&format!("file {place}/key cannot be read")),
        "{secret}"
    );
    assert!(
        secret.contains(&format!("{place} holds config.yaml, old.yaml")),
        "{secret}"
    );
}
