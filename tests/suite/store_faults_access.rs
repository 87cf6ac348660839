//! Who may use the store: passwords and permissions that change while Kawal runs.

use std::fs;

use crate::harness::{Config, Deployment, Redis, doku};

const OLD: &str = "canary-store-password-old";
const NEW: &str = "canary-store-password-new";
/// What the README asks for, in one line.
const RULES: [&str; 4] = ["~kawal:*", "resetchannels", "-@all", "+@all"];

/// A store with a password, and Kawal with the file that holds it.
fn with_password() -> Deployment {
    let store = Redis::with(&["--requirepass", OLD]);
    Deployment::with(store, |config| {
        let password = config.secret("store-password", format!("{OLD}\n"));
        config.set("replay.redis.password", password)
    })
}

fn take_over(shop: &Deployment, password: &str) {
    let file = shop.kawal.config.folder.path().join("store-password");
    fs::write(file, password).unwrap();
}

/// Ends every connection but the test's own.
fn cut(shop: &Deployment) {
    let kill = ["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"];
    shop.store.command(&kill);
}

#[test]
fn a_password_that_was_changed_is_taken_over_from_its_file() {
    let shop = with_password();
    let delivered = doku("{}");
    shop.delivers(&delivered);
    shop.store.command(&["CONFIG", "SET", "requirepass", NEW]);
    // Whoever is inside may stay.
    shop.knows(&delivered);
    cut(&shop);
    let notification = doku("{}");
    shop.goes_down_for(&["password"]);
    shop.misses_its_store(&notification);
    shop.misses_its_store(&delivered);

    take_over(&shop, NEW);
    shop.comes_back();
    shop.knows(&delivered);
    shop.delivers_in_the_end(&notification);
    assert_silent(&shop);
}

#[test]
fn a_password_file_that_goes_away_is_missed_at_the_next_connection() {
    let shop = with_password();
    let file = shop.kawal.config.folder.path().join("store-password");
    fs::remove_file(&file).unwrap();
    let first = doku("{}");
    shop.delivers(&first);
    cut(&shop);
    shop.goes_down_for(&["password"]);
    shop.misses_its_store(&doku("{}"));
    for rubbish in ["", "\n", "\u{feff}"] {
        take_over(&shop, rubbish);
        shop.misses_its_store(&first);
    }
    take_over(&shop, OLD);
    shop.comes_back();
    shop.knows(&first);
    assert_silent(&shop);
}

#[test]
fn a_user_that_is_switched_off_is_down_until_it_is_switched_on() {
    let shop = of_user(&RULES);
    let delivered = doku("{}");
    shop.delivers(&delivered);
    // Whoever is inside may stay.
    shop.store.command(&["ACL", "SETUSER", "kawal", "off"]);
    shop.knows(&delivered);
    shop.store.command(&["CLIENT", "KILL", "USER", "kawal"]);
    shop.goes_down_for(&["user"]);
    shop.misses_its_store(&delivered);
    shop.store.command(&["ACL", "SETUSER", "kawal", "on"]);
    shop.comes_back();
    shop.knows(&delivered);

    shop.store.command(&["ACL", "DELUSER", "kawal"]);
    shop.goes_down_for(&["user"]);
    shop.misses_its_store(&delivered);
    add_user(&shop.store, &RULES);
    shop.comes_back();
    shop.knows(&delivered);
    assert_silent(&shop);
}

#[test]
fn a_permission_that_is_taken_away_is_named_until_it_is_given_back() {
    let shop = of_user(&RULES);
    let delivered = doku("{}");
    shop.delivers(&delivered);
    let rows: [(&[&str], &[&str], &str); 4] = [
        (&["-evalsha"], &["+evalsha"], "evalsha"),
        (&["-hset"], &["+hset"], "permission"),
        (&["-set"], &["+set"], "permission"),
        (&["resetkeys"], &["~kawal:*"], "key"),
    ];
    for (taken, given, word) in rows {
        let set = |rules: &[&str]| {
            let words: Vec<_> = ["ACL", "SETUSER", "kawal"]
                .iter()
                .chain(rules)
                .copied()
                .collect();
            shop.store.command(&words);
        };
        set(taken);
        let notification = doku("{}");
        shop.goes_down_for(&[word]);
        shop.misses_its_store(&notification);
        set(given);
        shop.comes_back();
        shop.knows(&delivered);
        shop.delivers_in_the_end(&notification);
    }
    assert_silent(&shop);
}

/// Kawal as a user of its own, beside which nobody may do anything without a password.
fn of_user(rules: &[&str]) -> Deployment {
    let store = Redis::start();
    add_user(&store, rules);
    let url = store.url().replace("redis://", "redis://kawal@");
    Deployment::with(store, |config: Config| {
        let password = config.secret("store-password", OLD);
        config
            .set("replay.redis.url", url)
            .set("replay.redis.password", password)
    })
}

fn add_user(store: &Redis, rules: &[&str]) {
    let password = format!(">{OLD}");
    let mut words = vec!["ACL", "SETUSER", "kawal", "on", &password];
    words.extend(rules);
    store.command(&words);
}

fn assert_silent(shop: &Deployment) {
    let printed = shop.kawal.output() + &shop.kawal.metrics();
    for password in [OLD, NEW] {
        assert!(!printed.contains(password), "{printed}");
    }
}
