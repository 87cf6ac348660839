//! A gateway whose clock goes wrong is told of once, before its notifications are refused for it.

use std::cell::Cell;
use std::time::Duration;

use serde_json::Value;

use crate::harness::*;

/// Kawal, whose gateways' clocks are looked at every now and then.
struct Clockmaker {
    app: App,
    kawal: Kawal,
    /// How often somebody waited for such a look.
    looks: Cell<i64>,
}

/// The gateway that shows when that has happened.
const PACER: &str = "svix";

impl Clockmaker {
    fn new() -> Self {
        Self::with(|config| config)
    }

    fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let app = App::start();
        let config = change(Config::new(&app).with_kinds());
        Self {
            kawal: Kawal::start(config),
            looks: Cell::new(0),
            app,
        }
    }

    /// So many genuine ones, signed so many seconds ago; before zero, ahead.
    #[track_caller]
    fn hears(&self, count: usize, seconds: i64) {
        for _ in 0..count {
            assert_eq!(self.kawal.send(&signed(seconds)).status, 200);
        }
    }

    /// The lines that tell of a drift, after another look at all clocks.
    #[track_caller]
    fn told(&self) -> Vec<Value> {
        self.look();
        self.kawal.decided();
        let lines = self.kawal.log().into_iter();
        lines
            .filter(|line| line["message"] == "clock drift")
            .collect()
    }

    /// Waits until the clocks have been looked at again. The pacer's grows slower every time, so its gauge tells.
    #[track_caller]
    fn look(&self) {
        let looks = self.looks.replace(self.looks.get() + 1);
        let before = self.gauge(PACER);
        let again = if looks == 0 { 3 } else { 2 };
        for _ in 0..again {
            let ahead = Notice::new(kind(PACER)).later(50 - 5 * looks);
            assert_eq!(self.kawal.send(&ahead.sign()).status, 200);
        }
        until("another look", || self.gauge(PACER) != before);
    }

    #[track_caller]
    fn gauge(&self, gateway: &str) -> f64 {
        let label = format!("gateway=\"{gateway}\"");
        self.kawal.metric_with("kawal_clock_drift_seconds", &label)
    }

    /// Signed so long ago, as a busy machine measures it: a second is lost in writing, the rest is what it takes.
    #[track_caller]
    fn gauge_is(&self, gateway: &str, seconds: i64) {
        let off = || self.gauge(gateway) - seconds as f64;
        let what = format!("the clock of {gateway} is {seconds} s off");
        until(&what, || (-0.5..25.0).contains(&off()));
    }
}

fn signed(seconds: i64) -> Request {
    Doku::new("{}").at(&time(seconds)).sign()
}

fn time(seconds: i64) -> String {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { ahead(by) } else { ago(by) }
}

#[test]
fn three_that_drift_are_told_of_once() {
    let shop = Clockmaker::new();
    shop.hears(2, 120);
    assert_eq!(shop.told(), [Value::Null; 0], "two are no drift");
    shop.hears(1, 120);
    let lines = shop.told();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!(lines[0]["level"], "warn", "{}", lines[0]);
    assert_eq!(lines[0]["gateway"], "doku", "{}", lines[0]);
    shop.gauge_is("doku", 120);
    shop.hears(20, 120);
    assert_eq!(shop.told().len(), 1, "told again");
}

#[test]
fn a_clock_that_is_ahead_drifts_too() {
    let shop = Clockmaker::new();
    shop.hears(3, -150);
    assert_eq!(shop.told().len(), 1);
    shop.gauge_is("doku", -150);
}

#[test]
fn a_clock_that_is_a_little_off_is_nobody_s_concern() {
    for seconds in [25, -55] {
        let shop = Clockmaker::new();
        shop.hears(7, seconds);
        assert_eq!(shop.told().len(), 0, "{seconds} s");
        shop.gauge_is("doku", seconds);
    }
}

#[test]
fn one_that_is_odd_among_many_is_no_drift() {
    let shop = Clockmaker::new();
    shop.hears(3, 0);
    shop.hears(1, 280);
    shop.hears(1, 0);
    shop.hears(2, -280);
    shop.hears(2, 0);
    assert_eq!(shop.told().len(), 0);
    shop.gauge_is("doku", 0);
}

/// Two of three, though one of them is right.
#[test]
fn the_one_in_the_middle_counts() {
    let shop = Clockmaker::new();
    shop.hears(1, 0);
    shop.hears(2, 150);
    assert_eq!(shop.told().len(), 1);
    shop.gauge_is("doku", 150);
}

#[test]
fn it_is_told_again_after_it_was_back() {
    let shop = Clockmaker::new();
    shop.hears(3, 120);
    assert_eq!(shop.told().len(), 1);
    shop.hears(4, 0);
    shop.gauge_is("doku", 0);
    assert_eq!(shop.told().len(), 1, "being right is no drift");
    shop.hears(2, 120);
    let lines = shop.told();
    assert_eq!(lines.len(), 2, "{lines:?}");
    shop.gauge_is("doku", 120);
    // The other way round, without being right in between, is one drift more or the same.
    shop.hears(10, 120);
    assert_eq!(shop.told().len(), 2);
}

/// What was long ago says nothing of the clock now.
#[test]
fn the_last_thirty_one_count() {
    let shop = Clockmaker::new();
    shop.hears(40, 120);
    assert_eq!(shop.told().len(), 1);
    // Sixteen of thirty-one still drift.
    shop.hears(15, 0);
    shop.gauge_is("doku", 120);
    shop.hears(1, 0);
    shop.gauge_is("doku", 0);
    shop.hears(15, 0);
    // By now none of them drifts.
    shop.hears(15, 120);
    shop.gauge_is("doku", 0);
    assert_eq!(shop.told().len(), 1);
    shop.hears(1, 120);
    shop.gauge_is("doku", 120);
    assert_eq!(shop.told().len(), 2);
}

#[test]
fn each_gateway_has_a_clock_of_its_own() {
    let shop = Clockmaker::new();
    for _ in 0..3 {
        shop.hears(1, 120);
        for (name, ahead) in [("stripe", 0), ("standard-webhooks", 150)] {
            let notice = Notice::new(kind(name)).later(ahead);
            assert_eq!(shop.kawal.send(&notice.sign()).status, 200);
        }
    }
    let lines = shop.told();
    let mut gateways: Vec<_> = lines.iter().map(|line| line["gateway"].as_str()).collect();
    gateways.sort_unstable();
    assert_eq!(gateways, [Some("doku"), Some("standard-webhooks")]);
    shop.gauge_is("doku", 120);
    shop.gauge_is("standard-webhooks", -150);
    shop.gauge_is("stripe", 0);
}

/// A new configuration sets no clock right.
#[test]
fn a_reload_is_no_reason_to_tell_it_again() {
    let mut shop = Clockmaker::new();
    shop.hears(3, 120);
    assert_eq!(shop.told().len(), 1);
    shop.kawal.switch("pivot", "observe");
    shop.hears(5, 120);
    assert_eq!(shop.told().len(), 1, "told again");
    shop.gauge_is("doku", 120);
}

/// Samples taken before it count on.
#[test]
fn a_reload_is_no_reason_to_forget_the_others() {
    let mut shop = Clockmaker::new();
    shop.hears(7, 0);
    shop.kawal.switch("pivot", "observe");
    shop.hears(4, 120);
    assert_eq!(shop.told().len(), 0, "four of eleven");
    shop.gauge_is("doku", 0);
}

/// Whoever can make Kawal warn without a key can make people deaf to it.
#[test]
fn what_is_refused_says_nothing_of_a_clock() {
    let shop = Clockmaker::new();
    shop.hears(3, 0);
    for _ in 0..5 {
        for seconds in [250, -250] {
            let forged = signed(seconds).body("{\"amount\":2}");
            assert_eq!(shop.kawal.send(&forged).status, 401);
        }
        for seconds in [3600, 72 * 3600, -3600] {
            assert_eq!(shop.kawal.send(&signed(seconds)).status, 401);
        }
    }
    assert_eq!(shop.told().len(), 0);
    shop.gauge_is("doku", 0);
    assert_eq!(shop.app.count(), 6, "three, and three of the pacer");
}

#[test]
fn what_would_be_refused_says_nothing_either() {
    let shop = Clockmaker::with(Config::observing);
    shop.hears(3, 0);
    for _ in 0..5 {
        let forged = signed(250).body("{\"amount\":2}");
        for request in [forged, signed(3600), signed(7200)] {
            assert_eq!(shop.kawal.send(&request).status, 200);
        }
    }
    assert_eq!(shop.told().len(), 0);
    shop.gauge_is("doku", 0);
    shop.hears(4, 120);
    assert_eq!(shop.told().len(), 1);
}

/// It is the gateway's time that is looked at, not what the app makes of the notification.
#[test]
fn the_app_s_answer_changes_no_clock() {
    let shop = Clockmaker::new();
    for _ in 0..3 {
        shop.app.next(Reply::new(500));
        assert_eq!(shop.kawal.send(&signed(120)).status, 500);
    }
    assert_eq!(shop.told().len(), 1);
    shop.gauge_is("doku", 120);
}

#[test]
fn a_gateway_that_signs_no_time_has_no_drift() {
    let shop = Clockmaker::new();
    for _ in 0..4 {
        assert_eq!(shop.kawal.send(&pivot(unique("n"))).status, 200);
    }
    assert_eq!(shop.told().len(), 0);
    let labels = [("gateway", "pivot")];
    assert_eq!(
        shop.kawal.counted("kawal_clock_drift_seconds", &labels),
        0.0
    );
}

/// It is as old at each attempt as its first was, and older.
#[test]
fn what_the_app_refuses_again_and_again_is_one_sample() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for n in 0..3 {
        let fresh = doku(format!("{{\"n\":{n}}}"));
        assert_eq!(kawal.send(&fresh).status, 200);
    }
    let signed = ago(Duration::from_secs(200));
    let old = Doku::new("{\"n\":3}").at(&signed).sign();
    for _ in 0..5 {
        app.next(Reply::new(500));
        assert_eq!(kawal.send(&old).status, 500);
    }
    let status = kawal.admin("/status.json").json();
    let doku = &status["gateways"][0];
    assert_eq!(doku["name"], "doku");
    let skew = doku["skew_s"].as_f64().unwrap();
    assert!(skew.abs() < 60.0, "{skew}");
}
