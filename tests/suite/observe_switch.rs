//! From watching to guarding and back, in a running process: nothing is lost, and what was learnt stays.

use std::collections::BTreeMap;
use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use serde_json::json;

use crate::harness::wire::{read_head, read_response};
use crate::harness::*;
use crate::refusals::assert_in_flight;

on_every_store!(
    what_was_delivered_while_watching_is_known_while_guarding,
    what_was_delivered_while_guarding_is_known_while_watching,
    one_at_the_app_is_waited_for_across_the_change,
    a_change_of_mode_or_guests_forgets_nothing_of_late_ones,
    nothing_is_lost_under_load,
);

const GATEWAYS: [&str; 3] = ["doku", "doku-qris", "pivot"];

fn what_was_delivered_while_watching_is_known_while_guarding(store: Store) {
    let mut watch = Watch::with(|config| config.on(&store));
    let all = [doku("{}"), Qris::new().sign(), pivot("{}")];
    for request in &all {
        watch.accepts("genuine", request);
        watch.lets_through("a copy", request, "duplicate");
    }
    let refused = doku("{}");
    watch.app.next(Reply::new(500));
    assert_eq!(watch.send(&refused).answer.status, 500);

    watch.kawal.switch_all(&GATEWAYS, "enforce");
    for request in &all {
        let answer = watch.keeps_from_the_app("a copy", request);
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let forged = doku("{}").body("{\"amount\":2}");
    assert_eq!(watch.keeps_from_the_app("forged", &forged).status, 401);
    // What the app had refused is retried, and counted on.
    assert_eq!(watch.kawal.send(&refused).status, 200);
    let seen = watch.app.requests().pop().unwrap();
    assert_eq!(seen.all("X-Kawal-Attempt"), ["2"]);
    assert!(!seen.has("X-Kawal-Verdict"));
}

fn what_was_delivered_while_guarding_is_known_while_watching(store: Store) {
    let app = App::start();
    let kawal = Kawal::start(Config::new(&app).on(&store));
    let mut watch = Watch { app, kawal };
    let genuine = doku("{}");
    watch.app.next(Reply::new(201).body("taken"));
    assert_eq!(watch.kawal.send(&genuine).status, 201);
    let copy = watch.keeps_from_the_app("a copy", &genuine);
    assert_eq!((copy.status, &*copy.text()), (201, "taken"));
    watch.kawal.switch("doku", "observe");
    watch.lets_through("a copy", &genuine, "duplicate");
    watch.kawal.switch("doku", "enforce");
    let copy = watch.keeps_from_the_app("a copy", &genuine);
    assert_eq!((copy.status, &*copy.text()), (201, "taken"));
}

fn one_at_the_app_is_waited_for_across_the_change(store: Store) {
    let mut watch = Watch::with(|config| config.on(&store));
    let (genuine, forged) = (doku("{}"), doku("{}").body("{\"amount\":2}"));
    let mut waiting = Vec::new();
    for (nth, request) in [&genuine, &forged].into_iter().enumerate() {
        watch.app.next(Reply::ok().body("taken").held());
        let mut gateway = Connection::open(watch.kawal.addr());
        gateway.write(&request.bytes()).unwrap();
        watch.app.wait_for(nth + 1);
        waiting.push(gateway);
    }
    watch.kawal.switch("doku", "enforce");
    assert_in_flight(&watch.keeps_from_the_app("a copy", &genuine));
    assert_eq!(watch.keeps_from_the_app("forged", &forged).status, 401);
    watch.kawal.switch("doku", "observe");
    watch.lets_through("a copy", &genuine, "in_flight");
    watch.kawal.switch("doku", "enforce");

    watch.app.release();
    for mut gateway in waiting {
        let answer = gateway.read("POST").unwrap();
        assert_eq!((answer.status, &*answer.text()), (200, "taken"));
    }
    // Each ended as it had begun.
    for verdict in ["accepted", "would-reject:bad_proof"] {
        watch.kawal.wait_for_log(|line| line["verdict"] == verdict);
    }
    let copy = watch.keeps_from_the_app("a copy", &genuine);
    assert_eq!((copy.status, &*copy.text()), (200, "taken"));
    assert_eq!(watch.keeps_from_the_app("forged", &forged).status, 401);
}

/// Late ones pass for as long as the ledger remembers: what says nothing of names or terms begins no new memory.
fn a_change_of_mode_or_guests_forgets_nothing_of_late_ones(store: Store) {
    let mut watch = Watch::with(|config| config.on(&store).with_short_youth());
    let moment = Moment::to_come();
    let [known, first, second] = [(); 3].map(|()| moment.notification());
    watch.accepts("known", &known);
    moment.grow_late();
    let guests = json!(["127.0.0.0/8", "192.0.2.0/24"]);
    watch.kawal.config = (watch.kawal.config.clone())
        .set("gateways.doku.allow_from", guests)
        .set("trusted_proxies", json!(["192.0.2.0/24"]));
    watch.kawal.switch("doku", "enforce");
    assert_eq!(watch.keeps_from_the_app("known", &known).status, 200);
    assert_eq!(watch.kawal.send(&first).status, 200);
    let seen = watch.app.requests().pop().unwrap();
    assert_eq!(seen.all("X-Kawal-Attempt"), ["1"]);
    watch.kawal.switch("doku", "observe");
    watch.accepts("late", &second);
    for copy in [&known, &first, &second] {
        watch.lets_through("a copy", copy, "duplicate");
    }
}

/// Of two replicas one is watched, as while a deployment rolls: they have one memory.
#[test]
fn a_guard_and_a_watcher_share_their_memory() {
    let watch = Watch::with(|config| config.on(&Store::Redis));
    let guarded = watch.kawal.config.clone();
    let guard = Kawal::start(guarded.mode("doku", "enforce"));
    let (by_watcher, by_guard) = (doku("{}"), doku("{}"));
    watch.app.next(Reply::ok().body("taken"));
    watch.accepts("by the watcher", &by_watcher);
    assert_eq!(guard.send(&by_watcher).text(), "taken");
    assert_eq!(guard.send(&by_guard).status, 200);
    watch.lets_through("by the guard", &by_guard, "duplicate");
    let forged = doku("{}");
    let stranger = forged.clone().body("{\"amount\":2}");
    watch.lets_through("forged", &stranger, "bad_proof");
    assert_eq!(guard.send(&stranger).status, 401);
    assert_eq!(guard.send(&forged).status, 200);
    let seen = watch.app.requests().pop().unwrap();
    assert_eq!(seen.all("X-Kawal-Attempt"), ["1"]);
    assert_eq!(watch.app.count(), 5);
}

/// Whoever was asked for the body while it was watched is judged as it was then, and the other way round.
#[test]
fn a_request_is_judged_as_when_it_began() {
    let mut watch = Watch::new();
    for (mode, next, status) in [("observe", "enforce", 200), ("enforce", "observe", 401)] {
        watch.kawal.switch("doku", mode);
        let before = watch.app.count();
        let forged = doku("{}").body("{\"amount\":2}");
        let request = forged.clone().header("Expect", "100-continue");
        let bytes = request.bytes();
        let head = bytes.len() - request.body.len();
        let mut stream = TcpStream::connect(watch.kawal.addr()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        stream.write_all(&bytes[..head]).unwrap();
        let interim = read_head(&mut reader).unwrap().unwrap();
        assert!(interim.first.contains("100"), "{}", interim.first);

        watch.kawal.switch("doku", next);
        stream.write_all(&bytes[head..]).unwrap();
        let answer = read_response(&mut reader, "POST").unwrap();
        assert_eq!(answer.status, status, "begun in mode {mode}");
        let came = usize::from(status == 200);
        assert_eq!(watch.app.count(), before + came, "begun in mode {mode}");
        // The next one on the same connection is another request.
        stream.write_all(&forged.bytes()).unwrap();
        let answer = read_response(&mut reader, "POST").unwrap();
        let other = if status == 200 { 401 } else { 200 };
        assert_eq!(answer.status, other, "begun in mode {next}");
    }
}

/// What a gateway was answered: for each body, whether it was genuine, and the status.
type Answers = BTreeMap<Vec<u8>, (bool, u16)>;

fn nothing_is_lost_under_load(store: Store) {
    let mut watch = Watch::with(|config| config.on(&store));
    let stop = Arc::new(AtomicBool::new(false));
    let address = watch.kawal.addr();
    let senders: Vec<_> = (0..4)
        .map(|nth| keep_sending(address, nth % 2 == 0, Arc::clone(&stop)))
        .collect();
    for _ in 0..4 {
        for mode in ["enforce", "observe"] {
            let before = watch.app.count();
            until("both are sent in this mode", || {
                watch.app.count() > before + 12
            });
            watch.kawal.switch("doku", mode);
        }
    }
    stop.store(true, Ordering::SeqCst);
    let mut answers = Answers::new();
    for sender in senders {
        answers.extend(sender.join().unwrap());
    }
    let seen = at_app(&watch.app);
    let (mut marked, mut refused, mut plain) = (0, 0, 0);
    for (body, (is_genuine, status)) in &answers {
        let verdicts = seen.get(body).cloned().unwrap_or_default();
        let verdicts: Vec<_> = verdicts.iter().map(|v| v.as_deref()).collect();
        match (is_genuine, &verdicts[..]) {
            (true, [None]) => plain += usize::from(*status == 200),
            (true, [Some("accepted")]) => assert_eq!(*status, 200),
            (false, []) => refused += usize::from(*status == 401),
            (false, [Some("would-reject:bad_proof")]) => marked += usize::from(*status == 200),
            (_, other) => panic!("genuine: {is_genuine}, {status}: {other:?}"),
        }
    }
    let genuine = answers.values().filter(|(genuine, _)| *genuine).count();
    assert!(
        answers
            .values()
            .all(|(genuine, status)| !genuine || *status == 200)
    );
    assert_eq!(marked + refused, answers.len() - genuine);
    assert!(marked > 0 && refused > 0 && plain > 0, "both modes judged");
    counts_agree(&watch.kawal, genuine, marked, refused);
}

/// A change of the configuration begins no count anew.
fn counts_agree(kawal: &Kawal, genuine: usize, marked: usize, refused: usize) {
    for (outcome, count) in [("delivered", genuine), ("rejected", marked + refused)] {
        let labels = [("gateway", "doku"), ("outcome", outcome)];
        kawal.wait_for_count("kawal_notifications_total", &labels, count);
    }
    let labels = [("gateway", "doku"), ("outcome", "delivered")];
    kawal.wait_for_count("kawal_observed_total", &labels, marked);
}

/// One genuine and one forged after the other, over one connection or over many.
fn keep_sending(address: SocketAddr, keep: bool, stop: Arc<AtomicBool>) -> JoinHandle<Answers> {
    thread::spawn(move || {
        let mut answers = Answers::new();
        let mut connection = Connection::open(address);
        while !stop.load(Ordering::SeqCst) {
            for is_genuine in [true, false] {
                let body = format!("{{\"n\":\"{}\"}}", unique("load"));
                let request = match is_genuine {
                    true => doku(&body),
                    false => doku("{}").body(&body),
                };
                if !keep {
                    connection = Connection::open(address);
                }
                let status = connection.send(&request).status;
                answers.insert(request.body, (is_genuine, status));
            }
        }
        answers
    })
}

/// The verdicts under which each body came.
fn at_app(app: &App) -> BTreeMap<Vec<u8>, Vec<Option<String>>> {
    let mut seen = BTreeMap::<_, Vec<_>>::new();
    for request in app.requests() {
        let verdict = request.header("X-Kawal-Verdict");
        seen.entry(request.body).or_default().push(verdict);
    }
    seen
}
