//! Kawal ends without being asked, or hangs: it is started again, and serves, while the app stays.

use crate::harness::*;

#[test]
fn a_kawal_that_was_killed_comes_back() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let template = Template::rendered("native");
    let pod = kubelet.start(&template);
    let door = pod.address(&template.target_port());
    assert_eq!(doku("before").send(door).text(), "ok");
    comes_back(&pod, "KILL");
    assert_eq!(doku("after").send(door).text(), "ok");
    assert_eq!(pod.requests().len(), 2);
}

/// It no longer answers its liveness probe, and hears no SIGTERM either.
#[test]
fn a_kawal_that_hangs_is_replaced() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let mut template = Template::rendered("native").container("kawal", |one| {
        // Ten seconds each would take half a minute.
        one["livenessProbe"]["periodSeconds"] = 1.into();
    });
    template.spec["terminationGracePeriodSeconds"] = 10.into();
    let pod = kubelet.start(&template);
    let door = pod.address(&template.target_port());
    comes_back(&pod, "STOP");
    assert_eq!(doku("after").send(door).text(), "ok");
}

/// After this signal Kawal runs again, once, and the app as ever.
#[track_caller]
fn comes_back(pod: &Pod, signal: &str) {
    let kawal = pod.container("kawal");
    let (before, app) = (kawal.pid(), pod.app().pid());
    kawal.signal(signal);
    until("Kawal is started again", || kawal.restarts() > 0);
    until("the pod is ready", || pod.is_ready());
    assert_ne!(kawal.pid(), before);
    assert_eq!(kawal.restarts(), 1);
    assert_eq!((pod.app().pid(), pod.app().restarts()), (app, 0));
}
