//! How the status page and its JSON are served, and to whom.

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::harness::gateway::{BRN_SECRET, MCH_NEW_SECRET, MCH_OLD_SECRET, PIVOT_KEY, QRIS_SECRET};
use crate::harness::hashes::base64;
use crate::harness::{
    App, Config, Doku, Kawal, Qris, Reply, Request, doku, pivot, pivot_with, until,
};
use crate::status_json::decisions;

#[test]
fn page_and_json_come_with_the_headers_that_keep_them_safe() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let page = kawal.admin("/status");
    let html = page.text();
    let hash = |element: &str| {
        let (_, rest) = html.split_once(&format!("<{element}>")).unwrap();
        let (inside, after) = rest.split_once(&format!("</{element}>")).unwrap();
        assert!(
            !after.contains(&format!("<{element}")),
            "more than one {element}"
        );
        assert!(inside.len() > 1000, "{element} is not there");
        base64(&Sha256::digest(inside))
    };
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        hash("script"),
        hash("style"),
    );
    assert_eq!(page.header("Content-Security-Policy"), Some(policy));
    let kinds = [
        ("/status", "text/html; charset=utf-8"),
        ("/status.json", "application/json"),
    ];
    for (path, kind) in kinds {
        let answer = kawal.admin(path);
        assert_eq!(answer.status, 200, "{path}");
        let header = |name: &str| answer.header(name).unwrap_or_default();
        assert_eq!(header("Content-Type"), kind, "{path}");
        assert_eq!(header("Cache-Control"), "no-store", "{path}");
        assert_eq!(header("X-Content-Type-Options"), "nosniff", "{path}");
        assert_eq!(header("Referrer-Policy"), "no-referrer", "{path}");
    }
    let lower = html.to_lowercase();
    // Neither passes the policy, and none of it is needed.
    for word in [
        " style=",
        " onclick=",
        " onload=",
        "innerhtml",
        "http://",
        "https://",
        "eval(",
    ] {
        let own = lower.replace("http://www.w3.org/2000/svg", "");
        assert!(!own.contains(word), "{word}");
    }
    assert!(html.len() < 20_000, "{} bytes", html.len());
}

#[test]
fn page_and_json_are_read_only() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for path in ["/status", "/status.json", "/"] {
        let got = kawal.admin(path);
        let looked = Request::new("HEAD", path).send(kawal.admin_addr());
        assert_eq!(
            (looked.status, looked.body.len()),
            (got.status, 0),
            "{path}"
        );
        for name in [
            "Content-Type",
            "Content-Security-Policy",
            "Cache-Control",
            "Location",
        ] {
            assert_eq!(looked.header(name), got.header(name), "{path} {name}");
        }
        for method in ["POST", "PUT", "DELETE"] {
            let answer = Request::new(method, path).send(kawal.admin_addr());
            assert_eq!(answer.status, 405, "{method} {path}");
        }
    }
    let length = Request::new("HEAD", "/status")
        .send(kawal.admin_addr())
        .header("Content-Length");
    assert_eq!(length, kawal.admin("/status").header("Content-Length"));
    let root = kawal.admin("/");
    assert_eq!(
        (root.status, root.header("Location").as_deref()),
        (302, Some("/status"))
    );
    assert_eq!(kawal.admin("/status/").status, 404);
}

#[test]
fn only_the_admin_listener_has_them() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    for path in ["/status", "/status.json", "/"] {
        let answer = kawal.send(&Request::new("GET", path));
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json(), json!({"error": "no_route"}), "{path}");
    }
    let open = Kawal::start(Config::new(&app).set("unmatched", "forward"));
    app.answer_with(|_| Reply::ok().body("the app's own"));
    for path in ["/status", "/status.json", "/"] {
        assert_eq!(
            open.send(&Request::new("GET", path)).text(),
            "the app's own",
            "{path}"
        );
    }
}

#[test]
fn neither_holds_a_secret_a_proof_a_body_or_a_query() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).set("gateways.pivot.mode", "observe"));
    let body = "{\"name\":\"canary-in-a-body\"}";
    let signed = Doku::new(body).target("/payments/notifications?shop=query-canary");
    let qris = Qris::new().set("CUSTOMERNAME", "canary-in-a-body").signed();
    app.next(Reply::new(500).body("answer-canary"));
    let requests = [
        signed.sign(),
        signed
            .sign()
            .replace("Signature", "HMACSHA256=forged-canary"),
        signed.sign().header("X-Canary", "header-canary"),
        qris.bare(),
        qris.clone().set("WORDS", "words-canary").bare(),
        pivot(body),
        pivot_with("key-canary-of-a-stranger", body),
        doku(body).replace("Client-Id", "client-canary-of-a-stranger"),
    ];
    for request in &requests {
        kawal.send(request);
    }
    until("all are decided", || {
        decisions(&kawal).len() == requests.len()
    });
    let told = kawal.admin("/status.json").text() + &kawal.admin("/status").text();
    let signature = signed.signature();
    for secret in [
        BRN_SECRET,
        MCH_NEW_SECRET,
        MCH_OLD_SECRET,
        QRIS_SECRET,
        PIVOT_KEY,
        &signature[11..],
        qris.field("WORDS"),
        "canary",
    ] {
        assert!(!told.contains(secret), "{secret}: {told}");
    }
}
