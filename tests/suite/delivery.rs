//! A genuine notification reaches the app as it was sent, byte for byte.

use serde_json::json;

use crate::harness::gateway::{MCH, MCH_NEW_SECRET, MCH_OLD_SECRET};
use crate::harness::{App, Config, Connection, Doku, Kawal, Request, doku, pivot, samples, unique};

#[test]
fn every_doku_payload_arrives_byte_for_byte() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let payloads = [samples("non-snap-"), samples("kirim-")].concat();
    for (nth, (name, body)) in payloads.iter().enumerate() {
        let answer = kawal.send(&doku(body));
        assert_eq!(answer.status, 200, "{name}");
        let seen = app.requests();
        assert_eq!(seen.len(), nth + 1, "{name}");
        assert_eq!(seen[nth].body, *body, "{name}");
        assert_eq!(seen[nth].method, "POST", "{name}");
        assert_eq!(seen[nth].target, "/payments/notifications", "{name}");
    }
}

#[test]
fn every_pivot_payload_arrives_byte_for_byte() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let mut payloads = samples("pivot-");
    payloads.retain(|(name, _)| !name.contains(".test."));
    assert!(payloads.len() >= 10, "the table is thinner than it was");
    for (nth, (name, body)) in payloads.iter().enumerate() {
        let answer = kawal.send(&pivot(body));
        assert_eq!(answer.status, 200, "{name}");
        let seen = app.requests();
        assert_eq!(seen.len(), nth + 1, "{name}");
        assert_eq!(seen[nth].body, *body, "{name}");
    }
}

#[test]
fn a_chunked_body_arrives_with_a_length_of_our_own() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let body = unique("chunked body ").repeat(50);

    assert_eq!(kawal.send(&doku(&body).chunked(7)).status, 200);
    let seen = app.only();
    assert_eq!(seen.text(), body);
    assert_eq!(seen.all("content-length"), [body.len().to_string()]);
    assert!(!seen.has("transfer-encoding"));
}

#[test]
fn bodies_that_are_no_json_arrive_untouched() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let every_byte: Vec<u8> = (0..=255).collect();
    let bodies: [&[u8]; 5] = [
        b"",
        b"a+b=%41&c=%zz",
        b"\xef\xbb\xbf{}",
        b" {\"a\":1,\r\n\"a\":2}\n\n",
        &every_byte,
    ];
    for (nth, body) in bodies.iter().enumerate() {
        assert_eq!(kawal.send(&doku(body)).status, 200, "body {nth}");
        assert_eq!(app.wait_for(nth + 1)[nth].body, *body, "body {nth}");
    }
}

#[test]
fn a_body_of_a_mebibyte_arrives_whole() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let body: Vec<u8> = (0..1_048_576_u32).map(|n| (n % 251) as u8).collect();

    assert_eq!(kawal.send(&doku(&body)).status, 200);
    assert!(app.only().body == body, "the body changed on the way");
}

#[test]
fn a_query_passes_where_it_is_signed_or_where_the_configuration_has_it() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let with_query = "/payments/notifications?shop=7&x=%2F+";
    let signed = Doku::new("{}").target(with_query);
    assert_eq!(kawal.send(&signed.sign()).status, 200);

    let config = Config::new(&app).on_route("/payments/notifications", "public_path", with_query);
    let pinned = Kawal::start(config);
    let path_only = Doku::new("{}")
        .target(with_query)
        .signing_target("/payments/notifications");
    assert_eq!(pinned.send(&path_only.sign()).status, 200);

    // Signed as the configuration says, and sent as it does not.
    for sent in ["/payments/notifications?shop=8", "/payments/notifications"] {
        for signed in ["/payments/notifications", with_query] {
            let other = Doku::new("{}").target(sent).signing_target(signed);
            assert_eq!(
                pinned.send(&other.sign()).status,
                401,
                "{sent} signed {signed}"
            );
        }
    }

    let targets: Vec<_> = app.requests().into_iter().map(|seen| seen.target).collect();
    assert_eq!(targets, [with_query, with_query]);
}

#[test]
fn nobody_can_add_a_query_that_no_proof_covers() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let genuine = doku("{}");
    let added = genuine
        .clone()
        .target("/payments/notifications?order=other");
    assert_eq!(kawal.send(&added).status, 401);
    assert_eq!(kawal.reason(1), "bad_proof");
    assert_eq!(app.count(), 0);
    assert_eq!(kawal.send(&genuine).status, 200);
}

#[test]
fn only_allowed_addresses_are_heard() {
    let app = App::start();
    for (allowed, status) in [
        (json!(["10.0.0.0/8", "2001:db8::/32"]), 403),
        (json!(["10.0.0.0/8", "127.0.0.1"]), 200),
        (json!(["127.0.0.0/8"]), 200),
    ] {
        let before = app.count();
        let kawal =
            Kawal::start(Config::new(&app).set("gateways.doku.allow_from", allowed.clone()));
        let answer = kawal.send(&doku("{}"));
        assert_eq!(answer.status, status, "{allowed}");
        assert_eq!(
            app.count() - before,
            usize::from(status == 200),
            "{allowed}"
        );
        if status == 403 {
            assert_eq!(answer.json(), json!({"error": "forbidden"}));
            assert_eq!(kawal.reason(1), "forbidden");
        }
    }
}

#[test]
fn both_secrets_of_a_client_in_rotation_are_accepted() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for (nth, secret) in [MCH_NEW_SECRET, MCH_OLD_SECRET].iter().enumerate() {
        let request = Doku::new("{}").client(MCH, secret).sign();
        assert_eq!(kawal.send(&request).status, 200, "secret {nth}");
        let seen = app.wait_for(nth + 1).remove(nth);
        assert_eq!(seen.all("x-kawal-client"), [MCH], "secret {nth}");
    }
}

#[test]
fn many_notifications_share_one_connection() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let mut connection = Connection::open(kawal.addr());
    for nth in 0..20 {
        let body = unique("body");
        let answer = connection.send(&doku(&body));
        assert_eq!(answer.status, 200, "request {nth}");
        assert_eq!(app.wait_for(nth + 1)[nth].text(), body);
    }
}

#[test]
fn an_app_behind_a_unix_socket_is_reached() {
    let config = Config::to("unix:/nowhere");
    let app = App::on_unix_socket(&config.folder.path().join("app.sock"));
    let kawal = Kawal::start(config.set("upstream", app.url()));

    assert_eq!(kawal.send(&doku("over a path")).status, 200);
    let seen = app.only();
    assert_eq!(seen.text(), "over a path");
    assert_eq!(seen.all("host"), ["merchant.example"]);
}

#[test]
fn the_path_registered_at_the_gateway_is_the_one_that_counts() {
    let app = App::start();
    let config = Config::new(&app).on_route(
        "/payments/notifications",
        "public_path",
        "/shop/v2/payments/notifications",
    );
    let kawal = Kawal::start(config);
    let registered = Doku::new("{}").signing_target("/shop/v2/payments/notifications");

    assert_eq!(kawal.send(&doku("{}")).status, 401);
    assert_eq!(app.count(), 0);
    assert_eq!(kawal.send(&registered.sign()).status, 200);
    assert_eq!(app.only().target, "/payments/notifications");
}

#[test]
fn other_methods_pass_where_the_route_names_them() {
    let app = App::start();
    let methods = json!(["POST", "GET", "HEAD"]);
    let config = Config::new(&app).on_route("/payments/pivot", "methods", methods);
    let kawal = Kawal::start(config);
    let mut connection = Connection::open(kawal.addr());
    for (nth, method) in ["GET", "HEAD", "GET"].iter().enumerate() {
        let request = pivot("")
            .method(method)
            .target(&format!("/payments/pivot?n={nth}"));
        let answer = connection.send(&request);
        assert_eq!(answer.status, 200, "{method}");
        let body = if *method == "HEAD" { "" } else { "ok" };
        assert_eq!(answer.text(), body, "{method}");
        let seen = app.wait_for(nth + 1).remove(nth);
        assert_eq!(seen.method, *method);
        assert_eq!(seen.target, request.target);
    }
    assert_eq!(kawal.send(&pivot("").method("PUT")).status, 405);
    assert_eq!(app.count(), 3);
}

#[test]
fn a_test_event_is_answered_without_the_app() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let (_, sample) = samples("pivot-payment.test").remove(0);
    for body in [sample, br#"{"event":"REFUND.TEST"}"#.to_vec()] {
        assert_eq!(kawal.send(&pivot(body)).status, 200);
    }
    let lines = kawal.notifications(2);
    assert!(lines.iter().all(|line| line["outcome"] == "test"));
    assert_eq!(app.count(), 0);

    // Without the key it is a stranger like any other.
    let unproven = Request::post("/payments/pivot", r#"{"event":"PAYMENT.TEST"}"#);
    assert_eq!(kawal.send(&unproven).status, 401);
    assert_eq!(app.count(), 0);
}

#[test]
fn an_event_that_merely_mentions_test_reaches_the_app() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let bodies = [
        r#"{"event":"PAYMENT.TESTED"}"#,
        r#"{"event":"PAYMENT.TEST.PAID"}"#,
        r#"{"event":"PAYMENT.PAID","data":{"event":"PAYMENT.TEST"}}"#,
    ];
    for (nth, body) in bodies.iter().enumerate() {
        assert_eq!(kawal.send(&pivot(body)).status, 200, "{body}");
        assert_eq!(app.wait_for(nth + 1)[nth].text(), *body);
    }
}
