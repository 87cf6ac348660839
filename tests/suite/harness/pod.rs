//! A pod that podman holds: its volumes, its address, its containers.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use serde_json::Value;

use super::container::Container;
use super::kubelet::scaled;
use super::mounts::Mount;
use super::playable;
use super::podman::Podman;
use super::probe::port;
use super::template::{Keys, Template};
use super::until;

/// A running pod. Dropping it removes it at once.
pub struct Pod {
    pub(super) podman: &'static Podman,
    pub name: String,
    mounts: Vec<(Value, Mount)>,
    pub(super) ip: IpAddr,
    pub(super) containers: Arc<Vec<Container>>,
    pub(super) stopping: Arc<AtomicBool>,
    pub(super) gone: Arc<AtomicBool>,
    pub(super) supervisor: Option<JoinHandle<()>>,
}

/// What the app prints at SIGUSR2.
const MARK: &str = r#"{"message":"mark"}"#;

impl Pod {
    /// Makes everything, and starts only what holds the network.
    pub(super) fn create(
        podman: &'static Podman,
        template: &Template,
        service: Option<&str>,
    ) -> Self {
        let name = podman.name("pod");
        let folder = podman.folder().join(&name);
        let group = template.spec["securityContext"]["fsGroup"].as_u64();
        let group = group.map(|id| u32::try_from(id).unwrap());
        let volumes = template.spec["volumes"].as_array().cloned();
        let mut mounts = Vec::new();
        for volume in volumes.into_iter().flatten() {
            let Some((kind, object)) = source(&volume) else {
                assert!(
                    volume["emptyDir"].is_object(),
                    "the driver knows no {volume}"
                );
                continue;
            };
            let name = volume["name"].as_str().unwrap();
            let details = &volume[match kind {
                "Secret" => "secret",
                _ => "configMap",
            }];
            let mut keys = template.keys(kind, &object).unwrap_or_else(|| {
                // Otherwise the pod waits for it without an end: nothing that Kawal takes part in.
                assert_eq!(details["optional"], true, "there is no {kind} {object}");
                Keys::new()
            });
            if let Some(items) = details["items"].as_array() {
                let plain = |item: &Value| item["path"] == item["key"] && item["mode"].is_null();
                assert!(
                    items.iter().all(plain),
                    "the driver renames nothing: {volume}"
                );
                keys.retain(|key, _| items.iter().any(|item| item["key"] == *key));
            }
            let mode = details["defaultMode"].as_u64().unwrap_or(0o644);
            let mode = u32::try_from(mode).unwrap();
            let place = folder.join(name);
            mounts.push((volume, Mount::new(place, mode, group, &keys)));
        }
        let image = |container: &str| {
            podman.image(match container {
                "kawal" => "kawal",
                "valkey" => "store",
                _ => "app",
            })
        };
        let path = |volume: &Value| {
            let found = mounts.iter().find(|(one, _)| one == volume);
            found.map(|(_, mount)| mount.path().to_str().unwrap().to_owned())
        };
        let manifest = playable::pod(&name, &template.spec, image, path);
        let file = folder.join("pod.json");
        fs::create_dir_all(&folder).unwrap();
        fs::write(&file, manifest.to_string()).unwrap();
        let file = file.to_str().unwrap();
        let network = match service {
            Some(name) => format!("{}:alias={name}", podman.network()),
            None => podman.network().to_owned(),
        };
        podman.run(&["kube", "play", "--start=false", "--network", &network, file]);
        let format = "{{.InfraContainerID}}";
        let infra = podman.run(&["pod", "inspect", "--format", format, &name]);
        podman.run(&["start", &infra]);
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        let ip = podman.run(&["inspect", "--format", format, &infra]);
        let grace = template.spec["terminationGracePeriodSeconds"].as_u64();
        let grace = scaled(grace.unwrap_or(30));
        let containers = playable::containers(&template.spec)
            .into_iter()
            .map(|one| Container::new(podman, &name, one, grace))
            .collect();
        Self {
            podman,
            name,
            mounts,
            ip: ip.parse().unwrap(),
            containers: Arc::new(containers),
            stopping: Arc::default(),
            gone: Arc::default(),
            supervisor: None,
        }
    }

    /// Whether a Service would send anybody here.
    pub fn is_ready(&self) -> bool {
        self.containers.iter().all(Container::is_ready)
    }

    pub fn ip(&self) -> IpAddr {
        self.ip
    }

    /// The pod's address with the port of this name.
    pub fn address(&self, name: &str) -> SocketAddr {
        let name = Value::from(name);
        let has = |one: &&Container| {
            let ports = one.spec["ports"].as_array();
            ports.is_some_and(|ports| ports.iter().any(|port| port["name"] == name))
        };
        let found = self.containers.iter().filter(has).collect::<Vec<_>>();
        assert_eq!(found.len(), 1, "containers with the port {name}");
        SocketAddr::new(self.ip, port(&found[0].spec, &name))
    }

    pub fn container(&self, name: &str) -> &Container {
        let found = self.containers.iter().find(|one| one.name == name);
        found.unwrap_or_else(|| panic!("no container {name}"))
    }

    /// What the kubelet does when a ConfigMap or Secret has changed. All keys of it are given.
    pub fn update(&self, kind: &str, name: &str, keys: &[(&str, &str)]) {
        let own = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
        let keys: Keys = keys.iter().map(own).collect();
        let is_of = |volume: &Value| source(volume) == Some((kind_of(kind), name.to_owned()));
        let mounts = self.mounts.iter().filter(|(volume, _)| is_of(volume));
        let written = mounts.map(|(_, mount)| mount.write(&keys)).count();
        assert!(written > 0, "no volume of {kind} {name}");
    }

    /// The container that is not Kawal's.
    pub fn app(&self) -> &Container {
        let others = self.containers.iter().filter(|one| one.name != "kawal");
        let others: Vec<_> = others.collect();
        assert_eq!(others.len(), 1);
        others[0]
    }

    /// The requests that have reached the app so far, but for those of its probe.
    pub fn requests(&self) -> Vec<Value> {
        let (app, marks) = (self.app(), |app: &Container| {
            app.log().matches(MARK).count()
        });
        let before = marks(app);
        // What was printed may still be on its way to the log: a mark comes after it. Whoever ends
        // makes none; when it has ended, everything is there.
        if !self.stopping.load(Ordering::SeqCst) {
            app.signal("USR2");
            until("the app has made a mark", || marks(app) > before);
        }
        let mut lines = app.lines();
        lines.retain(|line| line["message"] == "request" && line["path"] != "/health");
        lines
    }
}

/// What a volume is made of: a kind and a name.
fn source(volume: &Value) -> Option<(&'static str, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let secret = text(&volume["secret"]["secretName"]).map(|name| ("Secret", name));
    secret.or_else(|| text(&volume["configMap"]["name"]).map(|name| ("ConfigMap", name)))
}

fn kind_of(kind: &str) -> &'static str {
    match kind {
        "Secret" => "Secret",
        _ => "ConfigMap",
    }
}

impl Drop for Pod {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.gone.store(true, Ordering::SeqCst);
        if let Some(supervisor) = self.supervisor.take() {
            let _ = supervisor.join();
        }
        let (podman, name) = (self.podman, self.name.clone());
        // Nobody waits for it: podman takes seconds to remove the cgroup of a pod that still ran.
        thread::spawn(move || podman.try_run(&["pod", "rm", "-f", "-t", "0", &name]));
    }
}
