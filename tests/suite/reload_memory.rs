//! What a reload replaces is given back.

use serde_json::{Value, json};

use crate::harness::gateway::{BRN, BRN_SECRET};
use crate::harness::{App, Config, Kawal};

/// So large, that one configuration more or less is seen. `number` tells it from others.
fn large(config: &Config, number: usize) -> Config {
    let secret = config.secret("brn", format!("{number}-").repeat(100_000));
    let clients = json!([{"id": BRN, "secrets": [secret]}]);
    let config = config.clone().set("gateways.doku.clients", clients);
    (0..50).fold(config, |config, nth| {
        config.routed(&format!("/payments/{number}/{nth}"))
    })
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
    kawal.config.secret("brn", BRN_SECRET);
    kawal.reload(&kawal.config);
    kawal.serves(&app);
}
