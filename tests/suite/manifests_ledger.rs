//! The shared ledger's own configuration and users, with Kawal in front of a real server.

use std::fs;
use std::process::Command;

use regex::Regex;
use serde_json::json;

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
    let twin = Kawal::start(config.clone());
    assert_eq!(twin.send(&notification).status, 200);
    store.restart();
    until("the store is back", || {
        kawal.send(&notification).status == 200
    });
    assert_eq!(app.requests().len(), 1);
    assert_eq!(kawal.send(&doku("another")).status, 200);
    assert_eq!(app.requests().len(), 2);
    // Another app beside it, as the page has it: what this one took is new to that one.
    let page = fs::read_to_string(tests_folder().parent().unwrap().join("k8s/README.md"));
    assert!(
        page.unwrap()
            .contains(r#"`replay: {redis: {prefix: "kawal:billing"}}`"#)
    );
    let billing = Kawal::start(config.env("KAWAL_REPLAY__REDIS__PREFIX", "kawal:billing"));
    for _ in 0..2 {
        assert_eq!(billing.send(&notification).status, 200);
    }
    assert_eq!(app.requests().len(), 3);
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

#[test]
fn the_store_is_one_and_keeps_what_it_is_given() {
    for rendered in Kubectl::render_all() {
        for set in rendered.of_kind("StatefulSet") {
            if set["metadata"]["name"] != "kawal-ledger" {
                continue;
            }
            assert_eq!(set["spec"]["replicas"], 1);
            let (spec, conf) = (&set["spec"], rendered.file("kawal-ledger", "valkey.conf"));
            let pod = &spec["template"]["spec"];
            let store = &pod["containers"][0];
            let config = rendered.only("ConfigMap", "kawal-ledger");
            // Where it finds its configuration, its users and its disk.
            let expected = json!([
                {"name": "config", "mountPath": "/etc/valkey", "readOnly": true},
                {"name": "users", "mountPath": "/run/secrets/kawal-ledger", "readOnly": true},
                {"name": "data", "mountPath": "/data"},
            ]);
            assert_eq!(store["volumeMounts"], expected);
            assert_eq!(store["command"][1], "/etc/valkey/valkey.conf");
            assert_eq!(
                pod["volumes"][0]["configMap"]["name"],
                config["metadata"]["name"]
            );
            let users = json!({
                "secretName": "kawal-ledger", "defaultMode": 0o400,
                "items": [{"key": "users.acl", "path": "users.acl"}],
            });
            assert_eq!(pod["volumes"][1]["secret"], users);
            assert_eq!(spec["volumeClaimTemplates"][0]["metadata"]["name"], "data");
            // A copy of all of it, while the append-only file is written anew.
            assert!(conf.lines().any(|line| line == "maxmemory 256mb"));
            assert_eq!(store["resources"]["limits"], json!({"memory": "512Mi"}));
        }
    }
}

#[test]
fn nobody_but_kawal_reaches_the_store_which_needs_nothing() {
    for rendered in Kubectl::render_all()
        .iter()
        .filter(|one| one.name.ends_with("shared"))
    {
        let set = rendered.only("StatefulSet", "kawal-ledger");
        let pod = &set["spec"]["template"]["spec"];
        assert_eq!(pod["automountServiceAccountToken"], false);
        let context = json!({
            "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532, "fsGroup": 65532,
            "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"},
        });
        assert_eq!(pod["securityContext"], context);
        let context = json!({
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        });
        assert_eq!(pod["containers"][0]["securityContext"], context);
        let labels = json!({"app": "kawal-ledger"});
        assert_eq!(set["spec"]["template"]["metadata"]["labels"], labels);
        let service = &rendered.only("Service", "kawal-ledger")["spec"];
        assert_eq!(service["selector"], labels);
        assert_eq!(
            service["ports"][0]["targetPort"],
            pod["containers"][0]["ports"][0]["name"]
        );
        let policy = &rendered.only("NetworkPolicy", "kawal-ledger")["spec"];
        assert_eq!(policy["podSelector"]["matchLabels"], labels);
        assert_eq!(policy["policyTypes"], json!(["Ingress", "Egress"]));
        assert_eq!(policy["egress"], json!([]));
        let kawal = json!([{
            "from": [{"podSelector": {"matchLabels": {"guarded-by": "kawal"}}}],
            "ports": [{"protocol": "TCP", "port": service["ports"][0]["port"]}],
        }]);
        assert_eq!(policy["ingress"], kawal);
        for one in rendered.guarded() {
            assert_eq!(one.setting("replay.store"), "redis");
            let url = one.setting("replay.redis.url");
            assert_eq!(url, "redis://kawal@kawal-ledger:6379/0", "{}", one.name);
            let password = one.volume("/run/secrets/kawal-ledger/password");
            let item = json!([{"key": "password", "path": "password"}]);
            assert_eq!(password["secret"]["items"], item, "{}", one.name);
            assert!(
                one.secrets()
                    .contains(&"/run/secrets/kawal-ledger/password".to_owned())
            );
        }
    }
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
