//! Somebody meddles with what the store holds: no copy gets through by that, and nobody else is held up.

use crate::harness::{Connection, Deployment, Moment, Redis, Reply, Request, doku, fresh};

fn hurried() -> Deployment {
    Deployment::with(Redis::start(), |config| config.with_short_youth())
}

/// The key of what the app saw last.
fn last_key(shop: &Deployment) -> String {
    let last = shop.app.requests().pop().unwrap();
    let id = last.header("x-kawal-notification-id").unwrap();
    let key = format!("kawal:{{{}}}:{id}", &id[..1]);
    assert!(shop.store.keys().contains(&key), "{key} is not there");
    key
}

/// The key under which the memory of this key's shard begins.
fn memory_of(key: &str) -> String {
    let (shard, _) = key.rsplit_once(':').unwrap();
    format!("{shard}:memory")
}

#[test]
fn scripts_that_the_store_has_forgotten_are_seen_by_nobody() {
    let shop = Deployment::new();
    let first = doku("{}");
    shop.delivers(&first);
    shop.store.command(&["SCRIPT", "FLUSH"]);
    shop.knows(&first);
    shop.store.command(&["SCRIPT", "FLUSH"]);
    let second = doku("{}");
    shop.delivers(&second);

    // The scripts of outcomes as well.
    shop.app.next(Reply::ok().held()).next(Reply::new(500));
    let third = doku("{}");
    let mut gateway = Connection::open(shop.kawal.addr());
    gateway.write(&third.bytes()).unwrap();
    shop.app.wait_for(3);
    shop.store.command(&["SCRIPT", "FLUSH"]);
    shop.app.release();
    assert_eq!(gateway.read("POST").unwrap().status, 200);
    shop.knows(&third);
    let fourth = doku("{}");
    shop.store.command(&["SCRIPT", "FLUSH"]);
    assert_eq!(shop.kawal.send(&fourth).status, 500);
    shop.delivers(&fourth);

    shop.was_always_up();
    for operation in ["claim", "settle", "release"] {
        let failed = format!("operation=\"{operation}\"");
        let failed = shop.kawal.metric_with("kawal_store_errors_total", &failed);
        assert_eq!(failed, 0.0, "{operation}");
    }
}

#[test]
fn a_store_that_was_emptied_proves_nothing_of_what_was_before() {
    for empty in ["FLUSHALL", "FLUSHDB"] {
        let shop = hurried();
        let moment = Moment::to_come();
        let (known, unseen) = (moment.notification(), moment.notification());
        let lost = fresh();
        shop.delivers(&known);
        shop.delivers(&lost);
        moment.grow_late();
        shop.knows(&known);

        shop.store.command(&[empty]);
        shop.cannot_prove(&known);
        shop.cannot_prove(&unseen);
        shop.delivers(&lost);
        shop.knows(&lost);
        shop.was_always_up();

        shop.remembers_anew();
        let moment = Moment::to_come();
        let unseen = moment.notification();
        moment.grow_late();
        shop.delivers(&unseen);
    }
}

/// One shard has forgotten, the fifteen others have not.
#[test]
fn a_shard_whose_memory_is_gone_begins_anew() {
    let shop = hurried();
    let moment = Moment::to_come();
    let known = moment.notification();
    shop.delivers(&known);
    let key = last_key(&shop);
    moment.grow_late();
    shop.knows(&known);
    shop.store.command(&["DEL", &memory_of(&key)]);
    // What it holds is still known.
    shop.knows(&known);
    shop.store.command(&["DEL", &key, &memory_of(&key)]);
    shop.cannot_prove(&known);
    shop.was_always_up();
}

type Meddle = fn(&Redis, &str);

/// Whatever stands at the key of a notification that was delivered instead of what Kawal wrote.
const RUBBISH: [(&str, Meddle); 8] = [
    ("a hash", |store, key| put(store, &["HSET", key, "a", "b"])),
    ("a list", |store, key| put(store, &["RPUSH", key, "a"])),
    ("a set", |store, key| put(store, &["SADD", key, "a"])),
    ("an empty text", |store, key| put(store, &["SET", key, ""])),
    ("text", |store, key| put(store, &["SET", key, "rubbish"])),
    ("a number", |store, key| put(store, &["SET", key, "1"])),
    // An array of many, of which none comes: whoever believes its length allocates it.
    ("a cut off array", |store, key| {
        put_bytes(store, key, b"\xdd\xff\xff\xff\xff");
    }),
    ("an empty map", |store, key| put_bytes(store, key, b"\x80")),
];

fn put(store: &Redis, words: &[&str]) {
    store.command(&["DEL", words[1]]);
    store.command(words);
}

fn put_bytes(store: &Redis, key: &str, bytes: &[u8]) {
    store.command(&["DEL", key]);
    let words: [&[u8]; 3] = [b"SET", key.as_bytes(), bytes];
    assert_eq!(store.connect().call(&words).unwrap().text(), "OK");
}

#[test]
fn rubbish_at_a_notification_s_key_lets_no_copy_through_and_holds_up_nobody_else() {
    let shop = Deployment::new();
    for (what, meddle) in RUBBISH {
        let delivered = doku("{}");
        shop.delivers(&delivered);
        let key = last_key(&shop);
        meddle(&shop.store, &key);
        for _ in 0..4 {
            refused_as_our_fault(&shop, &delivered, what);
            shop.delivers(&doku("{}"));
        }
        // Whoever takes the rubbish away has taken away the memory of that one as well.
        shop.store.command(&["DEL", &key]);
        shop.delivers(&delivered);
        shop.knows(&delivered);
    }
}

/// Not the gateway's fault: it is to come again. The app sees nothing, since it may have had it.
fn refused_as_our_fault(shop: &Deployment, request: &Request, what: &str) {
    let before = shop.app.count();
    let answer = shop.kawal.send(request);
    assert!(answer.status >= 500, "{what}: {answer:?}");
    assert_eq!(shop.app.count(), before, "{what} let a copy through");
}

#[test]
fn rubbish_at_the_key_of_one_that_is_at_the_app_costs_the_gateway_nothing() {
    for (what, meddle) in RUBBISH {
        let shop = Deployment::new();
        shop.app.next(Reply::ok().held());
        let notification = doku("{}");
        let mut gateway = Connection::open(shop.kawal.addr());
        gateway.write(&notification.bytes()).unwrap();
        shop.app.wait_for(1);
        meddle(&shop.store, &last_key(&shop));
        shop.app.release();
        assert_eq!(gateway.read("POST").unwrap().status, 200, "{what}");
        // Known or not, it is not delivered on the ground of rubbish.
        let before = shop.app.count();
        let again = shop.kawal.send(&notification);
        assert!(
            again.status == 200 || again.status >= 500,
            "{what}: {again:?}"
        );
        assert_eq!(shop.app.count(), before, "{what}");
        shop.delivers(&doku("{}"));
    }
}

#[test]
fn rubbish_at_the_key_of_a_memory_proves_nothing() {
    for (what, meddle) in RUBBISH {
        let shop = hurried();
        let moment = Moment::to_come();
        let known = moment.notification();
        shop.delivers(&known);
        let key = last_key(&shop);
        moment.grow_late();
        shop.store.command(&["DEL", &key]);
        meddle(&shop.store, &memory_of(&key));
        let answer = shop.kawal.send(&known);
        assert!(
            answer.status == 401 || answer.status >= 500,
            "{what}: {answer:?}"
        );
        assert_eq!(shop.app.count(), 1, "{what} proved that it never came");
        // Without the rubbish it goes on, by itself.
        shop.store.command(&["DEL", &memory_of(&key)]);
        shop.delivers_in_the_end(&fresh());
        let answer = shop.kawal.send(&known);
        assert_eq!(answer.status, 401, "{what}");
        assert_eq!(shop.app.count(), 2, "{what}");
    }
}
