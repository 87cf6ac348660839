//! How the kubelet ends a pod.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::container::Container;
use super::kubelet::scaled;
use super::pod::Pod;
use super::probe::Probe;
use super::until;

/// How each container ended.
#[derive(Debug)]
pub struct Ended {
    pub codes: BTreeMap<String, i32>,
    /// Those that did not end in time.
    pub killed: Vec<String>,
}

impl Pod {
    /// Waits until `stop` has begun elsewhere.
    pub fn wait_for_stop(&self) {
        until("the pod is to end", || self.stopping.load(Ordering::SeqCst));
    }

    /// Ends it in the kubelet's order: first what preStop says, of all at once; then TERM to the
    /// containers, then, when they are gone, to native sidecars in reverse; KILL when the grace
    /// period is over. Source: kubernetes, pkg/kubelet/kuberuntime/kuberuntime_container.go
    pub fn stop(&self) -> Ended {
        self.stopping.store(true, Ordering::SeqCst);
        let begun = Instant::now();
        let ended = Mutex::new(Vec::new());
        let finish = |container: &Container| {
            // Whoever comes last has a little in any case.
            let left = container.grace.saturating_sub(begun.elapsed());
            let was_killed = container.end_within(left.max(scaled(2)));
            let mut ended = ended.lock().unwrap();
            ended.push((container.name.clone(), was_killed));
        };
        thread::scope(|scope| {
            let sidecars = self.containers.iter().filter(|one| one.is_sidecar);
            let hooks: Vec<_> = sidecars
                .map(|one| (one, scope.spawn(move || pre_stop(one, self.ip))))
                .collect();
            let others = self.containers.iter().filter(|one| !one.is_sidecar);
            let others: Vec<_> = others
                .map(|one| {
                    scope.spawn(move || {
                        pre_stop(one, self.ip);
                        finish(one);
                    })
                })
                .collect();
            for other in others {
                other.join().unwrap();
            }
            for (sidecar, hook) in hooks.into_iter().rev() {
                hook.join().unwrap();
                finish(sidecar);
            }
        });
        let ended = ended.into_inner().unwrap();
        let names = ended.iter().map(|(name, _)| name.clone());
        let killed = ended.iter().filter(|(_, killed)| *killed);
        Ended {
            killed: killed.map(|(name, _)| name.clone()).collect(),
            codes: names
                .map(|name| (name.clone(), self.container(&name).code()))
                .collect(),
        }
    }
}

/// Does what preStop says, for no longer than the grace period. An app without a shell cannot
/// `sleep`: the driver does it for both forms.
fn pre_stop(container: &Container, pod: IpAddr) {
    let hook = &container.spec["lifecycle"]["preStop"];
    if hook.is_null() {
        return;
    }
    let words = hook["exec"]["command"].as_array();
    let words: Vec<_> = words
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let seconds = match words[..] {
        ["sleep", seconds] => seconds.parse().unwrap(),
        // Whatever comes of it, the kubelet goes on.
        [_, ..] => return drop(container.exec(&words)),
        [] if hook["httpGet"].is_object() => {
            Probe::declared(&container.spec, hook).succeeds(pod);
            return;
        }
        [] => hook["sleep"]["seconds"].as_u64().expect("a known hook"),
    };
    let end = Instant::now() + scaled(seconds).min(container.grace);
    while container.runs() && Instant::now() < end {
        thread::sleep(Duration::from_millis(5));
    }
}
