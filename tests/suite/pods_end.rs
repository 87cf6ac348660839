//! The end of a pod: who is waiting for an answer gets it, in the order of either manifest.

use std::thread;

use crate::harness::*;

#[test]
fn a_call_in_flight_is_answered_before_a_native_sidecar_ends() {
    in_flight_at_the_end("native");
}

/// The app hears of the end when it has slept as preStop says; Kawal, which hears of it at once, goes
/// on meanwhile.
#[test]
fn a_call_in_flight_is_answered_in_the_classic_order_too() {
    in_flight_at_the_end("classic");
}

/// The app answers only when both have heard of the end, or, before Kawal hears of it, when it has.
#[track_caller]
fn in_flight_at_the_end(manifest: &str) {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let template = Template::rendered(manifest);
    let pod = kubelet.start(&template);
    let (kawal, app) = (pod.container("kawal"), pod.app());
    let door = pod.address(&template.target_port());
    let says = |one: &Container, word: &str| one.lines().iter().any(|line| line["message"] == word);
    let ended = thread::scope(|scope| {
        let caller = scope.spawn(|| doku(r#"{"held":true}"#).send(door));
        until("the app has it", || pod.requests().len() == 1);
        let end = scope.spawn(|| pod.stop());
        pod.wait_for_stop();
        // Who has not heard of it yet is still served, unless it took so long to send this.
        let late = doku("late").send(door);
        assert!(late.status == 200 || says(app, "stopping"), "{late:?}");
        until("they have heard of the end", || {
            says(app, "stopping") && (kawal.is_sidecar || says(kawal, "draining"))
        });
        app.signal("USR1");
        assert_eq!(caller.join().unwrap().text(), "ok");
        end.join().unwrap()
    });
    assert!(ended.killed.is_empty(), "{ended:?}");
    assert!(ended.codes.values().all(|code| *code == 0), "{ended:?}");
}
