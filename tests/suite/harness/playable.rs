//! A pod's specification as `podman kube play` understands it: what podman does not know, the driver
//! does itself, and what neither knows is refused, so that no promise of a manifest is lost unseen.

use serde_json::{Map, Value, json};

use super::kubelet::scaled;

/// What of a container podman is told. Of the rest, the driver does these.
const PODMANS: [&str; 8] = [
    "name",
    "command",
    "args",
    "env",
    "resources",
    "securityContext",
    "volumeMounts",
    "workingDir",
];
const DRIVERS: [&str; 9] = [
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    // Podman would open them on the host.
    "ports",
    "readinessProbe",
    "restartPolicy",
    "startupProbe",
    // Where a dying process may leave its last words: kubectl's matter.
    "terminationMessagePolicy",
];
/// What of a pod podman is told. The rest is the driver's, or asks for nothing.
const PODS: [&str; 4] = ["hostAliases", "dnsConfig", "dnsPolicy", "securityContext"];

/// The containers that run all the time, in the order of their start, each with whether it is a
/// native sidecar.
pub fn containers(spec: &Value) -> Vec<(Value, bool)> {
    let list = |key: &str| spec[key].as_array().cloned().unwrap_or_default();
    let sidecars = list("initContainers").into_iter().map(|one| {
        assert_eq!(
            one["restartPolicy"], "Always",
            "an ordinary init container: {one}"
        );
        (one, true)
    });
    let others = list("containers").into_iter().map(|one| (one, false));
    sidecars.chain(others).collect()
}

/// The whole pod under this name, with images and the folders of its volumes put in.
pub fn pod(
    name: &str,
    spec: &Value,
    image: impl Fn(&str) -> String,
    folder: impl Fn(&Value) -> Option<String>,
) -> Value {
    let mut pod = Map::new();
    for (key, value) in spec.as_object().unwrap() {
        match key.as_str() {
            key if PODS.contains(&key) => drop(pod.insert(key.to_owned(), value.clone())),
            "containers"
            | "initContainers"
            | "volumes"
            | "restartPolicy"
            | "terminationGracePeriodSeconds" => {}
            // The Kubernetes API itself, which nobody plays here.
            "automountServiceAccountToken" | "enableServiceLinks" => {}
            key => panic!("the driver knows nothing of {key}"),
        }
    }
    pod.insert("restartPolicy".to_owned(), json!("Never"));
    // The kubelet puts all containers into it.
    if let Some(group) = spec["securityContext"]["fsGroup"].as_u64() {
        let groups = &mut pod["securityContext"]["supplementalGroups"];
        let mut all = groups.as_array().cloned().unwrap_or_default();
        all.push(json!(group));
        *groups = json!(all);
    }
    let containers: Vec<_> = containers(spec)
        .into_iter()
        .map(|(one, _)| container(&one, &image))
        .collect();
    pod.insert("containers".to_owned(), json!(containers));
    let volumes = spec["volumes"].as_array().cloned().unwrap_or_default();
    let volumes: Vec<_> = volumes
        .into_iter()
        .map(|volume| match folder(&volume) {
            Some(path) => {
                json!({"name": volume["name"], "hostPath": {"path": path, "type": "Directory"}})
            }
            None => volume,
        })
        .collect();
    pod.insert("volumes".to_owned(), json!(volumes));
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": pod,
    })
}

fn container(one: &Value, image: impl Fn(&str) -> String) -> Value {
    let name = one["name"].as_str().unwrap();
    let mut container = Map::new();
    for (key, value) in one.as_object().unwrap() {
        match key.as_str() {
            key if PODMANS.contains(&key) => drop(container.insert(key.to_owned(), value.clone())),
            key => assert!(DRIVERS.contains(&key), "the driver knows nothing of {key}"),
        }
    }
    container.insert("image".to_owned(), json!(image(name)));
    container.insert("imagePullPolicy".to_owned(), json!("Never"));
    for variable in container
        .get_mut("env")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        // It belongs to the times that the driver shortens.
        if variable["name"] == "KAWAL_TIMEOUTS__DRAIN_DELAY" {
            let seconds = variable["value"]
                .as_str()
                .unwrap()
                .strip_suffix('s')
                .unwrap();
            let delay = scaled(seconds.parse().unwrap());
            variable["value"] = json!(format!("{}ms", delay.as_millis()));
        }
    }
    Value::Object(container)
}
