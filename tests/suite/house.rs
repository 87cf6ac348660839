//! The house as `src/lib.rs` draws it: who may import whom, and what the core does not touch.

use std::fs;
use std::path::{Path, PathBuf};

/// Every room, in the order of the flow. A room imports only rooms before it.
const ROOMS: [&str; 19] = [
    "clock",
    "rejection",
    "secret",
    "intake",
    "scheme",
    "freshness",
    "token",
    "convert",
    "ledger",
    "forward",
    "settle",
    "answer",
    "route",
    "doctor",
    "telemetry",
    "admin",
    "config",
    "server",
    "cli",
];

/// The core ends with this room.
const LAST_OF_THE_CORE: &str = "doctor";

#[test]
fn imports_run_one_way() {
    let mut imports = 0;
    for (file, room, text) in sources() {
        for line in text.lines() {
            for other in imported(line) {
                imports += 1;
                let (from, to) = (place(&room), place(&other));
                assert!(to <= from, "{}: {room} imports {other}", file.display());
            }
        }
    }
    assert!(imports > 50, "the check sees nothing: {imports} imports");
}

#[test]
fn only_the_server_knows_pingora() {
    for (file, room, text) in sources() {
        let knows = text.contains("use pingora");
        assert!(!knows || room == "server", "{}", file.display());
    }
}

/// To whoever sends requests, what it says would be an oracle.
#[test]
fn only_a_command_knows_the_doctor() {
    let knows = |(_, room, text): &(PathBuf, String, String)| {
        room != "doctor" && text.contains("crate::doctor")
    };
    let rooms: Vec<_> = sources().into_iter().filter(knows).collect();
    let files: Vec<_> = rooms.iter().map(|(file, _, _)| file).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(files[0].ends_with("src/cli/verify.rs"), "{files:?}");
}

#[test]
fn the_core_is_pure() {
    let mut core = 0;
    for (file, room, text) in sources() {
        if place(&room) > place(LAST_OF_THE_CORE) {
            continue;
        }
        core += 1;
        let text = text.split("#[cfg(test)]").next().unwrap();
        for (word, but) in [
            ("tokio", "ledger/redis"),
            ("std::fs", "secret"),
            ("std::env", "secret"),
            ("Timestamp::now", "clock ledger/redis"),
            ("Instant::now", "clock ledger/redis"),
            ("SystemTime", ""),
            ("TcpStream", "ledger/redis"),
        ] {
            // The shared store is a socket and has a clock; it alone.
            let is_spared = but.split(' ').any(|but| {
                !but.is_empty()
                    && (room == but || file.to_string_lossy().contains(&format!("src/{but}")))
            });
            assert!(
                !text.contains(word) || is_spared || is_test(&file),
                "{} holds {word}",
                file.display()
            );
        }
    }
    assert!(core > 20, "the check sees nothing: {core} files");
}

fn is_test(file: &Path) -> bool {
    file.ends_with("tests.rs")
}

fn place(room: &str) -> usize {
    let found = ROOMS.iter().position(|other| *other == room);
    found.unwrap_or_else(|| panic!("{room} has no place in the house; draw it in src/lib.rs too"))
}

/// The rooms that a line imports or names by their path.
fn imported(line: &str) -> Vec<String> {
    if line.trim_start().starts_with("//") {
        return Vec::new();
    }
    let names = line.split("crate::").skip(1);
    names
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .filter(|name: &String| !name.is_empty())
        .collect()
}

/// Every source file with its room and text.
fn sources() -> Vec<(PathBuf, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&root).unwrap();
            let first = inside.components().next().unwrap().as_os_str();
            let room = Path::new(first)
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            if path.extension().is_some_and(|end| end == "rs") && !["lib", "main"].contains(&&*room)
            {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, room, text));
            }
        }
    }
    assert!(found.len() > 40);
    found
}
