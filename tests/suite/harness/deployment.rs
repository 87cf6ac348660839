//! Kawal in front of an app, with its ledger in a store of its own.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{App, Config, Kawal, PATIENCE, Redis, Request, Response};

/// What the log says when the store goes and when it is back.
pub const DOWN: &str = "the ledger's store is down";
pub const UP: &str = "the ledger's store is up";

/// All three. What it says of a request, it has seen: the answer, the app, the log.
pub struct Deployment {
    pub kawal: Kawal,
    pub app: App,
    pub store: Redis,
    /// How often each reason was given so far.
    reasons: RefCell<BTreeMap<&'static str, usize>>,
}

impl Deployment {
    pub fn new() -> Self {
        Self::on(Redis::start())
    }

    pub fn on(store: Redis) -> Self {
        Self::with(store, |config| config)
    }

    pub fn with(store: Redis, change: impl FnOnce(Config) -> Config) -> Self {
        let app = App::start();
        // A busy machine is no outage.
        let config = Config::new(&app)
            .on(&store)
            .set("replay.redis.timeout", "2s");
        let kawal = Kawal::start(change(config));
        Self::of(kawal, app, store)
    }

    pub fn of(kawal: Kawal, app: App, store: Redis) -> Self {
        Self {
            kawal,
            app,
            store,
            reasons: RefCell::default(),
        }
    }

    /// The app gets it, now, and takes it.
    #[track_caller]
    pub fn delivers(&self, request: &Request) -> Response {
        let before = self.app.count();
        let answer = self.kawal.send(request);
        assert_eq!(answer.status, 200, "{answer:?} {}", self.kawal.output());
        assert_eq!(self.app.count(), before + 1, "the app did not get it");
        answer
    }

    /// It was delivered before: the app sees nothing of it.
    #[track_caller]
    pub fn knows(&self, request: &Request) -> Response {
        let answer = self.sends_unseen(request);
        assert_eq!(answer.status, 200, "{answer:?} {}", self.kawal.output());
        self.gave("duplicate");
        answer
    }

    /// Nobody knows whether it was delivered: the app sees nothing of it.
    #[track_caller]
    pub fn cannot_prove(&self, request: &Request) {
        let answer = self.sends_unseen(request);
        assert_eq!(answer.status, 401, "{answer:?} {}", self.kawal.output());
        assert_eq!(answer.json(), json!({"error": "unauthorized"}));
        self.gave("unproven");
    }

    /// The gateway is to come again; the app sees nothing of it.
    #[track_caller]
    pub fn misses_its_store(&self, request: &Request) {
        self.puts_off(request, "store_down");
    }

    /// 503 for this reason, and when to come again; the app sees nothing of it.
    #[track_caller]
    pub fn puts_off(&self, request: &Request, reason: &'static str) {
        let answer = self.sends_unseen(request);
        assert_eq!(answer.status, 503, "{answer:?} {}", self.kawal.output());
        assert_eq!(answer.json(), json!({"error": reason}));
        let wait = answer.header("retry-after").expect("when to come again");
        assert!(wait.parse::<u32>().is_ok_and(|wait| wait >= 1), "{wait}");
        self.gave(reason);
    }

    #[track_caller]
    fn sends_unseen(&self, request: &Request) -> Response {
        let before = self.app.count();
        let answer = self.kawal.send(request);
        let seen = self.app.count();
        assert_eq!(seen, before, "it reached the app: {answer:?}");
        answer
    }

    /// The log says so too, once for each.
    #[track_caller]
    fn gave(&self, reason: &'static str) {
        let mut reasons = self.reasons.borrow_mut();
        let times = reasons.entry(reason).or_default();
        *times += 1;
        let holds = |line: &Value| line["reason"] == reason;
        let lines = self.kawal.notifications_where(*times, holds);
        assert_eq!(lines.len(), *times, "{reason}: {lines:?}");
    }

    /// A gateway that comes again until it gets through; the app sees one of all these copies.
    #[track_caller]
    pub fn delivers_in_the_end(&self, request: &Request) {
        let before = self.app.count();
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.kawal.send(request);
            if answer.status == 200 {
                break;
            }
            assert_eq!(answer.status, 503, "{answer:?} {}", self.kawal.output());
            assert_eq!(self.app.count(), before, "{answer:?}");
            let late = Instant::now() > until;
            assert!(!late, "{answer:?} {}", self.kawal.output());
            thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(self.app.count(), before + 1);
        // What was put off on the way is nobody's to count.
        self.reasons.borrow_mut().clear();
        let lines = self.kawal.log();
        for reason in ["store_down", "in_flight", "duplicate", "unproven"] {
            let told = lines.iter().filter(|line| line["reason"] == reason).count();
            self.reasons.borrow_mut().insert(reason, told);
        }
    }

    /// Waits until the store's absence is noticed, and gives the line that says so.
    #[track_caller]
    pub fn goes_down(&self) -> Value {
        self.goes_down_for(&[])
    }

    /// The same for a reason that is told in these words. It may become clear only at the second look.
    #[track_caller]
    pub fn goes_down_for(&self, words: &[&str]) -> Value {
        self.kawal.wait_for_metric("kawal_store_up", 0.0);
        self.told(|change| change.message == DOWN && words.iter().all(|word| change.says(word)))
    }

    /// Waits until it is noticed that the store is back.
    #[track_caller]
    pub fn comes_back(&self) {
        self.kawal.wait_for_metric("kawal_store_up", 1.0);
        self.told(|change| change.message == UP);
    }

    /// Its store dies and is started again with its data.
    #[track_caller]
    pub fn outlives_its_store(&self, delivered: &Request) {
        self.store.kill();
        self.misses_its_store(delivered);
        self.goes_down();
        self.store.restart();
        self.comes_back();
        self.knows(delivered);
    }

    /// Waits until the log's last word on the store is this.
    #[track_caller]
    fn told(&self, holds: impl Fn(&Change) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(last) = self.changes().pop().filter(&holds) {
                return last.line;
            }
            assert!(Instant::now() < until, "not told: {}", self.kawal.output());
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What the log says of the store's going and coming. Nothing is said twice in a row.
    #[track_caller]
    pub fn changes(&self) -> Vec<Change> {
        let lines = self.kawal.log().into_iter();
        let changes: Vec<_> = lines.filter_map(Change::read).collect();
        for pair in changes.windows(2) {
            let same = pair[0].message == pair[1].message && pair[0].why() == pair[1].why();
            assert!(!same, "said twice: {pair:?}");
        }
        changes
    }

    /// Waits until every shard of a store that was emptied has begun to remember.
    #[track_caller]
    pub fn remembers_anew(&self) {
        let until = Instant::now() + PATIENCE;
        let begun = |keys: Vec<String>| {
            let memories = keys.iter().filter(|key| key.ends_with(":memory"));
            memories.count() == 16
        };
        while !begun(self.store.keys()) {
            assert!(Instant::now() < until, "{:?}", self.store.keys());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Nothing happened to the store that anybody had to be told.
    #[track_caller]
    pub fn was_always_up(&self) {
        let changes = self.changes();
        assert!(
            changes.iter().all(|change| change.message == UP),
            "{changes:?}"
        );
        assert_eq!(self.kawal.metric("kawal_store_up"), 1.0);
    }
}

/// A line of the log that says that the store went or came.
#[derive(Debug)]
pub struct Change {
    pub message: &'static str,
    line: Value,
}

impl Change {
    /// In the form that people and alarms look for.
    fn read(line: Value) -> Option<Self> {
        let known = [(DOWN, "error"), (UP, "info")];
        let (message, level) = known.into_iter().find(|(m, _)| line["message"] == *m)?;
        assert_eq!(line["level"], level, "{line}");
        assert!(!line["store"].as_str().unwrap().is_empty(), "{line}");
        assert_eq!(line["why"].is_string(), message == DOWN, "{line}");
        Some(Self { message, line })
    }

    fn why(&self) -> &str {
        self.line["why"].as_str().unwrap_or_default()
    }

    fn says(&self, word: &str) -> bool {
        self.why().to_lowercase().contains(&word.to_lowercase())
    }
}
