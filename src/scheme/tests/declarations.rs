//! Any declaration compiles or is refused with a place, and what compiles panics at no request.

use super::*;
use proptest::prelude::*;
use proptest::sample::select;

const PLACES: [&str; 12] = [
    "header:X-A",
    "header:X-L[t]",
    "header:X-L[v1]",
    "query:a",
    "form:a",
    "param:b",
    "json:/a",
    "json:/a/b",
    "item:/a",
    "item:/p",
    "heather:X",
    "json:a",
];

fn place() -> impl Strategy<Value = &'static str> {
    select(PLACES.to_vec())
}

fn value() -> impl Strategy<Value = String> {
    let source = prop_oneof![
        place().prop_map(str::to_owned),
        select(vec![
            "method",
            "path",
            "query",
            "target",
            "body",
            "client",
            "secret",
            "token",
            "sorted:=&",
            "sorted:|",
            "x"
        ])
        .prop_map(str::to_owned),
    ];
    let filter = select(vec![
        "",
        "",
        "|hex",
        "|sha256|hex",
        "|md5",
        "|crc32",
        "|upper",
        "|minify",
        "|base64",
        "|no",
    ]);
    (source, filter).prop_map(|(source, filter)| format!("{{{source}{filter}}}"))
}

fn template() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => value(),
        1 => select(vec![":", ".", "\n", "1", "{{", "]]", "}", "[", "é"]).prop_map(str::to_owned),
        1 => value().prop_map(|value| format!("[,{value}]")),
        1 => (value(), value()).prop_map(|(a, b)| format!("{{({a}-{b})|sha1|hex}}")),
    ];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

fn declaration() -> impl Strategy<Value = String> {
    let kind = select(vec![
        "kind: hmac, hash: sha256",
        "kind: hmac, hash: sha1",
        "kind: digest, hash: md5",
        "kind: digest, hash: sha512",
        "kind: rsa-sha256",
        "kind: ed25519",
        "kind: static",
        "kind: static, hash: sha1",
    ]);
    let more = select(vec![
        "",
        ", separator: ','",
        ", prefix: 'v1='",
        ", each: json:/items",
        ", each: header:X-A",
        ", key: {encoding: hex}",
    ]);
    let encoding = select(vec![
        "",
        ", encoding: hex",
        ", encoding: base64",
        ", encoding: upper-hex",
    ]);
    let rest = select(vec![
        "",
        "client: {at: header:X-A}",
        "client: {}",
        "client: {optional: true}",
        "time: {at: header:X-A, format: unix}",
        "time: {at: 'header:X-L[t]', format: rfc3339}",
        "shapes: {header:X-A: '[0-9]{4}'}",
        "shapes: {json:/a: '['}",
        "freshness: {max_age: 5m, max_skew: 5m, late: 24h}",
        "reference: header:X-A",
        "answers: snap",
    ]);
    let identity = prop::option::of(template());
    let messages = prop::collection::vec(template(), 0..3);
    (kind, more, encoding, place(), messages, identity, rest).prop_map(
        |(kind, more, encoding, at, messages, identity, rest)| {
            let quoted = |text: &String| serde_json::to_string(text).unwrap();
            let messages: Vec<_> = messages.iter().map(quoted).collect();
            let identity = identity.map(|text| format!("identity: {}\n", quoted(&text)));
            format!(
                "proof: {{{kind}{more}{encoding}, at: '{at}', messages: [{}]}}\n{}{rest}\n",
                messages.join(", "),
                identity.unwrap_or_default()
            )
        },
    )
}

fn request() -> impl Strategy<Value = (String, String, String)> {
    let target = select(vec![
        "/n",
        "/n?a=1&b=2",
        "/n?a=1&a=2",
        "/n?b=%",
        "/n?a=x%20y",
    ]);
    let headers = select(vec![
        "",
        "X-A: 1795000000\r\n",
        "X-A: v\r\nX-L: t=1795000000,v1=ab\r\n",
        "X-L: v1=,v1=00,t\r\n",
        "X-A: 1\r\nX-A: 2\r\n",
        "X-A: 00ff\r\nAuthorization: Bearer t\r\nContent-Type: application/x-www-form-urlencoded\r\n",
    ]);
    let body = select(vec![
        "",
        "{}",
        "{\"a\":\"1\",\"items\":[{\"a\":\"00\",\"p\":\"1\"},2]}",
        "{\"a\":{\"b\":1.0},\"items\":[]}",
        "a=1&b=2",
        "{\"a\":1,\"a\":2}",
        "[",
        "\u{feff}{}",
        "{\"items\":[[[[]]]]}",
    ]);
    (target, headers, body).prop_map(|(t, h, b)| (t.to_owned(), h.to_owned(), b.to_owned()))
}

fn compiled(yaml: &str) -> Result<Scheme, String> {
    let declaration: Declaration = serde_yaml::from_str(yaml).map_err(|error| error.to_string())?;
    Scheme::compile("any", declaration).map_err(|fault| {
        assert!(!fault.at.is_empty() && !fault.says.is_empty(), "{yaml}");
        fault.to_string()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn any_declaration_compiles_or_names_a_place(yaml in declaration(), (target, headers, body) in request()) {
        let Ok(scheme) = compiled(&yaml) else {
            return Ok(());
        };
        let ring = KeyRing::new(vec![client(Some("v"), &["0123456789abcdef"])]);
        let judged = scheme.authenticate(received(&target, &headers, &body), "g", &ring, None);
        // Nobody signed it.
        prop_assert!(judged.is_err(), "{}", yaml);
        let received = received(&target, &headers, &body);
        let _ = scheme.prove(&received, &ring.clients()[0], None);
        let trial = Trial { received: &received, clients: ring.clients(), public_path: None };
        let _ = (scheme.expectations(trial), scheme.other_encoding(trial), scheme.other_prefix(trial));
    }
}

/// The strategy above is worth something: it compiles now and then, with most kinds.
#[test]
fn a_good_part_of_them_compiles() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let all = (0..2000).map(|_| declaration().new_tree(&mut runner).unwrap().current());
    let kinds: std::collections::BTreeSet<_> = all
        .filter_map(|yaml| compiled(&yaml).ok())
        .map(|s| s.kind())
        .collect();
    assert!(kinds.len() >= 4, "{kinds:?}");
}
