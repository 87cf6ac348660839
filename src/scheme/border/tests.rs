//! Borders that messages tell, and those that they do not.

use super::*;
use crate::intake::{Head, Received};
use crate::scheme::place::Scope;
use crate::scheme::template::{Reading, Template};
use bytes::Bytes;
use proptest::prelude::*;

fn known_runs(
    message: &str,
    shapes: &[(&str, &str)],
    time: Option<(&str, TimeFormat)>,
) -> Vec<String> {
    let proof = Place::Query("sign".into());
    let template = Template::compile(message, &proof).unwrap();
    let shapes = shapes
        .iter()
        .map(|(at, shape)| (at.parse().unwrap(), format!("^(?:{shape})$")));
    let shapes: Vec<(Place, String)> = shapes.collect();
    let time = time.map(|(at, format)| (at.parse().unwrap(), format));
    let known = Known {
        shapes: &shapes,
        time: time.as_ref(),
        folds: false,
    };
    let runs = runs(template.parts(), &known);
    let names = |run: &Run<'_>| {
        let names: Vec<_> = run.sources().iter().map(ToString::to_string).collect();
        names.join("+")
    };
    runs.iter().map(names).collect()
}

#[test]
fn a_mark_that_no_value_holds_is_a_border() {
    for message in [
        "{body}",
        "{header:A}",
        "{secret}{json:/a}{secret}",
        "{json:/a}{secret}{json:/b}",
        "{client}{secret}{json:/a}",
        "{method}:{path}:{token}:{body|sha256|hex}",
        "{header:A}\n{header:B}\n{json:/a}",
        "{header:A[t]},{body}",
        "{query:a|hex}.{query:b|base64}.{query:c}",
        "{json:/a|sha256}{json:/b}{json:/c|sha1|hex}",
        "{query:a|crc32}|{query:b}",
        "{({json:/a}{secret})|md5|hex}{json:/b}",
        "[\n{header:B}]{secret}",
    ] {
        assert_eq!(known_runs(message, &[], None), [""; 0], "{message}");
    }
}

#[test]
fn values_that_run_into_one_another_are_told() {
    for (message, run) in [
        ("{json:/a}{json:/b}", "json:/a+json:/b"),
        ("{json:/a}:{json:/b}", "json:/a+json:/b"),
        ("{header:A}:{header:B}", "header:A+header:B"),
        ("{header:A}{body}", "header:A+body"),
        ("{body|hex}a{query:b}", "body+query:b"),
        ("{body|minify}{path}", "body+path"),
        (
            "{header:A}[{header:B}]{header:C}",
            "header:A+header:B+header:C",
        ),
        ("[{header:A}-{header:B}]", "header:A+header:B"),
        ("{({json:/a}{json:/b})|md5|hex}", "json:/a+json:/b"),
        ("{sorted:=&}", "all parameters"),
        (
            "x{secret}{json:/a}{client}{json:/b}{secret}",
            "json:/a+client+json:/b",
        ),
        ("{client}{json:/a}", "client+json:/a"),
        ("{header:A}\t{header:B}", "header:A+header:B"),
        ("{({json:/a}{json:/b})|upper}", "json:/a+json:/b"),
    ] {
        assert_eq!(known_runs(message, &[], None), [run], "{message}");
    }
}

#[test]
fn shapes_and_times_make_borders() {
    let digits = &[("json:/a", "[0-9]+")][..];
    let fixed = &[("json:/a", "[0-9]{3}")][..];
    let either = &[("json:/a", "AB|CD")][..];
    for (message, shapes, told) in [
        ("{json:/a}.{json:/b}", digits, true),
        ("{json:/a}7{json:/b}", digits, false),
        ("{json:/b}.{json:/a}", digits, true),
        ("{json:/a}{json:/b}", fixed, true),
        ("{json:/b}{json:/a}{json:/c|sha1}", fixed, true),
        ("{json:/b}{json:/a}{json:/c}", fixed, false),
        ("{json:/a}{json:/b}", either, true),
        ("{json:/a}E{json:/b}", &[("json:/a", "\\w*")], false),
        ("[{json:/a}]{json:/b}", fixed, false),
        ("[{json:/a}]:{json:/b}", fixed, true),
        ("{json:/a|lower}b{json:/b}", &[("json:/a", "[A-Z]+")], false),
    ] {
        assert_eq!(
            known_runs(message, shapes, None).is_empty(),
            told,
            "{message} {shapes:?}"
        );
    }
    let at = "header:T";
    for (message, format, told) in [
        ("{header:T}:{header:B}", TimeFormat::Rfc3339, true),
        ("{header:B}:{header:T}", TimeFormat::Rfc3339, true),
        ("{header:T}{header:B}", TimeFormat::Rfc3339, true),
        ("{header:T}.{header:B}", TimeFormat::Unix, true),
        ("{header:T}{header:B}", TimeFormat::Unix, false),
    ] {
        let runs = known_runs(message, &[], Some((at, format)));
        assert_eq!(runs.is_empty(), told, "{message}");
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "{query:a}",
        "{query:b}",
        "{query:c}",
        "{query:a|hex}",
        "{query:b|sha256|hex}",
        "{query:c|md5}",
        "[{query:b}]",
        "[x{query:c}]",
        "[{query:a}1{query:c}]",
        "{({query:a}1{query:b})|sha1|hex}",
        "{({query:b}{query:c})|lower}",
        "1",
        "2",
        ":",
        "x1",
        "{secret}",
    ])
}

/// Short values of few letters, so that equal messages are not rare.
fn values() -> impl Strategy<Value = [String; 3]> {
    ["[12x]{1,3}", "[12:]{1,2}", "[1x]{0,2}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// What is said to have borders never comes out the same for two lists of values.
    #[test]
    fn two_lists_of_values_make_one_message_only_where_it_is_told(
        pieces in prop::collection::vec(piece(), 1..6),
        one in values(),
        other in values(),
    ) {
        let message = pieces.concat();
        let shapes = [("query:a", "[12x]{1,3}"), ("query:b", "[12:]{1,2}"), ("query:c", "[1x]{0,2}")];
        if !known_runs(&message, &shapes, None).is_empty() {
            return Ok(());
        }
        let template = Template::compile(&message, &Place::Query("sign".into())).unwrap();
        let filled = |values: &[String; 3]| {
            let [a, b, c] = values;
            let head = format!("POST /?a={a}&b={b}&c={c} HTTP/1.1\r\nHost: h\r\n\r\n");
            let received = Received::new(Head::parse(head.as_bytes()).unwrap(), Bytes::new());
            let scope = Scope::whole(&received);
            template.fill(Reading { scope, public_path: None, client: "", secret: b"s" }).ok()
        };
        let (first, second) = (filled(&one), filled(&other));
        if first.is_none() || first != second {
            return Ok(());
        }
        // A lossy filter is told elsewhere: here only the letters that are left count.
        let used = |name: &str| message.contains(&format!("query:{name}"));
        for (index, name) in ["a", "b", "c"].into_iter().enumerate() {
            prop_assert!(!used(name) || one[index] == other[index], "{}: {:?} {:?}", message, one, other);
        }
    }
}
