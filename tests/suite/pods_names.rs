//! Names are found from an image that holds nothing but one static file: those of `/etc/hosts`, and
//! those that only a DNS server knows.

use serde_json::json;

use crate::harness::*;

#[test]
fn an_app_is_found_by_a_name_of_the_hosts_file() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let mut template = to("shop.internal");
    template.spec["hostAliases"] = json!([{"ip": "127.0.0.1", "hostnames": ["shop.internal"]}]);
    let pod = kubelet.start(&template);
    let door = pod.address(&template.target_port());
    assert_eq!(doku("{}").send(door).text(), "ok");
    assert_eq!(pod.requests().len(), 1);
}

#[test]
fn an_app_is_found_by_a_name_of_the_dns() {
    let Some(kubelet) = Kubelet::for_pods(2) else {
        return;
    };
    let podman = kubelet.podman();
    let name = podman.name("app");
    let far = Standalone::start(podman, &name);
    let template = to(&name);
    let pod = kubelet.start(&template);
    let door = pod.address(&template.target_port());
    assert_eq!(doku("far away").send(door).text(), "ok");
    assert!(far.log().contains("far away"), "{}", far.log());
    assert!(pod.requests().is_empty());
}

#[test]
fn a_name_that_nobody_knows_is_no_end() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let template = to("nobody.invalid").container("app", |one| {
        // It goes through Kawal.
        one.as_object_mut()
            .unwrap()
            .remove("readinessProbe")
            .unwrap();
    });
    let pod = kubelet.start(&template);
    let answer = doku("{}").send(pod.address(&template.target_port()));
    assert_eq!(answer.status, 502);
    assert_eq!(answer.json()["error"], "upstream_down");
}

/// The pod with its app at another name.
fn to(name: &str) -> Template {
    let upstream = format!("http://{name}:3000");
    Template::rendered("native").reconfigured("http://127.0.0.1:3000", &upstream)
}

/// An app in a container of its own, on the pods' network.
struct Standalone {
    podman: &'static Podman,
    name: String,
}

impl Standalone {
    fn start(podman: &'static Podman, name: &str) -> Self {
        let (network, image) = (podman.network(), podman.image("app"));
        let args = [
            "run",
            "--detach",
            "--name",
            name,
            "--network",
            network,
            &image,
        ];
        podman.run(&[&args[..], &["0.0.0.0:3000"]].concat());
        let name = name.to_owned();
        Self { podman, name }
    }

    fn log(&self) -> String {
        self.podman.run(&["logs", &self.name])
    }
}

impl Drop for Standalone {
    fn drop(&mut self) {
        let _ = self.podman.try_run(&["rm", "-f", "-t", "0", &self.name]);
    }
}
