//! A configuration may be wrong in any way: what it must not hold, or what its files hold, is not repeated.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::canary::pages;
use crate::cli::run;
use crate::harness::canary::Needles;
use crate::harness::kawal::command;
use crate::harness::{App, Config, Form, Kawal, Plain, doku, until};

const TYPED: &str = "canary-typed-secret-Wm46qS";
const DIGITS: &str = "4711081547110815471";
const KEY: &str = "canaryKeyMaterialNf83xBcanaryKeyMaterialNf83xB";

fn needles() -> Needles {
    Needles::default().text(TYPED).text(DIGITS).text(KEY)
}

/// Every way to write a secret where only a reference belongs.
fn typed() -> Vec<(&'static str, Config)> {
    let config = || Config::to("http://127.0.0.1:9");
    let client = |value: Value| config().set("gateways.doku.clients", json!([value]));
    let secrets = |value: Value| client(json!({"id": "BRN-1", "secrets": value}));
    let key = config().secret("key.pem", format!("-----BEGIN PUBLIC KEY-----\n{KEY}\n"));
    vec![
        ("a value", secrets(json!([TYPED]))),
        (
            "a value of another kind",
            secrets(json!([format!("base64:{TYPED}")])),
        ),
        ("a word instead of a list", secrets(json!(TYPED))),
        ("a list in a list", secrets(json!([[TYPED]]))),
        ("a section in a list", secrets(json!([{"file": TYPED}]))),
        ("a section by its name", secrets(json!([{TYPED: null}]))),
        (
            "a section instead of a list",
            secrets(json!({TYPED: TYPED})),
        ),
        ("a number", secrets(json!([DIGITS.parse::<i64>().unwrap()]))),
        (
            "a number instead of a list",
            secrets(json!(DIGITS.parse::<i64>().unwrap())),
        ),
        (
            "a key of its own",
            client(json!({"id": "BRN-1", "secret": TYPED})),
        ),
        ("a client that is a word", client(json!(TYPED))),
        (
            "clients that are a word",
            config().set("gateways.doku.clients", TYPED),
        ),
        (
            "a gateway that is a word",
            config().set("gateways.doku", TYPED),
        ),
        ("gateways that are a word", config().set("gateways", TYPED)),
        (
            "a public key",
            client(json!({"id": "BRN-1", "public_keys": [TYPED]})),
        ),
        (
            "a file of a public key",
            client(json!({"id": "BRN-1", "public_keys": [key]})),
        ),
        (
            "the store's password",
            config().set("replay.redis.password", TYPED),
        ),
        (
            "the store's password twice",
            config().set("replay.redis.password", json!([TYPED])),
        ),
        (
            "a password of the app",
            config().set("upstream", format!("http://shop:{TYPED}@127.0.0.1:3000")),
        ),
        (
            "a token of the app",
            config().set("upstream", format!("http://127.0.0.1:3000/?token={TYPED}")),
        ),
        (
            "by variable",
            config().env("KAWAL_REPLAY__REDIS__PASSWORD", TYPED),
        ),
        (
            "gateways by variable",
            config().env("KAWAL_GATEWAYS", TYPED),
        ),
        (
            "clients by variable",
            config().env("KAWAL_GATEWAYS__DOKU__CLIENTS", &format!("[{TYPED}]")),
        ),
    ]
}

/// The same where the file as a whole cannot be read: what stands instead of a list of secrets.
const BROKEN: [&str; 14] = [
    "[@]",
    "[\"@",
    "[@",
    "@]",
    "[@: ]: }",
    "\"@\" \"@\"",
    "[*@]",
    "!@ [x",
    "&@ &@ x",
    "[@]\n\t- @",
    "[@]\n @: [",
    "|\n@\n  @: [",
    "{@: 1, @: 2}",
    "[%@, `@`]",
];

fn broken() -> Vec<(&'static str, Config)> {
    let text = |secrets: &str| {
        let secrets = secrets.replace('@', TYPED);
        format!(
            "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:9\ngateways:\n  doku:\n    scheme: doku\n    clients:\n    - id: BRN-1\n      secrets: {secrets}\nroutes: [{{path: /a, gateway: doku}}]\n"
        )
    };
    let config = |secrets| Config::to("http://127.0.0.1:9").with_text(text(secrets));
    BROKEN.iter().map(|row| (*row, config(row))).collect()
}

#[test]
fn a_secret_that_was_typed_is_never_repeated_by_a_command() {
    for (name, config) in typed().into_iter().chain(broken()) {
        let file = config.write();
        for words in [&["check"][..], &["serve"], &["serve", "--log", "text"]] {
            let mut command = command();
            command
                .args(words)
                .arg("--config")
                .arg(&file)
                .envs(config.env.iter().cloned())
                .env("RUST_LOG", "trace")
                .current_dir(config.folder.path());
            let exit = run(&mut command);
            let printed = exit.stdout.clone() + &exit.stderr;
            needles().assert_absent(&format!("{words:?} of {name}"), &printed);
            assert_eq!(exit.code, Some(78), "{name}: {exit:?}");
            assert!(!exit.stderr.is_empty(), "{name}: {exit:?}");
        }
    }
}

#[test]
fn a_secret_that_was_typed_is_never_repeated_by_a_reload() {
    for (form, level) in [(Form::Json, "trace"), (Form::Text, "info")] {
        let app = App::start();
        let config = Config::new(&app)
            .arg("--log")
            .arg(form.word())
            .env("RUST_LOG", level);
        let kawal = Plain::start(config);
        let file = kawal.config.folder.path().join("config.yaml");
        let sound = fs::read_to_string(&file).unwrap();
        let mut refused = 0.0;
        for (name, config) in typed().into_iter().chain(broken()) {
            if !config.env.is_empty() {
                continue;
            }
            write_whole(&file, &config.text());
            refused = refuses_to_reload(&kawal, name, refused);
            needles().assert_absent(name, &pages(&kawal));
            assert_eq!(kawal.send(&doku("{}")).status, 200, "{name}");
        }
        assert!(refused > 30.0, "{refused}");
        write_whole(&file, &sound);
        reloads(&kawal, "success", 0.0);
        let printed = kawal.end().both();
        needles().assert_absent("the output", &printed);
        assert!(printed.contains("reload refused"), "{printed}");
    }
}

/// A file that holds too little or nothing useful, or that is gone, is told by its name.
#[test]
fn a_secret_file_that_became_unusable_is_named_and_not_shown() {
    let app = App::start();
    let config = Config::snap(&app).env("RUST_LOG", "trace");
    let kawal = Kawal::start(config);
    let folder = kawal.config.folder.path().to_owned();
    let mut refused = 0;
    for (name, content) in [
        (
            "gateway.pem",
            format!("-----BEGIN PUBLIC KEY-----\n{KEY}\n"),
        ),
        ("gateway.pem", KEY.to_owned()),
        ("gateway.pem", TYPED.to_owned()),
        ("brn", String::new()),
        ("brn", "\n".to_owned()),
    ] {
        let sound = fs::read(folder.join(name)).unwrap();
        write_whole(&folder.join(name), &content);
        kawal.signal("HUP");
        refused += 1;
        let told = |line: &Value| line["message"] == "reload refused";
        until("it is refused", || {
            kawal.log().into_iter().filter(told).count() >= refused
        });
        refused = kawal.log().into_iter().filter(told).count();
        let line = kawal.log().into_iter().rfind(told).unwrap();
        assert!(line["why"].as_str().unwrap().contains(name), "{line}");
        write_whole(&folder.join(name), std::str::from_utf8(&sound).unwrap());
    }
    needles().assert_absent("the output", &kawal.output());
}

/// So that nobody reads half of it.
fn write_whole(file: &Path, text: &str) {
    let beside = file.with_extension("new");
    fs::write(&beside, text).unwrap();
    fs::rename(&beside, file).unwrap();
}

/// Asks for a reload, and waits for one more that is refused.
fn refuses_to_reload(kawal: &Plain, name: &str, before: f64) -> f64 {
    kawal.signal("HUP");
    let counted = || {
        kawal
            .page()
            .sum("kawal_reloads_total", &[("result", "failure")])
    };
    until(&format!("{name} is refused"), || counted() > before);
    counted()
}

fn reloads(kawal: &Plain, result: &str, before: f64) {
    kawal.signal("HUP");
    let counted = || {
        kawal
            .page()
            .sum("kawal_reloads_total", &[("result", result)])
    };
    until("it is loaded", || counted() > before);
}
