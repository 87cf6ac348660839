//! Everything at once, for as long as there is time: what is genuine arrives once, and nothing grows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::curve::{Point, delivered};
use crate::harness::load::Next;
use crate::harness::restarting::Visit;
use crate::harness::rotating::{Age, ROTATING, listing};
use crate::harness::rough;
use crate::harness::snap::B2B_PAYMENT;
use crate::harness::tokens::{b2b_jwt, b2b_key};
use crate::harness::*;

/// In seconds; `SOAK_SECONDS` says otherwise.
const LENGTH: u64 = 60;
/// Everything happens once in so many seconds, and so three times at least.
const ROUND: u64 = 20;
/// For the app's answer. What became of a notification is not known for 15 seconds more, if it fails in the
/// middle: that is to be less than senders have patience for.
const UPSTREAM: Duration = Duration::from_secs(3);
/// Each sender's pause.
const PACE: Duration = Duration::from_millis(45);
/// By so much the memory of a process may grow for reasons that do not add up. It was at most 700 in many runs.
const NOISE_KIB: i64 = 2048;
/// So many threads more may read files, where a look at them and a reload coincide, and then take turns.
const READERS: usize = 2;

#[test]
fn under_constant_load_all_arrives_once_and_nothing_grows() {
    let length = std::env::var("SOAK_SECONDS");
    let length = length.map_or(LENGTH, |text| text.parse().unwrap());
    assert!(length >= 3 * ROUND, "too short for {ROUND} seconds thrice");
    let mut app = Restarting::start(behave);
    let kawal = Kawal::start(config(&app));
    let mut rotation = Rotation::begin(&kawal);
    app.end();
    let idle = Idle::of(&kawal);
    app.begin();

    let senders = senders(&rotation.is_new);
    let load = Retrying::with(kawal.addr(), PACE, senders);
    let rough = Rough::on(kawal.addr(), webhook);
    let (begun, mut curve) = (Instant::now(), Curve::default());
    for second in 0..length {
        match second % ROUND {
            1 => rotation.overlap(&kawal, &load),
            3 => app.end(),
            4 => app.begin(),
            8 => {
                app.end();
                app.begin();
            }
            11 => kawal.reload_quickly(&kawal.config.clone().with_text("nonsense")),
            12 => kawal.reload_quickly(&rotation.config),
            _ => rotation.go_on(&kawal, &load),
        }
        load.went_well();
        rough.went_well();
        assert_eq!(kawal.admin("/readyz").status, 200);
        thread::sleep(Duration::from_secs(second + 1).saturating_sub(begun.elapsed()));
        curve.add(Point::of(&kawal, begun.elapsed()));
    }
    let mut sent = load.end();
    sent.merge(rough.end(length as usize / 15));
    sent.bodies.push(PROBE.to_owned());
    app.end();

    eprintln!("{curve}");
    let (delivered_once, copies) = (sent.bodies.len(), sent.copies);
    eprintln!(
        "{delivered_once} sent, {copies} again, retries: {:?}",
        sent.retries
    );
    let ended = rotation.ended;
    assert!(ended as u64 >= length / ROUND / 2, "{ended} rotations");
    assert!(sent.copies > 0 && sent.refused_copies == 0, "{sent:?}");
    assert_arrived(&sent.bodies, app.visits());
    until("each is counted as delivered once", || {
        delivered(&kawal.page()) == sent.bodies.len()
    });
    kawal.wait_for_metric("kawal_in_flight", 0.0);
    kawal.wait_for_metric("kawal_connections", 0.0);
    until("descriptors and threads are as before", || {
        kawal.descriptors() <= idle.descriptors && kawal.threads() <= idle.threads + READERS
    });
    let growth = curve.growth_kib();
    eprintln!("{growth} KiB more, but for the ledger");
    assert!(growth < NOISE_KIB, "{growth} KiB more\n{curve}");
}

/// Each reached the app, and none again after the app had taken it.
#[track_caller]
fn assert_arrived(bodies: &[String], visits: &[Visit]) {
    let mut sent: BTreeMap<String, usize> = BTreeMap::new();
    for body in bodies {
        let before = sent.insert(mark(body), 0);
        assert_eq!(before, None, "{body} was sent as two");
    }
    let mut settled = BTreeMap::new();
    for visit in visits {
        let mark = mark(&visit.body);
        let count = sent.get_mut(&mark);
        let count = count.unwrap_or_else(|| panic!("nobody sent {visit:?}"));
        *count += usize::from(visit.answer.is_none_or(|(status, _)| status == 200));
        let first = settled.get(&mark);
        assert!(first.is_none(), "{visit:?} was taken before: {first:?}");
        // Of an answer that came too late, or was cut off, nobody may know.
        let in_time = |took: Duration| took < UPSTREAM / 2;
        if visit
            .answer
            .is_some_and(|(status, took)| status == 200 && in_time(took))
        {
            settled.insert(mark, visit);
        }
    }
    let lost: Vec<_> = sent.iter().filter(|(_, count)| **count == 0).collect();
    assert!(
        lost.is_empty(),
        "taken, and never seen by the app: {lost:?}"
    );
}

/// The word in it that no other notification has.
fn mark(body: &str) -> String {
    let mut words = body.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let word = words.find(|word| word.starts_with("n-"));
    word.unwrap_or_else(|| panic!("no mark in {body}"))
        .to_owned()
}

/// An app with some trouble.
fn behave(nth: usize, request: &Recorded) -> Reply {
    if request.has(rough::LARGE) {
        return Reply::ok().body(vec![b'x'; 900 * 1024]);
    }
    match nth {
        700 => Reply::hangup(),
        _ if nth % 40 == 7 => Reply::new(500),
        _ if nth % 40 == 17 => Reply::ok().delayed(Duration::from_millis(200)),
        _ if nth % 40 == 27 => Reply::ok().header("Connection", "close"),
        _ => Reply::ok(),
    }
}

fn config(app: &Restarting) -> Config {
    let mut senders = senders(&Arc::default());
    let requests: Vec<_> = senders.iter_mut().map(|next| next()).collect();
    let config = Config::to(&app.url())
        .with_everybody()
        .reduced_to(&requests)
        .set("timeouts.upstream", format!("{}s", UPSTREAM.as_secs()))
        .set("timeouts.header", "2s");
    // An arena for each thread, as glibc has them, is one more thing that grows by chance: with each thread that
    // reads a configuration for the first time.
    listing(&config, &[Age::Old]).env("MALLOC_ARENA_MAX", "1")
}

/// One for each way to prove; those that change keys sign with the new ones when they are told so.
fn senders(is_new: &Arc<AtomicBool>) -> Vec<Next> {
    let rotating = ROTATING.iter().map(|rotating| -> Next {
        let is_new = Arc::clone(is_new);
        Box::new(move || rotating.signed_by(age(is_new.load(Ordering::Relaxed))))
    });
    let others: [fn() -> Request; 5] = [
        || Qris::new().set("CUSTOMERNAME", &unique("n")).form(),
        || {
            Notice::new(kind("stripe"))
                .with("event", &unique("n"))
                .sign()
        },
        || Notice::new(kind("xendit")).body(&body()).sign(),
        webhook,
        || {
            let token = b2b_jwt().hs256(&b2b_key());
            Snap::new(body()).target(B2B_PAYMENT).token(&token).sign()
        },
    ];
    let others = others.into_iter().map(|next| -> Next { Box::new(next) });
    rotating.chain(others).collect()
}

fn age(is_new: bool) -> Age {
    if is_new { Age::New } else { Age::Old }
}

fn body() -> String {
    format!("{{\"n\":\"{}\",\"status\":\"PAID\"}}", unique("n"))
}

fn webhook() -> Request {
    Notice::new(kind("standard-webhooks")).body(&body()).sign()
}

/// Delivered at first, and then known: whether a key is in use can be asked with it.
const PROBE: &str = "{\"n\":\"n-probe\"}";

/// What is open while nothing happens.
struct Idle {
    descriptors: usize,
    threads: usize,
}

impl Idle {
    /// Of one that has done everything once, so that what is there for good is there: the fewest of some seconds,
    /// in which connections to the app are given up and files are looked at.
    fn of(kawal: &Kawal) -> Self {
        let look = |_| {
            thread::sleep(Duration::from_millis(50));
            (kawal.descriptors(), kawal.threads())
        };
        let (descriptors, threads): (Vec<_>, Vec<_>) = (0..80).map(look).unzip();
        Self {
            descriptors: descriptors.into_iter().min().unwrap(),
            threads: threads.into_iter().max().unwrap(),
        }
    }
}

/// Keys that change, back and forth.
struct Rotation {
    is_new: Arc<AtomicBool>,
    config: Config,
    /// What each sender had sent when it was told to change; none while nothing changes.
    changed_at: Option<Vec<usize>>,
    ended: usize,
}

impl Rotation {
    /// With the old ones.
    fn begin(kawal: &Kawal) -> Self {
        let rotation = Self {
            is_new: Arc::default(),
            config: kawal.config.clone(),
            changed_at: None,
            ended: 0,
        };
        assert_eq!(rotation.ask(kawal, Age::Old), 200);
        kawal.reload_quickly(&rotation.config);
        rotation
    }

    /// From now on the other keys are accepted as well, and those that do not change yet follow.
    fn overlap(&mut self, kawal: &Kawal, load: &Retrying) {
        if self.changed_at.is_some() {
            return;
        }
        let (old, new) = self.ages();
        self.load(kawal, &[new, old]);
        until("the other keys are in use", || self.ask(kawal, new) == 200);
        self.is_new.store(new == Age::New, Ordering::Relaxed);
        self.changed_at = Some(load.counts());
    }

    /// Once nobody signs with the old ones any more, they are taken away.
    fn go_on(&mut self, kawal: &Kawal, load: &Retrying) {
        let Some(changed_at) = &self.changed_at else {
            return;
        };
        // What is under way may have been signed before.
        let further = |(now, then): (&usize, &usize)| *now > *then + 1;
        if !load.counts().iter().zip(changed_at).all(further) {
            return;
        }
        self.changed_at = None;
        let (new, old) = self.ages();
        self.load(kawal, &[new]);
        until("the old keys are refused", || self.ask(kawal, old) == 401);
        self.ended += 1;
    }

    fn load(&mut self, kawal: &Kawal, ages: &[Age]) {
        self.config = listing(&kawal.config, ages);
        kawal.reload_quickly(&self.config);
    }

    /// What the probe is answered under keys of this age.
    fn ask(&self, kawal: &Kawal, age: Age) -> u16 {
        let [.., pivot] = &ROTATING;
        kawal.send(&pivot.signed(age, PROBE)).status
    }

    /// Those that are signed with, and the others.
    fn ages(&self) -> (Age, Age) {
        match self.is_new.load(Ordering::Relaxed) {
            true => (Age::New, Age::Old),
            false => (Age::Old, Age::New),
        }
    }
}
