//! A watcher lets requests through, and nothing in them that speaks for it, tells a secret or belongs to a connection.

use serde_json::json;

use crate::harness::gateway::PIVOT_KEY;
use crate::harness::*;

/// Everything that a sender could write to look proven.
const CLAIMS: [(&str, &str); 12] = [
    ("X-Kawal-Verdict", "accepted"),
    ("x-kawal-verdict", "accepted"),
    ("X-KAWAL-VERDICT", "would-reject:"),
    ("X-Kawal-Gateway", "forged"),
    ("X-Kawal-Client", "forged"),
    ("X-Kawal-Notification-Id", "forged"),
    ("X-Kawal-Signed-At", "forged"),
    ("X-Kawal-Covers", "body"),
    ("X-Kawal-Attempt", "1"),
    ("X-Kawal-Anything", "forged"),
    ("X_Kawal_Verdict", "accepted"),
    ("X.Kawal.Verdict", "accepted"),
];

fn claiming(request: Request) -> Request {
    CLAIMS.iter().fold(request, |request, (name, value)| {
        request.header(name, value)
    })
}

#[test]
fn nobody_speaks_in_our_name_to_an_app_that_is_only_watched_for() {
    let watch = Watch::with(|config| config.set("limits.body", "1KiB"));
    let genuine = doku("{}");
    let rows = [
        ("bad_proof", genuine.clone().body("{\"amount\":2}")),
        ("missing_proof", genuine.clone().without("Signature")),
        ("method", genuine.clone().body("[]").method("PUT")),
        ("too_large", genuine.clone().body("x".repeat(2000))),
    ];
    for (reason, request) in rows {
        let request = claiming(request);
        let seen = watch.lets_through(reason, &request, reason);
        assert_eq!(seen.proven(), [None, None], "{reason}");
        assert_eq!(seen.ours().len(), 2, "{reason}: {:?}", seen.ours());
    }
    let first = watch.accepts("genuine", &claiming(genuine.clone()));
    assert_eq!(first.all("X-Kawal-Covers"), ["body"]);
    let again = watch.lets_through("again", &claiming(genuine), "duplicate");
    assert_eq!(again.proven(), first.proven());
    for seen in watch.app.requests() {
        let odd = |name: &&str| name.contains(['_', '.']);
        assert_eq!(seen.names().into_iter().find(odd), None);
    }
}

#[test]
fn a_guard_tells_no_verdict_and_passes_none_on() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    assert_eq!(kawal.send(&claiming(doku("{}"))).status, 200);
    let seen = app.only();
    assert!(!seen.has("X-Kawal-Verdict"), "{:?}", seen.headers);
    let line = kawal.notifications(1).remove(0);
    assert!(line["verdict"].is_null(), "{line}");
}

#[test]
fn what_has_no_route_has_no_verdict() {
    let watch = Watch::with(|config| config.set("unmatched", "forward"));
    let request = claiming(doku("{}").target("/elsewhere"));
    assert_eq!(watch.kawal.send(&request).status, 200);
    assert_eq!(watch.app.only().ours(), [""; 0]);
}

/// Whether the key is right or wrong, there twice, or not even looked at.
#[test]
fn the_key_itself_never_reaches_the_app() {
    let nets = json!(["192.0.2.0/24"]);
    let watch = Watch::with(|config| config.with_kinds().set("limits.body", "1KiB"));
    let far = Watch::with(|config| config.with_kinds().every_gateway("allow_from", &nets));
    let wrong = "a-canary-key-of-nobody";
    let xendit = Notice::new(kind("xendit"));
    for (name, genuine) in [
        ("X-API-Key", pivot("{}")),
        ("x-callback-token", xendit.sign()),
    ] {
        let rows = [
            ("bad_proof", genuine.clone().replace(name, wrong)),
            ("bad_proof", genuine.clone().double_after(name, wrong)),
            ("bad_proof", genuine.clone().double_before(name, wrong)),
            ("method", genuine.clone().method("PUT")),
            ("too_large", genuine.clone().body("x".repeat(2000))),
        ];
        for (reason, request) in rows {
            for name_of_it in [name.to_owned(), name.to_uppercase()] {
                let request = request.clone().rename(name, &name_of_it);
                let seen = watch.send(&request);
                let only = seen.only(reason);
                assert!(!only.has(name), "{reason}: {:?}", only.headers);
                let told = seen.line["reason"].as_str().unwrap();
                // One that is there twice may be missing or wrong.
                let either = ["bad_proof", "missing_proof"];
                let alike = told == reason || either.contains(&told) && either.contains(&reason);
                assert!(alike, "{reason}: {}", seen.line);
            }
        }
        far.claims("an address", &genuine, "forbidden");
        far.lets_through("again", &genuine, "forbidden");
        watch.accepts("genuine", &genuine);
        watch.lets_through("again", &genuine, "duplicate");
    }
    for seen in watch.app.requests().iter().chain(&far.app.requests()) {
        let text = String::from_utf8_lossy(&seen.raw).into_owned();
        for secret in [wrong, PIVOT_KEY, &xendit.key.file()] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[test]
fn lines_of_one_connection_end_with_it() {
    let watch = Watch::new();
    let nominated = "keep-alive, X-Nominated, X-Kawal-Verdict, X-Kawal-Gateway";
    for (reason, request) in [
        ("bad_proof", doku("{}").body("{\"amount\":2}")),
        ("method", doku("{}").method("PUT")),
    ] {
        let request = request
            .header("Connection", nominated)
            .header("X-Nominated", "hop")
            .header("Keep-Alive", "timeout=5")
            .header("Proxy-Connection", "keep-alive")
            .header("TE", "trailers");
        let seen = watch.send(&request);
        let only = seen.only(reason);
        for name in ["x-nominated", "keep-alive", "proxy-connection", "te"] {
            assert!(!only.has(name), "{reason}: {name}");
        }
        // What we add is not the sender's to take away.
        let verdict = format!("would-reject:{reason}");
        assert_eq!(only.all("X-Kawal-Verdict"), [verdict]);
        assert_eq!(only.all("X-Kawal-Gateway"), ["doku"]);
    }
}

/// What a watcher lets through is as secret as what it refuses.
#[test]
fn no_output_holds_what_was_sent() {
    let canary = "canary-in-an-observed-body";
    let watch = Watch::new();
    let body = format!("{{\"name\":\"{canary}\"}}");
    let genuine = doku(&body);
    let query = "/payments/notifications?q=query-canary";
    let requests = [
        genuine.clone(),
        genuine.clone(),
        genuine.clone().target(query),
        genuine.clone().replace("Signature", "signature-canary"),
        genuine.method("PUT").target(query),
        pivot_with("key-canary-of-nobody", &body),
        Qris::new()
            .set("CUSTOMERNAME", canary)
            .set("WORDS", "words-canary")
            .bare(),
    ];
    watch.app.next(Reply::ok().body("answer-canary"));
    for request in &requests {
        watch.send(request);
    }
    let output = watch.kawal.output() + &watch.kawal.metrics();
    for secret in [canary, "-canary", PIVOT_KEY] {
        assert!(!output.contains(secret), "{secret}: {output}");
    }
}
