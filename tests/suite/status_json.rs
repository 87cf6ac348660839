//! The status page and its JSON as HTTP: shape, numbers, headers, and who may ask.

use serde_json::{Value, json};

use crate::harness::{
    App, Config, Connection, Kawal, Redis, Reply, doku, pivot, pivot_with, sample_status, until,
};

const OUTCOMES: [&str; 7] = [
    "delivered",
    "duplicate",
    "refused_by_app",
    "unknown",
    "rejected",
    "token",
    "test",
];

#[track_caller]
fn status(kawal: &Kawal) -> Value {
    let answer = kawal.admin("/status.json");
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

pub fn decisions(kawal: &Kawal) -> Vec<Value> {
    status(kawal)["decisions"].as_array().unwrap().clone()
}

/// Seven notifications of six outcomes at two gateways.
fn several(kawal: &Kawal, app: &App) {
    let first = doku("{}");
    kawal.send(&first);
    kawal.send(&first);
    kawal.send(&pivot("{}"));
    app.next(Reply::new(422));
    kawal.send(&pivot("refused"));
    app.next(Reply::hangup());
    kawal.send(&doku("lost"));
    for key in ["wrong-key-1", "wrong-key-2"] {
        kawal.send(&pivot_with(key, "{}"));
    }
    until("seven decisions", || decisions(kawal).len() == 7);
}

/// What `/status.json` may say: these members, all of them, of these kinds.
fn form() -> Value {
    let all = |members: Value| {
        let names: Vec<_> = members.as_object().unwrap().keys().cloned().collect();
        json!({"type": "object", "properties": members, "required": names, "additionalProperties": false})
    };
    let count = json!({"type": "integer", "minimum": 0});
    let time = json!({"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"});
    let or_null = |mut kind: Value| {
        kind["type"] = json!([kind["type"], "null"]);
        kind
    };
    let text = json!({"type": "string", "minLength": 1});
    let outcomes = all(OUTCOMES
        .iter()
        .map(|name| ((*name).to_owned(), count.clone()))
        .collect());
    let reasons =
        json!({"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}});
    let counts = json!({"type": "array", "items": outcomes, "minItems": 60, "maxItems": 60});
    let gateway = all(json!({
        "name": text, "scheme": text, "mode": {"enum": ["enforce", "observe"]},
        "skew_s": {"type": ["number", "null"]}, "last": or_null(time.clone()), "outcomes": outcomes,
        "reasons": reasons, "picture": all(json!({"every_s": {"const": 10}, "counts": counts})),
    }));
    let decision = all(json!({
        "time": time, "gateway": or_null(text.clone()), "route": or_null(text.clone()),
        "client": or_null(text.clone()), "outcome": {"enum": OUTCOMES}, "reason": or_null(text.clone()),
        "verdict": or_null(json!({"type": "string", "pattern": "^(accepted|would-reject:[a-z_]+)$"})),
        "id": or_null(json!({"type": "string", "pattern": "^[0-9a-f]{64}$"})),
        "attempt": or_null(count.clone()), "age_s": {"type": ["integer", "null"]},
        "status": or_null(count.clone()), "app_status": or_null(count.clone()), "total_us": count,
    }));
    let ledger = all(json!({
        "store": {"enum": ["memory", "redis"]}, "up": {"type": "boolean"},
        "entries": or_null(count.clone()), "capacity": or_null(count.clone()),
    }));
    let reloads = all(json!({"success": count, "failure": count}));
    all(json!({
        "version": text, "now": time, "started": time, "draining": {"type": "boolean"},
        "in_flight": count, "connections": count, "ledger": ledger,
        "configuration": all(json!({"loaded": time, "reloads": reloads, "fault": or_null(text.clone())})),
        "gateways": {"type": "array", "items": gateway},
        "decisions": {"type": "array", "items": decision, "maxItems": 50},
    }))
}

#[track_caller]
fn assert_form(status: &Value) {
    let form = jsonschema::validator_for(&form()).unwrap();
    let faults: Vec<_> = form
        .iter_errors(status)
        .map(|fault| format!("{fault} at {}", fault.instance_path()))
        .collect();
    assert_eq!(faults, [""; 0], "{status:#}");
}

#[test]
fn the_json_has_these_members_of_these_kinds() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).set("gateways.pivot.mode", "observe"));
    let quiet = status(&kawal);
    assert_form(&quiet);
    assert_eq!(quiet["decisions"], json!([]));
    let names: Vec<_> = quiet["gateways"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    let expected = [
        "doku",
        "doku-b2b",
        "doku-b2b-rsa",
        "doku-qris",
        "doku-rsa",
        "doku-snap",
        "pivot",
    ];
    assert_eq!(names, expected);
    assert!(
        quiet["gateways"]
            .as_array()
            .unwrap()
            .iter()
            .all(|one| one["last"].is_null())
    );
    several(&kawal, &app);
    assert_form(&status(&kawal));
    // What stands in for it elsewhere must not drift away from it.
    assert_form(&sample_status());

    let redis = Redis::start();
    let shared = Kawal::start(Config::new(&app).on(&redis));
    let told = status(&shared);
    assert_form(&told);
    assert_eq!(
        told["ledger"],
        json!({"store": "redis", "up": true, "entries": null, "capacity": null})
    );
}

#[test]
fn the_json_counts_what_the_metrics_count() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("replay.capacity", 5000));
    several(&kawal, &app);
    let held = Reply::ok().held();
    app.next(held);
    let mut busy = Connection::open(kawal.addr());
    busy.write(&doku("in flight").bytes()).unwrap();
    kawal.wait_for_metric("kawal_in_flight", 1.0);
    let told = status(&kawal);

    let mut sum = 0;
    for gateway in told["gateways"].as_array().unwrap() {
        let name = gateway["name"].as_str().unwrap();
        for outcome in OUTCOMES {
            let count = gateway["outcomes"][outcome].as_u64().unwrap();
            let labels = format!("gateway=\"{name}\",outcome=\"{outcome}\"");
            assert_eq!(
                kawal.metric_with("kawal_notifications_total", &labels),
                count as f64,
                "{labels}"
            );
            let slots = gateway["picture"]["counts"].as_array().unwrap();
            let pictured: u64 = slots
                .iter()
                .map(|slot| slot[outcome].as_u64().unwrap())
                .sum();
            assert_eq!(pictured, count, "{labels}");
            // It was just now: the last of 60 slots, or the few before it.
            let early: u64 = slots[..40]
                .iter()
                .map(|slot| slot[outcome].as_u64().unwrap())
                .sum();
            assert_eq!(early, 0, "{labels}");
            sum += count;
        }
        for (reason, count) in gateway["reasons"].as_object().unwrap() {
            let labels = format!("gateway=\"{name}\",reason=\"{reason}\"");
            assert_eq!(
                kawal.metric_with("kawal_rejections_total", &labels),
                count.as_f64().unwrap(),
                "{labels}"
            );
        }
    }
    assert_eq!(sum, 7);
    let [doku, _, pivot] = [0, 1, 2].map(|at| &told["gateways"][at]);
    let zero = json!({"delivered": 0, "duplicate": 0, "refused_by_app": 0, "unknown": 0, "rejected": 0, "token": 0, "test": 0});
    let with = |changes: Value| {
        let mut counts = zero.clone();
        counts
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        counts
    };
    assert_eq!(
        doku["outcomes"],
        with(json!({"delivered": 1, "duplicate": 1, "unknown": 1}))
    );
    assert_eq!(
        pivot["outcomes"],
        with(json!({"delivered": 1, "refused_by_app": 1, "rejected": 2}))
    );
    assert_eq!(pivot["reasons"], json!({"bad_proof": 2}));
    assert_eq!(doku["reasons"]["duplicate"], 1);
    let figures = [
        (&told["in_flight"], "kawal_in_flight"),
        (&told["connections"], "kawal_connections"),
        (&told["ledger"]["entries"], "kawal_ledger_entries"),
        (&told["ledger"]["capacity"], "kawal_ledger_capacity"),
    ];
    for (figure, metric) in figures {
        until(metric, || {
            // Connections that were closed may still be counted for a moment.
            let figure = if metric == "kawal_connections" {
                &status(&kawal)["connections"]
            } else {
                figure
            };
            figure.as_f64() == Some(kawal.metric(metric))
        });
    }
    assert_eq!(told["ledger"]["capacity"], 5000);
    assert_eq!(told["in_flight"], 1);
    app.release();
}

#[test]
fn the_json_tells_of_a_decision_what_the_log_tells() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("gateways.pivot.mode", "observe"));
    several(&kawal, &app);
    let mut told = decisions(&kawal);
    told.reverse();
    let lines = kawal.notifications(7);
    let keys = [
        "gateway",
        "route",
        "client",
        "outcome",
        "reason",
        "verdict",
        "id",
        "attempt",
        "age_s",
        "status",
        "app_status",
    ];
    for (one, line) in told.iter().zip(&lines) {
        for key in keys {
            assert_eq!(one[key], line[key], "{key} of {one} and {line}");
        }
    }
    let times: Vec<_> = told
        .iter()
        .map(|one| one["time"].as_str().unwrap().to_owned())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    assert!(status(&kawal)["now"].as_str().unwrap() >= times[6].as_str());
}

#[test]
fn two_reads_are_the_same_but_for_the_clock() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    several(&kawal, &app);
    let still = || {
        let mut told = status(&kawal);
        // The readers' own moments, and what moves with them.
        for key in ["now", "connections"] {
            told[key] = Value::Null;
        }
        for gateway in told["gateways"].as_array_mut().unwrap() {
            gateway["picture"] = Value::Null;
        }
        told
    };
    assert_eq!(still(), still());
}
