//! The store's password is in no output, wherever it stands and whatever goes wrong.

use std::fs;

use crate::cli::run;
use crate::harness::kawal::command;
use crate::harness::{Config, Deployment, Exit, Kawal, Redis, TokenRequest, doku};

const PASSWORD: &str = "canary-store-password-1";
/// One that an address has to escape, and its escaped form.
const ODD: &str = "canary/store@pass:word#2";
const ESCAPED: &str = "canary%2Fstore%40pass%3Aword%232";

#[track_caller]
fn assert_silent(what: &str, printed: &str) {
    for secret in [
        PASSWORD,
        ODD,
        ESCAPED,
        "canary%2F",
        "canary/store",
        "pass:word",
    ] {
        assert!(
            !printed.contains(secret),
            "{what} shows {secret}: {printed}"
        );
    }
}

fn commands(config: &Config) -> Vec<(&'static str, Exit)> {
    let file = config.write();
    [&["check"][..], &["serve"], &["check", "--schema"]]
        .into_iter()
        .map(|words| {
            let exit = run(command()
                .args(words)
                .arg("--config")
                .arg(&file)
                .envs(config.env.iter().cloned())
                .current_dir(config.folder.path()));
            (*words.last().unwrap(), exit)
        })
        .collect()
}

#[test]
fn a_password_in_an_address_is_refused_and_never_repeated() {
    for url in [
        format!("redis://:{PASSWORD}@127.0.0.1:1/0"),
        format!("redis://kawal:{PASSWORD}@127.0.0.1:1/0"),
        format!("rediss://kawal:{ESCAPED}@127.0.0.1:1/0"),
        format!("redis://kawal:{ODD}@127.0.0.1:1/0"),
        format!("redis://{PASSWORD}:@127.0.0.1:1/0"),
        format!("redis-sentinel://kawal:{PASSWORD}@127.0.0.1:1,127.0.0.1:2/shop"),
        format!("redis-cluster://kawal:{PASSWORD}@127.0.0.1:1,127.0.0.1:2"),
        format!("redis-cluster://127.0.0.1:1,kawal:{PASSWORD}@127.0.0.1:2"),
        format!("unix:/run/redis.sock?pass={PASSWORD}"),
        format!("redis://127.0.0.1:1/0?password={PASSWORD}"),
        format!("redis://127.0.0.1:1/{PASSWORD}"),
        format!("redis://127.0.0.1:{PASSWORD}/0"),
        format!("REDIS://:{PASSWORD}@127.0.0.1:1"),
        format!("http://:{PASSWORD}@127.0.0.1:1"),
        format!(":{PASSWORD}@127.0.0.1:1"),
    ] {
        let config = Config::to("http://127.0.0.1:9")
            .set("replay.store", "redis")
            .set("replay.redis.url", url.as_str());
        let by_variable = Config::to("http://127.0.0.1:9")
            .set("replay.store", "redis")
            .env("KAWAL_REPLAY__REDIS__URL", &url);
        for config in [config, by_variable] {
            for (word, exit) in commands(&config) {
                let printed = exit.stdout.clone() + &exit.stderr;
                assert_silent(&format!("{word} of {url}"), &printed);
                if word == "--schema" {
                    continue;
                }
                assert_eq!(exit.code, Some(78), "{url}: {exit:?}");
                assert_eq!(exit.stderr.lines().count(), 1, "{url}: {exit:?}");
                let named = exit.stderr.contains("replay.redis.url")
                    || exit.stderr.contains("KAWAL_REPLAY__REDIS__URL");
                assert!(named, "{url}: {exit:?}");
            }
        }
    }
}

#[test]
fn a_password_that_is_no_reference_is_refused_and_never_repeated() {
    for password in [PASSWORD, ODD, "", "file:"] {
        let config = Config::to("http://127.0.0.1:9")
            .set("replay.store", "redis")
            .set("replay.redis.url", "redis://127.0.0.1:1")
            .set("replay.redis.password", password);
        for (word, exit) in commands(&config) {
            assert_silent(word, &(exit.stdout.clone() + &exit.stderr));
            if word != "--schema" {
                assert_eq!(exit.code, Some(78), "{password}: {exit:?}");
                assert!(exit.stderr.contains("replay.redis.password"), "{exit:?}");
            }
        }
    }
}

/// All that can happen to a store, with all that is printed on the way.
#[test]
fn no_output_of_a_life_with_a_store_holds_its_password() {
    for password in [PASSWORD, ODD] {
        let store = Redis::with(&["--requirepass", password, "--appendonly", "yes"]);
        let shop = Deployment::with(store, |config| {
            let reference = config.secret("store-password", password);
            config
                .with_snap()
                .env("RUST_LOG", "trace")
                .set("replay.redis.password", reference)
        });
        let delivered = doku("{}");
        shop.delivers(&delivered);
        shop.knows(&delivered);
        let token = TokenRequest::new().sign();
        let token = shop.kawal.send(&token);
        assert_eq!(token.status, 200);
        let token = token.json()["accessToken"].as_str().unwrap().to_owned();

        let file = shop.kawal.config.folder.path().join("store-password");
        shop.store.kill();
        shop.goes_down();
        shop.misses_its_store(&delivered);
        fs::write(&file, format!("{PASSWORD}-of-yesterday")).unwrap();
        shop.store.restart();
        shop.misses_its_store(&delivered);
        fs::write(&file, password).unwrap();
        shop.comes_back();
        shop.knows(&delivered);
        shop.store.signal("STOP");
        shop.misses_its_store(&delivered);
        shop.goes_down();
        let printed = shop.kawal.output() + &shop.kawal.metrics();
        assert_silent("a life", &printed);
        assert!(!printed.contains(&token), "a token was printed: {printed}");
    }
}

/// What lies in the store is for whoever may read it: no proof, no key, no payload, no token.
#[test]
fn no_value_in_the_store_holds_what_is_secret() {
    let shop = Deployment::with(Redis::start(), Config::with_snap);
    let body = "{\"name\":\"canary-in-a-payload\"}";
    let notification = doku(body);
    shop.delivers(&notification);
    shop.app
        .next(crate::harness::Reply::new(500).body("canary-in-a-refusal"));
    shop.kawal.send(&doku(body));
    let token = TokenRequest::new().sign();
    let answer = shop.kawal.send(&token);
    let token = answer.json()["accessToken"].as_str().unwrap().to_owned();
    let keys = shop.store.keys();
    assert!(keys.len() > 3, "{keys:?}");
    let signature = notification.value("Signature");
    for key in &keys {
        let dump = shop.store.command(&["DUMP", key]);
        let value = String::from_utf8_lossy(dump.bytes()).into_owned() + key;
        let parts: Vec<_> = token.split('.').collect();
        for secret in [
            "canary-in-a-payload",
            "canary-in-a-refusal",
            crate::harness::gateway::BRN_SECRET,
            &signature[11..],
            parts[2],
        ] {
            assert!(!value.contains(secret), "{key} holds {secret}");
        }
        let lives = shop.store.command(&["PTTL", key]).integer();
        assert!(
            lives > 0 || key.ends_with(":memory"),
            "{key} lives for ever"
        );
    }
}

/// Whoever may write to the store, or stands in its place, writes nothing into the log.
#[test]
fn what_a_store_says_makes_no_line_of_the_log() {
    let app = crate::harness::App::start();
    let store = Redis::start();
    let service = crate::harness::Service::altering(store.addr(), "noeviction", "x\r\n\"}\n{\"ay");
    let config = Config::new(&app)
        .on(&store)
        .set("replay.redis.url", service.url());
    match Kawal::try_start(config) {
        Ok(kawal) => {
            let _ = kawal.send(&doku("{}"));
            kawal.notifications(1);
            let lines = kawal.log();
            assert!(lines.iter().all(|line| line.is_object()), "{lines:?}");
        }
        Err(exit) => assert_eq!(exit.stderr.lines().count(), 1, "{exit:?}"),
    }
}
