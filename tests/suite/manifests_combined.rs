//! Components in all orders, on apps of all kinds: what fits is joined, what does not says so.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::config::Folder;
use crate::harness::*;

#[test]
fn the_classic_container_is_the_native_one_but_for_what_differs_in_clusters() {
    let Some([native, classic]) = both() else {
        return;
    };
    for (native, classic) in native.guarded().iter().zip(classic.guarded()) {
        assert!(native.is_native() && !classic.is_native());
        let mut expected = native.kawal().clone();
        expected.as_object_mut().unwrap().remove("restartPolicy");
        expected["env"][0]["value"] = json!("15s");
        assert_eq!(*classic.kawal(), expected, "{}", classic.name);
        let mut app = native.app().clone();
        app["lifecycle"]["preStop"] = json!({"exec": {"command": ["sleep", "10"]}});
        assert_eq!(*classic.app(), app, "{}", classic.name);
    }
}

#[test]
fn an_app_without_the_label_is_left_alone() {
    let Some(all) = both() else {
        return;
    };
    let file = tests_folder().join("manifests/shops/apart.yaml");
    let apart: Value = serde_yaml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    for rendered in all {
        assert_eq!(*rendered.only("Deployment", "apart"), apart);
    }
}

#[test]
fn what_an_app_has_of_its_own_stays() {
    let Some(all) = both() else {
        return;
    };
    for rendered in all {
        let rich = rendered.only("Deployment", "rich");
        let spec = &rich["spec"]["template"]["spec"];
        let names = |list: &str| -> Vec<&str> {
            let list = spec[list].as_array().unwrap();
            list.iter()
                .map(|one| one["name"].as_str().unwrap())
                .collect()
        };
        let (init, containers) = match rendered.name.ends_with("native") {
            true => (vec!["kawal", "migrate", "warm"], vec!["rich", "mailer"]),
            false => (vec!["migrate", "warm"], vec!["rich", "kawal", "mailer"]),
        };
        assert_eq!(names("initContainers"), init);
        assert_eq!(names("containers"), containers);
        assert_eq!(names("volumes"), ["kawal", "kawal-secret", "data", "cache"]);
        assert_eq!(spec["securityContext"]["supplementalGroups"], json!([2000]));
        assert_eq!(
            rich["spec"]["template"]["metadata"]["annotations"]["checked"],
            "yes"
        );
        let ports = json!([
            {"name": "web", "containerPort": 8780, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9100},
            {"name": "debug", "containerPort": 9200},
        ]);
        assert_eq!(spec["containers"][0]["ports"], ports);
    }
}

#[test]
fn the_example_is_fit_for_a_namespace_that_is_restricted() {
    let all = Kubectl::render_all().iter();
    for rendered in all.filter(|one| one.name == "k8s/example") {
        let labels = &rendered.only("Namespace", "shop")["metadata"]["labels"];
        assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted");
        // By its own name: pods need not start again for a change.
        assert_eq!(
            rendered.of_kind("ConfigMap")[0]["metadata"]["name"],
            "kawal"
        );
        let shop = &rendered.guarded()[0];
        assert_eq!(shop.spec()["securityContext"]["runAsNonRoot"], true);
        let context = json!({
            "runAsUser": 10001, "runAsGroup": 10001, "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
        });
        assert_eq!(shop.app()["securityContext"], context);
        let address = shop.setting("upstream").replace("http://", "");
        assert!(
            shop.app()["args"]
                .to_string()
                .contains(&format!("php -S {address} "))
        );
    }
}

#[test]
fn what_does_not_fit_says_where() {
    let Some(kubectl) = Kubectl::find() else {
        return;
    };
    let port = json!([{"name": "http", "containerPort": 3000}]);
    let hook = json!({"postStart": {"exec": {"command": ["warm"]}}});
    for (extra, components, told) in [
        (
            json!({}),
            vec!["sidecar"],
            "missing path: /spec/template/spec/containers/0/ports/0/containerPort",
        ),
        (
            json!({"ports": port, "lifecycle": hook}),
            vec!["sidecar"],
            "testing value /spec/template/spec/containers/0/lifecycle failed",
        ),
        (
            json!({"ports": port}),
            vec!["shared-ledger", "sidecar"],
            "missing path: /spec/template/spec/initContainers/0/name",
        ),
        (
            json!({"ports": port}),
            vec!["sidecar", "sidecar-classic"],
            "already registered",
        ),
    ] {
        let folder = app_with(&extra, &components);
        let error = kubectl.kustomize(folder.path()).unwrap_err();
        assert!(error.contains(told), "{components:?}: {error}");
    }
    let folder = app_with(&json!({"ports": port}), &["sidecar", "shared-ledger"]);
    kubectl.kustomize(folder.path()).unwrap();
}

/// A prefix renames the store's Service.
#[test]
fn kawal_asks_the_store_that_is_there() {
    let Some(kubectl) = Kubectl::find() else {
        return;
    };
    for sidecar in ["sidecar", "sidecar-classic"] {
        let port = json!({"ports": [{"name": "http", "containerPort": 3000}]});
        let folder = app_with(&port, &[sidecar, "shared-ledger"]);
        let file = folder.path().join("kustomization.yaml");
        let mut whole: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        whole["namePrefix"] = json!("prod-");
        whole["configMapGenerator"] =
            json!([{"name": "kawal", "literals": ["kawal.yaml=listen: none"]}]);
        fs::write(file, whole.to_string()).unwrap();
        let text = kubectl.kustomize(folder.path()).unwrap();
        let rendered = Rendered::new(sidecar, text);
        let service = &rendered.only("Service", "prod-kawal-ledger")["metadata"]["name"];
        let expected = format!("redis://kawal@{}:6379/0", service.as_str().unwrap());
        assert_eq!(rendered.guarded()[0].setting("replay.redis.url"), expected);
    }
}

/// A kustomization of one guarded app whose container has this too.
fn app_with(extra: &Value, components: &[&str]) -> Folder {
    let folder = Folder::new();
    let mut container = json!({"name": "app", "image": "app:1.0.0"});
    for (key, value) in extra.as_object().unwrap() {
        container[key] = value.clone();
    }
    let app = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "app", "labels": {"kawal": "guarded"}},
        "spec": {
            "selector": {"matchLabels": {"app": "app"}},
            "template": {"metadata": {"labels": {"app": "app"}}, "spec": {"containers": [container]}},
        },
    });
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::os::unix::fs::symlink(root, folder.path().join("kawal")).unwrap();
    let places = components.iter().map(|name| format!("kawal/k8s/{name}"));
    let kustomization = json!({
        "resources": ["app.json"],
        "components": places.collect::<Vec<_>>(),
    });
    for (name, content) in [("app.json", app), ("kustomization.yaml", kustomization)] {
        fs::write(folder.path().join(name), content.to_string()).unwrap();
    }
    folder
}

/// The same apps, guarded natively and classically.
fn both() -> Option<[&'static Rendered; 2]> {
    let all = Kubectl::render_all();
    let named = |name: &str| all.iter().find(|one| one.name.ends_with(name));
    Some([named("manifests/native")?, named("manifests/classic")?])
}
