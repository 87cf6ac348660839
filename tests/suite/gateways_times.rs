//! The signed time of the other gateways: what is old, early or written otherwise does not pass.

use jiff::Timestamp;

use crate::harness::gateway::written;
use crate::harness::hashes::base64;
use crate::harness::snap::jakarta_time;
use crate::harness::*;
use crate::refusals::{Bench, WRONG};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

fn timed() -> impl Iterator<Item = &'static Kind> {
    let found = KINDS.iter().filter(|kind| kind.timed);
    assert_eq!(found.clone().count(), 6);
    found
}

#[test]
fn what_is_too_old_or_too_early_is_refused() {
    let mut bench = Bench::with(Config::with_kinds);
    for kind in timed() {
        let late = match kind.scheme {
            // Nothing of its body is proven, so nothing late is.
            "nicepay-snap" => &["stale"],
            // The process is younger, and knows nothing of that time.
            _ => &["unproven"],
        };
        let rows: [(i64, &[&str]); 5] = [
            (-6 * MINUTE, late),
            (-23 * HOUR, late),
            (-25 * HOUR, &["stale"]),
            (6 * MINUTE, &["future"]),
            (48 * HOUR, &["future"]),
        ];
        for (seconds, reasons) in rows {
            let request = Notice::new(kind).later(seconds).sign();
            let name = format!("{} by {seconds} s", kind.scheme);
            bench.unauthorized(&name, &request, reasons);
        }
    }
    bench.admits_all();
}

#[test]
fn what_is_a_little_old_or_early_passes() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    let mut delivered = 0;
    for kind in timed() {
        for minutes in [-4, 4] {
            let notice = Notice::new(kind).later(minutes * MINUTE);
            assert_eq!(kawal.send(&notice.sign()).status, 200, "{}", kind.scheme);
            delivered += 1;
            let seen = app.wait_for(delivered).remove(delivered - 1);
            assert_eq!(seen.all("X-Kawal-Signed-At"), [written(notice.at)]);
        }
    }
}

/// The proof holds for what is written, and what is written is no time of this gateway's.
#[test]
fn a_time_has_one_grammar() {
    let mut bench = Bench::with(Config::with_kinds);
    let now = Timestamp::now();
    let seconds = now.as_second().to_string();
    let odd = [
        format!("{seconds}000"),
        format!("{seconds}.0"),
        format!("+{seconds}"),
        format!("-{seconds}"),
        format!("0x{:x}", now.as_second()),
        format!("{}e0", seconds),
        written(now),
        jakarta_time(now),
        now.strftime("%Y%m%d%H%M%S").to_string(),
        "now".to_owned(),
    ];
    for name in ["standard-webhooks", "svix", "stripe"] {
        let kind = kind(name);
        let notice = Notice::new(kind);
        for text in &odd {
            let request = at(&notice, text);
            let name = format!("{name} at {text}");
            // Milliseconds may be a time in a far year.
            bench.unauthorized(&name, &request, &["bad_proof", "future"]);
        }
    }
    let odd = [
        seconds.clone(),
        format!("{seconds}000"),
        written(now).replace('Z', ""),
        written(now).replace('T', " "),
        jakarta_time(now).replace("+07:00", "+0700"),
        now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
    ];
    let nicepay = Notice::new(kind("nicepay-snap"));
    for text in &odd {
        let signed = nicepay.key.sign(&format!("{}|{text}", nicepay.client));
        let proof = base64(&signed);
        let request = nicepay.bearing(&proof).replace("X-TIMESTAMP", text);
        bench.unauthorized(&format!("nicepay at {text}"), &request, WRONG);
    }
    bench.admits_all();
}

/// Both notations of one moment are the same moment.
#[test]
fn a_zone_is_a_matter_of_writing() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    let notice = Notice::new(kind("nicepay-snap"));
    let text = written(notice.at);
    let signed = notice.key.sign(&format!("{}|{text}", notice.client));
    let proof = base64(&signed);
    let request = notice.bearing(&proof).replace("X-TIMESTAMP", &text);
    assert_eq!(kawal.send(&request).status, 200);
    assert_eq!(app.only().all("X-Kawal-Signed-At"), [text]);
}

/// A time may not be lent from another notification.
#[test]
fn a_time_belongs_to_its_proof() {
    let mut bench = Bench::with(Config::with_kinds);
    for kind in timed() {
        let old = Notice::new(kind).later(-2 * HOUR);
        let fresh = old.clone().later(0);
        let request = fresh.bearing(&old.marked());
        bench.unauthorized(kind.scheme, &request, WRONG);
    }
    bench.admits_all();
}

/// A full stop is the border between id, time and body, so it may not stand in an id.
#[test]
fn an_id_cannot_run_into_the_time() {
    let mut bench = Bench::with(Config::with_kinds);
    for (name, prefix) in [
        ("standard-webhooks", "webhook"),
        ("standard-webhooks-asymmetric", "webhook"),
        ("svix", "svix"),
    ] {
        let notice = Notice::new(kind(name));
        let (id, time) = (format!("{prefix}-id"), format!("{prefix}-timestamp"));
        let genuine = notice.sign();
        let old = notice.clone().later(-HOUR).sign();
        let now = Timestamp::now().as_second().to_string();
        // The old time becomes a part of the id, and the body's beginning the time.
        let moved = old
            .clone()
            .replace(&id, format!("{}.{}", old.value(&id), old.value(&time)))
            .replace(&time, &now);
        bench.unauthorized(name, &moved, WRONG);
        let shifted = format!("{now}.{{}}");
        let inside = notice.clone().body(&shifted).later(-HOUR);
        let signed = inside.sign();
        let forged = signed
            .clone()
            .replace(
                &id,
                format!("{}.{}", signed.value(&id), signed.value(&time)),
            )
            .replace(&time, &now)
            .body("{}");
        bench.unauthorized(&format!("{name}, holding"), &forged, WRONG);
        for odd in ["a b", "a.b", ".", "a\tb", &"x".repeat(257)] {
            let request = genuine.clone().replace(&id, odd);
            bench.unauthorized(&format!("{name}: {odd}"), &request, WRONG);
        }
    }
    bench.admits_all();
}

/// The same notice with the time written so, under a proof that holds.
fn at(notice: &Notice, text: &str) -> Request {
    let right = notice.at.as_second().to_string();
    let signed = (notice.kind.text)(notice).replace(&right, text);
    let proof = (notice.kind.prove)(notice, &signed);
    let mut request = notice.bearing(&format!("{}{proof}", notice.kind.mark));
    for header in ["webhook-timestamp", "svix-timestamp", "Stripe-Signature"] {
        if request.headers.iter().any(|(name, _)| name == header) {
            let value = request.value(header).replacen(&right, text, 1);
            request = request.replace(header, value);
        }
    }
    request
}
