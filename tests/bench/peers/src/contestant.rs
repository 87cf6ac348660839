//! Who is measured, and with what.

use crate::Fallible;
use crate::words::{Binary, Words};

/// The server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    App,
    Haproxy,
    Kawal { with_redis: bool },
    Nginx,
}

/// What is sent to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// Signed as DOKU does, each of them new; verified by who can.
    Doku,
    /// The same, to a port that verifies nothing.
    Plain,
    /// One notification again and again.
    Duplicates,
    Forgeries,
    Pivot,
    Snap,
    /// To a path that no route has, without a body.
    Unrouted,
    /// The same with a body.
    UnroutedPost,
}

/// One row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Contestant {
    /// As it is asked for.
    pub(crate) word: &'static str,
    /// As it stands in the table.
    pub(crate) name: String,
    pub(crate) peer: Peer,
    pub(crate) traffic: Traffic,
    /// Of use for Kawal only.
    pub(crate) binary: Binary,
}

const KAWAL: Peer = Peer::Kawal { with_redis: false };

/// In the order of the table.
const ALL: [(&str, &str, Peer, Traffic); 13] = [
    ("app", "the app alone", Peer::App, Traffic::Plain),
    (
        "nginx",
        "nginx, nothing verified",
        Peer::Nginx,
        Traffic::Plain,
    ),
    (
        "haproxy",
        "HAProxy, nothing verified",
        Peer::Haproxy,
        Traffic::Plain,
    ),
    (
        "nginx-hmac",
        "nginx + njs, HMAC only",
        Peer::Nginx,
        Traffic::Doku,
    ),
    (
        "haproxy-hmac",
        "HAProxy, HMAC only",
        Peer::Haproxy,
        Traffic::Doku,
    ),
    ("doku", "Kawal, DOKU", KAWAL, Traffic::Doku),
    ("snap", "Kawal, SNAP with token", KAWAL, Traffic::Snap),
    ("pivot", "Kawal, Pivot", KAWAL, Traffic::Pivot),
    (
        "duplicates",
        "Kawal, duplicates",
        KAWAL,
        Traffic::Duplicates,
    ),
    ("forgeries", "Kawal, forgeries", KAWAL, Traffic::Forgeries),
    (
        "unmatched",
        "Kawal, GET of no route",
        KAWAL,
        Traffic::Unrouted,
    ),
    (
        "unmatched-post",
        "Kawal, POST of no route",
        KAWAL,
        Traffic::UnroutedPost,
    ),
    (
        "redis",
        "Kawal, DOKU, ledger in Redis",
        Peer::Kawal { with_redis: true },
        Traffic::Doku,
    ),
];

/// Those that were asked for, Kawal's once for each binary.
pub(crate) fn chosen(words: &Words) -> Fallible<Vec<Contestant>> {
    let known = |word: &String| ALL.iter().any(|(other, ..)| other == word);
    if let Some(word) = words.only.iter().find(|word| !known(word)) {
        let names: Vec<_> = ALL.iter().map(|(word, ..)| *word).collect();
        return Err(format!("{word} is no contestant; there are: {}", names.join(",")).into());
    }
    let mut chosen = Vec::new();
    for (word, name, peer, traffic) in ALL {
        let is_named = words.only.iter().any(|other| other == word);
        let is_usual = words.only.is_empty() && traffic != Traffic::UnroutedPost;
        if !is_named && !is_usual {
            continue;
        }
        let is_kawal = matches!(peer, Peer::Kawal { .. });
        let count = if is_kawal { words.binaries.len() } else { 1 };
        for binary in words.binaries.iter().take(count) {
            let name = match binary.label.as_str() {
                label if is_kawal && !label.is_empty() => format!("{name} [{label}]"),
                _ => name.to_owned(),
            };
            chosen.push(Contestant {
                word,
                name,
                peer,
                traffic,
                binary: binary.clone(),
            });
        }
    }
    Ok(chosen)
}

impl Contestant {
    /// Whether it looks at signatures.
    pub(crate) fn verifies(&self) -> bool {
        match self.traffic {
            Traffic::Plain | Traffic::Unrouted | Traffic::UnroutedPost => false,
            Traffic::Doku
            | Traffic::Duplicates
            | Traffic::Forgeries
            | Traffic::Pivot
            | Traffic::Snap => true,
        }
    }

    /// Whether the size of bodies makes it another trial.
    pub(crate) fn has_body(&self) -> bool {
        self.traffic != Traffic::Unrouted
    }

    pub(crate) fn is_kawal(&self) -> bool {
        matches!(self.peer, Peer::Kawal { .. })
    }
}
