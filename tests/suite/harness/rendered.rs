//! What a kustomization comes to: resources as the cluster gets them.

use serde::Deserialize;
use serde_json::Value;

use super::Guarded;

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

    #[track_caller]
    pub fn only(&self, kind: &str, name: &str) -> &Value {
        let mut found = self.of_kind(kind);
        // Where a generator makes it, a hash ends its name.
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

    /// The Deployments that Kawal stands in front of.
    pub fn guarded(&self) -> Vec<Guarded<'_>> {
        let deployments = self.of_kind("Deployment").into_iter();
        let labelled = deployments.filter(|one| one["metadata"]["labels"]["kawal"] == "guarded");
        labelled.map(|one| Guarded::new(self, one)).collect()
    }
}
