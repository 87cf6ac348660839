//! How long things took and how far clocks are apart: measured where it happens, and put where it belongs.

use std::time::Duration;

use jiff::Timestamp;

use crate::harness::gateway::written;
use crate::harness::snap::jakarta_time;
use crate::harness::{
    App, Config, Doku, Kawal, Notice, Page, Qris, Reply, Snap, TokenRequest, ahead, doku, kind,
    pivot, until,
};

fn gateway(name: &str) -> [(&str, &str); 1] {
    [("gateway", name)]
}

/// The page, once this many notifications are measured.
fn measured(kawal: &Kawal, notifications: f64) -> Page {
    let count = || kawal.page().sum("kawal_exchange_seconds_count", &[]);
    until("all are measured", || count() >= notifications);
    kawal.page()
}

#[test]
fn the_buckets_span_what_can_happen() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let page = kawal.page();
    for name in ["doku", "doku-qris", "pivot"] {
        let exchange = page.histogram("kawal_exchange_seconds", &gateway(name));
        assert_eq!(exchange.range(), (0.001, 60.0), "{name}");
        page.histogram("kawal_upstream_seconds", &gateway(name));
    }
    for scheme in ["doku", "doku-qris", "pivot"] {
        let verify = page.histogram("kawal_verify_seconds", &[("scheme", scheme)]);
        assert_eq!(verify.range(), (0.000_001, 0.001), "{scheme}");
    }
    // A clock may be ahead as well as behind.
    let (least, most) = page
        .histogram("kawal_signed_skew_seconds", &gateway("doku"))
        .range();
    assert!(least < 0.0 && most >= 300.0, "{least} {most}");
}

#[test]
fn each_notification_is_measured_once_where_it_went() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app).with_snap());
    for _ in 0..5 {
        let known = doku("{}");
        for request in [known.clone(), known.clone(), known.without("Signature")] {
            kawal.send(&request);
        }
    }
    kawal.send(&Qris::new().sign());
    kawal.send(&doku("{}").method("GET"));
    kawal.send(&doku("{}").target("/nowhere"));
    kawal.send(&TokenRequest::new().sign());
    let lines = kawal.notifications(18);
    let page = measured(&kawal, 18.0);
    for name in ["doku", "doku-qris", "doku-b2b", "pivot"] {
        let own = || lines.iter().filter(|line| line["gateway"] == name);
        let exchange = page.histogram("kawal_exchange_seconds", &gateway(name));
        assert_eq!(exchange.count, own().count() as f64, "{name}");
        let upstream = page.histogram("kawal_upstream_seconds", &gateway(name));
        let at_app = own().filter(|line| line["upstream_us"].is_u64()).count();
        assert_eq!(upstream.count, at_app as f64, "{name}");
        assert!(exchange.sum >= upstream.sum, "{name}");
        assert_about(
            exchange.sum,
            own().map(|line| &line["total_us"]),
            "exchange",
        );
        assert_about(
            upstream.sum,
            own().map(|line| &line["upstream_us"]),
            "upstream",
        );
    }
    let judged = page.histogram("kawal_verify_seconds", &[("scheme", "doku")]);
    // What was refused for its method was not judged.
    assert_eq!(judged.count, 15.0);
    let own = lines.iter().filter(|line| line["gateway"] == "doku");
    assert_about(judged.sum, own.map(|line| &line["verify_us"]), "verify");
    let others = page.histogram("kawal_verify_seconds", &[("scheme", "pivot")]);
    assert_eq!(others.count, 0.0);
}

/// The sum is that of the lines, which leave out what is less than a microsecond, or a little more: the answer
/// may be measured after the line was written.
#[track_caller]
fn assert_about<'a>(sum: f64, micros: impl Iterator<Item = &'a serde_json::Value>, what: &str) {
    let told: Vec<_> = micros.filter_map(serde_json::Value::as_f64).collect();
    let least: f64 = told.iter().sum::<f64>() / 1e6;
    assert!(sum >= least - 1e-9, "{what}: {sum} is less than {least}");
    assert!(sum > 0.0 || told.is_empty(), "{what}");
}

#[test]
fn an_app_that_takes_its_time_is_seen_in_both_times_and_not_in_the_judgements() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let long = Duration::from_millis(600);
    app.next(Reply::ok().delayed(long));
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    assert_eq!(kawal.send(&doku("{}")).status, 200);
    let page = measured(&kawal, 2.0);
    for name in ["kawal_exchange_seconds", "kawal_upstream_seconds"] {
        let histogram = page.histogram(name, &gateway("doku"));
        assert_eq!(histogram.count, 2.0);
        assert!(histogram.sum >= long.as_secs_f64(), "{name}: {histogram:?}");
        assert!(histogram.above(0.5) >= 1.0, "{name}: {histogram:?}");
        assert!(histogram.buckets[0].1 < 2.0, "{name}: {histogram:?}");
    }
    let lines = kawal.notifications(2);
    assert!(lines[0]["upstream_us"].as_f64().unwrap() >= long.as_micros() as f64);
    assert!(lines[0]["verify_us"].as_f64().unwrap() < long.as_micros() as f64);
    let verify = page.histogram("kawal_verify_seconds", &[("scheme", "doku")]);
    let told: f64 = lines
        .iter()
        .map(|line| line["verify_us"].as_f64().unwrap())
        .sum();
    assert!(verify.sum * 1e6 < told + 100.0, "{verify:?} {told}");
}

/// Two gateways of one scheme share its judgements, and nothing else.
#[test]
fn judgements_are_told_by_scheme() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).with_snap());
    let body = |n| format!("{{\"n\":{n}}}");
    kawal.send(&Snap::new(body(1)).sign());
    kawal.send(&Snap::new(body(2)).target("/b2b/transfer-va/payment").sign());
    let page = measured(&kawal, 2.0);
    let verify = page.histogram("kawal_verify_seconds", &[("scheme", "snap")]);
    assert_eq!(verify.count, 2.0);
    for name in ["doku-snap", "doku-b2b"] {
        let exchange = page.histogram("kawal_exchange_seconds", &gateway(name));
        assert_eq!(exchange.count, 1.0, "{name}");
    }
}

/// Seconds that the gateway's clock is off, by what it signed: bounds of what can be measured, then the page.
fn skewed(seconds: i64) -> (f64, f64, Page) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let signed = Timestamp::from_second(Timestamp::now().as_second() - seconds).unwrap();
    let since = || (Timestamp::now().as_millisecond() - signed.as_millisecond()) as f64 / 1e3;
    let least = since();
    let request = Doku::new("{}").at(&written(signed)).sign();
    assert_eq!(kawal.send(&request).status, 200);
    let most = since();
    // Copies and what is refused say nothing of a clock.
    kawal.send(&request.clone().body("other"));
    (least, most, measured(&kawal, 2.0))
}

#[test]
fn the_skew_is_what_the_gateways_clock_is_off() {
    for seconds in [0, 3, 45, 150, 280, -20, -150, -280] {
        let (least, most, page) = skewed(seconds);
        let skew = page.histogram("kawal_signed_skew_seconds", &gateway("doku"));
        assert_eq!(skew.count, 1.0, "{seconds}");
        // Whole seconds are as good: a gateway signs no others.
        let sound = least.floor() - 0.001..=most.ceil() + 0.001;
        assert!(
            sound.contains(&skew.sum),
            "{seconds}: {} {least} {most}",
            skew.sum
        );
        let (over, up_to) = skew.only();
        assert!(over < skew.sum && skew.sum <= up_to, "{seconds}: {skew:?}");
        for other in ["pivot", "doku-qris"] {
            let none = page.histogram("kawal_signed_skew_seconds", &gateway(other));
            assert_eq!(none.count, 0.0, "{other}");
        }
    }
}

#[test]
fn who_signs_no_time_has_no_skew() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    kawal.send(&pivot("{}"));
    kawal.send(&Notice::new(kind("github")).sign());
    kawal.send(&Notice::new(kind("stripe")).sign());
    let page = measured(&kawal, 3.0);
    for (name, count) in [("pivot", 0.0), ("github", 0.0), ("stripe", 1.0)] {
        let skews = page.sum("kawal_signed_skew_seconds_count", &gateway(name));
        assert_eq!(skews, count, "{name}");
    }
}

/// The middle of them, so that one that waited on the way says nothing of the clocks.
#[test]
fn the_drift_is_the_middle_of_the_latest() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let drifts = |range: std::ops::Range<f64>| {
        let drift = || {
            kawal
                .page()
                .value("kawal_clock_drift_seconds", &gateway("doku"))
        };
        until(&format!("the drift is in {range:?}"), || {
            range.contains(&drift())
        });
    };
    let send = |times: usize, seconds: u64| {
        for _ in 0..times {
            let time = ahead(Duration::from_secs(seconds));
            assert_eq!(kawal.send(&Doku::new("{}").at(&time).sign()).status, 200);
        }
    };
    let warnings = || -> Vec<_> {
        let is_one = |line: &serde_json::Value| line["message"] == "clock drift";
        kawal.log().into_iter().filter(is_one).collect()
    };
    // Half a minute is more than any of this takes.
    send(1, 0);
    send(2, 200);
    drifts(-201.0..-170.0);
    until("it is told", || !warnings().is_empty());
    assert_eq!(warnings()[0]["level"], "warn");
    assert_eq!(warnings()[0]["gateway"], "doku");
    // So many that, of the latest thirty-one, the middle is another one.
    send(16, 120);
    drifts(-121.0..-90.0);
    send(31, 0);
    drifts(-1.0..30.0);
    assert_eq!(warnings().len(), 1, "{:?}", warnings());
    send(31, 200);
    drifts(-201.0..-170.0);
    until("it is told again", || warnings().len() == 2);
}

/// Two say nothing yet, and what is refused or comes again says nothing at all.
#[test]
fn a_drift_is_not_told_of_a_few() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).with_snap());
    let early = |seconds: u64| {
        Doku::new("{}")
            .at(&ahead(Duration::from_secs(seconds)))
            .sign()
    };
    let known = early(200);
    for request in [&known, &known, &known, &early(200)] {
        assert_eq!(kawal.send(request).status, 200);
    }
    assert_eq!(kawal.send(&early(400)).status, 401);
    // Another's is told, so everybody's was looked at.
    let later = Timestamp::now() + Duration::from_secs(200);
    for n in 0..3 {
        let other = Snap::new(format!("{{\"n\":{n}}}")).at(&jakarta_time(later));
        assert_eq!(kawal.send(&other.sign()).status, 200);
    }
    let warned = kawal.wait_for_log(|line| line["message"] == "clock drift");
    assert_eq!(warned["gateway"], "doku-snap");
    let page = kawal.page();
    assert_eq!(
        page.value("kawal_clock_drift_seconds", &gateway("doku")),
        0.0
    );
    let others = page.value("kawal_clock_drift_seconds", &gateway("doku-snap"));
    assert!(others < -170.0, "{others}");
}
