//! The start in front of a store that is wrong: what can never work ends it with one line, what may pass does not.

use std::thread;
use std::time::Duration;

use crate::cli::run;
use crate::harness::kawal::command;
use crate::harness::{App, Config, Deployment, Exit, Kawal, Redis, Service, Vacant, doku};

const RIGHT: &str = "canary-store-password-right";
const WRONG: &str = "canary-store-password-wrong";

/// What `kawal check` says of it.
fn check(config: &Config) -> Exit {
    run(command()
        .args(["check", "--config"])
        .arg(config.write())
        .envs(config.env.iter().cloned())
        .current_dir(config.folder.path()))
}

/// Both commands refuse, with one line that names the key and says all of this, and no password.
#[track_caller]
fn is_refused(what: &str, config: Config, key: &str, words: &[&str]) {
    let checked = check(&config);
    let file = config.write().display().to_string();
    let Err(served) = Kawal::try_start(config) else {
        panic!("{what}: it started");
    };
    for exit in [checked, served] {
        assert_eq!(exit.code, Some(78), "{what}: {exit:?}");
        assert_eq!(exit.stderr.lines().count(), 1, "{what}: {exit:?}");
        let start = format!("kawal: {file}: {key}: ");
        let sentence = exit.stderr.strip_prefix(&start);
        let sentence = sentence.unwrap_or_else(|| panic!("{what}, {key}: {exit:?}"));
        for word in words {
            let told = sentence.to_lowercase().contains(&word.to_lowercase());
            assert!(told, "{what}, {word}: {exit:?}");
        }
        assert_silent(&(exit.stdout + &exit.stderr));
    }
}

/// The check warns with one line, the start does not end, and notifications are put off.
#[track_caller]
fn is_waited_for(what: &str, config: Config, app: App, store: Redis, words: &[&str]) -> Deployment {
    let checked = check(&config);
    assert_eq!(checked.code, Some(0), "{what}: {checked:?}");
    let output = checked.stdout + &checked.stderr;
    let warns = |line: &&str| line.starts_with("warning: replay.redis");
    let warnings: Vec<_> = output.lines().filter(warns).collect();
    assert_eq!(warnings.len(), 1, "{what}: {output}");
    let shop = Deployment::of(Kawal::start(config), app, store);
    let line = shop.goes_down();
    for word in words {
        let word = word.to_lowercase();
        assert!(
            warnings[0].to_lowercase().contains(&word),
            "{what}, {word}: {output}"
        );
        let why = line["why"].as_str().unwrap().to_lowercase();
        assert!(why.contains(&word), "{what}, {word}: {line}");
    }
    shop.misses_its_store(&doku("{}"));
    assert_eq!(shop.kawal.admin("/readyz").status, 200, "{what}");
    assert_silent(&(output + &shop.kawal.output() + &shop.kawal.metrics()));
    shop
}

fn assert_silent(printed: &str) {
    for password in [RIGHT, WRONG] {
        assert!(!printed.contains(password), "{printed}");
    }
}

/// In front of this store, with this user and password.
fn as_user(store: &Redis, user: &str, password: &str) -> Config {
    let url = store.url().replace("redis://", &format!("redis://{user}"));
    let config = Config::to("http://127.0.0.1:9").on(store);
    let password = config.secret("store-password", password);
    config
        .set("replay.redis.url", url)
        .set("replay.redis.password", password)
}

#[test]
fn a_wrong_password_or_user_is_a_fault_of_the_configuration() {
    let open = Redis::start();
    let closed = Redis::with(&["--requirepass", RIGHT]);
    let allow = format!(">{RIGHT}");
    closed.command(&["ACL", "SETUSER", "kawal", "on", &allow, "~*", "+@all"]);
    closed.command(&["ACL", "SETUSER", "idle", "off", &allow, "~*", "+@all"]);
    let key = "replay.redis.password";
    is_refused("wrong", as_user(&closed, "", WRONG), key, &["password"]);
    is_refused(
        "wrong, of a user",
        as_user(&closed, "kawal@", WRONG),
        key,
        &["password"],
    );
    is_refused(
        "an unknown user",
        as_user(&closed, "kawall@", RIGHT),
        key,
        &["user"],
    );
    is_refused(
        "a user that is off",
        as_user(&closed, "idle@", RIGHT),
        key,
        &["user"],
    );
    is_refused("needless", as_user(&open, "", RIGHT), key, &["password"]);
    let without = Config::to("http://127.0.0.1:9").on(&closed);
    is_refused("none", without, key, &["password"]);
    let shop = Deployment::with(closed, |config| {
        let password = config.secret("store-password", RIGHT);
        config.set("replay.redis.password", password)
    });
    shop.delivers(&doku("{}"));
    assert_silent(&(shop.kawal.output() + &shop.kawal.metrics()));
}

#[test]
fn a_password_is_read_as_secrets_are() {
    let closed = Redis::with(&["--requirepass", RIGHT]);
    for ending in ["", "\n", "\r\n"] {
        let exit = check(&as_user(&closed, "", &format!("{RIGHT}{ending}")));
        assert_eq!(exit.code, Some(0), "{ending:?}: {exit:?}");
    }
    let config = Config::to("http://127.0.0.1:9")
        .on(&closed)
        .set("replay.redis.password", "env:SHOP_STORE_PASSWORD")
        .env("SHOP_STORE_PASSWORD", RIGHT);
    let exit = check(&config);
    assert_eq!(exit.code, Some(0), "{exit:?}");
    assert_silent(&(exit.stdout + &exit.stderr));
    is_refused(
        "of the environment",
        config.env("SHOP_STORE_PASSWORD", WRONG),
        "replay.redis.password",
        &["password"],
    );
}

#[test]
fn a_store_that_may_evict_is_a_fault_of_the_configuration() {
    for policy in [
        "allkeys-lru",
        "allkeys-lfu",
        "allkeys-random",
        "volatile-lru",
        "volatile-lfu",
        "volatile-random",
        "volatile-ttl",
    ] {
        let store = Redis::with(&["--maxmemory-policy", policy]);
        let config = Config::to("http://127.0.0.1:9").on(&store);
        let words = ["maxmemory-policy", policy, "noeviction"];
        is_refused(policy, config, "replay.redis", &words);
        assert!(store.keys().is_empty(), "{policy}: something was written");
    }
}

#[test]
fn a_database_that_is_not_there_is_a_fault_of_the_address() {
    let store = Redis::with(&["--databases", "4"]);
    for (number, is_there) in [(3, true), (4, false), (99, false)] {
        let url = store.url().replace("/0", &format!("/{number}"));
        let config = Config::to("http://127.0.0.1:9")
            .on(&store)
            .set("replay.redis.url", url);
        match is_there {
            true => assert_eq!(check(&config).code, Some(0)),
            false => is_refused("a database", config, "replay.redis.url", &["database"]),
        }
    }
}

/// What a server of that age does not say itself, somebody in between says for it.
#[test]
fn a_server_that_is_too_old_is_a_fault_of_the_address() {
    let store = Redis::start();
    let version = store.info("redis_version");
    let (major, _) = version.split_once('.').unwrap();
    let said = format!("redis_version:{major}.");
    let heard = format!("redis_version:{}.", "6".repeat(major.len()));
    let old = Service::altering(store.addr(), &said, &heard);
    let config = Config::to("http://127.0.0.1:9").on(&store);
    let words = ["7.0", "redis"];
    is_refused(
        "6",
        config.set("replay.redis.url", old.url()),
        "replay.redis",
        &words,
    );
}

#[test]
fn a_missing_permission_is_named() {
    for (rules, words) in [
        (&["~*", "+@all", "-evalsha"][..], &["evalsha"][..]),
        (&["~*", "+@all", "-script|load"], &["script|load"]),
        (&["~*", "+@all", "-@scripting"], &["script"]),
        (&["~*", "+@all", "-info"], &["info"]),
        (&["~*", "+@all", "-hset"], &["permission"]),
        (&["~*", "+@all", "-get"], &["permission"]),
        (&["~*", "+@all", "-set"], &["permission"]),
        (&["~*", "+@all", "-del"], &["permission"]),
        (&["~other:*", "+@all"], &["key"]),
        (&["+@all"], &["key"]),
        (&["~*"], &["permission"]),
    ] {
        let store = Redis::start();
        let password = format!(">{RIGHT}");
        let mut words_of_user = vec!["ACL", "SETUSER", "kawal", "on", &password];
        words_of_user.extend(rules);
        store.command(&words_of_user);
        let config = as_user(&store, "kawal@", RIGHT);
        is_refused(&rules.join(" "), config, "replay.redis", words);
    }
}

/// Something else listens there.
#[test]
fn an_address_of_another_kind_of_server_is_told() {
    let app = App::start();
    let url = app.url().replace("http://", "redis://");
    let config = Config::to("http://127.0.0.1:9")
        .set("replay.store", "redis")
        .set("replay.redis.url", url);
    let checked = check(&config);
    let output = checked.stdout + &checked.stderr;
    assert!(output.contains("replay.redis.url"), "{output}");
    // Whatever it said is not printed: nobody knows what that is.
    assert!(!output.contains("HTTP/1.1"), "{output}");
}

#[test]
fn a_store_that_is_not_there_yet_is_waited_for() {
    let store = Redis::start();
    store.kill();
    let app = App::start();
    let config = Config::new(&app).on(&store);
    let shop = is_waited_for("refused", config, app, store, &["refused"]);
    shop.store.restart();
    shop.comes_back();
    shop.delivers(&doku("{}"));
}

#[test]
fn a_store_that_does_not_answer_is_waited_for() {
    let store = Redis::start();
    store.signal("STOP");
    let app = App::start();
    let config = Config::new(&app).on(&store);
    let shop = is_waited_for("silent", config, app, store, &["answer"]);
    shop.store.signal("CONT");
    shop.comes_back();
    shop.delivers_in_the_end(&doku("{}"));
}

#[test]
fn a_replica_is_waited_for_until_it_is_promoted() {
    let (primary, store) = (Redis::start(), Redis::start());
    store.replica_of(&primary);
    let app = App::start();
    let config = Config::new(&app).on(&store);
    let shop = is_waited_for("a replica", config, app, store, &["replica"]);
    shop.store.command(&["REPLICAOF", "NO", "ONE"]);
    shop.comes_back();
    shop.delivers(&doku("{}"));
    assert!(primary.keys().is_empty(), "it wrote to the other one");
}

/// A replica that has no primary yet answers nothing at all.
#[test]
fn a_replica_without_data_is_waited_for() {
    let nobody = Vacant::new();
    let port = nobody.url().rsplit(':').next().unwrap().to_owned();
    let stale = ["--replica-serve-stale-data", "no"];
    let store = Redis::with(&[&["--replicaof", "127.0.0.1", &port], &stale[..]].concat());
    let app = App::start();
    let config = Config::new(&app).on(&store);
    let shop = is_waited_for("without data", config, app, store, &["replica"]);
    shop.store.command(&["REPLICAOF", "NO", "ONE"]);
    shop.comes_back();
    shop.delivers(&doku("{}"));
}

#[test]
fn a_store_that_is_busy_is_waited_for() {
    let store = Redis::with(&["--busy-reply-threshold", "10"]);
    let mut other = store.connect();
    let endless = thread::spawn(move || other.call(&["EVAL", "while true do end", "0"]));
    while !store
        .try_command(&["PING"])
        .is_err_and(|error| error.starts_with("BUSY"))
    {
        thread::sleep(Duration::from_millis(5));
    }
    let app = App::start();
    let config = Config::new(&app).on(&store);
    let shop = is_waited_for("busy", config, app, store, &["script"]);
    shop.store.command(&["SCRIPT", "KILL"]);
    endless.join().unwrap().unwrap();
    shop.comes_back();
    shop.delivers(&doku("{}"));
}

/// It reads its data back, and refuses everything until it has read all.
#[test]
fn a_store_that_is_loading_is_waited_for() {
    let slowly = ["--key-load-delay", "50000"];
    let often = ["--loading-process-events-interval-bytes", "1024"];
    let kept = ["--appendonly", "yes", "--appendfsync", "always"];
    let store = Redis::with(&[&kept[..], &slowly, &often].concat());
    let first = Deployment::on(store);
    let delivered = doku("{}");
    first.delivers(&delivered);
    let Deployment {
        kawal, app, store, ..
    } = first;
    drop(kawal);
    for n in 0..200 {
        store.command(&["SET", &format!("others:{n}"), &"x".repeat(200)]);
    }
    store.command(&["BGREWRITEAOF"]);
    while store.info("aof_rewrite_in_progress") != "0" || store.info("aof_rewrite_scheduled") != "0"
    {
        thread::sleep(Duration::from_millis(10));
    }
    store.kill();
    thread::scope(|scope| {
        let restart = scope.spawn(|| store.restart());
        let mut loading = false;
        while !loading && !restart.is_finished() {
            let client = crate::harness::resp::Client::open(store.addr());
            let reply = client.and_then(|mut client| client.call(&["PING"]));
            loading = format!("{reply:?}").contains("LOADING");
        }
        assert!(loading, "it loaded too fast to be seen");
        let kawal = Kawal::start(Config::new(&app).on(&store).patient_with_store());
        let line = kawal.wait_for_log(|line| line["message"] == crate::harness::deployment::DOWN);
        assert!(line["why"].as_str().unwrap().contains("load"), "{line}");
        restart.join().unwrap();
        kawal.wait_for_metric("kawal_store_up", 1.0);
        assert_eq!(kawal.send(&delivered).status, 200);
        assert_eq!(app.count(), 1, "a copy got through");
    });
}
