//! What other JSON writers make of a body: the same values in other bytes.

use crate::intake::minify;

/// A name for people, and the body as that writer has it.
pub(super) fn variants(body: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    if body.len() > LARGEST {
        return Vec::new();
    }
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(body) else {
        return Vec::new();
    };
    let Ok(text) = String::from_utf8(minify(body).into_owned()) else {
        return Vec::new();
    };
    let spaced = written(
        &text,
        &Writer {
            comma: ", ",
            colon: ": ",
            ..Writer::default()
        },
    );
    let escaped = |slash, unicode| Writer {
        slash,
        unicode,
        ..Writer::default()
    };
    let pretty = |indent| indented(&text, indent);
    let plain_numbers = renumbered(&text);
    let sorted = serde_json::to_string(&value).unwrap_or_default();
    let all = vec![
        ("compact", written(&text, &Writer::default())),
        (
            "with a space after every comma and colon, as Python's json.dumps",
            spaced.clone(),
        ),
        (
            "with slashes and other letters escaped, as PHP's json_encode",
            written(&text, &escaped(true, true)),
        ),
        (
            "with slashes escaped",
            written(&text, &escaped(true, false)),
        ),
        (
            "with letters that are not ASCII escaped",
            written(&text, &escaped(false, true)),
        ),
        (
            "as Python's json.dumps, letters that are not ASCII escaped",
            written(
                &text,
                &Writer {
                    comma: ", ",
                    colon: ": ",
                    unicode: true,
                    ..Writer::default()
                },
            ),
        ),
        ("indented by 2 spaces", pretty("  ")),
        ("indented by 4 spaces", pretty("    ")),
        ("indented by tabs", pretty("\t")),
        (
            "with numbers written anew, as JavaScript's JSON.stringify",
            plain_numbers,
        ),
        ("with names sorted", sorted),
    ];
    let mut new: Vec<(&'static str, Vec<u8>)> = Vec::new();
    for (name, text) in all {
        let is_new =
            text.as_bytes() != body && new.iter().all(|(_, other)| *other != text.as_bytes());
        if is_new {
            new.push((name, text.into_bytes()));
        }
    }
    new
}

/// Larger bodies are not written anew: no gateway sends them, and deep ones would fill the memory.
const LARGEST: usize = 64 * 1024;

#[derive(Default)]
struct Writer {
    comma: &'static str,
    colon: &'static str,
    slash: bool,
    unicode: bool,
}

/// Walks minified JSON; `outside` sees every character that stands in no string, `inside` the others, with
/// their escapes undone where that is the same for every writer.
fn walk(text: &str, mut outside: impl FnMut(char), mut inside: impl FnMut(&str)) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c != '"' {
            outside(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            continue;
        }
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let Some(Ok(string)) = stream.next() else {
            return;
        };
        inside(&string);
        let end = stream.byte_offset();
        rest = rest.get(end..).unwrap_or_default();
    }
}

fn written(text: &str, writer: &Writer) -> String {
    let out = std::cell::RefCell::new(String::with_capacity(text.len()));
    walk(
        text,
        |c| match c {
            ',' if !writer.comma.is_empty() => out.borrow_mut().push_str(writer.comma),
            ':' if !writer.colon.is_empty() => out.borrow_mut().push_str(writer.colon),
            c => out.borrow_mut().push(c),
        },
        |string| out.borrow_mut().push_str(&quoted(string, writer)),
    );
    out.into_inner()
}

fn quoted(string: &str, writer: &Writer) -> String {
    let plain = serde_json::to_string(string).unwrap_or_default();
    let slashed = match writer.slash {
        true => plain.replace('/', "\\/"),
        false => plain,
    };
    if !writer.unicode {
        return slashed;
    }
    let mut escaped = String::new();
    for c in slashed.chars() {
        if c.is_ascii() {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            escaped.push_str(&format!("\\u{unit:04x}"));
        }
    }
    escaped
}

fn indented(text: &str, indent: &str) -> String {
    let (out, depth) = (
        std::cell::RefCell::new(String::new()),
        std::cell::Cell::new(0_usize),
    );
    let line = || format!("\n{}", indent.repeat(depth.get()));
    let last = std::cell::Cell::new(' ');
    walk(
        text,
        |c| {
            let opened = matches!(last.get(), '{' | '[');
            let mut out = out.borrow_mut();
            match c {
                '}' | ']' => {
                    depth.set(depth.get().saturating_sub(1));
                    if !opened {
                        out.push_str(&line());
                    }
                    out.push(c);
                }
                _ => {
                    if opened {
                        out.push_str(&line());
                    }
                    match c {
                        ',' => out.push_str(&format!(",{}", line())),
                        ':' => out.push_str(": "),
                        c => out.push(c),
                    }
                    if matches!(c, '{' | '[') {
                        depth.set(depth.get() + 1);
                    }
                }
            }
            last.set(c);
        },
        |string| {
            if matches!(last.get(), '{' | '[') {
                out.borrow_mut().push_str(&line());
            }
            out.borrow_mut()
                .push_str(&quoted(string, &Writer::default()));
            last.set('"');
        },
    );
    out.into_inner()
}

/// Numbers without needless zeros: `100000.00` as `100000`.
fn renumbered(text: &str) -> String {
    let (out, number) = (
        std::cell::RefCell::new(String::new()),
        std::cell::RefCell::new(String::new()),
    );
    let flush = || {
        let mut number = number.borrow_mut();
        let shorter = match number.split_once('.') {
            Some((whole, fraction)) if fraction.bytes().all(|byte| byte.is_ascii_digit()) => {
                let kept = fraction.trim_end_matches('0');
                let dot = if kept.is_empty() { "" } else { "." };
                format!("{whole}{dot}{kept}")
            }
            _ => number.clone(),
        };
        out.borrow_mut().push_str(&shorter);
        number.clear();
    };
    walk(
        text,
        |c| match c {
            '0'..='9' | '.' | '-' | '+' | 'e' | 'E' => number.borrow_mut().push(c),
            c => {
                flush();
                out.borrow_mut().push(c);
            }
        },
        |string| {
            out.borrow_mut()
                .push_str(&quoted(string, &Writer::default()))
        },
    );
    flush();
    out.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_the_others_do() {
        let body = "{\"a\": [1, {}], \"u\":\"x/é\",\"n\":100000.00, \"e\":[]}";
        let made: Vec<String> = variants(body.as_bytes())
            .into_iter()
            .map(|(_, body)| String::from_utf8(body).unwrap())
            .collect();
        for expected in [
            "{\"a\":[1,{}],\"u\":\"x/é\",\"n\":100000.00,\"e\":[]}",
            "{\"a\": [1, {}], \"u\": \"x/é\", \"n\": 100000.00, \"e\": []}",
            "{\"a\":[1,{}],\"u\":\"x\\/\\u00e9\",\"n\":100000.00,\"e\":[]}",
            "{\"a\":[1,{}],\"u\":\"x/\\u00e9\",\"n\":100000.00,\"e\":[]}",
            "{\"a\":[1,{}],\"u\":\"x/é\",\"n\":100000,\"e\":[]}",
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"u\": \"x/é\",\n  \"n\": 100000.00,\n  \"e\": []\n}",
        ] {
            assert!(
                made.iter().any(|made| made == expected),
                "{expected}\n{made:#?}"
            );
        }
        assert!(variants(b"no json").is_empty());
    }
}
