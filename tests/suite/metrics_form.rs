//! The metrics page as scrapers read it: sound in both forms, all there from the start, and never larger.

use std::collections::BTreeSet;
use std::sync::Mutex;

use serde_json::json;

use crate::harness::page::{Dialect, Page};
use crate::harness::snap::Snap;
use crate::harness::tokens::bearing;
use crate::harness::{
    App, Backend, Config, Connection, Doku, KINDS, Kawal, Notice, Redis, Reply, Request, Store,
    TokenRequest, ahead, doku, pivot, unique,
};

/// Each family and what it is.
const FAMILIES: [(&str, &str); 20] = [
    ("kawal_notifications_total", "counter"),
    ("kawal_rejections_total", "counter"),
    ("kawal_exchange_seconds", "histogram"),
    ("kawal_verify_seconds", "histogram"),
    ("kawal_upstream_seconds", "histogram"),
    ("kawal_signed_skew_seconds", "histogram"),
    ("kawal_key_verifications_total", "counter"),
    ("kawal_clock_drift_seconds", "gauge"),
    ("kawal_observing", "gauge"),
    ("kawal_observed_total", "counter"),
    ("kawal_ledger_entries", "gauge"),
    ("kawal_ledger_capacity", "gauge"),
    ("kawal_in_flight", "gauge"),
    ("kawal_connections", "gauge"),
    ("kawal_log_lines_dropped_total", "counter"),
    ("kawal_build_info", "gauge"),
    ("kawal_reloads_total", "counter"),
    ("kawal_reload_failed", "gauge"),
    ("kawal_last_notification_timestamp_seconds", "gauge"),
    ("kawal_start_time_seconds", "gauge"),
];

const OUTCOMES: [&str; 7] = [
    "delivered",
    "duplicate",
    "refused_by_app",
    "unknown",
    "rejected",
    "token",
    "test",
];

const REASONS: [&str; 22] = [
    "bad_proof",
    "bad_token",
    "conflict",
    "draining",
    "duplicate",
    "forbidden",
    "future",
    "in_flight",
    "internal",
    "malformed",
    "method",
    "missing_proof",
    "no_route",
    "saturated",
    "stale",
    "store_down",
    "timeout",
    "too_large",
    "unknown_client",
    "unproven",
    "upstream_down",
    "upstream_timeout",
];

#[test]
fn every_family_is_there_from_the_start_and_counts_nothing() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let page = kawal.page();
    for (family, kind) in FAMILIES {
        assert_eq!(
            page.kind(family),
            Some(kind),
            "{family}: {:?}",
            page.names()
        );
    }
    for gateway in ["doku", "doku-qris", "pivot"] {
        for outcome in OUTCOMES {
            let labels = [("gateway", gateway), ("outcome", outcome)];
            assert_eq!(page.value("kawal_notifications_total", &labels), 0.0);
        }
    }
    for gateway in ["", "doku", "doku-qris", "pivot"] {
        for reason in REASONS {
            let labels = [("gateway", gateway), ("reason", reason)];
            let found = page.all("kawal_rejections_total", &labels).count();
            // Without a gateway there are those only that need none.
            assert!(found == 1 || gateway.is_empty(), "{gateway} {reason}");
        }
    }
    for reason in [
        "no_route",
        "malformed",
        "too_large",
        "timeout",
        "draining",
        "saturated",
        "method",
    ] {
        let labels = [("gateway", ""), ("reason", reason)];
        assert_eq!(
            page.value("kawal_rejections_total", &labels),
            0.0,
            "{reason}"
        );
    }
    let counted = page.samples().filter(|sample| {
        let kind = page.kind(&sample.name);
        kind == Some("counter") || sample.name.ends_with("_count")
    });
    for sample in counted {
        assert_eq!(sample.value, 0.0, "{sample:?}");
    }
    assert!(page.check_histograms() >= 10);
}

#[test]
fn the_default_is_the_text_that_prometheus_reads() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for accept in [
        None,
        Some("*/*"),
        Some("text/plain"),
        Some("text/plain;version=0.0.4;q=0.5,*/*;q=0.1"),
        Some("text/html,application/xhtml+xml,*/*;q=0.8"),
        Some(""),
    ] {
        let answer = asks(&kawal, accept);
        Page::read(&answer, Dialect::Prometheus);
    }
}

#[test]
fn who_asks_for_openmetrics_gets_it() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    kawal.send(&doku("{}"));
    for accept in [
        "application/openmetrics-text",
        "application/openmetrics-text; version=1.0.0",
        "Application/OpenMetrics-Text;version=1.0.0;q=0.5,*/*;q=0.1",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
    ] {
        let answer = asks(&kawal, Some(accept));
        let open = Page::read(&answer, Dialect::OpenMetrics);
        let plain = kawal.page();
        // The same values, whatever families are called.
        let labels = [("gateway", "doku"), ("outcome", "delivered")];
        for page in [&open, &plain] {
            assert_eq!(page.value("kawal_notifications_total", &labels), 1.0);
            assert_eq!(page.sum("kawal_build_info", &[]), 1.0);
        }
        // There, a histogram of what may be negative has neither sum nor count.
        let bare = ["_sum", "_count"].map(|end| format!("kawal_signed_skew_seconds{end}"));
        let mut expected = plain.series();
        expected.retain(|series| !bare.iter().any(|name| series.starts_with(name)));
        assert_eq!(open.series(), expected);
    }
}

fn asks(kawal: &Kawal, accept: Option<&str>) -> crate::harness::Response {
    let request = Request::new("GET", "/metrics");
    let request = match accept {
        Some(accept) => request.header("Accept", accept),
        None => request,
    };
    request.send(kawal.admin_addr())
}

#[test]
fn a_head_is_asked_for_without_the_page() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let answer = Request::new("HEAD", "/metrics").send(kawal.admin_addr());
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    let refused = Request::new("POST", "/metrics").send(kawal.admin_addr());
    assert_eq!(refused.status, 405);
    // The gateways' side knows of no metrics.
    assert_eq!(kawal.send(&Request::new("GET", "/metrics")).status, 404);
}

/// A day with everything in it, by thousands of strangers: no series more than on an empty page.
#[test]
fn no_request_makes_a_series() {
    let app = App::start();
    let config = Config::kinds(&app)
        .with_snap()
        .set("trusted_proxies", json!(["127.0.0.0/8"]));
    let kawal = Kawal::start(config);
    let before = kawal.page().series();
    let mut connection = Connection::open(kawal.addr());
    for nth in 0..1000 {
        let name = format!("stranger-{nth}");
        let forwarded = format!("192.0.{}.{}", nth / 250, nth % 250);
        let requests = [
            Doku::new("{}")
                .client(&name, "stranger-key")
                .id(&name)
                .sign(),
            doku("{}").target(&format!("/{name}")),
            doku("{}").method(&format!("M{nth}")),
            pivot(&name).header("X-Forwarded-For", &forwarded),
        ];
        for request in requests {
            connection.send(&request);
        }
    }
    for kind in &KINDS {
        kawal.send(&Notice::new(kind).sign());
        kawal.send(&Notice::new(kind).bearing("nonsense"));
    }
    for status in [200, 302, 404, 418, 500] {
        app.next(Reply::new(status));
        kawal.send(&Snap::new(format!("{{\"n\":\"{}\"}}", unique("n"))).sign());
    }
    kawal.send(&TokenRequest::new().sign());
    kawal.send(&bearing("no.token.atall").sign());
    for _ in 0..3 {
        kawal.send(
            &Doku::new("{}")
                .at(&ahead(std::time::Duration::from_secs(60)))
                .sign(),
        );
    }
    let page = kawal.page();
    assert!(page.sum("kawal_notifications_total", &[]) > 3000.0);
    let after = page.series();
    let lost: BTreeSet<_> = before.difference(&after).collect();
    assert!(lost.is_empty(), "{lost:?}");
    // The drift is not known before there were a few.
    let drift = |series: &&String| !series.starts_with("kawal_clock_drift_seconds");
    let new: Vec<_> = after.difference(&before).filter(drift).collect();
    assert!(new.is_empty(), "{new:?}");
    page.check_histograms();
}

/// Nothing that is counted while the page is written makes it contradict itself.
#[test]
fn a_page_that_is_read_under_load_is_sound() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let pages = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut connection = Connection::open(kawal.addr());
            for _ in 0..600 {
                connection.send(&doku("{}"));
            }
        });
        scope.spawn(|| {
            for _ in 0..60 {
                pages.lock().unwrap().push(asks(&kawal, None));
            }
        });
    });
    let mut before = 0.0;
    for answer in pages.into_inner().unwrap() {
        let page = Page::read(&answer, Dialect::Prometheus);
        page.check_histograms();
        let count = page.sum("kawal_notifications_total", &[]);
        assert!(count >= before, "{count} after {before}");
        before = count;
    }
    assert!(before > 0.0);
}

/// Whoever names a gateway may use quotes and backslashes; the page stays one.
#[test]
fn names_of_the_configuration_are_escaped() {
    let app = App::start();
    for name in ["a b", "a\\b", "quote\"d", "ünïcode", "brace}{", "a,b=\"c\""] {
        let config = Config::new(&app);
        let gateway = config.value("gateways.pivot");
        let mut gateways = config.value("gateways");
        gateways[name] = gateway;
        let config = config
            .set("gateways", gateways)
            .route(json!({"path": "/odd", "gateway": name}));
        let kawal = match Kawal::try_start(config) {
            Ok(kawal) => kawal,
            // A name may be refused; then there is nothing to escape.
            Err(exit) => {
                assert_eq!(exit.code, Some(78), "{name}: {exit:?}");
                continue;
            }
        };
        assert_eq!(
            kawal.send(&pivot("{}").target("/odd")).status,
            200,
            "{name}"
        );
        let labels = [("gateway", name), ("outcome", "delivered")];
        assert_eq!(
            kawal.page().value("kawal_notifications_total", &labels),
            1.0
        );
        let open = asks(&kawal, Some("application/openmetrics-text"));
        Page::read(&open, Dialect::OpenMetrics);
    }
}

#[test]
fn a_shared_store_has_figures_of_its_own_and_no_entries() {
    let app = App::start();
    let store = Redis::start();
    let kawal = Kawal::start(store.configure(Config::new(&app)));
    let names = kawal.page().names();
    for name in [
        "kawal_store_up",
        "kawal_store_seconds",
        "kawal_store_errors_total",
    ] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
    for name in ["kawal_ledger_entries", "kawal_ledger_capacity"] {
        assert!(!names.contains(name), "{name}: {names:?}");
    }
    let memory = Kawal::start(Config::new(&app).on(&Store::Memory));
    let names = memory.page().names();
    assert!(
        !names.iter().any(|name| name.starts_with("kawal_store_")),
        "{names:?}"
    );
}

/// The reader itself: what it must refuse.
#[test]
fn a_page_that_is_not_sound_is_refused() {
    let sound =
        "# HELP kawal_a_total A.\n# TYPE kawal_a_total counter\nkawal_a_total{x=\"\\\"}\"} 1\n";
    Page::parse(sound, Dialect::Prometheus).unwrap();
    for (why, broken) in [
        ("no line end", sound.trim_end().to_owned()),
        ("a sample first", format!("kawal_b 1\n{sound}")),
        (
            "no type",
            sound.replace("# TYPE kawal_a_total counter\n", ""),
        ),
        ("no help", sound.replace("# HELP kawal_a_total A.\n", "")),
        ("twice a family", format!("{sound}{sound}")),
        (
            "twice a series",
            format!("{sound}kawal_a_total{{x=\"\\\"}}\"}} 2\n"),
        ),
        ("another's sample", format!("{sound}kawal_b 2\n")),
        ("an unknown type", sound.replace("counter", "info")),
        ("a negative count", sound.replace("} 1", "} -1")),
        ("no number", sound.replace("} 1", "} one")),
        ("a time", sound.replace("} 1", "} 1 1700000000")),
        ("an open quote", sound.replace("\"} 1", "} 1")),
        ("another form's end", format!("{sound}# EOF\n")),
        ("an empty line", format!("{sound}\n")),
    ] {
        let read = Page::parse(&broken, Dialect::Prometheus);
        assert!(read.is_err(), "{why}: {read:?}");
    }
    let open = "# HELP kawal_a A.\n# TYPE kawal_a counter\nkawal_a_total 1\n# EOF\n";
    Page::parse(open, Dialect::OpenMetrics).unwrap();
    Page::parse(
        &open.replace("kawal_a_total", "kawal_a"),
        Dialect::OpenMetrics,
    )
    .unwrap_err();
    Page::parse(&open.replace("# EOF\n", ""), Dialect::OpenMetrics).unwrap_err();
}
