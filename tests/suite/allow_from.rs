//! Only those whom a gateway names are heard, whatever family their address is written in.

use serde_json::json;

use crate::cli::run;
use crate::harness::forwarded::Door;
use crate::harness::kawal::command;
use crate::harness::*;

/// The peer, whom the gateway may be, and whether that is so.
const PEERS: [(&str, &[&str], bool); 12] = [
    ("127.0.0.1", &["127.0.0.1"], true),
    ("127.0.0.2", &["127.0.0.1"], false),
    ("127.0.0.2", &["127.0.0.2/32"], true),
    ("127.0.0.2", &["127.0.0.0/31", "192.0.2.0/24"], false),
    ("127.0.0.2", &["192.0.2.0/24", "127.0.0.2/31"], true),
    ("127.3.2.1", &["127.0.0.0/8"], true),
    ("127.3.2.1", &["127.0.0.0/9", "127.128.0.0/9"], true),
    ("127.200.2.1", &["127.0.0.0/9"], false),
    ("127.0.0.1", &["0.0.0.0/0"], true),
    ("127.0.0.1", &["::/0"], false),
    ("127.0.0.1", &["::1"], false),
    ("127.0.0.1", &[], true),
];

#[test]
fn an_address_is_heard_where_a_network_holds_it() {
    for (peer, allowed, passes) in PEERS {
        let door = Door::new(allowed, &[]);
        let told = (passes, Some(peer.to_owned()));
        assert_eq!(door.takes(peer, &[]), told, "{peer} of {allowed:?}");
    }
}

fn on_both(config: Config) -> Config {
    config.set("listen", "[::]:0")
}

/// A listener for both families sees IPv4 as IPv6; whoever it is stays who it is.
#[test]
fn one_listener_for_both_families_tells_them_apart() {
    for (peer, allowed, passes) in PEERS {
        let door = Door::with(allowed, &[], on_both);
        let told = (passes, Some(peer.to_owned()));
        assert_eq!(door.takes(peer, &[]), told, "{peer} of {allowed:?}");
    }
    let rows: [(&[&str], bool); 5] = [
        (&["::1"], true),
        (&["::/64"], true),
        (&["2001:db8::/32"], false),
        (&["127.0.0.0/8"], false),
        (&["0.0.0.0/0"], false),
    ];
    for (allowed, passes) in rows {
        let door = Door::with(allowed, &[], on_both);
        let told = (passes, Some("::1".to_owned()));
        assert_eq!(door.takes("::1", &[]), told, "{allowed:?}");
    }
}

#[test]
fn proxies_of_either_family_are_known_on_a_listener_for_both() {
    let guest = ["203.0.113.7"];
    for (trusted, by_four, by_six) in [
        (["127.0.0.1"], true, false),
        (["127.0.0.0/8"], true, false),
        (["::1"], false, true),
        (["::/0"], false, true),
        (["0.0.0.0/0"], true, false),
    ] {
        let door = Door::with(&guest, &trusted, on_both);
        for (peer, believed) in [("127.0.0.1", by_four), ("::1", by_six)] {
            // The guest is one of everybody, where everybody is believed.
            let (passed, from) = door.takes(peer, &guest);
            assert_eq!(passed, believed, "{peer} of {trusted:?}");
            let told = if believed { guest[0] } else { peer };
            assert_eq!(from.as_deref(), Some(told), "{peer} of {trusted:?}");
        }
    }
}

/// In the configuration too: it means the same, or is told to be wrong.
#[test]
fn a_mapped_network_means_its_addresses_or_is_a_fault() {
    for (key, lines) in [
        ("gateways.doku.allow_from", &[][..]),
        ("trusted_proxies", &["203.0.113.7"]),
    ] {
        for network in ["::ffff:127.0.0.1", "::ffff:127.0.0.0/104"] {
            let app = App::start();
            let config = Config::new(&app).set("gateways.doku.allow_from", json!(["203.0.113.7"]));
            let config = config.set(key, json!([network]));
            let exit = run(command().args(["check", "--config"]).arg(config.write()));
            if exit.code == Some(78) {
                assert!(exit.stderr.contains(key), "{exit:?}");
                continue;
            }
            let kawal = Kawal::start(config);
            let door = Door { app, kawal };
            let (passed, _) = door.takes("127.0.0.1", lines);
            assert!(passed, "{key}: {network} is accepted and means nobody");
        }
    }
}

/// Who may come in is asked before anything that costs.
#[test]
fn a_stranger_is_refused_before_the_body_is_read() {
    let door = Door::new(&["127.0.0.2"], &[]);
    let announced = doku("")
        .header("Content-Length", "1000000")
        .header("Expect", "100-continue");
    let answer = door.kawal.send(&announced);
    assert_eq!(answer.status, 403);
    assert!(answer.interim.is_empty());
    assert_eq!(answer.json(), json!({"error": "forbidden"}));
    let labels = [("gateway", "doku"), ("reason", "forbidden")];
    door.kawal
        .wait_for_count("kawal_rejections_total", &labels, 1);
}

/// Each gateway has guests of its own, and token requests are of the gateway.
#[test]
fn the_guests_of_one_gateway_are_not_those_of_another() {
    let app = App::start();
    let config = Config::snap(&app)
        .set("gateways.doku.allow_from", json!(["127.0.0.2"]))
        .set("gateways.doku-b2b.allow_from", json!(["127.0.0.2"]));
    let kawal = Kawal::start(config);
    let send = |peer: &str, request: &Request| {
        let answer = peers::send_from(peer, kawal.addr(), request);
        answer.status
    };
    assert_eq!(send("127.0.0.1", &doku("{}")), 403);
    assert_eq!(send("127.0.0.2", &doku("{}")), 200);
    assert_eq!(send("127.0.0.1", &pivot("{}")), 200);
    assert_eq!(send("127.0.0.1", &TokenRequest::new().sign()), 403);
    assert_eq!(send("127.0.0.2", &TokenRequest::new().sign()), 200);
    let lines = kawal.notifications(5);
    let from: Vec<_> = lines.iter().map(|line| &line["from"]).collect();
    let (one, two) = ("127.0.0.1", "127.0.0.2");
    assert_eq!(from, [one, two, one, one, two]);
}
