//! The shared ledger's own configuration and users, with Kawal in front of a real server.

use std::fs;
use std::process::Command;

use regex::Regex;

use crate::harness::config::Folder;
use crate::harness::gateway::BRN_SECRET;
use crate::harness::*;

const USERS: &str = "/run/secrets/kawal-ledger/users.acl";

#[test]
fn kawal_delivers_once_with_the_store_of_the_manifests() {
    let all = Kubectl::render_all().iter();
    let Some(rendered) = { all }.find(|one| one.name == "tests/manifests/shared") else {
        return;
    };
    let folder = Folder::new();
    let (password, users) = secret();
    let at = |name: &str| folder.path().join(name).display().to_string();
    fs::write(at("password"), password).unwrap();
    fs::write(at("users.acl"), users).unwrap();
    let conf = rendered.file("kawal-ledger", "valkey.conf");
    for line in ["port 6379", "dir /data", &format!("aclfile {USERS}")] {
        assert!(conf.lines().any(|one| one == line), "{line}");
    }
    let conf = conf
        .replace("\nport 6379\n", "\n")
        .replace(
            "\ndir /data\n",
            &format!("\ndir {}\n", folder.path().display()),
        )
        .replace(USERS, &at("users.acl"));
    fs::write(at("valkey.conf"), conf).unwrap();
    let store = Redis::with(&["--include", &at("valkey.conf")]);

    let app = App::start();
    let guarded = rendered.guarded();
    let text = rendered.file("kawal", "kawal.yaml");
    fs::write(at("doku-secret-key"), BRN_SECRET).unwrap();
    let text = text
        .replace("0.0.0.0:8780", "127.0.0.1:0")
        .replace("0.0.0.0:8790", "127.0.0.1:0")
        .replace("http://127.0.0.1:3000", &app.url())
        .replace("/run/secrets/kawal/doku-secret-key", &at("doku-secret-key"))
        .replace("mode: observe", "mode: enforce");
    let mut config = Config::new(&app).with_text(text);
    for (name, value) in guarded[0].env() {
        let value = value
            .replace("kawal-ledger:6379", &store.addr().to_string())
            .replace("/run/secrets/kawal-ledger/password", &at("password"));
        config = config.env(&name, &value);
    }
    let kawal = Kawal::start(config.clone());
    let notification = doku("once");
    assert_eq!(kawal.send(&notification).status, 200);
    assert_eq!(kawal.send(&notification).status, 200);
    // The other replica, and this one after a restart of the store.
    let twin = Kawal::start(config);
    assert_eq!(twin.send(&notification).status, 200);
    store.restart();
    until("the store is back", || {
        kawal.send(&notification).status == 200
    });
    assert_eq!(app.requests().len(), 1);
    assert_eq!(kawal.send(&doku("another")).status, 200);
    assert_eq!(app.requests().len(), 2);
    // Nobody else, and nothing else.
    let refused = store.connect().call(&["GET", "kawal:x"]).unwrap();
    assert!(matches!(refused, resp::Reply::Error(error) if error.starts_with("NOAUTH")));
}

/// What README.md tells to set up by hand is what the script makes.
#[test]
fn the_user_has_the_rights_that_are_documented() {
    let readme = fs::read_to_string(tests_folder().parent().unwrap().join("README.md")).unwrap();
    let documented = readme
        .split("ACL SETUSER kawal on >PASSWORD ")
        .nth(1)
        .unwrap();
    let documented = documented.lines().next().unwrap();
    let (password, users) = secret();
    let lines: Vec<_> = users.lines().collect();
    // With fewer rights, what it forgets at a restart is told above.
    assert_eq!(lines[0], "user default off ~* &* +@all");
    let hash = hashes::sha256_hex(&password);
    assert_eq!(lines[1], format!("user kawal on #{hash} {documented}"));
    assert_eq!(lines.len(), 2);
    for demanded in [
        "maxmemory-policy noeviction",
        "appendonly yes",
        "appendfsync everysec",
    ] {
        let conf = tests_folder()
            .parent()
            .unwrap()
            .join("k8s/shared-ledger/valkey.conf");
        let conf = fs::read_to_string(conf).unwrap();
        assert!(conf.lines().any(|line| line == demanded), "{demanded}");
        assert!(readme.contains(&format!("    {demanded}\n")), "{demanded}");
    }
}

#[test]
fn every_installation_has_a_password_of_its_own() {
    let password = Regex::new("^[0-9a-f]{64}$").unwrap();
    let (one, other) = (secret().0, secret().0);
    assert!(password.is_match(&one) && one != other);
}

/// What the script puts into the Secret: the password, and the users.
fn secret() -> (String, String) {
    let script = tests_folder()
        .parent()
        .unwrap()
        .join("k8s/shared-ledger/secret.sh");
    let made = Command::new("sh").arg(script).output().unwrap();
    assert!(made.status.success());
    let text = String::from_utf8(made.stdout).unwrap();
    let secret = &Rendered::new("secret.sh", text).resources[0];
    assert_eq!(secret["kind"], "Secret");
    assert_eq!(secret["metadata"]["name"], "kawal-ledger");
    let value = |key: &str| secret["stringData"][key].as_str().unwrap().to_owned();
    (value("password"), value("users.acl"))
}
