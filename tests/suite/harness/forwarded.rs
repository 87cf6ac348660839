//! Whom a request is taken to be from, and what becomes of it.

use serde_json::json;

use super::peers::send_from;
use super::{App, Config, Kawal, Request, doku};

/// The header that proxies write.
pub const FORWARDED: &str = "X-Forwarded-For";

/// Kawal in front of an app, with senders whose addresses count.
pub struct Door {
    pub app: App,
    pub kawal: Kawal,
}

impl Door {
    /// These may come in, through these proxies.
    pub fn new(allowed: &[&str], trusted: &[&str]) -> Self {
        Self::with(allowed, trusted, |config| config)
    }

    pub fn with(allowed: &[&str], trusted: &[&str], change: impl FnOnce(Config) -> Config) -> Self {
        let app = App::start();
        let config = Config::new(&app)
            .set("gateways.doku.allow_from", json!(allowed))
            .set("trusted_proxies", json!(trusted));
        let kawal = Kawal::start(change(config));
        Self { app, kawal }
    }

    /// A genuine notification from this peer with these lines: whether it passes, and whom it is taken to be from.
    #[track_caller]
    pub fn takes(&self, peer: &str, lines: &[&str]) -> (bool, Option<String>) {
        let request = doku("{}");
        let add = |request: Request, line: &&str| request.header(FORWARDED, line);
        self.takes_this(peer, &lines.iter().fold(request, add))
    }

    #[track_caller]
    pub fn takes_this(&self, peer: &str, request: &Request) -> (bool, Option<String>) {
        let (seen, told) = (self.app.count(), self.kawal.decided());
        let mut address = self.kawal.addr();
        if address.ip().is_unspecified() {
            // One listener for both families.
            let ip = if peer.contains(':') {
                "::1"
            } else {
                "127.0.0.1"
            };
            address.set_ip(ip.parse().unwrap());
        }
        let answer = send_from(peer, address, request);
        let line = self.kawal.notifications(told + 1).remove(told);
        assert_eq!(line["status"], answer.status, "{line}");
        let passed = match answer.status {
            200 => true,
            403 => false,
            other => panic!("{other} for {:?}: {answer:?}", request.headers),
        };
        let came = self.app.requests().split_off(seen);
        assert_eq!(came.len(), usize::from(passed), "{line}");
        for came in came {
            // It is the app's to read as well.
            let sent = request.headers.iter();
            let sent = sent.filter(|(name, _)| name.eq_ignore_ascii_case(FORWARDED));
            let sent: Vec<_> = sent
                .map(|(_, value)| String::from_utf8_lossy(value).trim().to_owned())
                .collect();
            assert_eq!(came.all(FORWARDED), sent, "{line}");
        }
        let reason = line["reason"].as_str();
        assert_eq!(reason, (!passed).then_some("forbidden"), "{line}");
        (passed, line["from"].as_str().map(str::to_owned))
    }
}
