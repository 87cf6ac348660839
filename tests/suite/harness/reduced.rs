//! A configuration with no more gateways than are sent from.

use serde_json::{Value, json};

use super::{Config, Request};

impl Config {
    /// With those gateways alone that these requests come from, and all of their routes.
    pub fn reduced_to(self, requests: &[Request]) -> Self {
        let gateway = |route: &Value| -> String {
            let either = ["gateway", "token"].iter().find_map(|key| route.get(key));
            either.unwrap().as_str().unwrap().to_owned()
        };
        let mut routes = self.value("routes").as_array().unwrap().clone();
        let name = |request: &Request| {
            let path = request.target.split('?').next();
            let found = routes.iter().find(|route| route["path"].as_str() == path);
            gateway(found.expect("a route"))
        };
        let names: Vec<_> = requests.iter().map(name).collect();
        routes.retain(|route| names.contains(&gateway(route)));
        let mut gateways = json!({});
        for name in names {
            gateways[&name] = self.value(&format!("gateways.{name}"));
        }
        self.set("routes", routes).set("gateways", gateways)
    }
}
