//! A running process that takes over another configuration.

use std::fs;

use super::{Config, Kawal};

impl Kawal {
    /// From now on this gateway is in this mode.
    pub fn switch(&mut self, gateway: &str, mode: &str) {
        self.switch_all(&[gateway], mode);
    }

    /// From now on these gateways are in this mode.
    pub fn switch_all(&mut self, gateways: &[&str], mode: &str) {
        let config = gateways
            .iter()
            .fold(self.config.clone(), |config, name| config.mode(name, mode));
        self.take_over(config);
        let value = if mode == "observe" { 1.0 } else { 0.0 };
        for name in gateways {
            let label = format!("gateway=\"{name}\"");
            self.wait_for_metric_with("kawal_observing", &label, value);
        }
    }

    /// Lays this configuration where the old one was, in one step, and asks for it to be read.
    pub fn take_over(&mut self, config: Config) {
        let folder = config.folder.path();
        let (next, file) = (folder.join("next.yaml"), folder.join("config.yaml"));
        fs::write(&next, config.text()).unwrap();
        fs::rename(next, file).unwrap();
        self.config = config.clone();
        self.signal("HUP");
    }
}
