//! The kubelet's part in the life of a pod that podman runs: its order, its probes, its restarts.
//!
//! Probes are asked as the manifest has them. What is waited for at the end of a pod (preStop, the
//! grace period and Kawal's delay before it drains) is ten times shorter.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::Kubectl;
use super::container::Container;
use super::pod::Pod;
use super::podman::Podman;
use super::probe::Probe;
use super::template::Template;
use super::until;

/// How many pods run at once, whatever the number of tests.
const SEATS: usize = 4;

/// So much time as the manifest's seconds take here.
pub fn scaled(seconds: u64) -> Duration {
    Duration::from_millis(seconds * 100)
}

/// A node with room for some pods.
pub struct Kubelet {
    podman: &'static Podman,
    seats: usize,
}

/// How a pod did not get so far.
#[derive(Debug)]
pub struct Failure {
    pub container: String,
    /// How it ended; none where it runs and its probe fails.
    pub code: Option<i32>,
    pub log: String,
}

impl Kubelet {
    /// Room for one pod; none where pods cannot run, and then it is said that the test is skipped.
    pub fn find() -> Option<Self> {
        Self::for_pods(1)
    }

    /// Room for so many at a time. It is all taken at once, so that no two tests wait for each other.
    pub fn for_pods(seats: usize) -> Option<Self> {
        assert!(seats <= SEATS);
        Kubectl::find()?;
        let podman = Podman::find()?;
        let free = FREE.0.lock().unwrap();
        let mut free = FREE.1.wait_while(free, |free| *free < seats).unwrap();
        *free -= seats;
        Some(Self { podman, seats })
    }

    pub fn podman(&self) -> &'static Podman {
        self.podman
    }

    /// Starts a pod, and waits until it is ready.
    #[track_caller]
    pub fn start(&self, template: &Template) -> Pod {
        let started = self.try_start(template);
        started.unwrap_or_else(|failure| panic!("the pod did not start: {failure:#?}"))
    }

    /// The same, or how it failed. A container that ends before it has started is not tried again.
    pub fn try_start(&self, template: &Template) -> Result<Pod, Failure> {
        self.run(Pod::create(self.podman, template, None))
    }

    /// Starts the pod that a Service leads to, whose name others on the network know.
    #[track_caller]
    pub fn start_service(&self, name: &str, template: &Template) -> Pod {
        let started = self.run(Pod::create(self.podman, template, Some(name)));
        started.unwrap_or_else(|failure| panic!("{name} did not start: {failure:#?}"))
    }

    fn run(&self, mut pod: Pod) -> Result<Pod, Failure> {
        for container in pod.containers.iter() {
            container.start();
            // Only those that come first are waited for.
            if container.is_sidecar {
                pod.startup(container)?;
            }
        }
        for container in pod.containers.iter().filter(|one| !one.is_sidecar) {
            pod.startup(container)?;
        }
        pod.supervise();
        until("the pod is ready", || pod.is_ready());
        Ok(pod)
    }
}

static FREE: (Mutex<usize>, Condvar) = (Mutex::new(SEATS), Condvar::new());

impl Drop for Kubelet {
    fn drop(&mut self) {
        *FREE.0.lock().unwrap() += self.seats;
        FREE.1.notify_all();
    }
}

impl Pod {
    /// Waits until a container has started: until it runs, and its startup probe succeeds.
    fn startup(&self, container: &Container) -> Result<(), Failure> {
        let probe = Probe::of(&container.spec, "startupProbe");
        let failure = |code| Failure {
            container: container.name.clone(),
            code,
            log: container.log(),
        };
        let Some(probe) = probe else {
            return Ok(());
        };
        thread::sleep(probe.delay);
        for _ in 0..probe.failures {
            if probe.succeeds(self.ip) {
                container.has_started();
                return Ok(());
            }
            let next = Instant::now() + probe.period;
            while Instant::now() < next {
                if !container.runs() {
                    return Err(failure(Some(container.code())));
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        Err(failure(None))
    }

    /// From now on, what ends is started again, and probes are asked.
    fn supervise(&mut self) {
        let containers = Arc::clone(&self.containers);
        let (stopping, gone) = (Arc::clone(&self.stopping), Arc::clone(&self.gone));
        let ip = self.ip;
        self.supervisor = Some(thread::spawn(move || {
            while !gone.load(Ordering::SeqCst) {
                for container in containers.iter() {
                    container.look_after(ip, stopping.load(Ordering::SeqCst));
                }
                thread::sleep(Duration::from_millis(20));
            }
        }));
    }
}
