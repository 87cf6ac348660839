//! The signed time of SNAP BI: how it is written, how old it may be, and in which words it is refused.

use std::time::Duration;

use jiff::Timestamp;

use crate::harness::gateway::written;
use crate::harness::snap::{DEBIT, RSA_PAYMENT, Snap, jakarta_time};
use crate::harness::{App, Config, Kawal, ago, ahead, snap};
use crate::refusals::{Bench, LACKING, assert_snap};

#[test]
fn every_spelling_that_the_documents_show_is_read() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let now = Timestamp::now();
    let (utc, jakarta) = (written(now), jakarta_time(now));
    let rows = [
        utc.clone(),
        jakarta.clone(),
        utc.replace('Z', ".000Z"),
        utc.replace('Z', ".123456Z"),
        jakarta.replace("+07", ".123+07"),
        utc.replace('Z', "+00:00"),
        utc.replace('Z', "-00:00"),
    ];
    for (nth, text) in rows.iter().enumerate() {
        let signed = Snap::new(format!("{{\"n\":{nth}}}")).at(text);
        assert_eq!(kawal.send(&signed.sign()).status, 200, "{text}");
        let seen = app.wait_for(nth + 1).remove(nth);
        // The moment is told in one way; the header is the sender's own.
        let told: Timestamp = seen.header("x-kawal-signed-at").unwrap().parse().unwrap();
        let given: Timestamp = text.parse().unwrap();
        assert_eq!(told.as_second(), given.as_second(), "{text}");
        assert_eq!(seen.all("x-timestamp"), [text.as_str()]);
    }
}

#[test]
fn a_time_in_another_spelling_is_no_time() {
    let mut bench = Bench::with(Config::with_snap);
    let now = Timestamp::now();
    let (utc, jakarta) = (written(now), jakarta_time(now));
    let bare = utc.trim_end_matches('Z');
    // Each of them is about now, so that nothing but its spelling speaks against it.
    let rows = [
        ("no offset", bare.to_owned()),
        (
            "an offset without a colon",
            jakarta.replace("+07:00", "+0700"),
        ),
        ("an offset of hours", jakarta.replace("+07:00", "+07")),
        ("no separators", utc.replace(['-', ':'], "")),
        ("Unix seconds", now.as_second().to_string()),
        ("a fraction without digits", utc.replace('Z', ".Z")),
        ("an annotation", format!("{jakarta}[Asia/Jakarta]")),
        ("two times", format!("{utc},{utc}")),
        ("two offsets", format!("{jakarta}Z")),
        ("a word", "now".to_owned()),
    ];
    for (name, text) in rows {
        let request = Snap::new("{}").at(&text).sign();
        bench.unauthorized_snap("25", name, &request, LACKING);
        let request = Snap::new("{}").target(RSA_PAYMENT).at(&text).sign_rsa();
        bench.unauthorized_snap("25", name, &request, LACKING);
    }
    bench.admits(&snap("{}"));
}

#[test]
fn what_is_too_old_or_too_early_is_refused_in_the_form_of_its_service() {
    let app = App::start();
    let kawal = Kawal::start(Config::snap(&app));
    let minute = Duration::from_secs(60);
    let rows = [
        (ahead(6 * minute), "future"),
        (ago(6 * minute), "unproven"),
        (ago(25 * 60 * minute), "stale"),
        (ago(365 * 24 * 60 * minute), "stale"),
    ];
    let mut judged = 0;
    for (at, reason) in rows {
        let payment = Snap::new("{}").at(&at).sign();
        let debit = Snap::new("{}").at(&at).target(DEBIT).sign();
        let asymmetric = Snap::new("{}").at(&at).target(RSA_PAYMENT).sign_rsa();
        for (request, code) in [
            (payment, "4012500"),
            (debit, "4015600"),
            (asymmetric, "4012500"),
        ] {
            assert_snap(&kawal.send(&request), code, "Unauthorized");
            judged += 1;
            assert_eq!(kawal.reason(judged), reason, "{at}");
        }
    }
    assert_eq!(app.count(), 0);
    for at in [ago(4 * minute), ahead(4 * minute)] {
        let request = Snap::new(format!("[\"{at}\"]")).at(&at).sign();
        assert_eq!(kawal.send(&request).status, 200, "{at}");
    }
    assert_eq!(app.count(), 2);
}
