//! A workload that Kawal stands in front of, as it is rendered.

use std::time::Duration;

use serde_json::Value;

use super::variables::variables;
use super::{Rendered, tests_folder};

/// Its pods, and what Kawal reads in them.
pub struct Guarded<'a> {
    pub rendered: &'a Rendered,
    pub name: String,
    pub template: &'a Value,
    /// The configuration in the ConfigMap that is mounted.
    pub file: String,
    config: serde_yaml::Value,
    defaults: serde_yaml::Value,
}

impl<'a> Guarded<'a> {
    pub fn new(rendered: &'a Rendered, workload: &'a Value) -> Self {
        let documented = tests_folder().parent().unwrap().join("conf/kawal.yaml");
        let documented = std::fs::read_to_string(documented).unwrap();
        let parsed = |text: &str| serde_yaml::from_str(text).unwrap();
        let name = workload["metadata"]["name"].as_str().unwrap();
        let template = &workload["spec"]["template"];
        let volumes = template["spec"]["volumes"].as_array().unwrap();
        let mounted = volumes.iter().find(|one| one["name"] == "kawal").unwrap();
        let map = mounted["configMap"]["name"].as_str().unwrap();
        let file = rendered.file(map, "kawal.yaml").to_owned();
        Self {
            rendered,
            name: format!("{name} of {}", rendered.name),
            template,
            config: parsed(&file),
            file,
            defaults: parsed(&documented),
        }
    }

    pub fn spec(&self) -> &'a Value {
        &self.template["spec"]
    }

    pub fn app(&self) -> &'a Value {
        &self.spec()["containers"][0]
    }

    pub fn is_native(&self) -> bool {
        self.spec()["initContainers"][0]["name"] == "kawal"
    }

    /// Kawal's container: the first of the init containers, or right behind the app.
    pub fn kawal(&self) -> &'a Value {
        let place = match self.is_native() {
            true => "/initContainers/0",
            false => "/containers/1",
        };
        let container = self.spec().pointer(place).unwrap();
        assert_eq!(container["name"], "kawal", "{}", self.name);
        container
    }

    /// Every container, Kawal's too.
    pub fn containers(&self) -> Vec<&'a Value> {
        let lists = ["containers", "initContainers"].map(|list| self.spec()[list].as_array());
        lists.into_iter().flatten().flatten().collect()
    }

    /// The variables that Kawal's container gets.
    pub fn env(&self) -> Vec<(String, String)> {
        variables(self.kawal(), &self.template["metadata"])
    }

    /// What Kawal goes by: the variable, else what its file says, else what is documented.
    pub fn setting(&self, path: &str) -> String {
        let variable = format!("KAWAL_{}", path.replace('.', "__").to_ascii_uppercase());
        let mut env = self.env().into_iter();
        if let Some((_, value)) = env.find(|(name, _)| *name == variable) {
            return value;
        }
        let of = |tree: &serde_yaml::Value| {
            let place = path.split('.').try_fold(tree, |at, key| at.get(key));
            place.and_then(|place| serde_yaml::to_string(place).ok())
        };
        let text = of(&self.config).or_else(|| of(&self.defaults)).unwrap();
        text.trim().trim_matches('\'').to_owned()
    }

    pub fn duration(&self, path: &str) -> Duration {
        humantime::parse_duration(&self.setting(path)).unwrap()
    }

    pub fn bytes(&self, path: &str) -> u64 {
        let size: bytesize::ByteSize = self.setting(path).parse().unwrap();
        size.as_u64()
    }

    pub fn number(&self, path: &str) -> u64 {
        self.setting(path).parse().unwrap()
    }

    /// The port that Kawal binds for this key.
    pub fn port(&self, path: &str) -> u64 {
        let address = self.setting(path);
        address.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// The files that its configuration and its variables name as secrets.
    pub fn secrets(&self) -> Vec<String> {
        let values = self.env().into_iter().map(|(_, value)| value);
        let text = values.fold(self.file.clone(), |text, value| text + "\n" + &value);
        let files = text.split("file:").skip(1);
        files
            .map(|rest| rest.split([']', ',', '\n', ' ']).next().unwrap().to_owned())
            .collect()
    }

    /// The volume that is mounted where this file is.
    #[track_caller]
    pub fn volume(&self, file: &str) -> &'a Value {
        let mounts = self.kawal()["volumeMounts"].as_array().unwrap();
        let holds = |mount: &&Value| {
            let folder = format!("{}/", mount["mountPath"].as_str().unwrap());
            let inside = file.strip_prefix(&folder);
            inside.is_some_and(|name| !name.contains('/'))
        };
        let mount = mounts.iter().find(holds);
        let mount = mount.unwrap_or_else(|| panic!("{}: {file} is nowhere", self.name));
        let mut volumes = self.spec()["volumes"].as_array().unwrap().iter();
        volumes.find(|one| one["name"] == mount["name"]).unwrap()
    }
}
