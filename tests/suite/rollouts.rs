//! A rolling update under load: one pod after the other makes way for a new one, and no notification is
//! lost or comes twice.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::thread;

use crate::harness::retrying::Sent;
use crate::harness::*;

const SENDERS: usize = 4;

#[test]
fn three_updates_lose_nothing_and_deliver_nothing_twice() {
    let Some(sent) = rolls("replicas", 3, |template| template) else {
        return;
    };
    assert!(sent.retries.is_empty(), "{:?}", sent.retries);
}

#[test]
fn nor_does_one_before_there_were_native_sidecars() {
    let Some(sent) = rolls("replicas-classic", 1, |template| template) else {
        return;
    };
    assert!(sent.retries.is_empty(), "{:?}", sent.retries);
}

/// Those who send learn of it too late, and have to send again.
#[test]
fn nor_does_one_of_an_app_that_ends_at_once() {
    let hasty = |template: Template| {
        template.container("app", |app| app["lifecycle"] = serde_json::Value::Null)
    };
    let Some(sent) = rolls("replicas", 1, hasty) else {
        return;
    };
    assert!(!sent.retries.is_empty(), "the load does not see failures");
}

#[track_caller]
fn rolls(
    manifest: &str,
    updates: usize,
    change: impl FnOnce(Template) -> Template,
) -> Option<Sent> {
    let kubelet = Kubelet::for_pods(4)?;
    let folder = format!("tests/pod/{manifest}");
    let ledger = Template::of_the_only("StatefulSet", &folder);
    let ledger = kubelet.start_service("kawal-ledger", &ledger);
    // Of an app that breaks off in the middle nobody knows what it did, and its retry waits for that long.
    let template = Template::of(&folder).reconfigured("drain: 35s", "drain: 35s, upstream: 2s");
    let template = change(template);
    let port = template.target_port();
    let mut pods = vec![kubelet.start(&template), kubelet.start(&template)];
    let mut delivered = Vec::new();

    let balancer = Balancer::start();
    balancer.lead_to(&addresses(&pods, &port));
    let load = Retrying::on(balancer.address(), SENDERS);
    load.passes(100);
    for _ in 0..updates {
        for _ in 0..pods.len() {
            pods.push(kubelet.start(&template));
            let old = pods.remove(0);
            let ended = thread::scope(|scope| {
                let end = scope.spawn(|| old.stop());
                // What leads to a pod learns of its end while it ends already.
                thread::sleep(scaled(3));
                balancer.lead_to(&addresses(&pods, &port));
                end.join().unwrap()
            });
            let ended_well = ended.codes.values().all(|code| *code == 0);
            assert!(ended_well && ended.killed.is_empty(), "{ended:?}");
            delivered.extend(deliveries(&old));
            load.passes(50);
        }
    }
    let sent = load.end();
    for pod in &pods {
        delivered.extend(deliveries(pod));
    }

    assert!(sent.copies > 0, "no copy was answered");
    let mut times = BTreeMap::<String, usize>::new();
    for body in delivered {
        *times.entry(body).or_default() += 1;
    }
    for body in &sent.bodies {
        assert_eq!(times.remove(body), Some(1), "{body}, {:?}", sent.retries);
    }
    assert!(times.is_empty(), "nobody sent {times:?}");
    assert!(ledger.is_ready());
    Some(sent)
}

fn addresses(pods: &[Pod], port: &str) -> Vec<SocketAddr> {
    pods.iter().map(|pod| pod.address(port)).collect()
}

/// The bodies that reached a pod's app, of which there were some.
#[track_caller]
fn deliveries(pod: &Pod) -> Vec<String> {
    let requests = pod.requests();
    assert!(!requests.is_empty(), "{} took no part", pod.name);
    let body = |line: &serde_json::Value| line["body"].as_str().unwrap().to_owned();
    requests.iter().map(body).collect()
}
