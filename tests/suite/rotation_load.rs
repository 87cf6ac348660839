//! The same while gateways send without a pause, and change to the new key in the middle of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::harness::load::Next;
use crate::harness::rotating::{AFTER, Age, BEFORE, OVERLAP, ROTATING, Rotating, listing};
use crate::harness::{App, Config, Kawal, Load, Volume};

use Age::{New, Old};

/// Two senders of each kind, one on a connection that it keeps. They sign with the new key when they are told so.
fn senders(changed: &Arc<AtomicBool>) -> Vec<Next> {
    let twice = ROTATING.iter().flat_map(|rotating| [rotating, rotating]);
    let next = |rotating: &'static Rotating| -> Next {
        let changed = Arc::clone(changed);
        Box::new(move || {
            let is_new = changed.load(Ordering::Relaxed);
            rotating.signed_by(if is_new { New } else { Old })
        })
    };
    twice.map(next).collect()
}

/// Goes through a rotation by these two acts, one for the overlap and one for its end.
fn rotate(app: &App, kawal: &Kawal, overlap: impl FnOnce(), end: impl FnOnce()) {
    let changed = Arc::default();
    let load = Load::on(kawal.addr(), senders(&changed));
    load.passes(3);
    overlap();
    load.passes(3);
    changed.store(true, Ordering::Relaxed);
    // From then on nothing is under way that was signed with the old one.
    load.passes(1);
    let by_old = ROTATING.each_ref().map(|rotating| rotating.held(kawal, 1));
    load.passes(3);
    end();
    load.passes(3);
    let sent = load.end();

    assert_eq!(app.count(), sent, "every one arrived once");
    let by_new = ROTATING.iter().map(|rotating| rotating.held(kawal, 0));
    assert_eq!(by_new.sum::<usize>() + by_old.iter().sum::<usize>(), sent);
    for (rotating, by_old) in ROTATING.iter().zip(by_old) {
        let name = rotating.gateway;
        // Two senders, three each.
        assert!(by_old >= 6, "{name}: {by_old}");
        assert_eq!(rotating.held(kawal, 1), by_old, "{name}");
        assert_eq!(kawal.send(&rotating.signed_by(Old)).status, 401, "{name}");
        assert_eq!(kawal.send(&rotating.signed_by(New)).status, 200, "{name}");
    }
}

#[test]
fn no_genuine_notification_is_refused_during_a_rotation() {
    let app = App::start();
    let first = listing(&Config::snap(&app), BEFORE);
    let kawal = Kawal::start(first.clone());
    let overlap = || drop(kawal.reload(&listing(&first, OVERLAP)));
    let end = || drop(kawal.reload(&listing(&first, AFTER)));
    rotate(&app, &kawal, overlap, end);
}

/// Nobody edits the configuration: it names a current and a previous key, and their volume is updated.
#[test]
fn a_rotation_needs_no_more_than_a_mounted_secret() {
    let app = App::start();
    let config = Config::snap(&app);
    let volume = Volume::beside(&config, "keys", &borrowed(&files(Old, Old)));
    let config = ROTATING.iter().fold(config, |config, rotating| {
        let reference = |name: String| format!("file:{}", volume.path(&name).display());
        let clients = rotating.clients(&names(rotating).map(reference));
        config.set(&format!("gateways.{}.clients", rotating.gateway), clients)
    });
    let kawal = Kawal::start(config);
    let step = |current, previous| {
        let files = files(current, previous);
        let line = kawal.notices(|| volume.swap(&borrowed(&files)));
        assert_eq!(line["what"], "keys");
    };
    rotate(&app, &kawal, || step(New, Old), || step(New, New));
    assert_eq!(kawal.reload_count("keys", "success"), 2);
    assert_eq!(kawal.reloads().len(), 2);
}

fn names(rotating: &Rotating) -> [String; 2] {
    ["current", "previous"].map(|place| format!("{}.{place}", rotating.gateway))
}

/// What lies in the volume.
fn files(current: Age, previous: Age) -> Vec<(String, String)> {
    let of = |rotating: &Rotating| {
        let [first, second] = names(rotating);
        [
            (first, rotating.key(current)),
            (second, rotating.key(previous)),
        ]
    };
    ROTATING.iter().flat_map(of).collect()
}

fn borrowed(files: &[(String, String)]) -> Vec<(&str, &str)> {
    let files = files.iter();
    files
        .map(|(name, content)| (name.as_str(), content.as_str()))
        .collect()
}
