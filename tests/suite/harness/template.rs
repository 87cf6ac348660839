//! A Deployment as it was rendered, with the ConfigMaps and Secrets that stand beside it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Kubectl;
use super::gateway::BRN_SECRET;
use super::variables::variables;

/// The keys of a ConfigMap or Secret, and what they hold.
pub type Keys = BTreeMap<String, Vec<u8>>;

/// What pods are made of.
#[derive(Clone)]
pub struct Template {
    /// Of the pod.
    pub spec: Value,
    /// By kind and name.
    objects: BTreeMap<(String, String), Keys>,
    /// The ports of the Services that lead here.
    services: Vec<Value>,
}

impl Template {
    /// What a kustomization under `tests/pod` renders to: `native` or `classic`.
    pub fn rendered(name: &str) -> Self {
        Self::of(&format!("tests/pod/{name}"))
    }

    /// The example that is shipped, with the tests' app instead of PHP, and with its secret.
    pub fn example() -> Self {
        let app = |one: &mut Value| {
            one["args"] = json!(["127.0.0.1:3000"]);
            // It is run inside the container, where nothing of PHP is.
            one.as_object_mut()
                .unwrap()
                .remove("livenessProbe")
                .unwrap();
        };
        Self::of("k8s/example").container("shop", app).with(
            "Secret",
            "kawal",
            &[("doku-secret-key", BRN_SECRET)],
        )
    }

    /// What a kustomization in this folder renders to: one Deployment, and what stands beside it.
    pub fn of(folder: &str) -> Self {
        Self::of_the_only("Deployment", folder)
    }

    /// The same of another kind that makes pods. What it claims of the disk is there while a pod is.
    pub fn of_the_only(kind: &'static str, folder: &str) -> Self {
        let kubectl = Kubectl::find().expect("kubectl, without which there are no manifests");
        let documents = kubectl.render(folder).resources;
        let of = |kind: &'static str| documents.iter().filter(move |one| one["kind"] == kind);
        let workloads: Vec<_> = of(kind).collect();
        assert_eq!(workloads.len(), 1, "{folder}");
        let spec = &workloads[0]["spec"];
        let mut objects = BTreeMap::new();
        for object in of("ConfigMap").chain(of("Secret")) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let name = (text(&object["kind"]), text(&object["metadata"]["name"]));
            objects.insert(name, keys(object));
        }
        Self {
            spec: with_claims(spec),
            objects,
            services: of("Service")
                .filter(|one| selects(&one["spec"]["selector"], &spec["template"]["metadata"]))
                .flat_map(|one| one["spec"]["ports"].as_array().unwrap().clone())
                .collect(),
        }
    }

    /// Another file in the ConfigMap `kawal`.
    pub fn config(self, text: &str) -> Self {
        self.with("ConfigMap", "kawal", &[("kawal.yaml", text)])
    }

    /// The configuration as it is, with something else in one place.
    pub fn reconfigured(self, from: &str, to: &str) -> Self {
        let text = self.config_text();
        assert!(text.contains(from), "{from} is not in {text}");
        self.config(&text.replace(from, to))
    }

    pub fn config_text(&self) -> String {
        let keys = self.keys("ConfigMap", "kawal").unwrap();
        String::from_utf8(keys["kawal.yaml"].clone()).unwrap()
    }

    /// A ConfigMap or Secret with these keys, and no others.
    pub fn with(mut self, kind: &str, name: &str, keys: &[(&str, &str)]) -> Self {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
        let keys = keys.iter().map(own).collect();
        let name = (kind.to_owned(), name.to_owned());
        self.objects.insert(name, keys);
        self
    }

    pub fn keys(&self, kind: &str, name: &str) -> Option<Keys> {
        let name = (kind.to_owned(), name.to_owned());
        self.objects.get(&name).cloned()
    }

    /// Changes a container, by name.
    pub fn container(mut self, name: &str, change: impl FnOnce(&mut Value)) -> Self {
        let spec = self.spec.as_object_mut().unwrap();
        let lists = spec
            .iter_mut()
            .filter(|(key, _)| key.ends_with("ontainers"));
        let mut all = lists.flat_map(|(_, list)| list.as_array_mut().unwrap());
        let found = all.find(|one| one["name"] == name);
        change(found.unwrap_or_else(|| panic!("no container {name}")));
        self
    }

    /// Other words after a container's command.
    pub fn args(self, container: &str, args: &[&str]) -> Self {
        self.container(container, |one| one["args"] = json!(args))
    }

    /// One more variable of a container.
    pub fn env(self, container: &str, name: &str, value: &str) -> Self {
        self.container(container, |one| {
            let variables = &mut one["env"];
            if variables.is_null() {
                *variables = json!([]);
            }
            let variable = json!({"name": name, "value": value});
            variables.as_array_mut().unwrap().push(variable);
        })
    }

    /// Where the Service leads to: the name of a port of the pod.
    pub fn target_port(&self) -> String {
        assert_eq!(self.services.len(), 1);
        self.services[0]["targetPort"].as_str().unwrap().to_owned()
    }
}

/// Whether a Service leads to pods with this metadata.
fn selects(selector: &Value, metadata: &Value) -> bool {
    let mut labels = selector.as_object().unwrap().iter();
    labels.all(|(name, value)| metadata["labels"][name] == *value)
}

/// The pod's specification, with an empty volume for each that is claimed, and variables as the
/// kubelet makes them.
fn with_claims(spec: &Value) -> Value {
    let mut pod = spec["template"]["spec"].clone();
    for list in ["initContainers", "containers"] {
        let containers = pod[list].as_array_mut().into_iter().flatten();
        for container in containers.filter(|one| one["env"].is_array()) {
            let made = variables(container, &spec["template"]["metadata"]);
            let made = made
                .into_iter()
                .map(|(name, value)| json!({"name": name, "value": value}));
            container["env"] = made.collect();
        }
    }
    let claims = spec["volumeClaimTemplates"].as_array();
    for claim in claims.into_iter().flatten() {
        let volumes = pod["volumes"].as_array_mut().unwrap();
        volumes.push(json!({"name": claim["metadata"]["name"], "emptyDir": {}}));
    }
    pod
}

fn keys(object: &Value) -> Keys {
    let encoded = object["kind"] == "Secret";
    let data = object["data"].as_object();
    data.into_iter()
        .flatten()
        .map(|(key, value)| {
            let text = value.as_str().unwrap();
            let bytes = match encoded {
                // Kustomize breaks long ones into lines.
                true => STANDARD.decode(text.replace('\n', "")).unwrap(),
                false => text.as_bytes().to_vec(),
            };
            (key.clone(), bytes)
        })
        .collect()
}
