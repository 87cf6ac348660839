//! What a reload replaces is given back.

use serde_json::{Value, json};

use crate::harness::gateway::BRN;
use crate::harness::{App, Config, Kawal};

/// So many routes, so that one configuration more or less is seen.
const ROUTES: usize = 400;

/// Some hundred KiB once it is loaded. `number` tells it from others.
fn large(config: &Config, number: usize) -> Config {
    let secret = config.secret("large", format!("SK-large-canary-secret-{number}"));
    let client = json!({"id": BRN, "secrets": [secret]});
    let mut gateways = config.value("gateways");
    let mut routes = config.value("routes");
    for nth in 0..ROUTES {
        let name = format!("gateway-{nth}");
        let path = format!("/payments/{nth}/{}", "long-".repeat(40));
        routes
            .as_array_mut()
            .unwrap()
            .push(json!({"path": path, "gateway": name}));
        gateways[name] = json!({"scheme": "doku", "clients": [client]});
    }
    config
        .clone()
        .set("gateways", gateways)
        .set("routes", routes)
}

/// Loads so many of them, every tenth with a fault at its very end.
fn reload(kawal: &Kawal, rounds: usize) {
    for number in 1..=rounds {
        let mut config = large(&kawal.config, number);
        if number.is_multiple_of(10) {
            config = config.route(Value::from("no route"));
        }
        kawal.reload_quickly(&config);
    }
}

/// What is there after fifty has everything that is set up once, and what allocators keep. A hundred and fifty
/// configurations that nobody gave back would be many times what is allowed here.
#[test]
fn memory_does_not_grow_with_the_number_of_reloads() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    reload(&kawal, 50);
    let before = kawal.resident_kib();
    reload(&kawal, 150);
    let grown = kawal.resident_kib().saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} KiB more than {before}");
    kawal.serves(&app);
}
