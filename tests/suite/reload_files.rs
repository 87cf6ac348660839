//! Files that are no files, or that come and go while a configuration is read again.

use std::fs;
use std::process::Command;

use crate::harness::gateway::{BRN, BRN_SECRET};
use crate::harness::*;

const NEW: &str = "SK-new-secret-of-a-rotation";

fn status_by(kawal: &Kawal, secret: &str) -> u16 {
    let signed = Doku::new("{}").client(BRN, secret).sign();
    kawal.send(&signed).status
}

/// To open a pipe that nobody writes to takes for ever.
#[test]
fn a_pipe_in_the_place_of_a_secret_stops_no_later_reload() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let file = kawal.config.folder.path().join("brn");
    fs::remove_file(&file).unwrap();
    assert!(
        Command::new("mkfifo")
            .arg(&file)
            .status()
            .unwrap()
            .success()
    );
    kawal.signal("HUP");
    let line = kawal.wait_for_log(|line| line["message"] == "reload refused");
    let why = line["why"].as_str().unwrap();
    assert!(
        why.contains("brn") && why.contains("no regular file"),
        "{why}"
    );
    assert_eq!(status_by(&kawal, BRN_SECRET), 200);
    fs::remove_file(&file).unwrap();
    fs::write(&file, NEW).unwrap();
    kawal.wait_for_log(|line| line["message"] == "reloaded");
    assert_eq!(status_by(&kawal, NEW), 200);
    assert_eq!(status_by(&kawal, BRN_SECRET), 401);
}

/// The store's password is read for every connection, so nobody watches it.
#[test]
fn what_was_refused_is_tried_again_for_what_nobody_watches() {
    let app = App::start();
    let config = Config::new(&app);
    let password = config.secret("password", "a-password-of-the-store");
    let config = config
        .set("replay.redis.url", "redis://127.0.0.1:6379/0")
        .set("replay.redis.password", password);
    let kawal = Kawal::start(config);
    let folder = kawal.config.folder.path().to_owned();
    fs::write(folder.join("password"), "").unwrap();
    fs::write(folder.join("brn"), NEW).unwrap();
    let line = kawal.wait_for_log(|line| line["message"] == "reload refused");
    assert!(line["why"].as_str().unwrap().contains("password"), "{line}");
    assert_eq!(status_by(&kawal, NEW), 401);
    fs::write(folder.join("password"), "a-password-of-the-store").unwrap();
    kawal.wait_for_log(|line| line["message"] == "reloaded");
    assert_eq!(status_by(&kawal, NEW), 200);
    kawal.wait_for_metric("kawal_reload_failed", 0.0);
}

#[test]
fn a_gateway_that_begins_a_new_memory_is_named() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let config = Config::clone(&kawal.config);
    config
        .clone()
        .set("gateways.doku.remember", "50h")
        .set("gateways.pivot.mode", "observe")
        .write();
    kawal.signal("HUP");
    let line = kawal.wait_for_log(|line| line["message"] == "begins a new memory");
    assert_eq!(line["gateways"], "doku", "{line}");
}

#[test]
fn a_hangup_during_the_start_ends_nothing() {
    let app = App::start();
    let config = Config::new(&app);
    let file = config.write();
    for micros in [3000, 6000, 10_000, 15_000, 25_000] {
        let mut child = kawal::command()
            .args(["serve", "--config"])
            .arg(&file)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_micros(micros));
        // Before its first instruction nobody can be heard.
        let is_ours = fs::read_to_string(format!("/proc/{}/status", child.id()))
            .is_ok_and(|status| caught(&status) & 1 == 1);
        let hung_up = Command::new("kill")
            .args(["-s", "HUP", &child.id().to_string()])
            .status();
        assert!(hung_up.unwrap().success());
        std::thread::sleep(std::time::Duration::from_millis(20));
        let ended = child.try_wait().unwrap();
        let _ = child.kill();
        let _ = child.wait();
        assert!(!is_ours || ended.is_none(), "{micros}: {ended:?}");
    }
}

/// The signals for which a process has a handler, the first of them SIGHUP.
fn caught(status: &str) -> u64 {
    let mut lines = status.lines();
    let mask = lines.find_map(|line| line.strip_prefix("SigCgt:"));
    u64::from_str_radix(mask.unwrap_or("0").trim(), 16).unwrap()
}
