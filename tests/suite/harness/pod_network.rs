//! The network that all pods of this process are on.

use std::process::Command;

use serde_json::Value;

use super::podman::Podman;

impl Podman {
    pub(super) fn create_network(&self) {
        self.run(&["network", "create", self.network()]);
        // The bridge is there as long as somebody is on it. Its address is the lowest of all that are:
        // it would change as pods come and go, and answers to the one before would be lost.
        let (name, image) = (format!("{}-anchor", self.prefix), self.image("app"));
        self.run(&[
            "run",
            "--detach",
            "--name",
            &name,
            "--network",
            self.network(),
            &image,
        ]);
        let told = self.run(&["network", "inspect", self.network()]);
        let told: Value = serde_json::from_str(&told).unwrap();
        let bridge = told[0]["network_interface"].as_str().unwrap();
        let fix = ["link", "set", "dev", bridge, "address", "02:6b:61:77:61:6c"];
        let fixed = Command::new("ip").args(fix).output().unwrap();
        assert!(fixed.status.success(), "{fixed:?}");
    }
}
