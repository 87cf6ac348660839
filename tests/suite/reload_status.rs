//! What the status says of reloads.

use serde_json::{Value, json};

use crate::harness::{App, Config, Kawal};

#[test]
fn the_status_tells_of_the_last_reload() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let told = || -> Value { kawal.admin("/status.json").json()["configuration"].clone() };
    let first = told();
    assert!(first["fault"].is_null(), "{first}");
    kawal.config.clone().with_text("nonsense").replace();
    let line = kawal.hang_up_in_vain();
    let refused = told();
    assert_eq!(refused["fault"], line["why"]);
    assert_eq!(refused["loaded"], first["loaded"]);
    assert_eq!(refused["reloads"], json!({"success": 0, "failure": 1}));

    kawal.reload(&kawal.config.routed("/payments/new"));
    let taken = told();
    assert!(taken["fault"].is_null(), "{taken}");
    assert!(
        taken["loaded"].as_str() > first["loaded"].as_str(),
        "{taken}"
    );
    assert_eq!(taken["reloads"], json!({"success": 1, "failure": 1}));
}
