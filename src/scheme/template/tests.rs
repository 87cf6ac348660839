//! Templates, filled from plain requests.

use super::*;
use crate::intake::{Head, Received};
use bytes::Bytes;
use proptest::prelude::*;

fn received(target: &str, headers: &str, body: &str) -> Received {
    let head = format!("POST {target} HTTP/1.1\r\nHost: h\r\n{headers}\r\n");
    Received::new(
        Head::parse(head.as_bytes()).unwrap(),
        Bytes::from(body.to_owned()),
    )
}

fn compile(text: &str) -> Result<Template, TemplateFault> {
    Template::compile(text, &Place::Query("sign".into()))
}

fn fill(template: &str, received: &Received) -> Result<String, Rejection> {
    let reading = Reading {
        scope: Scope::whole(received),
        public_path: None,
        client: "C",
        secret: b"S",
    };
    let template = compile(template).unwrap();
    Ok(String::from_utf8(template.fill(reading)?).unwrap())
}

#[test]
fn fills_every_source_and_filter() {
    let all = received("/p?a=x%20y", "X-A: v\r\n", "{ \"k\": \"V\" }");
    for (template, filled) in [
        (
            "{method}:{path}:{query}:{target}",
            "POST:/p:a=x%20y:/p?a=x%20y",
        ),
        ("{client}{secret}{header:x-a|upper}", "CSV"),
        ("{query:a}{param:a}", "x yx y"),
        ("{json:/k|lower}", "v"),
        ("{body|minify}", "{\"k\":\"V\"}"),
        ("{{}}[[]]{header:X-A}", "{}[]v"),
        (
            "{header:X-A|sha1|hex}",
            "7a38d8cbd20d9932ba948efaa364bb62651d5ad4",
        ),
        ("a[\n{header:X-B}]b[,{header:X-A}]", "ab,v"),
        ("{header:X-A|md5|hex}", "9e3669d19b675bd57058fd4664205d2a"),
        ("{header:X-A|crc32}", "1801730948"),
        (
            "{({header:X-A}{secret})|md5|hex}",
            "5edf540492f95cf9d928c5507e86ad3f",
        ),
        ("{({header:X-A}(({client})))|upper}!", "V(C)!"),
    ] {
        assert_eq!(fill(template, &all).as_deref(), Ok(filled), "{template}");
    }
    let digest = fill("{body|sha256|base64}", &received("/", "", "")).unwrap();
    assert_eq!(digest, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

#[test]
fn demands_what_no_group_excuses() {
    let blank = received("/p", "X-A:\r\n", "");
    for template in [
        "{header:X-A}",
        "{header:X-B}",
        "{query:a}",
        "{json:/k}",
        "[{header:X-B}]{header:X-B}",
    ] {
        assert_eq!(
            fill(template, &blank),
            Err(Rejection::MissingProof),
            "{template}"
        );
    }
}

#[test]
fn names_the_place_of_a_fault() {
    for (template, at, word) in [
        ("ab{method", 3, "not closed"),
        ("a{nonsense}", 2, "unknown source"),
        ("{body|md6}", 1, "unknown filter"),
        ("é}", 2, "opens nothing"),
        ("[a", 1, "not closed"),
        ("[a[b]]", 3, "inside a group"),
        ("{json:k}", 1, "unknown place"),
        ("a{({body)}", 4, "unknown source"),
        ("a{({body}", 3, "parenthesis that is not closed"),
        ("{({body})x}", 1, "only filters"),
        ("{({body}[x])}", 9, "inside a group or parentheses"),
        ("{({body}()}", 9, "opens nothing"),
        ("{sorted:}", 1, "takes one mark"),
        ("{sorted:abc}", 1, "takes one mark"),
        ("{header:a b}", 1, "unknown place"),
        ("{header:X[t}", 1, "unknown place"),
    ] {
        let fault = compile(template).unwrap_err();
        assert_eq!(fault.at, at, "{template}");
        assert!(fault.says.contains(word), "{template}: {}", fault.says);
    }
}

proptest! {
    #[test]
    fn any_text_compiles_or_names_a_place_in_it(text in "[a{}()\\[\\]|:/ body]{0,30}") {
        match compile(&text) {
            Ok(template) => {
                let received = received("/p", "", "{}");
                let reading = Reading { scope: Scope::whole(&received), public_path: None, client: "", secret: b"" };
                let _ = template.feed(reading, &mut |_| ());
            }
            Err(fault) => prop_assert!((1..=text.chars().count()).contains(&fault.at)),
        }
    }

    #[test]
    fn literals_come_out_as_they_went_in(text in "[^{}\\[\\]]{0,40}") {
        prop_assert_eq!(fill(&text, &received("/", "", "")).unwrap(), text);
    }
}
