//! The end of a pod: who is waiting for an answer gets it, in the order of either manifest.

use std::thread;

use crate::harness::*;

#[test]
fn a_call_in_flight_is_answered_before_a_native_sidecar_ends() {
    let Some(ended) = in_flight_at_the_end("native") else {
        return;
    };
    assert_eq!(ended.order, ["app", "kawal"]);
}

/// The app hears of the end when it has slept as preStop says; Kawal, which hears of it at once, goes
/// on meanwhile.
#[test]
fn a_call_in_flight_is_answered_in_the_classic_order_too() {
    in_flight_at_the_end("classic");
}

/// The app is still at it when it hears of the end, and so is Kawal when its delay is over.
#[track_caller]
fn in_flight_at_the_end(manifest: &str) -> Option<Ended> {
    let kubelet = Kubelet::find()?;
    let template = Template::rendered(manifest);
    let pod = kubelet.start(&template);
    let door = pod.address(&template.target_port());
    let ended = thread::scope(|scope| {
        let caller = scope.spawn(|| doku(r#"{"hold_ms":2500}"#).send(door));
        until("the app has it", || pod.requests().len() == 1);
        let end = scope.spawn(|| pod.stop());
        // Who has not heard of it yet is still served.
        pod.wait_for_stop();
        assert_eq!(doku("late").send(door).text(), "ok");
        let answered = caller.join();
        let ended = end.join().unwrap();
        let logs = pod.containers().map(|one| one.log()).collect::<Vec<_>>();
        assert!(answered.is_ok(), "{ended:?} {}", logs.join(""));
        assert_eq!(answered.unwrap().text(), "ok");
        ended
    });
    assert!(ended.killed.is_empty(), "{ended:?}");
    assert!(ended.codes.values().all(|code| *code == 0), "{ended:?}");
    Some(ended)
}
