//! The answer to an inquiry is functional: it is the app's, and it is never an old one.

use serde_json::json;

use crate::harness::snap::{B2B_TOKEN, INQUIRY, Snap, minify};
use crate::harness::{App, Config, Kawal, Reply, Store, on_every_store, samples};
use crate::refusals::assert_snap;

on_every_store!(
    a_second_copy_reaches_the_app_again_and_every_answer_passes_untouched,
    a_refusal_of_the_app_passes_untouched_and_the_next_copy_asks_again,
    a_forged_inquiry_is_refused_in_its_own_form,
    the_configuration_may_say_otherwise,
);

fn inquiry() -> Snap {
    let body = samples("snap-va-inquiry-request").remove(0).1;
    Snap::new(body).target(INQUIRY)
}

fn found(name: &str) -> Reply {
    let body = samples("snap-va-inquiry-response").remove(0).1;
    let body = String::from_utf8(body).unwrap();
    Reply::new(200)
        .header("Content-Type", "application/json;charset=utf-8")
        .header("X-TIMESTAMP", "2020-12-21T14:56:11+07:00")
        .header("X-Shop", name)
        .body(body.replace("Toru Yamashita", name))
}

fn a_second_copy_reaches_the_app_again_and_every_answer_passes_untouched(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).on(&store));
    let signed = inquiry();
    for (nth, name) in ["first", "second", "third"].iter().enumerate() {
        let reply = found(name);
        app.next(reply.clone());
        // A copy as it was, and one under another trace.
        let signed = signed.clone().external_id(&format!("{nth}"));
        let answer = kawal.send(&signed.sign());
        assert_eq!(answer.status, 200);
        assert!(answer.body == reply.body, "{}", answer.text());
        for (line, value) in &reply.headers {
            let values = crate::harness::wire::all(&answer.headers, line);
            assert_eq!(values, [String::from_utf8_lossy(value)], "{line}");
        }
        let seen = app.wait_for(nth + 1);
        assert_eq!(seen.len(), nth + 1);
        assert_eq!(seen[nth].all("x-kawal-attempt"), [(nth + 1).to_string()]);
        assert_eq!(seen[nth].body, signed.body);
        let ids = |at: usize| seen[at].all("x-kawal-notification-id");
        assert_eq!(ids(nth), ids(0));
    }
    let outcomes = kawal.notifications(3);
    assert!(outcomes.iter().all(|line| line["outcome"] == "delivered"));
}

fn a_refusal_of_the_app_passes_untouched_and_the_next_copy_asks_again(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).on(&store));
    let absent = "{\"responseCode\":\"4042412\",\"responseMessage\":\"Bill not found\"}";
    app.next(
        Reply::new(404)
            .header("Content-Type", "application/json")
            .body(absent),
    );
    app.next(found("paid")).next(found("again"));
    let request = inquiry().sign();
    let answer = kawal.send(&request);
    assert_eq!((answer.status, answer.text().as_str()), (404, absent));
    for name in ["paid", "again"] {
        let answer = kawal.send(&request);
        assert!(answer.body == found(name).body, "{}", answer.text());
    }
    let attempts: Vec<_> = app
        .requests()
        .iter()
        .map(|r| r.all("x-kawal-attempt"))
        .collect();
    assert_eq!(attempts, [["1"], ["2"], ["3"]]);
}

fn a_forged_inquiry_is_refused_in_its_own_form(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app).on(&store));
    let genuine = inquiry();
    assert_eq!(kawal.send(&genuine.sign()).status, 200);
    let other = String::from_utf8(minify(&genuine.body))
        .unwrap()
        .replace("77777", "77778");
    let forged = genuine.sign().body(other);
    assert_snap(&kawal.send(&forged), "4012400", "Unauthorized");
    assert_eq!(app.count(), 1);
}

fn the_configuration_may_say_otherwise(store: Store) {
    for (policy, status) in [("acknowledge", 200), ("reject", 409)] {
        let app = App::start();
        app.next(found("first")).next(found("second"));
        let config = Config::snap(&app)
            .on(&store)
            .on_route(INQUIRY, "duplicate", policy);
        let kawal = Kawal::start(config);
        let request = inquiry().sign();
        let first = kawal.send(&request);
        assert!(first.body == found("first").body);
        let again = kawal.send(&request);
        assert_eq!(again.status, status, "{policy}");
        assert_eq!(again.body == first.body, policy == "acknowledge");
        assert_eq!(app.count(), 1, "{policy}");
    }
}

/// What is general gives way to what inquiries need.
#[test]
fn the_general_policy_is_not_for_inquiries() {
    let app = App::start();
    let config = Config::snap(&app).set("replay.duplicate", "reject");
    let kawal = Kawal::start(config.set("replay.capacity", json!(3)));
    let request = inquiry().sign();
    for _ in 0..5 {
        assert_eq!(kawal.send(&request).status, 200);
    }
    assert_eq!(app.count(), 5);
    // Nor does every copy take a place of its own in the memory.
    let token = crate::harness::TokenRequest::new().target(B2B_TOKEN).sign();
    assert_eq!(kawal.send(&token).status, 200);
}
