//! The manifests in k8s/ promise what a merchant relies on, however they are combined.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::harness::kubectl::KUSTOMIZATIONS;
use crate::harness::*;

#[test]
fn everything_in_the_folder_is_rendered() {
    let repository = tests_folder().parent().unwrap().to_owned();
    let read = |folder: &str| {
        let file = repository.join(folder).join("kustomization.yaml");
        fs::read_to_string(file).unwrap_or_default()
    };
    let used = KUSTOMIZATIONS.map(read).concat();
    let mut components = 0;
    for entry in fs::read_dir(repository.join("k8s")).unwrap() {
        let folder = format!("k8s/{}", entry.unwrap().file_name().to_str().unwrap());
        let text = read(&folder);
        if text.contains("\nkind: Component\n") {
            components += 1;
            assert!(
                used.contains(&format!("  - ../../../{folder}\n")),
                "{folder}"
            );
        } else if !text.is_empty() {
            assert!(KUSTOMIZATIONS.contains(&folder.as_str()), "{folder}");
        }
    }
    assert!(components >= 4, "the check sees nothing");
}

#[test]
fn kawal_needs_nothing_and_is_given_nothing() {
    for one in guarded() {
        let (name, kawal) = (&one.name, one.kawal());
        let context = json!({
            "runAsNonRoot": true, "runAsUser": 65532, "runAsGroup": 65532,
            "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"},
        });
        assert_eq!(kawal["securityContext"], context, "{name}");
        assert_eq!(one.spec()["automountServiceAccountToken"], false, "{name}");
        for shared in ["hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace"] {
            assert!(one.spec()[shared].is_null(), "{name}: {shared}");
        }
        for mount in list(&kawal["volumeMounts"]) {
            assert_eq!(mount["readOnly"], true, "{name}");
            assert!(mount["subPath"].is_null(), "{name}: never updated");
        }
    }
}

#[test]
fn nobody_but_kawal_reads_its_secrets() {
    for one in guarded() {
        let mut secrets = BTreeSet::new();
        let security = &one.spec()["securityContext"];
        // The kubelet gives the files to root, and to this group.
        assert_eq!(security["fsGroup"], 65532, "{}", one.name);
        assert_eq!(security["fsGroupChangePolicy"], "OnRootMismatch");
        for volume in list(&one.spec()["volumes"]) {
            // Without it, Kawal would start, and say what is missing instead of waiting for it.
            assert_ne!(volume["configMap"]["optional"], true, "{}", one.name);
            let Some(secret) = volume.get("secret") else {
                continue;
            };
            assert_eq!(secret["defaultMode"], 0o400, "{}", one.name);
            assert_ne!(secret["optional"], true, "{}", one.name);
            secrets.insert(volume["name"].as_str().unwrap());
        }
        for container in one.containers() {
            let mounts = list(&container["volumeMounts"]);
            let mounted: BTreeSet<_> = mounts
                .iter()
                .map(|mount| mount["name"].as_str().unwrap())
                .filter(|volume| secrets.contains(volume))
                .collect();
            let is_kawal = container["name"] == "kawal";
            assert_eq!(mounted.len(), if is_kawal { secrets.len() } else { 0 });
        }
    }
}

/// As README.md says under "Memory": every entry with the longest answer that is stored, as many
/// refused ones, and a body on its way on every connection, with what is held besides; while a
/// gateway is observed, two larger bodies; the process itself is below 20 MB.
#[test]
fn what_the_configuration_allows_fits_into_the_limit() {
    for one in guarded() {
        let resources = &one.kawal()["resources"];
        assert!(resources["limits"]["cpu"].is_null(), "{}", one.name);
        assert!(resources["requests"]["cpu"].is_string(), "{}", one.name);
        let limit = resources["limits"]["memory"].as_str().unwrap();
        let limit: bytesize::ByteSize = format!("{limit}B").parse().unwrap();
        let entries = one.number("replay.capacity") * (10_300 + 700);
        let connection = 30_000_000 / 4096 + one.bytes("limits.body") + 130_000;
        let observed = match one.file.contains("mode: observe") {
            true => 2 * (16 * 1024 * 1024 + 130_000),
            false => 0,
        };
        let connections = one.number("limits.connections") * connection;
        let most = 20_000_000 + entries + connections + observed;
        assert!(most <= limit.as_u64(), "{}: {most} of {limit}", one.name);
    }
}

#[test]
fn the_pod_waits_for_whoever_is_under_way() {
    for one in guarded() {
        let hook = &one.app()["lifecycle"]["preStop"];
        let (sleep, delay) = match one.is_native() {
            // The app is gone before Kawal is told.
            true => (hook["sleep"]["seconds"].as_u64().unwrap(), 3),
            false => {
                assert_eq!(hook["exec"]["command"][0], "sleep", "{}", one.name);
                let seconds = hook["exec"]["command"][1].as_str().unwrap();
                (seconds.parse().unwrap(), 15)
            }
        };
        // As long as Services and ingresses take to look elsewhere.
        assert_eq!(sleep, 10, "{}", one.name);
        let upstream = one.duration("timeouts.upstream").as_secs();
        assert_eq!(one.duration("timeouts.drain_delay").as_secs(), delay);
        assert!(one.is_native() || delay > sleep, "{}", one.name);
        let grace = one.spec()["terminationGracePeriodSeconds"]
            .as_u64()
            .unwrap();
        assert!(grace > sleep + upstream + delay, "{}", one.name);
        assert!(
            one.duration("timeouts.drain").as_secs() > upstream,
            "{}",
            one.name
        );
        let (restarts, native) = (&one.kawal()["restartPolicy"], one.is_native());
        assert_eq!(restarts == "Always", native, "{}", one.name);
    }
}

#[test]
fn the_kubelet_asks_the_admin_listener() {
    for one in guarded() {
        let kawal = one.kawal();
        let port = json!({"name": "kawal-admin", "containerPort": one.port("admin")});
        assert_eq!(kawal["ports"], json!([port]), "{}", one.name);
        for (probe, path, every) in [
            ("startupProbe", "/readyz", json!(1)),
            ("livenessProbe", "/livez", Value::Null),
            ("readinessProbe", "/readyz", json!(2)),
        ] {
            let asked = json!({"path": path, "port": "kawal-admin"});
            assert_eq!(kawal[probe]["httpGet"], asked, "{}", one.name);
            assert_eq!(kawal[probe]["periodSeconds"], every, "{}", one.name);
        }
        // Nodes are slow when they start, and a start that is refused is told at once all the same.
        assert_eq!(
            kawal["startupProbe"]["failureThreshold"], 30,
            "{}",
            one.name
        );
        for address in [one.setting("listen"), one.setting("admin")] {
            assert!(address.starts_with("0.0.0.0:"), "{}: {address}", one.name);
        }
    }
}

/// Of this repository's own apps each listens on 3000.
#[test]
fn services_lead_to_kawal_by_the_name_that_led_to_the_app() {
    let mut services = 0;
    for one in guarded() {
        let ports = one.containers().into_iter().map(|one| list(&one["ports"]));
        let ports: Vec<_> = ports.flatten().collect();
        assert!(
            ports.iter().all(|port| port["containerPort"] != 3000),
            "{}",
            one.name
        );
        let labels = &one.template["metadata"]["labels"];
        for service in one.rendered.of_kind("Service") {
            let selector = &service["spec"]["selector"];
            if selector["app"] != labels["app"] {
                continue;
            }
            services += 1;
            let target = &service["spec"]["ports"][0]["targetPort"];
            let led: Vec<_> = ports
                .iter()
                .filter(|port| port["name"] == *target)
                .collect();
            assert_eq!(led.len(), 1, "{}", one.name);
            assert_eq!(led[0]["containerPort"], one.port("listen"), "{}", one.name);
        }
    }
    assert!(
        services >= 11 || guarded().is_empty(),
        "the check sees nothing"
    );
}

#[test]
fn the_network_lets_in_notifications_and_the_monitoring() {
    for one in guarded() {
        assert_eq!(one.template["metadata"]["labels"]["guarded-by"], "kawal");
        let policy = &one.rendered.only("NetworkPolicy", "kawal")["spec"];
        assert_eq!(
            policy["podSelector"],
            json!({"matchLabels": {"guarded-by": "kawal"}})
        );
        assert_eq!(policy["policyTypes"], json!(["Ingress"]));
        let monitoring = json!({"kubernetes.io/metadata.name": "monitoring"});
        let expected = json!([
            {"ports": [{"protocol": "TCP", "port": one.port("listen")}]},
            {
                "from": [{"namespaceSelector": {"matchLabels": monitoring}}],
                "ports": [{"protocol": "TCP", "port": one.port("admin")}],
            },
        ]);
        assert_eq!(policy["ingress"], expected, "{}", one.name);
    }
}

fn guarded() -> Vec<Guarded<'static>> {
    let all = Kubectl::render_all();
    let guarded: Vec<_> = all.iter().flat_map(Rendered::guarded).collect();
    assert!(
        guarded.len() >= 14 || all.is_empty(),
        "the check sees nothing"
    );
    guarded
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}
