//! What Prometheus reads is what its own tool finds no fault with.

use std::time::Duration;

use crate::harness::*;

#[test]
fn prometheus_finds_no_fault_with_the_page() {
    let Some(promtool) = Promtool::find() else {
        return;
    };
    for store in [Store::Memory, Store::Redis] {
        let app = App::start();
        let kawal = Kawal::start(Config::snap(&app).on(&store));
        let early = Doku::new("{}").at(&ahead(Duration::from_secs(120))).sign();
        for request in [
            doku("{}"),
            early,
            pivot("{}"),
            pivot_with("forged-key", "{}"),
        ] {
            kawal.send(&request);
        }
        kawal.notifications(4);
        let page = kawal.metrics();
        assert!(page.contains("_bucket{"), "the check sees nothing");
        assert_eq!(
            promtool.run(&["check", "metrics"], &page),
            Ok(String::new())
        );
    }
}
