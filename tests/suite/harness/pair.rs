//! Two sidecars of one shop on one store: what one of them does not live to finish, the other one carries on.

use std::thread;
use std::time::Duration;

use super::{
    App, Config, Connection, Kawal, Redis, Reply, Request, Response, StoreProxy, doku, until,
};
use crate::refusals::assert_in_flight;

/// An app and its store, and two sidecars between them.
pub struct Pair {
    pub app: App,
    pub redis: Redis,
    /// What lies between the first sidecar and the store.
    pub wire: StoreProxy,
    /// The one whose way to the store is in the test's hands.
    pub first: Kawal,
    /// The one that goes straight to it.
    pub second: Kawal,
}

/// The lease of every claim of theirs, in whole seconds: that of the exchange and what Kawal adds to it.
const LEASE: u64 = 1 + 15;

impl Pair {
    pub fn start() -> Self {
        Self::with(|config| config)
    }

    /// Where a reply that never comes is the story.
    pub fn impatient() -> Self {
        Self::with(|config| config.set("replay.redis.timeout", "500ms"))
    }

    /// With something else in the configuration of both.
    pub fn with(change: impl Fn(Config) -> Config) -> Self {
        let redis = Redis::start();
        let app = App::start();
        let wire = StoreProxy::before(&redis);
        let config = || {
            // Long enough for every second try that a story is about, however busy the machine is.
            let config = Config::new(&app).set("replay.redis.timeout", "5s");
            change(config.set("timeouts.upstream", "1s"))
        };
        let pair = Self {
            first: Kawal::start(config().on(&wire)),
            second: Kawal::start(config().on(&redis)),
            wire,
            redis,
            app,
        };
        pair.warm_up();
        pair
    }

    /// Each step once, so that the store knows every script: from here on each is one command.
    fn warm_up(&self) {
        for kawal in [&self.first, &self.second] {
            let notification = doku("{\"warm\":\"up\"}");
            self.app.next(Reply::new(500));
            assert_eq!(kawal.send(&notification).status, 500);
            assert_eq!(kawal.send(&notification).status, 200);
        }
    }

    /// A third sidecar, or the one that was killed, started anew.
    pub fn another(&self) -> Kawal {
        Kawal::start(self.second.config.clone())
    }

    /// Sends to the first one and does not wait for an answer.
    pub fn begin(&self, notification: &Request) -> Connection {
        let mut gateway = Connection::open(self.first.addr());
        gateway.write(&notification.bytes()).unwrap();
        gateway
    }

    /// What the app was told each time it got this one: the number of the attempt.
    pub fn attempts(&self, notification: &Request) -> Vec<String> {
        let seen = self.app.requests().into_iter();
        let of = seen.filter(|request| request.body == notification.body);
        of.map(|request| request.header("x-kawal-attempt").unwrap())
            .collect()
    }

    /// Waits until this one has reached the app so often.
    pub fn wait_for_attempts(&self, notification: &Request, count: usize) {
        until("the app has it", || {
            self.attempts(notification).len() >= count
        });
        assert_eq!(self.attempts(notification).len(), count);
    }

    /// The first one dies as it stands, and the gateways that waited hear nothing.
    pub fn kill_first(&mut self, gateways: impl IntoIterator<Item = Connection>) {
        self.first.signal("KILL");
        self.first.wait_exit();
        for mut gateway in gateways {
            assert!(gateway.read("POST").is_err());
        }
    }
}

/// A copy waits now, for no longer than a lease, and passes when the time that it was told is over.
pub fn passes_after_its_lease(kawal: &Kawal, notification: &Request) -> Response {
    wait_for_the_end_of_its_lease(kawal, notification);
    let answer = kawal.send(notification);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// A copy waits now. The wait is the story: nothing but the end of the lease lets it go.
pub fn wait_for_the_end_of_its_lease(kawal: &Kawal, notification: &Request) {
    let held = kawal.send(notification);
    assert_in_flight(&held);
    let wait: u64 = held.header("retry-after").unwrap().parse().unwrap();
    assert!(wait <= LEASE, "held for {wait} s");
    thread::sleep(Duration::from_secs(wait));
}
