//! Pods that run: what the manifests promise of the app behind Kawal holds on a real kernel.

use std::net::{SocketAddr, TcpStream};

use crate::harness::*;

#[test]
fn only_what_is_genuine_and_new_reaches_the_app() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let template = Template::rendered("native");
    let pod = kubelet.start(&template);
    let door = pod.address(&template.target_port());
    let genuine = doku("genuine");
    assert_eq!(genuine.send(door).text(), "ok");
    assert_eq!(genuine.send(door).text(), "ok");
    assert_eq!(doku("forged").body("changed").send(door).status, 401);
    let requests = pod.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(requests[0]["path"], "/payments/notifications");
    assert_eq!(requests[0]["attempt"], "1");
    assert_eq!(requests[0]["body"], "genuine");
    assert_eq!(requests[0]["id"].as_str().unwrap().len(), 64);
}

#[test]
fn the_apps_own_port_is_shut_to_all_outside_the_pod() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let template = Template::rendered("native");
    let pod = kubelet.start(&template);
    // It listens there: its probe, through Kawal, has been answered.
    assert!(pod.is_ready());
    let direct = SocketAddr::new(pod.ip(), 3000);
    let refused = TcpStream::connect(direct).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
}

/// What the NetworkPolicy is for: Kawal cannot guard a door that is open beside it.
#[test]
fn an_app_that_listens_everywhere_can_be_reached_past_kawal() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let template = Template::rendered("native").args("app", &["0.0.0.0:3000"]);
    let pod = kubelet.start(&template);
    let direct = SocketAddr::new(pod.ip(), 3000);
    let forged = Request::post("/payments/notifications", "forged");
    assert_eq!(forged.send(direct).text(), "ok");
    assert_eq!(pod.requests().len(), 1);
}

/// The example with this app in the place of PHP's: the Service's port leads to Kawal, and through it
/// the app's own readiness is seen.
#[test]
fn the_example_runs() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let template = Template::example();
    let pod = kubelet.start(&template);
    let door = pod.address(&template.target_port());
    assert_eq!(doku("genuine").send(door).text(), "ok");
    assert_eq!(Request::new("GET", "/catalogue").send(door).text(), "ok");
    let paths: Vec<_> = pod
        .requests()
        .iter()
        .map(|one| one["path"].clone())
        .collect();
    assert_eq!(paths, ["/payments/notifications", "/catalogue"]);
    let probed = |line: &serde_json::Value| line["path"] == "/health";
    assert!(pod.app().lines().iter().any(probed));
}
