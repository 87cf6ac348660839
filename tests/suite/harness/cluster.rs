//! A cluster of three masters on this machine.

use std::thread;
use std::time::{Duration, Instant};

use super::redis::free_port;
use super::{PATIENCE, Redis};

/// Three masters that share all slots.
pub struct Cluster {
    pub nodes: Vec<Redis>,
}

impl Cluster {
    pub fn start(args: &[&str]) -> Self {
        let nodes: Vec<_> = (0..3).map(|_| node(args)).collect();
        let slots = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
        for ((redis, _), (first, last)) in nodes.iter().zip(slots) {
            redis.command(&["CLUSTER", "ADDSLOTSRANGE", first, last]);
        }
        for (other, bus) in &nodes[1..] {
            let port = other.port().to_string();
            let meet = ["CLUSTER", "MEET", "127.0.0.1", &port, &bus.to_string()];
            nodes[0].0.command(&meet);
        }
        let nodes = nodes.into_iter().map(|(redis, _)| redis).collect();
        let cluster = Self { nodes };
        cluster.wait_until_whole();
        cluster
    }

    /// Waits until every node knows the others and where all slots are.
    pub fn wait_until_whole(&self) {
        let until = Instant::now() + PATIENCE;
        let whole = |redis: &Redis| {
            let info = redis.command(&["CLUSTER", "INFO"]).text();
            [
                "cluster_state:ok",
                "cluster_known_nodes:3",
                "cluster_size:3",
            ]
            .iter()
            .all(|line| info.contains(line))
        };
        while !self.nodes.iter().all(whole) {
            assert!(Instant::now() < until, "{}", self.nodes[0].log());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Through the first two nodes.
    pub fn url(&self) -> String {
        let [first, second, ..] = &self.nodes[..] else {
            unreachable!("there are three")
        };
        let (first, second) = (first.port(), second.port());
        format!("redis-cluster://127.0.0.1:{first},127.0.0.1:{second}")
    }

    /// All keys, by node.
    pub fn keys(&self) -> Vec<Vec<String>> {
        self.nodes.iter().map(Redis::keys).collect()
    }
}

/// A node, and the port on which it speaks to the others.
fn node(args: &[&str]) -> (Redis, u16) {
    let bus = free_port();
    let port = bus.to_string();
    let mut all = vec!["--cluster-enabled", "yes", "--cluster-port", &port];
    all.extend(["--cluster-node-timeout", "1000"]);
    all.extend(args);
    (Redis::with(&all), bus)
}
