//! What changes in the files is taken over though nobody tells of it: however it is changed, and only when it is whole.

use std::fs;
use std::os::unix::fs::symlink;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::gateway::{BRN, BRN_SECRET, PIVOT_KEY};
use crate::harness::reloads::TAKEN;
use crate::harness::{App, Config, Doku, Kawal, Volume, until};

/// How something comes into a file.
type Way<'a, T> = &'a dyn Fn(&T);

fn status_by(kawal: &Kawal, secret: &str) -> u16 {
    kawal
        .send(&Doku::new("{}").client(BRN, secret).sign())
        .status
}

#[test]
fn a_changed_configuration_is_noticed_however_it_was_changed() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let config = kawal.config.clone();
    let file = config.folder.path().join("config.yaml");
    let beside = config.folder.path().join("other.yaml");
    let by_link = |config: &Config| {
        fs::write(&beside, config.text()).unwrap();
        fs::remove_file(&file).unwrap();
        symlink(&beside, &file).unwrap();
    };
    let through_the_link = |config: &Config| fs::write(&beside, config.text()).unwrap();
    let ways: [(&str, Way<'_, Config>); 4] = [
        ("edited in place", &|config| drop(config.write())),
        ("another inode", &|config| config.replace()),
        ("a link in its place", &by_link),
        ("behind the link", &through_the_link),
    ];
    for (nth, (way, change)) in ways.into_iter().enumerate() {
        let path = format!("/payments/{nth}");
        let line = kawal.notices(|| change(&config.routed(&path)));
        assert_eq!(line["what"], "config", "{way}");
        assert_eq!(kawal.status_at(&path), 200, "{way}");
        assert_eq!(kawal.reload_count("config", "success"), nth + 1, "{way}");
    }
    assert_eq!(kawal.status_at("/payments/2"), 404);
    kawal.serves(&app);
}

#[test]
fn a_changed_secret_is_noticed_however_it_was_changed() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let file = kawal.config.folder.path().join("brn");
    let beside = kawal.config.folder.path().join("beside");
    let in_place = |secret: &str| fs::write(&file, secret).unwrap();
    let another_inode = |secret: &str| {
        fs::write(&beside, secret).unwrap();
        fs::rename(&beside, &file).unwrap();
    };
    // As long as the one before, and as old: times and sizes tell nothing.
    let as_old = |secret: &str| {
        let before = fs::metadata(&file).unwrap().modified().unwrap();
        fs::write(&file, secret).unwrap();
        let handle = fs::File::options().write(true).open(&file).unwrap();
        handle.set_modified(before).unwrap();
    };
    let ways: [(&str, Way<'_, str>); 3] = [
        ("edited in place", &in_place),
        ("another inode", &another_inode),
        ("as old and as long", &as_old),
    ];
    let mut before = BRN_SECRET.to_owned();
    for (nth, (way, change)) in ways.into_iter().enumerate() {
        let secret = format!("SK-changed-canary-secret-{nth}");
        let line = kawal.notices(|| change(&secret));
        assert_eq!(line["what"], "keys", "{way}");
        assert_eq!(status_by(&kawal, &secret), 200, "{way}");
        assert_eq!(status_by(&kawal, &before), 401, "{way}");
        assert_eq!(kawal.reload_count("keys", "success"), nth + 1, "{way}");
        before = secret;
    }
    assert_eq!(kawal.reload_count("config", "success"), 0);
}

/// A Secret that is mounted beside the configuration.
#[test]
fn a_mounted_secret_is_noticed_when_its_link_is_swapped() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let secrets = Volume::beside(
        &kawal.config,
        "secrets",
        &[("key", "SK-mounted-canary-secret-0")],
    );
    let reference = format!("file:{}", secrets.path("key").display());
    let clients = json!([{"id": BRN, "secrets": [reference]}]);
    kawal.reload(&kawal.config.clone().set("gateways.doku.clients", clients));
    for round in 1..=2 {
        let secret = format!("SK-mounted-canary-secret-{round}");
        let line = kawal.notices(|| secrets.swap(&[("key", &secret)]));
        assert_eq!(line["what"], "keys");
        assert_eq!(status_by(&kawal, &secret), 200);
        assert_eq!(
            status_by(&kawal, &format!("SK-mounted-canary-secret-{}", round - 1)),
            401
        );
    }
    // A generation with the same content is no change.
    let before = kawal.reloads().len();
    secrets.swap(&[]);
    thread::sleep(SEVERAL_LOOKS);
    assert_eq!(kawal.reloads().len(), before);
}

/// The folder in which the configuration itself lies, and from which its relative paths start.
#[test]
fn a_mounted_configuration_is_noticed_when_its_link_is_swapped() {
    let app = App::start();
    let config = Config::new(&app);
    let relative = json!([{"id": BRN, "secrets": ["file:brn"]}]);
    let config = config.set("gateways.doku.clients", relative);
    let volume = Volume::of(&config);
    let kawal = Kawal::start(config.clone());
    kawal.serves(&app);
    let routed = config.routed("/payments/1").text();
    let line = kawal.notices(|| volume.swap(&[("config.yaml", &routed)]));
    assert_eq!(line["what"], "config");
    assert_eq!(kawal.status_at("/payments/1"), 200);
    // Both at once, in one swap: nothing in between is ever in force.
    let secret = "SK-mounted-canary-secret-1";
    let config = config.routed("/payments/2").text();
    kawal.notices(|| volume.swap(&[("config.yaml", &config), ("brn", secret)]));
    assert_eq!(status_by(&kawal, secret), 200);
    assert_eq!(kawal.status_at("/payments/1"), 404);
    assert_eq!(kawal.reloads().len(), 2);
}

/// More than the time between two looks, several times over. Nothing can be waited for where nothing may happen.
pub const SEVERAL_LOOKS: Duration = Duration::from_secs(8);

#[test]
fn what_a_hangup_took_over_is_not_taken_over_again() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    kawal.reload(&kawal.config.routed("/payments/new"));
    kawal.config.secret("brn", "SK-changed-canary-secret-0");
    kawal.hang_up();
    // Touched, and yet the same.
    kawal.config.secret("pivot", PIVOT_KEY);
    kawal.config.routed("/payments/new").replace();
    thread::sleep(SEVERAL_LOOKS);
    assert_eq!(kawal.reloads().len(), 2, "{:?}", kawal.reloads());
    // It does look.
    kawal.notices(|| kawal.config.routed("/payments/newer").replace());
    assert_eq!(kawal.reloads().len(), 3);
}

/// A key that only the new configuration names is watched too, and one that it does not name any more is not.
#[test]
fn the_files_of_the_newest_configuration_are_watched() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let new = kawal.config.secret("new", "SK-changed-canary-secret-0");
    let clients = json!([{"id": BRN, "secrets": [new]}]);
    kawal.reload(&kawal.config.clone().set("gateways.doku.clients", clients));
    fs::remove_file(kawal.config.folder.path().join("brn")).unwrap();
    kawal.config.secret("mch-new", "short");
    let secret = "SK-changed-canary-secret-1";
    let line = kawal.notices(|| drop(kawal.config.secret("new", secret)));
    assert_eq!(line["what"], "keys");
    assert_eq!(status_by(&kawal, secret), 200);
    assert!(kawal.reloads().iter().all(|line| line["message"] == TAKEN));
}

/// Somebody writes line after line, and every part of it is sound for itself.
#[test]
fn what_is_still_being_written_is_not_taken_over() {
    let app = App::start();
    let write = |kawal: &Kawal| {
        let mut config = kawal.config.clone();
        let parts = (1..80).map(|part| {
            config = config.routed(&format!("/payments/part-{part}"));
            config.write();
            kawal
                .config
                .secret("brn", format!("SK-a-part-of-a-secret-{part}"));
        });
        let kept = keeps_pace(parts);
        kawal.config.secret("brn", BRN_SECRET);
        kawal.config.routed("/payments/whole").write();
        kept
    };
    let kawal = started_and(&app, write);
    until("the whole is taken over", || !kawal.reloads().is_empty());
    assert_eq!(kawal.status_at("/payments/whole"), 200);
    assert_eq!(kawal.status_at("/payments/part-1"), 404);
    assert_eq!(kawal.reloads().len(), 1, "{:?}", kawal.reloads());
    kawal.serves(&app);
}

/// What an editor leaves for a moment: nothing at all, or an empty file.
#[test]
fn a_moment_without_a_file_is_not_told() {
    let app = App::start();
    let save = |kawal: &Kawal| {
        let file = kawal.config.folder.path().join("config.yaml");
        let steps: [&dyn Fn(); 4] = [
            &|| fs::remove_file(&file).unwrap(),
            &|| fs::write(&file, "").unwrap(),
            &|| fs::write(&file, "listen: 127.0.0.1:0\nupstream: ").unwrap(),
            &|| drop(kawal.config.routed("/payments/new").write()),
        ];
        keeps_pace(steps.into_iter().map(|step| step()))
    };
    let kawal = started_and(&app, save);
    until("the new one is taken over", || !kawal.reloads().is_empty());
    assert_eq!(kawal.reloads().len(), 1, "{:?}", kawal.reloads());
    assert_eq!(kawal.status_at("/payments/new"), 200);
}

/// A process to whose files this was done in one go. Whoever is held up on the way has, for that moment, written
/// something whole, which proves nothing.
fn started_and(app: &App, act: impl Fn(&Kawal) -> bool) -> Kawal {
    loop {
        let kawal = Kawal::start(Config::new(app));
        if act(&kawal) {
            return kawal;
        }
    }
}

/// Takes the steps, a tenth of a second apart; whether none took nearly as long as what is whole stays the same.
fn keeps_pace(steps: impl Iterator<Item = ()>) -> bool {
    let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
    for () in steps {
        thread::sleep(Duration::from_millis(100));
        longest = longest.max(last.elapsed());
        last = Instant::now();
    }
    longest < Duration::from_millis(800)
}

/// A volume whose parts arrive one after the other: first what names a key, then the key.
#[test]
fn a_key_that_comes_after_its_configuration_completes_it() {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app));
    let late = kawal.config.folder.path().join("late");
    let reference = format!("file:{}", late.display());
    let clients = json!([{"id": BRN, "secrets": [reference]}]);
    let config = kawal.config.clone().set("gateways.doku.clients", clients);
    let line = kawal.notices_a_fault(|| config.replace());
    let why = line["why"].as_str().unwrap();
    assert!(why.contains("gateways.doku.clients[0].secrets[0]"), "{why}");
    kawal.serves(&app);
    kawal.notices(|| fs::write(&late, "SK-changed-canary-secret-0").unwrap());
    assert_eq!(status_by(&kawal, "SK-changed-canary-secret-0"), 200);
    kawal.wait_for_metric("kawal_reload_failed", 0.0);
}
