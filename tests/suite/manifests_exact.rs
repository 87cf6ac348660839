//! Nothing but what Kawal needs comes into a Deployment, and nothing but what it says into its container.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::harness::{Kubectl, Rendered, tests_folder};

#[test]
fn all_else_of_an_app_is_as_it_was() {
    let Some(kubectl) = Kubectl::find() else {
        return;
    };
    let before = kubectl.render("tests/manifests/shops");
    let mut compared = 0;
    for folder in ["tests/manifests/native", "tests/manifests/classic"] {
        let after = kubectl.render(folder);
        let workloads = ["Deployment", "StatefulSet"].map(|kind| before.of_kind(kind));
        for workload in workloads.concat() {
            let (kind, name) = (&workload["kind"], &workload["metadata"]["name"]);
            let (kind, name) = (kind.as_str().unwrap(), name.as_str().unwrap());
            let mut freed = after.only(kind, name).clone();
            free(&mut freed, workload);
            assert_eq!(freed, *workload, "{folder}: {name}");
            compared += 1;
        }
    }
    assert!(compared >= 8, "{compared}");
}

/// Takes out what the component is there for.
fn free(guarded: &mut Value, before: &Value) {
    for path in [
        "/metadata/labels/kawal-sidecar",
        "/spec/template/metadata/labels/guarded-by",
        "/spec/template/spec/automountServiceAccountToken",
        "/spec/template/spec/terminationGracePeriodSeconds",
        "/spec/template/spec/securityContext/fsGroup",
        "/spec/template/spec/securityContext/fsGroupChangePolicy",
        "/spec/template/spec/securityContext",
        "/spec/template/spec/containers/0/ports/0/containerPort",
        "/spec/template/spec/containers/0/lifecycle",
    ] {
        let (parent, key) = path.rsplit_once('/').unwrap();
        let had = before.pointer(path).cloned();
        let Some(Value::Object(parent)) = guarded.pointer_mut(parent) else {
            continue;
        };
        let is_empty = parent.get(key).is_some_and(|now| *now == json!({}));
        match had {
            Some(Value::Object(_)) => {}
            Some(had) => drop(parent.insert(key.to_owned(), had)),
            None if key == "securityContext" && !is_empty => {}
            None => drop(parent.remove(key)),
        }
    }
    let pod = guarded.pointer_mut("/spec/template/spec").unwrap();
    for list in ["initContainers", "containers", "volumes"] {
        let Some(Value::Array(items)) = pod.get_mut(list) else {
            continue;
        };
        items.retain(|item| {
            !["kawal", "kawal-secret"]
                .iter()
                .any(|ours| item["name"] == *ours)
        });
        if items.is_empty() {
            pod.as_object_mut().unwrap().remove(list);
        }
    }
}

#[test]
fn kawals_container_is_what_it_says_and_nothing_more() {
    let known = [
        "name",
        "image",
        "args",
        "env",
        "lifecycle",
        "ports",
        "startupProbe",
        "livenessProbe",
        "readinessProbe",
        "resources",
        "securityContext",
        "volumeMounts",
    ];
    let all = Kubectl::render_all();
    for one in all.iter().flat_map(Rendered::guarded) {
        let (name, kawal) = (&one.name, one.kawal());
        let mut expected = BTreeSet::from(known);
        if one.is_native() {
            expected.insert("restartPolicy");
        }
        let keys = kawal.as_object().unwrap().keys().map(String::as_str);
        assert_eq!(keys.collect::<BTreeSet<_>>(), expected, "{name}");
        let image = kawal["image"].as_str().unwrap();
        let version = concat!("kawal:", env!("CARGO_PKG_VERSION"));
        assert!(
            image == version || image.ends_with(&format!("/{version}")),
            "{name}"
        );
        let hook = json!({"preStop": {"exec": {"command": ["/kawal", "drain"]}}});
        assert_eq!(kawal["lifecycle"], hook, "{name}");
        // Keys in variables would be seen by whoever sees the process.
        for variable in kawal["env"].as_array().unwrap() {
            assert!(variable["valueFrom"]["secretKeyRef"].is_null(), "{name}");
        }
        let size = |of: &str| -> bytesize::ByteSize {
            let text = kawal["resources"][of]["memory"].as_str().unwrap();
            format!("{text}B").parse().unwrap()
        };
        let (asked, most) = (size("requests"), size("limits"));
        assert!(
            asked <= most && most <= bytesize::ByteSize::gib(1),
            "{name}"
        );
    }
}

#[test]
fn the_rules_come_with_what_is_scraped() {
    for rendered in Kubectl::render_all() {
        let count = |kind: &'static str| rendered.of_kind(kind).len();
        let (scraped, rules) = (count("PodMonitor"), count("PrometheusRule"));
        assert_eq!(scraped, rules, "{}", rendered.name);
    }
}

/// A store that listens on its own loopback would be reached by nobody.
#[test]
fn the_store_listens_where_its_service_leads() {
    let mut stores = 0;
    for rendered in Kubectl::render_all() {
        for store in rendered.of_kind("StatefulSet") {
            let container = &store["spec"]["template"]["spec"]["containers"][0];
            if container["name"] != "valkey" {
                continue;
            }
            stores += 1;
            assert_eq!(
                container["ports"],
                json!([{"name": "valkey", "containerPort": 6379}])
            );
            assert!(container["startupProbe"]["tcpSocket"].is_object());
        }
    }
    let conf = fs::read_to_string(tests_folder().join("../k8s/shared-ledger/valkey.conf")).unwrap();
    assert!(conf.lines().any(|line| line == "port 6379"));
    assert!(!conf.lines().any(|line| line.starts_with("bind")));
    assert!(stores >= 2 || Kubectl::render_all().is_empty(), "{stores}");
}
