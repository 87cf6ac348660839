//! How the status page looks, and the picture of it in the README: its real bytes, with a busy ten
//! minutes that no test has the time to live through.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::harness::{App, Board, Config, Kawal, Reply, sample_status, tests_folder};

const PICTURE: (u32, u32) = (1200, 1100);

/// The page as Kawal serves it, in front of an answer of our own.
fn showing(status: &Value) -> (App, Board) {
    let kawal = Kawal::start(Config::new(&App::start()));
    let served = kawal.admin("/status");
    let policy = served.header("Content-Security-Policy").unwrap();
    let page = Reply::new(200)
        .header("Content-Type", "text/html; charset=utf-8")
        .header("Content-Security-Policy", &policy)
        .body(&served.body);
    let json = Reply::new(200)
        .header("Content-Type", "application/json")
        .body(status.to_string());
    let site = App::start();
    site.answer_with(move |request| match request.target.as_str() {
        "/status" => page.clone(),
        "/status.json" => json.clone(),
        _ => Reply::new(404),
    });
    let board = Board::at(&format!("{}/status", site.url()));
    (site, board)
}

/// Everything that the page can say at once, with names as long as they come.
fn crowded() -> Value {
    let mut status = sample_status();
    status["draining"] = json!(true);
    status["configuration"]["fault"] = json!(format!("gateways.{}: unknown", "x".repeat(300)));
    status["configuration"]["reloads"] = json!({"success": 123_456, "failure": 123_456});
    status["ledger"] =
        json!({"store": "memory", "up": false, "entries": 9_999_999, "capacity": 10_000_000});
    status["connections"] = json!(1_234_567);
    let gateway = &mut status["gateways"][0];
    gateway["name"] = json!("g".repeat(120));
    gateway["scheme"] = json!("s".repeat(120));
    gateway["skew_s"] = json!(-86_399.5);
    for count in gateway["outcomes"].as_object_mut().unwrap().values_mut() {
        *count = json!(1_234_567_890_u64);
    }
    for key in ["gateway", "route", "client", "verdict"] {
        status["decisions"][0][key] = json!("w".repeat(300));
    }
    status["decisions"][1]["total_us"] = json!(123_456_789);
    status["decisions"][1]["time"] = json!("2025-12-31T23:59:59.999Z");
    status
}

#[test]
fn the_page_fits_into_a_narrow_and_a_wide_window_and_onto_paper() {
    for status in [sample_status(), crowded()] {
        let (_site, board) = showing(&status);
        for width in [320, 360, 768, 1400, 2560] {
            board.browser.resize(width, 900);
            assert!(board.overflow() <= 0, "at {width}: {}", board.overflow());
        }
        let beyond = "const box = document.getElementById('scroll'); return box.scrollWidth - box.clientWidth";
        board.browser.resize(360, 900);
        assert!(
            board.browser.run(beyond).as_i64().unwrap() > 0,
            "the table scrolls in its box"
        );
        board.browser.resize(794, 1123);
        board
            .browser
            .tool("Emulation.setEmulatedMedia", json!({"media": "print"}));
        assert!(board.overflow() <= 0, "on paper: {}", board.overflow());
        assert!(
            board.browser.run(beyond).as_i64().unwrap() <= 0,
            "on paper nothing scrolls"
        );
    }
}

#[test]
fn everything_can_be_read_in_light_and_in_dark() {
    let mut quiet = sample_status();
    quiet["decisions"] = json!([]);
    for status in [sample_status(), crowded(), quiet] {
        let (_site, board) = showing(&status);
        let mut grounds = Vec::new();
        for scheme in ["light", "dark"] {
            board.browser.prefer(scheme);
            let found = board.browser.run(include_str!("harness/contrast.js"));
            assert_eq!(found["faint"], json!([]), "{scheme}");
            assert!(
                found["texts"].as_u64().unwrap() > 60,
                "it sees nothing: {found}"
            );
            assert!(
                found["shapes"].as_u64().unwrap() > 100,
                "it sees nothing: {found}"
            );
            grounds.push(
                board
                    .browser
                    .run("return getComputedStyle(document.body).backgroundColor"),
            );
        }
        assert_ne!(grounds[0], grounds[1]);
    }
}

/// What a screen reader would make of it.
#[test]
fn the_page_has_landmarks_headings_and_names() {
    let (_site, board) = showing(&sample_status());
    let tree = board.browser.tool("Accessibility.getFullAXTree", json!({}));
    let nodes: Vec<(String, String)> = tree["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|node| node["ignored"] != true)
        .map(|node| [&node["role"]["value"], &node["name"]["value"]])
        .map(|pair| pair.map(|value| value.as_str().unwrap_or_default().to_owned()))
        .map(|[role, name]| (role, name))
        .collect();
    let count = |role: &str| nodes.iter().filter(|(own, _)| own == role).count();
    let named = |role: &str, name: &str| nodes.contains(&(role.to_owned(), name.to_owned()));
    for role in ["banner", "main", "contentinfo", "status"] {
        assert_eq!(count(role), 1, "{role}");
    }
    for heading in [
        "Kawal 0.1.0",
        "Gateways",
        "doku",
        "doku-snap",
        "Last decisions",
    ] {
        assert!(named("heading", heading), "{heading}: {nodes:?}");
    }
    assert!(
        named("region", "Last decisions") && named("region", "Gateways"),
        "{nodes:?}"
    );
    assert!(named("meter", "Ledger (memory)"), "{nodes:?}");
    for column in [
        "Time", "Outcome", "Reason", "Gateway", "Route", "Client", "Id", "Took",
    ] {
        assert!(named("columnheader", column), "{column}: {nodes:?}");
    }
    let pictures = nodes.iter().filter(|(role, _)| role == "image");
    let told = pictures
        .filter(|(_, name)| name.contains(" delivered"))
        .count();
    assert_eq!(told, 4, "{nodes:?}");
    // The table that scrolls is reached with the keyboard.
    let reached = "document.getElementById('scroll').focus(); return document.activeElement.id";
    assert_eq!(board.browser.run(reached), "scroll");
}

#[test]
fn without_scripts_the_page_points_to_the_json() {
    let (site, board) = showing(&sample_status());
    let shown = |board: &Board| board.browser.text("main").contains("status.json");
    assert!(!shown(&board));
    board.browser.tool(
        "Emulation.setScriptExecutionDisabled",
        json!({"value": true}),
    );
    board.browser.open(&format!("{}/status", site.url()));
    assert!(shown(&board), "{}", board.browser.text("main"));
}

#[test]
fn a_clock_that_is_wrong_is_told() {
    let mut status = sample_status();
    status["gateways"][0]["skew_s"] = json!(-73.2);
    status["gateways"][1]["skew_s"] = json!(60.0);
    status["gateways"][2]["skew_s"] = json!(125.0);
    let (_site, board) = showing(&status);
    let ahead = "Clocks: doku signs 1 min 13 s ahead of our time.";
    let behind = "Clocks: doku-qris signs 2 min 5 s behind our time.";
    assert_eq!(board.wait_for_state(ahead), "warn");
    assert_eq!(board.wait_for_state(behind), "warn");
    let clocks = board
        .states()
        .into_iter()
        .filter(|(_, text)| text.starts_with("Clocks:"));
    assert_eq!(clocks.count(), 2);
    assert!(
        board.card("doku")["text"]
            .as_str()
            .unwrap()
            .contains("skew −73.2 s")
    );
}

/// A window that was left open while another version was installed.
#[test]
fn an_answer_that_the_page_does_not_know_is_told() {
    let mut status = sample_status();
    status.as_object_mut().unwrap().remove("decisions");
    let (_site, board) = showing(&status);
    let sentence = "This page does not know Kawal's answer: load it anew.";
    assert_eq!(board.wait_for_state(sentence), "bad");
}

/// One in a thousand is still seen.
#[test]
fn few_beside_many_are_still_drawn() {
    let mut status = sample_status();
    status["gateways"][0]["picture"]["counts"][30]["delivered"] = json!(5000);
    status["gateways"][0]["picture"]["counts"][30]["unknown"] = json!(1);
    let (_site, board) = showing(&status);
    let bars = board.bars("doku");
    let drawn = |outcome: &str| {
        bars.iter()
            .find(|bar| bar.outcome == outcome && bar.x > 300.0 && bar.x < 310.0)
    };
    assert!(drawn("delivered").unwrap().height > 50.0);
    assert!((2.0..4.0).contains(&drawn("unknown").unwrap().height));
    assert_eq!(
        drawn("unknown").unwrap().title.split(':').next(),
        Some("4 min 50 s ago")
    );
    assert_eq!(bars.iter().map(|bar| bar.x).fold(0.0, f64::max), 591.0);
}

/// `KAWAL_SCREENSHOT=1` also takes the one in the README anew.
#[test]
fn the_page_has_its_picture_taken() {
    let (_site, board) = showing(&sample_status());
    let hidden = json!({"hidden": true});
    board.browser.tool("Emulation.setScrollbarsHidden", hidden);
    board.browser.resize(PICTURE.0, PICTURE.1);
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    for scheme in ["light", "dark"] {
        board.browser.prefer(scheme);
        let picture = board.browser.picture(PICTURE.0, PICTURE.1);
        assert_eq!(size(&picture), PICTURE);
        std::fs::write(target.join(format!("status-{scheme}.png")), &picture).unwrap();
        if scheme == "light" && std::env::var_os("KAWAL_SCREENSHOT").is_some() {
            std::fs::write(tracked(), &picture).unwrap();
        }
    }
}

#[test]
fn the_readme_shows_a_picture_of_the_page() {
    let readme = std::fs::read_to_string(tests_folder().join("../README.md")).unwrap();
    assert!(readme.contains("](tests/pictures/status.png)"));
    let picture = std::fs::read(tracked()).unwrap();
    assert_eq!(size(&picture), PICTURE, "KAWAL_SCREENSHOT=1 takes it anew");
    assert!(picture.len() < 150_000, "{} bytes", picture.len());
}

fn tracked() -> PathBuf {
    tests_folder().join("pictures/status.png")
}

/// Width and height of a PNG, which stand right after its signature.
fn size(png: &[u8]) -> (u32, u32) {
    assert!(png.starts_with(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"));
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}
