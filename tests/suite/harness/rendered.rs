//! What a kustomization comes to: resources as the cluster gets them.

use serde::Deserialize;
use serde_json::Value;

use super::Guarded;

/// Of an operator, so that Kubernetes' own schemas know nothing of them.
const FOREIGN: [&str; 2] = ["PodMonitor", "PrometheusRule"];

/// The resources of one kustomization.
pub struct Rendered {
    pub name: String,
    pub text: String,
    pub resources: Vec<Value>,
}

impl Rendered {
    pub fn new(name: &str, text: String) -> Self {
        let documents = serde_yaml::Deserializer::from_str(&text);
        let resources: Vec<_> = documents
            .map(|document| Value::deserialize(document).unwrap())
            .collect();
        assert!(!resources.is_empty(), "{name} comes to nothing");
        Self {
            name: name.to_owned(),
            text,
            resources,
        }
    }

    pub fn of_kind(&self, kind: &str) -> Vec<&Value> {
        let resources = self.resources.iter();
        resources.filter(|one| one["kind"] == kind).collect()
    }

    /// The texts of those that Kubernetes itself knows.
    pub fn known(&self) -> Vec<&str> {
        let texts = self.text.split("\n---\n");
        let is_foreign = |text: &str| {
            let kind = text.lines().find_map(|line| line.strip_prefix("kind: "));
            FOREIGN.contains(&kind.unwrap())
        };
        texts.filter(|text| !is_foreign(text)).collect()
    }

    /// The one of this name, whatever hash ends it.
    #[track_caller]
    pub fn only(&self, kind: &str, name: &str) -> &Value {
        let mut found = self.of_kind(kind);
        found.retain(|one| {
            let full = one["metadata"]["name"].as_str().unwrap();
            let end = full.strip_prefix(name).map(|end| end.split('-').count());
            full == name || end == Some(2)
        });
        found.sort_by_key(|one| one["metadata"]["name"].as_str().unwrap().len());
        assert!(!found.is_empty(), "{}: no {kind} {name}", self.name);
        found[0]
    }

    /// A file in a ConfigMap.
    #[track_caller]
    pub fn file(&self, map: &str, file: &str) -> &str {
        let text = self.only("ConfigMap", map)["data"][file].as_str();
        text.unwrap_or_else(|| panic!("{}: no {file} in {map}", self.name))
    }

    /// The workloads that Kawal stands in front of.
    pub fn guarded(&self) -> Vec<Guarded<'_>> {
        let workloads = ["Deployment", "StatefulSet"].map(|kind| self.of_kind(kind));
        let labelled = workloads.into_iter().flatten();
        let labelled = labelled.filter(|one| one["metadata"]["labels"]["kawal"] == "guarded");
        labelled.map(|one| Guarded::new(self, one)).collect()
    }
}
