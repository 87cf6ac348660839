//! The ways to a store: a unix socket, TLS, a user of its own, another database, a name.

use std::fs;

use crate::harness::redis::free_port;
use crate::harness::{App, Config, Deployment, Exit, Kawal, Redis, doku, tests_folder};

fn key(name: &str) -> String {
    tests_folder().join("keys").join(name).display().to_string()
}

#[test]
fn a_store_behind_a_unix_socket() {
    let folder = crate::harness::config::Folder::new();
    let socket = folder.path().join("store.sock").display().to_string();
    let store = Redis::with(&["--unixsocket", &socket, "--appendonly", "yes"]);
    let url = format!("unix:{socket}?db=3");
    let shop = Deployment::with(store, |config| config.set("replay.redis.url", url));
    let notification = doku("{}");
    shop.delivers(&notification);
    shop.knows(&notification);
    assert!(shop.store.keys().is_empty(), "it lies in database 0");
    shop.store.command(&["SELECT", "3"]);
    assert!(!shop.store.keys().is_empty());

    shop.outlives_its_store(&notification);
}

#[test]
fn a_database_of_its_own_and_a_prefix_of_its_own() {
    let store = Redis::start();
    let url = store.url().replace("/0", "/7");
    let shop = Deployment::with(store, |config| {
        config
            .set("replay.redis.url", url)
            .set("replay.redis.prefix", "shop-1.payments_a:b")
    });
    let notification = doku("{}");
    shop.delivers(&notification);
    shop.knows(&notification);
    assert!(shop.store.keys().is_empty(), "it lies in database 0");
    shop.store.command(&["SELECT", "7"]);
    let keys = shop.store.keys();
    assert!(!keys.is_empty());
    let ours = |key: &String| key.starts_with("shop-1.payments_a:b:{");
    assert!(keys.iter().all(ours), "{keys:?}");
}

/// Two shops in one store know nothing of each other.
#[test]
fn another_prefix_is_another_ledger() {
    let first = Deployment::new();
    let app = App::start();
    let config = Config::new(&app)
        .on(&first.store)
        .set("replay.redis.prefix", "other");
    let kawal = Kawal::start(config);
    let notification = doku("{}");
    first.delivers(&notification);
    assert_eq!(kawal.send(&notification).status, 200);
    assert_eq!(app.count(), 1);
}

/// A server that speaks TLS at one port and, to the test, plain text at another.
fn with_tls(more: &[&str]) -> (Redis, u16) {
    let port = free_port();
    let (text, ca) = (port.to_string(), key("store-ca.pem"));
    let (certificate, private) = (key("store-certificate.pem"), key("store-private.pem"));
    let mut args = vec!["--tls-port", &text];
    if !more.contains(&"--tls-auth-clients") {
        args.extend(["--tls-auth-clients", "no"]);
    }
    args.extend(["--tls-ca-cert-file", &ca, "--tls-cert-file", &certificate]);
    args.extend(["--tls-key-file", &private]);
    args.extend(more);
    (Redis::with(&args), port)
}

#[test]
fn a_store_that_speaks_tls() {
    let (store, port) = with_tls(&["--appendonly", "yes"]);
    let shop = Deployment::with(store, |config| {
        config
            .set("replay.redis.url", format!("rediss://127.0.0.1:{port}/0"))
            .env("SSL_CERT_FILE", &key("store-ca.pem"))
    });
    let notification = doku("{}");
    shop.delivers(&notification);
    shop.knows(&notification);
    shop.outlives_its_store(&notification);
}

/// Whoever stands in the way could read what is delivered, and say that everything is new.
#[test]
fn a_store_that_cannot_show_who_it_is_is_never_spoken_to() {
    let (store, port) = with_tls(&[]);
    let by_stranger = ("SSL_CERT_FILE", "stranger-ca.pem", "127.0.0.1");
    let by_name = ("another host", "store-ca.pem", "localhost");
    for (what, ca, host) in [by_stranger, by_name] {
        let app = App::start();
        let config = Config::new(&app)
            .on(&store)
            .set("replay.redis.url", format!("rediss://{host}:{port}/0"))
            .env("SSL_CERT_FILE", &key(ca));
        let Err(exit) = Kawal::try_start(config) else {
            panic!("{what}: it started");
        };
        assert_fault(&exit, "replay.redis.url", &["certificate", what]);
        assert!(store.keys().is_empty(), "{what}");
    }
}

#[test]
fn tls_to_a_plain_port_and_the_reverse_are_faults_of_the_address() {
    let (store, port) = with_tls(&[]);
    let plainly = format!("127.0.0.1:{}", store.port());
    let with_tls = format!("127.0.0.1:{port}");
    let (no_tls, tls) = ("redis instead of rediss", "rediss instead of redis");
    for (url, word) in [
        (format!("rediss://{plainly}"), no_tls),
        (format!("redis://{with_tls}"), tls),
        (format!("rediss-cluster://{plainly}"), no_tls),
        (format!("redis-cluster://{with_tls}"), tls),
        (format!("rediss-sentinel://{plainly}/kawal"), no_tls),
        (format!("redis-sentinel://{with_tls}/kawal"), tls),
    ] {
        let app = App::start();
        let config = Config::new(&app)
            .on(&store)
            .set("replay.redis.url", url.as_str())
            .env("SSL_CERT_FILE", &key("store-ca.pem"));
        let Err(exit) = Kawal::try_start(config) else {
            panic!("{url}: it started");
        };
        assert_fault(&exit, "replay.redis.url", &[word]);
    }
}

/// It hangs up, mostly without a word.
#[test]
fn a_store_that_wants_certificates_of_its_clients_is_told_how_to_do_without() {
    let (store, port) = with_tls(&["--tls-auth-clients", "yes"]);
    let shop = Deployment::with(store, |config| {
        config
            .set("replay.redis.url", format!("rediss://127.0.0.1:{port}"))
            .env("SSL_CERT_FILE", &key("store-ca.pem"))
    });
    shop.goes_down_for(&["tls-auth-clients"]);
    shop.misses_its_store(&doku("{}"));
    assert!(shop.store.keys().is_empty());
}

/// One line that names the key and says this.
fn assert_fault(exit: &Exit, key: &str, words: &[&str]) {
    assert_eq!(exit.code, Some(78), "{exit:?}");
    assert_eq!(exit.stderr.lines().count(), 1, "{exit:?}");
    let (_, sentence) = exit
        .stderr
        .split_once(key)
        .unwrap_or_else(|| panic!("{exit:?}"));
    for word in words {
        assert!(sentence.contains(word), "{word}: {exit:?}");
    }
}

/// The line of the README that makes a user for Kawal gives it what it needs, and no more.
#[test]
fn the_user_of_the_readme_may_do_all_that_is_needed() {
    let readme = tests_folder().join("../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let line = readme
        .lines()
        .map(|line| line.trim().trim_matches('`'))
        .find(|line| line.to_uppercase().starts_with("ACL SETUSER"))
        .expect("a line that makes a user");
    let store = Redis::with(&["--appendonly", "yes"]);
    let words: Vec<_> = line.split_whitespace().collect();
    let user = words[2];
    // The password of the example is a word of its own.
    let secret = "canary-of-the-readme-user";
    let words: Vec<String> = words
        .iter()
        .map(|word| match word.strip_prefix('>') {
            Some(_) => format!(">{secret}"),
            None => (*word).to_owned(),
        })
        .collect();
    assert!(words.iter().any(|word| word.starts_with('>')), "{line}");
    store.command(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let url = store.url().replace("redis://", &format!("redis://{user}@"));
    let url = url.replace("/0", "/2");
    let shop = Deployment::with(store, |config| {
        let password = config.secret("store-password", secret);
        config
            .with_snap()
            .set("replay.redis.url", url)
            .set("replay.redis.password", password)
    });
    let notification = doku("{}");
    shop.delivers(&notification);
    shop.knows(&notification);
    shop.app.next(crate::harness::Reply::new(500));
    let refused = doku("{}");
    assert_eq!(shop.kawal.send(&refused).status, 500);
    shop.delivers(&refused);
    let token = crate::harness::TokenRequest::new().sign();
    assert_eq!(shop.kawal.send(&token).status, 200);
    shop.store.command(&["SCRIPT", "FLUSH"]);
    shop.delivers(&doku("{}"));
    shop.was_always_up();

    let mut other = shop.store.connect();
    assert_eq!(other.call(&["AUTH", user, secret]).unwrap().text(), "OK");
    for forbidden in [
        &["GET", "others"][..],
        &["FLUSHALL"],
        &["CONFIG", "SET", "maxmemory", "0"],
        &["KEYS", "*"],
        &["SHUTDOWN"],
        &["ACL", "LIST"],
    ] {
        let reply = other.call(forbidden).unwrap();
        let refused =
            matches!(&reply, crate::harness::resp::Reply::Error(e) if e.starts_with("NOPERM"));
        assert!(refused, "{forbidden:?}: {reply:?}");
    }
}
