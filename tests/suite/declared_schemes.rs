//! Schemes that the user declares are judged as strictly as the built-in ones.

use crate::harness::declared_rows::{ROWS, declared, espay, ifortepay, maib, monetico, to, values};
use crate::harness::*;
use crate::refusals::Bench;

#[test]
fn a_declared_scheme_delivers_once() {
    let app = App::start();
    let kawal = Kawal::start(declared(Config::new(&app)));
    for (nth, row) in ROWS.iter().enumerate() {
        let name = row.name;
        let genuine = to(name, (row.sign)());
        app.next(Reply::ok().body(name));
        for _ in 0..2 {
            let answer = kawal.send(&genuine);
            let given = (answer.status, answer.text());
            assert_eq!(given, (200, name.to_owned()), "{}", kawal.output());
        }
        assert_eq!(app.count(), nth + 1, "{name}");
        let seen = app.requests().remove(nth);
        assert_eq!(seen.body, genuine.body, "{name}");
        assert_eq!(seen.target, genuine.target, "{name}");
        assert_eq!(seen.all("X-Kawal-Covers"), [row.covers], "{name}");
        assert_eq!(seen.all("X-Kawal-Gateway"), [name]);
        assert_eq!(seen.has("X-Kawal-Signed-At"), row.yaml.contains("time: {"));
    }
}

#[test]
fn whatever_is_bent_is_refused() {
    let mut bench = Bench::with(declared);
    let mut rows = 0;
    for row in &ROWS {
        for (old, new) in row.bent {
            let genuine = to(row.name, (row.sign)());
            let bent = bend(&genuine, old, new);
            let name = format!("{}: {new} for {old}", row.name);
            bench.refused(&name, &bent, &[401]);
            rows += 1;
        }
        // One's proof under another's values, and every header of the proof missing or twice.
        let (one, other) = ((row.sign)(), (row.sign)());
        let swapped = one.clone().body(&other.body);
        if !one.body.is_empty() && one.headers.len() > 2 {
            bench.refused(row.name, &to(row.name, swapped), &[401]);
        }
        let headers = one.headers.iter().map(|(name, _)| name.clone());
        for header in headers.filter(|name| name.to_lowercase().starts_with("x-")) {
            let gone = one.clone().without(&header);
            bench.refused(&header, &to(row.name, gone), &[401]);
            let twice = one.clone().double_after(&header, one.value(&header));
            bench.refused(&header, &to(row.name, twice), &[401]);
        }
    }
    assert!(rows >= 20, "the table is thinner than it was: {rows}");
    let genuine = to("maib", maib());
    bench.admits(&genuine);
}

/// Other words in the target, in a header or in the body.
fn bend(request: &Request, old: &str, new: &str) -> Request {
    let mut bent = request.clone();
    let swap = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replace(old, new).into_bytes()
    };
    bent.body = swap(&bent.body);
    for (_, value) in &mut bent.headers {
        *value = swap(value);
    }
    bent.target = bent.target.replace(old, new);
    assert_ne!(bent.bytes(), request.bytes(), "nothing says {old}");
    bent
}

/// A proof that does not tell apart the case of letters makes no second notification of it.
#[test]
fn what_the_proof_does_not_tell_apart_is_the_same() {
    let app = App::start();
    let kawal = Kawal::start(declared(Config::new(&app)));
    let genuine = to("espay", espay());
    let text = String::from_utf8(genuine.body.clone()).unwrap();
    assert_eq!(kawal.send(&genuine).status, 200);
    let other = text.replace("order_id=order", "order_id=ORDER");
    let answer = kawal.send(&genuine.clone().body(other));
    assert_eq!(answer.status, 409, "{answer:?}");
    let unsigned = text.replace("amount=10001", "amount=10002");
    assert_eq!(kawal.send(&genuine.body(unsigned)).status, 409);
    assert_eq!(app.count(), 1);
}

/// Sorted fields are the same in any order, wherever they stand, and however they are escaped.
#[test]
fn a_form_in_another_order_is_no_other_notification() {
    let app = App::start();
    let kawal = Kawal::start(declared(Config::new(&app)));
    let genuine = to("monetico", monetico("1"));
    let text = String::from_utf8(genuine.body.clone()).unwrap();
    assert_eq!(kawal.send(&genuine).status, 200);
    let moved = text.replace("version=1&", "") + "&version=1";
    let escaped = text.replace("montant", "%6Dontant");
    for body in [moved, escaped] {
        assert_ne!(body, text);
        let answer = kawal.send(&genuine.clone().body(body));
        assert_eq!(answer.status, 409, "{answer:?}");
    }
    let into_the_query = format!("{}?version=1", genuine.target);
    let request = genuine.clone().target(&into_the_query);
    let answer = kawal.send(&request.body(text.replace("version=1&", "")));
    assert_eq!(answer.status, 409, "{answer:?}");
    assert_eq!(app.count(), 1);
}

/// The same name twice has no order, and readers disagree which one counts.
#[test]
fn sorted_fields_have_one_reading() {
    let mut bench = Bench::with(declared);
    let genuine = to("monetico", monetico("1"));
    let text = String::from_utf8(genuine.body.clone()).unwrap();
    for (name, body) in [
        ("a field twice", format!("{text}&montant=10001")),
        ("a proof twice", format!("{text}&MAC=00")),
        ("no form", format!("{{\"{text}\"}}")),
        ("nothing", String::new()),
    ] {
        bench.refused(name, &genuine.clone().body(body), &[400, 401]);
    }
    let target = format!("{}?montant=1", genuine.target);
    bench.refused(
        "in the query as well",
        &genuine.clone().target(&target),
        &[400, 401],
    );
    bench.admits(&genuine);
}

/// A literal address is a part of what is signed, whatever address was called.
#[test]
fn a_literal_address_is_the_registered_one() {
    let mut bench = Bench::with(declared);
    for url in [
        "http://merchant.example/cb",
        "https://merchant.example/cb/",
        "https://MERCHANT.example/cb",
        "https://merchant.example/declared/ifortepay",
        "",
    ] {
        let request = to("ifortepay", ifortepay(url));
        bench.refused(url, &request, &[401]);
    }
    let genuine = to("ifortepay", ifortepay("https://merchant.example/cb"));
    bench.admits(&genuine);
}

/// What is empty keeps its place among values that stand alone: otherwise the next would seem to stand there.
#[test]
fn empty_values_keep_their_places() {
    let mut bench = Bench::with(declared);
    let shifted = to("values", values(&[("amount", "10001"), ("status", "paid")]));
    for empty in ["aaa", "bbb", "zzz"] {
        let target = format!("{}&{empty}=", shifted.target);
        let request = shifted.clone().target(&target);
        bench.refused(&format!("an empty {empty} beside"), &request, &[401]);
    }
    bench.admits(&shifted);
    let app = App::start();
    let kawal = Kawal::start(declared(Config::new(&app)));
    for (nth, empty) in ["aaa", "bbb", "zzz"].iter().enumerate() {
        let fields = [(*empty, ""), ("amount", "10001"), ("status", "paid")];
        let answer = kawal.send(&to("values", values(&fields)));
        assert_eq!(answer.status, 200, "an empty {empty}");
        assert_eq!(app.count(), nth + 1, "an empty {empty}");
    }
}
