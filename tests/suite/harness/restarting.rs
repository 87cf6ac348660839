//! An app that ends and comes back at the same address, and what all of its lives were told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::{App, Recorded, Reply};

/// The address stays taken while nobody answers there.
pub struct Restarting {
    /// Bound but not listening: no other test is given its port.
    _place: tokio::net::TcpSocket,
    port: u16,
    choose: fn(usize, &Recorded) -> Reply,
    app: Option<App>,
    past: Vec<Visit>,
}

/// A request that reached it.
#[derive(Clone, Debug)]
pub struct Visit {
    pub body: String,
    /// The status that it was answered whole with, and how long that took.
    pub answer: Option<(u16, Duration)>,
}

impl Restarting {
    /// An app that answers the n-th request of each life so.
    pub fn start(choose: fn(usize, &Recorded) -> Reply) -> Self {
        let place = tokio::net::TcpSocket::new_v4().unwrap();
        place.set_reuseaddr(true).unwrap();
        place.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let port = place.local_addr().unwrap().port();
        let mut restarting = Self {
            _place: place,
            port,
            choose,
            app: None,
            past: Vec::new(),
        };
        restarting.begin();
        restarting
    }

    pub fn url(&self) -> String {
        format!("http://{}", SocketAddr::from(([127, 0, 0, 1], self.port)))
    }

    pub fn begin(&mut self) {
        let app = App::start_on(self.port);
        let choose = self.choose;
        let count = std::sync::atomic::AtomicUsize::new(1);
        app.answer_with(move |request| {
            let nth = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            choose(nth, request)
        });
        self.app = Some(app);
    }

    /// In the middle of whatever it does.
    pub fn end(&mut self) {
        let app = self.app.take().expect("it runs");
        app.close();
        let visit = |(request, answer): (Recorded, _)| Visit {
            body: request.text(),
            answer,
        };
        self.past.extend(app.answered().into_iter().map(visit));
    }

    /// Everything that reached it in all lives that have ended, in order.
    pub fn visits(&self) -> &[Visit] {
        &self.past
    }
}
