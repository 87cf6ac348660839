//! Places that hold several proofs: one that holds is enough, none that holds is not.

use crate::harness::*;
use crate::refusals::{Bench, LACKING, one_bit_off};

/// The schemes whose place is a list, with what parts its entries.
const LISTS: [(&str, &str); 4] = [
    ("standard-webhooks", " "),
    ("standard-webhooks-asymmetric", " "),
    ("svix", " "),
    ("stripe", ","),
];

/// Entries that are well written and wrong: of another key, a bit off, of another version.
fn bad(notice: &Notice) -> Vec<String> {
    let mark = notice.kind.mark;
    let [_, _, stranger] = (notice.kind.keys)();
    let proof = notice.proof();
    let first = if proof.starts_with('A') { "B" } else { "A" };
    let first = if notice.kind.scheme == "stripe" {
        String::from_utf8(one_bit_off(&proof, 0)).unwrap()
    } else {
        format!("{first}{}", &proof[1..])
    };
    let other_version = match notice.kind.scheme {
        "standard-webhooks-asymmetric" => format!("v1,{proof}"),
        "stripe" => format!("v0={proof}"),
        _ => format!("v1a,{proof}"),
    };
    vec![
        notice.clone().key(stranger).marked(),
        format!("{mark}{first}"),
        other_version,
        format!("{mark}{}", &proof[..proof.len() - 4]),
        mark.to_owned(),
    ]
}

#[test]
fn one_that_holds_among_others_is_enough() {
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    let mut delivered = 0;
    for (name, between) in LISTS {
        let kind = kind(name);
        let places = bad(&Notice::new(kind)).len();
        for place in 0..=places {
            let notice = Notice::new(kind);
            let mut entries = bad(&notice);
            entries.insert(place, notice.marked());
            let list = entries.join(between);
            assert_eq!(
                kawal.send(&notice.bearing(&list)).status,
                200,
                "{name}: {list}: {}",
                kawal.reason(delivered + 1)
            );
            delivered += 1;
            assert_eq!(app.count(), delivered);
        }
        // Signed twice, with both keys of a rotation.
        let notice = Notice::new(kind);
        let [_, old, _] = (kind.keys)();
        let both = [notice.clone().key(old).marked(), notice.marked()].join(between);
        assert_eq!(kawal.send(&notice.bearing(&both)).status, 200, "{name}");
        delivered += 1;
        // Whatever stands beside it, it is the same notification.
        assert_eq!(kawal.send(&notice.sign()).status, 200, "{name}");
        assert_eq!(app.count(), delivered);
    }
}

#[test]
fn none_that_holds_is_not_enough() {
    let mut bench = Bench::with(Config::with_kinds);
    for (name, between) in LISTS {
        let notice = Notice::new(kind(name));
        let entries = bad(&notice);
        for count in 1..=entries.len() {
            let list = entries[..count].join(between);
            bench.unauthorized(&format!("{name}: {list}"), &notice.bearing(&list), LACKING);
        }
        let list = vec![entries[1].clone(); 40].join(between);
        bench.unauthorized(&format!("{name}: many"), &notice.bearing(&list), LACKING);
        for odd in ["", " ", ",", ", ,", ",,,,", "v1", "v1,", "v1=", "="] {
            bench.unauthorized(&format!("{name}: `{odd}`"), &notice.bearing(odd), LACKING);
        }
    }
    bench.admits_all();
}

/// What parts the entries of one gateway parts nothing at another.
#[test]
fn the_separator_is_the_gateways_own() {
    let mut bench = Bench::with(Config::with_kinds);
    for (name, between) in LISTS {
        let notice = Notice::new(kind(name));
        let entries = bad(&notice);
        for other in [",", " ", ";", "|", "\t", "&"] {
            if other != between {
                let list = format!("{}{other}{}", entries[0], notice.marked());
                bench.unauthorized(&format!("{name}: {list}"), &notice.bearing(&list), LACKING);
            }
        }
    }
    bench.admits_all();
}

/// Two half proofs are no proof, and a proof that is parted is none.
#[test]
fn a_proof_does_not_span_entries() {
    let mut bench = Bench::with(Config::with_kinds);
    for (name, between) in LISTS {
        let notice = Notice::new(kind(name));
        let (mark, proof) = (notice.kind.mark, notice.proof());
        let (head, tail) = proof.split_at(proof.len() / 2);
        for list in [
            format!("{mark}{head}{between}{tail}"),
            format!("{mark}{head}{between}{mark}{tail}"),
            format!("{mark}{between}{proof}"),
        ] {
            bench.unauthorized(&format!("{name}: {list}"), &notice.bearing(&list), LACKING);
        }
    }
    bench.admits_all();
}

/// The header holds the time as well, which may be there once.
#[test]
fn stripes_header_names_one_time() {
    let mut bench = Bench::with(Config::with_kinds);
    let notice = Notice::new(kind("stripe"));
    let proof = notice.marked();
    let time = notice.at.as_second().to_string();
    let header = |value: String| notice.sign().replace("Stripe-Signature", value);
    let rows = [
        ("no time", proof.clone()),
        ("an empty time", format!("t=,{proof}")),
        ("a time without a name", format!("{time},{proof}")),
        ("a time of another name", format!("T={time},{proof}")),
        ("a longer name", format!("ts={time},{proof}")),
        ("the same time twice", format!("t={time},t={time},{proof}")),
        ("an older time before", format!("t=1,t={time},{proof}")),
        ("an older time after", format!("t={time},{proof},t=1")),
        ("an empty time beside", format!("t={time},{proof},t=")),
        ("two in one", format!("t={time}=1,{proof}")),
        ("a time in quotes", format!("t=\"{time}\",{proof}")),
        ("no proof", format!("t={time}")),
        (
            "another version only",
            format!("t={time},{}", proof.replace("v1", "v0")),
        ),
    ];
    for (name, value) in rows {
        bench.unauthorized(name, &header(value), LACKING);
    }
    bench.admits_all();
    // The order is the sender's.
    let app = App::start();
    let kawal = Kawal::start(Config::kinds(&app));
    let value = format!("{proof},t={time},v0=0");
    assert_eq!(kawal.send(&header(value)).status, 200);
    assert_eq!(app.count(), 1);
}
