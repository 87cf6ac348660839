//! The address behind proxies that are believed, and never one that anybody can write.

use serde_json::json;

use crate::harness::forwarded::{Door, FORWARDED};
use crate::harness::forwarded_rows::{ALLOWED, PROXY, ROWS, STRANGER, TRUSTED};
use crate::harness::peers::send_from;
use crate::harness::*;

fn door() -> Door {
    Door::new(&ALLOWED, &TRUSTED)
}

#[test]
fn the_sender_is_the_first_that_no_proxy_of_ours_is() {
    let door = door();
    for (lines, from, passes) in ROWS {
        let (passed, told) = door.takes(PROXY, lines);
        assert_eq!(told.as_deref(), Some(from), "{lines:?}");
        assert_eq!(passed, passes, "{lines:?}");
    }
}

/// An entry that is no address is nobody: what stands left of it is not asked.
#[test]
fn what_is_no_address_is_nobody() {
    let door = door();
    let garbage = [
        "unknown",
        "_hidden",
        "localhost",
        "ingress.example",
        "203.0.113",
        "203.0.113.256",
        "203.0.113.7.1",
        "0xcb.0.113.7",
        "3405803783",
        "203.0.113.7/32",
        "203.0.113.7:port",
        "203.0.113.7:99999",
        "203.0.113.7:1:2",
        "203.0.113.7 10.1.2.3",
        "203.0.113.7;10.1.2.3",
        "\"203.0.113.7\"",
        "for=203.0.113.7",
        "'203.0.113.7'",
        "2001:db8::7%lo",
        "2001:db8::7::",
        "[2001:db8::7",
        "2001:db8::7]",
        "[2001:db8::7]4711",
        "[2001:db8::7]:",
        "[2001:db8::7]:x",
        "[]",
        "[",
        ":",
        "-",
        "*",
    ];
    for entry in garbage {
        let beside = format!("203.0.113.7, {entry}");
        let behind = format!("203.0.113.7, {entry}, 10.1.2.3");
        for lines in [
            vec![entry],
            vec![&beside],
            vec![&behind],
            vec!["203.0.113.7", entry],
        ] {
            let (passed, from) = door.takes(PROXY, &lines);
            assert!(!passed, "{lines:?}");
            assert_eq!(from, None, "{lines:?}");
        }
    }
    assert!(door.takes(PROXY, &["203.0.113.7"]).0);
}

/// Nobody is not the proxy either, even where the proxy itself may come in.
#[test]
fn nobody_is_let_in_for_the_proxy_s_sake() {
    let door = Door::new(&["127.0.0.0/8"], &[PROXY]);
    let rows: [(&[&str], bool); 6] = [
        (&[], true),
        (&["unknown"], false),
        (&["198.51.100.1"], false),
        (&["127.0.0.9, 198.51.100.1"], false),
        (&["127.0.0.9"], true),
        (&["198.51.100.1", "unknown"], false),
    ];
    for (lines, passes) in rows {
        assert_eq!(door.takes(PROXY, lines).0, passes, "{lines:?}");
    }
    // Nor by taking the header away on the last hop.
    let hidden = doku("{}")
        .header(FORWARDED, "198.51.100.1")
        .header("Connection", "close, X-Forwarded-For");
    let answer = send_from(PROXY, door.kawal.addr(), &hidden);
    assert!([400, 403].contains(&answer.status), "{answer:?}");
    let aliases = [
        "X_Forwarded_For",
        "X.Forwarded.For",
        "Forwarded",
        "X-Real-IP",
    ];
    for name in aliases {
        let other = doku("{}").header(name, "127.0.0.9");
        let spoofed = other.header(FORWARDED, "198.51.100.1");
        assert!(!door.takes_this(PROXY, &spoofed).0, "{name}");
    }
}

/// Two readings are possible; none of them may let a stranger in.
#[test]
fn odd_lists_let_nobody_in_who_is_not_named() {
    let door = door();
    let either = Some("203.0.113.7");
    for line in [
        "203.0.113.7,",
        "203.0.113.7, ,",
        ",203.0.113.7",
        "203.0.113.7:",
        "[203.0.113.7]",
    ] {
        let (passed, from) = door.takes(PROXY, &[line]);
        assert_eq!(passed, from.is_some(), "{line}");
        assert!(from.is_none() || from.as_deref() == either, "{line}");
    }
    for line in [
        "",
        " ",
        ",",
        ", ,",
        "203.0.113.7, 198.51.100.1,",
        ",198.51.100.1",
        "203.0.113.007",
    ] {
        let (passed, from) = door.takes(PROXY, &[line]);
        assert!(!passed, "{line}: {from:?}");
    }
    // Bytes that are no text may be no header at all.
    for bytes in [&b"203.0.113.7, \xff"[..], b"\xc3\xa9", b"203.0.113.7\xa0"] {
        let odd = doku("{}").header(FORWARDED, bytes);
        let answer = send_from(PROXY, door.kawal.addr(), &odd);
        assert!([400, 403].contains(&answer.status), "{answer:?}");
    }
    assert_eq!(
        door.app
            .requests()
            .iter()
            .filter(|r| r.all(FORWARDED) == ["198.51.100.1"])
            .count(),
        0
    );
}

#[test]
fn whoever_comes_without_a_proxy_of_ours_is_who_it_is() {
    let door = door();
    let own = Door::new(&[STRANGER], &TRUSTED);
    for (lines, ..) in ROWS {
        let refused = (false, Some(STRANGER.to_owned()));
        assert_eq!(door.takes(STRANGER, lines), refused, "{lines:?}");
        let heard = (true, Some(STRANGER.to_owned()));
        assert_eq!(own.takes(STRANGER, lines), heard, "{lines:?}");
    }
    assert!(own.takes(STRANGER, &["unknown"]).0);
    assert!(own.takes(STRANGER, &["127.0.0.1, 203.0.113.7"]).0);
    // Who names a guest through the proxy is the guest, and who names us is nobody we let in.
    assert!(!own.takes(PROXY, &["203.0.113.7"]).0);
    assert!(own.takes(PROXY, &[STRANGER]).0);
}

#[test]
fn nobody_is_believed_by_default() {
    let door = Door::new(&["203.0.113.7"], &[]);
    for peer in [PROXY, STRANGER] {
        let refused = (false, Some(peer.to_owned()));
        assert_eq!(door.takes(peer, &["203.0.113.7"]), refused);
    }
}

/// Long lists are read, and cost nobody anything.
#[test]
fn a_list_may_be_long() {
    let door = door();
    let proxies = vec!["10.1.2.3"; 1000].join(", ");
    let rows = [
        (format!("203.0.113.7, {proxies}"), Some("203.0.113.7")),
        (
            format!("203.0.113.7, 198.51.100.1, {proxies}"),
            Some("198.51.100.1"),
        ),
        (format!("203.0.113.7, unknown, {proxies}"), None),
        (proxies.clone(), Some("10.1.2.3")),
        (format!("{proxies}, 203.0.113.7"), Some("203.0.113.7")),
        (",".repeat(10_000), None),
        ("[".repeat(10_000), None),
        (":".repeat(10_000), None),
        ("1".repeat(10_000), None),
    ];
    for (line, from) in rows {
        let (passed, told) = door.takes(PROXY, &[&line]);
        let start = &line[..line.len().min(40)];
        assert_eq!(passed, from == Some("203.0.113.7"), "{start}");
        // A list of nothing may name nobody, or leave the proxy.
        if !line.starts_with(',') {
            assert_eq!(told.as_deref(), from, "{start}");
        }
    }
    let lines = vec!["10.1.2.3, 10.1.2.4"; 40];
    let lines = [&["203.0.113.7"][..], &lines].concat();
    assert!(door.takes(PROXY, &lines).0);
    let lines = [&lines[..], &["198.51.100.1"]].concat();
    assert!(!door.takes(PROXY, &lines).0);
}

/// Without a list of guests nobody is refused, and the log still tells who it was.
#[test]
fn everybody_is_named_in_the_log_although_nobody_is_refused() {
    let door = Door::new(&[], &TRUSTED);
    for (lines, from, _) in ROWS {
        let told = (true, Some(from.to_owned()));
        assert_eq!(door.takes(PROXY, lines), told, "{lines:?}");
    }
    for lines in [["unknown"], ["203.0.113.7, nobody"]] {
        assert_eq!(door.takes(PROXY, &lines), (true, None), "{lines:?}");
    }
    let forged = doku("{}")
        .body("{\"amount\":2}")
        .header(FORWARDED, "203.0.113.7");
    assert_eq!(door.kawal.send(&forged).status, 401);
    let bad = |line: &serde_json::Value| line["reason"] == "bad_proof";
    assert_eq!(door.kawal.wait_for_log(bad)["from"], "203.0.113.7");
}

#[test]
fn a_list_that_is_changed_in_a_running_process_counts_from_then_on() {
    let mut door = Door::new(&["203.0.113.7"], &[]);
    assert!(!door.takes(PROXY, &["203.0.113.7"]).0);
    let trusting = door.kawal.config.clone();
    door.kawal
        .take_over(trusting.set("trusted_proxies", json!([PROXY])));
    door.kawal
        .wait_for_log(|line| line["message"] == "reloaded");
    assert!(door.takes(PROXY, &["203.0.113.7"]).0);
}

/// A watcher lets strangers through, and says so.
#[test]
fn a_stranger_is_watched_behind_proxies_too() {
    let door = Door::with(&ALLOWED, &TRUSTED, Config::observing);
    for (lines, from, passes) in ROWS {
        let told = door.kawal.decided();
        let request = lines
            .iter()
            .fold(doku("{}"), |r, line| r.header(FORWARDED, line));
        let answer = send_from(PROXY, door.kawal.addr(), &request);
        assert_eq!(answer.status, 200, "{lines:?}");
        let line = door.kawal.notifications(told + 1).remove(told);
        let verdict = if passes {
            "accepted"
        } else {
            "would-reject:forbidden"
        };
        assert_eq!(line["verdict"], verdict, "{lines:?}: {line}");
        assert_eq!(line["from"], from, "{lines:?}: {line}");
        let seen = door.app.requests().pop().unwrap();
        assert_eq!(seen.all("X-Kawal-Verdict"), [verdict], "{lines:?}");
    }
}
