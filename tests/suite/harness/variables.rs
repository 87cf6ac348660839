//! The variables of a container as the kubelet makes them.

use std::collections::BTreeMap;

use serde_json::Value;

/// By name, in order, in a pod with this metadata: those that name an annotation get it, and
/// `$(NAME)` stands for what an earlier one holds.
pub fn variables(container: &Value, metadata: &Value) -> Vec<(String, String)> {
    let mut known: BTreeMap<String, String> = BTreeMap::new();
    let list = container["env"].as_array().into_iter().flatten();
    list.map(|one| {
        let name = one["name"].as_str().unwrap().to_owned();
        let mut value = match one["value"].as_str() {
            Some(value) => value.to_owned(),
            None => annotation(&one["valueFrom"]["fieldRef"]["fieldPath"], metadata),
        };
        for (earlier, its) in &known {
            value = value.replace(&format!("$({earlier})"), its);
        }
        known.insert(name.clone(), value.clone());
        (name, value)
    })
    .collect()
}

fn annotation(path: &Value, metadata: &Value) -> String {
    let path = path.as_str().unwrap_or_default();
    let name = path.strip_prefix("metadata.annotations['");
    let name = name.and_then(|rest| rest.strip_suffix("']"));
    let name = name.unwrap_or_else(|| panic!("nobody here knows {path}"));
    metadata["annotations"][name].as_str().unwrap().to_owned()
}
