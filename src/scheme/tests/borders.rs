//! What whoever replays could move or change makes no identity, no time and no client.

use super::*;

fn scheme(messages: &[&str], rest: &str) -> Result<Scheme, String> {
    let quoted = messages
        .iter()
        .map(|text| serde_json::to_string(text).unwrap());
    let messages = quoted.collect::<Vec<_>>().join(", ");
    declared(&format!(
        "proof: {{kind: hmac, hash: sha256, at: header:X-Proof, encoding: hex, messages: [{messages}]}}\n{rest}\n"
    ))
}

#[test]
fn an_identity_is_told_whole_and_exactly() {
    let sound: &[(&str, &str)] = &[
        ("{json:/a}{json:/b}", "{json:/a}{json:/b}"),
        ("{json:/a}{json:/b}.{body}", "{json:/a}{json:/b}.{body}"),
        ("{header:A}:{header:B}", "{header:A}:{header:B}"),
        ("{body|minify}", "{json:/id}"),
        ("{body|minify|sha256|hex}", "{body|minify|sha256|hex}"),
        ("{body|lower}", "{body|lower|sha256}"),
        ("{target}", "{query:id}"),
        ("{sorted:=&}", "{sorted:=&}"),
        ("{({sorted:=&})|upper}", "{({sorted:=&})|upper}"),
    ];
    for (message, identity) in sound {
        let made = scheme(&[message], &format!("identity: '{identity}'"));
        assert!(made.is_ok(), "{message} {identity}: {}", made.unwrap_err());
    }
    let unsound: &[(&str, &str)] = &[
        // A mark that the message has and the identity has not, or the reverse.
        ("{header:A}:{header:B}", "{header:A}{header:B}"),
        ("{header:A}:{header:B}", "{header:A}"),
        ("{json:/a}{json:/b}", "{json:/a} {json:/b}"),
        ("{json:/a}{json:/b}", "{json:/b}{json:/a}"),
        ("{json:/a}{json:/b}", "{json:/a|sha256}{json:/b|sha256}"),
        ("{json:/a}{json:/b}", "{json:/a}{json:/b}-{json:/a}"),
        // Filters that lose something.
        ("{body|lower}", "{json:/id}"),
        ("{body|lower}", "{body|sha256|lower}"),
        ("{target|upper}", "{query:id}"),
        ("{body|minify|sha256|hex}", "{body|sha256|hex|minify}"),
        ("{body|base64|lower}", "{body|lower}"),
        ("{body|crc32}", "{body|sha256}"),
        ("{({sorted:=&})|upper}", "{sorted:=&}"),
        // Values inside of values that are joined.
        ("{sorted:|}", "{query:id}"),
        ("{sorted:=&}", "{query:id}"),
        ("{body}{header:N}", "{form:id}"),
        ("{body}{header:N}", "{json:/id}"),
        ("{query}{header:N}", "{query:id}"),
        // Tokens and headers hold more than letters.
        ("{header:A}\t{header:B}", "{header:A}"),
        ("{token} {header:N}", "{header:N}"),
        // A run in a larger one, in a group, or under filters that lose its marks.
        ("{sorted:=&}{header:N}", "{sorted:=&}"),
        ("{({json:/a}{json:/b})|hex}{header:N}", "{json:/a}{json:/b}"),
        ("[{sorted:=&}]", "{query:id}"),
        ("{({json:/a}x{json:/b})|lower}", "{json:/a|lower}"),
        (
            "{json:/b}\n{json:/a|minify}",
            "{({json:/b}{json:/a})|minify}",
        ),
    ];
    for (message, identity) in unsound {
        let fault = scheme(&[message], &format!("identity: '{identity}'")).unwrap_err();
        assert!(
            fault.starts_with("identity: "),
            "{message} {identity}: {fault}"
        );
    }
}

#[test]
fn alternatives_are_not_one_another_with_other_values() {
    for (one, other, alike) in [
        (
            "{header:A}\n{header:B}\n{body}",
            "{header:B}\n{header:A}\n{body}",
            false,
        ),
        ("{header:A}.{body}", "{header:A}:{body}", false),
        ("{header:A}\n{body}", "{header:A}\n{body|sha256|hex}", false),
        ("{header:A}\n{body}", "{header:A}\n{body|minify}", true),
        ("{path}{body}", "{target}{body}", false),
        ("{header:N}{body|minify}", "{header:N}{body}", false),
        (
            "{path}\n{body|sha256|hex}",
            "{target}\n{body|minify|sha256|hex}",
            true,
        ),
    ] {
        let made = scheme(&[one, other], "");
        assert_eq!(made.is_ok(), alike, "{one:?} {other:?}");
        if let Err(fault) = made {
            assert!(fault.starts_with("proof.messages"), "{fault}");
        }
    }
}

#[test]
fn a_time_that_can_be_moved_is_none() {
    let unix = "time: {at: header:T, format: unix}";
    for (message, rest, sound) in [
        ("{header:T}.{body}", unix.to_owned(), true),
        ("{header:T}{body}", unix.to_owned(), false),
        (
            "{header:T}{body}",
            format!("{unix}\nshapes: {{header:T: '[0-9]{{10}}'}}"),
            true,
        ),
        ("{header:T|crc32}.{body}", unix.to_owned(), false),
    ] {
        let made = scheme(&[message], &rest);
        assert_eq!(made.is_ok(), sound, "{message} {rest}");
        assert!(
            made.err()
                .is_none_or(|fault| fault.starts_with("time.at: "))
        );
    }
}

#[test]
fn a_client_is_proven_only_where_all_of_it_is_told() {
    for (message, client, proven) in [
        ("{header:C}\n{body}", "{at: header:C}", true),
        ("{header:C|lower}\n{body}", "{at: header:C}", false),
        ("{header:C}{body}", "{at: header:C}", false),
        ("{client}{json:/bill}", "{}", false),
        ("{client}\n{json:/bill}", "{}", true),
        ("{body}", "{at: header:C}", false),
    ] {
        let made = scheme(&[message], &format!("client: {client}")).unwrap();
        assert_eq!(made.proves_client(), proven, "{message}");
    }
}

#[test]
fn a_hash_that_anybody_can_continue_is_no_proof() {
    for (message, sound) in [
        ("{secret}{body}", false),
        ("{secret}.{body|minify}", false),
        ("{({secret}{body})|upper}", false),
        ("{secret|md5|hex}{body}", false),
        ("{({secret})|sha256|hex}{body}", false),
        ("[{secret}{body}]", false),
        ("{body}{secret}", true),
        ("{secret}{body}{secret}", true),
        ("{secret}{body|sha256|hex}", true),
        ("{({secret}{body})|md5|hex}", true),
        ("{secret}{json:/a}", true),
    ] {
        let made = declared(&format!(
            "proof: {{kind: digest, hash: sha256, at: header:X-Proof, encoding: hex, messages: ['{message}']}}\n"
        ));
        assert_eq!(made.is_ok(), sound, "{message}: {:?}", made.err());
    }
}

#[test]
fn what_nobody_names_is_known_by_all_that_is_signed() {
    let ring = KeyRing::new(vec![client(None, &["0123456789abcdef"])]);
    let identity = |scheme: &Scheme, headers: &str, body: &str| {
        let plain = received("/n?u=1", headers, body);
        let proof = scheme
            .prove(&plain, &ring.clients()[0], None)
            .unwrap()
            .unwrap();
        let headers = format!("{headers}X-Proof: {proof}\r\n");
        let judged = scheme.authenticate(received("/n?u=1", &headers, body), "g", &ring, None);
        judged.unwrap().signed().identity.clone()
    };
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let both = scheme(&["{sorted:=&}.{body|sha256|hex}"], "").unwrap();
    assert_ne!(
        identity(&both, "", "{\"n\":1}"),
        identity(&both, "", "{\"n\":2}")
    );
    let sorted = scheme(&["{sorted:=&}"], "").unwrap();
    assert_ne!(
        identity(&sorted, form, "n=1"),
        identity(&sorted, form, "n=2")
    );
    assert_eq!(
        identity(&sorted, form, "n=1&m=2"),
        identity(&sorted, form, "m=2&n=%31")
    );
    let headers = scheme(
        &["{header:X-Event}|{header:X-Time}"],
        "time: {at: header:X-Time, format: unix}",
    )
    .unwrap();
    let event = |name: &str, at: u32| format!("X-Event: {name}\r\nX-Time: {at}\r\n");
    let paid = identity(&headers, &event("paid", 1), "{}");
    assert_ne!(paid, identity(&headers, &event("refunded", 1), "{}"));
    assert_eq!(paid, identity(&headers, &event("paid", 2), "{}"));
}
