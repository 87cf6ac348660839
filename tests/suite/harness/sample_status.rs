//! A busy ten minutes as `/status.json` would tell them: what no test has the time to live through.

use serde_json::{Value, json};

use super::gateway::{BRN, PAN};
use super::hashes::sha256_hex;

const NOW: &str = "2026-01-31T09:41:07.512Z";
const OUTCOMES: [&str; 7] = [
    "delivered",
    "duplicate",
    "refused_by_app",
    "unknown",
    "rejected",
    "token",
    "test",
];

/// Four gateways: one as usual, one whose app was away for a while, one that is only observed.
pub fn sample_status() -> Value {
    let (doku, snap) = (picture("doku", 14), picture("doku-snap", 5));
    let (qris, pivot) = (picture("doku-qris", 2), picture("pivot", 3));
    let gateways = [
        ("doku", "doku", "enforce", json!(0.8), doku),
        ("doku-snap", "snap", "enforce", json!(1.1), snap),
        ("doku-qris", "doku-qris", "enforce", json!(2.4), qris),
        ("pivot", "pivot", "observe", Value::Null, pivot),
    ];
    let gateways = gateways.map(|(name, scheme, mode, skew, counts)| {
        let outcomes = total(&counts);
        json!({
            "name": name, "scheme": scheme, "mode": mode, "skew_s": skew,
            "last": "2026-01-31T09:41:04.100Z", "reasons": reasons(&outcomes), "outcomes": outcomes,
            "picture": {"every_s": 10, "counts": counts},
        })
    });
    json!({
        "version": "0.1.0", "now": NOW, "started": "2026-01-28T05:02:11.000Z", "draining": false,
        "in_flight": 3, "connections": 41,
        "configuration": {
            "loaded": "2026-01-31T07:30:00.000Z", "reloads": {"success": 4, "failure": 0}, "fault": null,
        },
        "ledger": {"store": "memory", "up": true, "entries": 18321, "capacity": 100_000},
        "gateways": gateways, "decisions": (0..50).map(decision).collect::<Vec<_>>(),
    })
}

/// 0 to 99, as if by chance, and always the same.
fn chance(of: &str, number: usize) -> u64 {
    let digest = sha256_hex(&format!("{of} {number}"));
    u64::from_str_radix(&digest[..8], 16).unwrap() % 100
}

fn picture(gateway: &str, usual: u64) -> Vec<Value> {
    let slot = |number| {
        let is = |what: &str, percent: u64| chance(&format!("{gateway} {what}"), number) < percent;
        let mut counts = json!({});
        for outcome in OUTCOMES {
            counts[outcome] = json!(0);
        }
        let came = usual * (50 + chance(gateway, number)) / 100;
        counts["delivered"] = json!(came);
        counts["duplicate"] = json!(u64::from(is("duplicate", 12)));
        let often = if gateway == "pivot" { 30 } else { 6 };
        counts["rejected"] = json!(if is("rejected", often) {
            1 + came / 6
        } else {
            0
        });
        if gateway == "doku-snap" {
            counts["token"] = json!(u64::from(number % 9 == 0));
            if (24..33).contains(&number) {
                counts["refused_by_app"] = json!(came / 2);
                counts["unknown"] = json!(u64::from(is("unknown", 40)));
                counts["delivered"] = json!(0);
            }
        }
        counts
    };
    (0..60).map(slot).collect()
}

/// Since the start: as if it had always been so.
fn total(counts: &[Value]) -> Value {
    let mut outcomes = json!({});
    for outcome in OUTCOMES {
        let sum: u64 = counts
            .iter()
            .map(|slot| slot[outcome].as_u64().unwrap())
            .sum();
        outcomes[outcome] = json!(sum * 17);
    }
    outcomes
}

fn reasons(outcomes: &Value) -> Value {
    let of = |outcome: &str| outcomes[outcome].as_u64().unwrap();
    let mut reasons = json!({"duplicate": of("duplicate")});
    if of("rejected") > 20 {
        reasons["bad_proof"] = json!(of("rejected") - 14);
        reasons["stale"] = json!(11);
        reasons["unknown_client"] = json!(3);
    }
    if of("unknown") > 0 {
        reasons["upstream_timeout"] = json!(of("unknown"));
    }
    reasons
}

fn decision(number: usize) -> Value {
    let routes = [
        ("doku", "/payments/notifications", Some(BRN)),
        ("doku-snap", "/v1/transfer-va/payment", Some(BRN)),
        ("doku", "/payments/notifications", Some(BRN)),
        ("doku-qris", "/payments/qris", Some(PAN)),
        ("pivot", "/payments/pivot", None),
    ];
    let (gateway, route, client) = routes[number % 5];
    let observed = gateway == "pivot";
    let (outcome, reason, status) = match (number % 5, chance("decision", number)) {
        (4, 0..40) => ("rejected", Some("bad_proof"), 200),
        (4, _) => ("delivered", None, 200),
        (_, 0..8) => ("rejected", Some("stale"), 401),
        (_, 8..20) => ("duplicate", Some("duplicate"), 200),
        _ => ("delivered", None, 200),
    };
    let (proven, sent) = (outcome != "rejected", outcome == "delivered" || observed);
    let verdict = if proven {
        "accepted"
    } else {
        "would-reject:bad_proof"
    };
    let moment = NOW.parse::<jiff::Timestamp>().unwrap()
        - jiff::SignedDuration::from_millis(i64::try_from(number).unwrap() * 2711 + 900);
    json!({
        "time": format!("{moment:.3}"), "gateway": gateway, "route": route,
        "client": client.filter(|_| proven), "outcome": outcome, "reason": reason,
        "verdict": observed.then_some(verdict), "status": status,
        "id": proven.then(|| sha256_hex(&number.to_string())),
        "attempt": (sent && proven).then_some(1), "age_s": proven.then_some(number % 3),
        "app_status": sent.then_some(200), "total_us": 400 + chance("spent", number) * 211,
    })
}
