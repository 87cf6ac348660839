//! What is counted and told of gateways goes on over reloads, and ends with them.

use std::time::Duration;

use serde_json::json;

use crate::harness::{App, Config, Doku, Kawal, ago, until};

const NOTIFICATIONS: &str = "/payments/notifications";

/// Without its gateway for DOKU.
fn without_doku(kawal: &Kawal) -> Config {
    let config = kawal.config.clone().without("gateways.doku");
    let pivot = json!([{"path": "/payments/pivot", "gateway": "pivot"}]);
    config.without("gateways.doku-qris").set("routes", pivot)
}

#[test]
fn a_gateway_that_is_gone_observes_nothing() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("gateways.doku.mode", "observe"));
    let observing = || kawal.series_so_far("kawal_observing", &[("gateway", "doku")]);
    assert_eq!(observing(), 1.0);
    kawal.reload(&without_doku(&kawal));
    assert_eq!(observing(), 0.0);
    kawal.reload(&kawal.config);
    assert_eq!(observing(), 1.0);
}

/// It was never right again, however often something else was reloaded.
#[test]
fn a_clock_that_is_off_is_told_once_over_reloads() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let drift = || kawal.series("kawal_clock_drift_seconds", &[("gateway", "doku")]);
    let told = || {
        let lines = kawal.log();
        lines
            .iter()
            .filter(|line| line["message"] == "clock drift")
            .count()
    };
    let late = || Doku::new("{}").at(&ago(Duration::from_secs(120))).sign();
    for round in 0..3 {
        for _ in 0..4 {
            assert_eq!(kawal.send(&late()).status, 200);
        }
        until("it is told", || told() > 0 && drift() > 60.0);
        kawal.reload(&kawal.config.routed(&format!("/payments/{round}")));
        assert!(drift() > 60.0, "{}", drift());
    }
    for _ in 0..4 {
        assert_eq!(kawal.send(&late()).status, 200);
    }
    // It is looked at every second; the gauge is set at the same look.
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(told(), 1, "{}", kawal.output());
    assert_eq!(kawal.status_at(NOTIFICATIONS), 200);
}
