//! Kawal that only watches: what it would refuse reaches the app as it was sent, and marked.

use serde_json::Value;

use super::forwarding::sent_on;
use super::{App, Config, Kawal, Recorded, Request, Response};

impl Config {
    /// With every gateway in observe mode.
    pub fn observing(self) -> Self {
        let gateways = self.value("gateways");
        let names = gateways.as_object().unwrap().keys();
        names.fold(self, |config, name| config.mode(name, "observe"))
    }

    /// With this mode of this gateway.
    pub fn mode(self, gateway: &str, mode: &str) -> Self {
        self.set(&format!("gateways.{gateway}.mode"), mode)
    }
}

/// Kawal that only watches, in front of an app.
pub struct Watch {
    pub app: App,
    pub kawal: Kawal,
}

/// What became of one request.
pub struct Seen {
    pub answer: Response,
    /// What reached the app meanwhile.
    pub at_app: Vec<Recorded>,
    pub line: Value,
}

impl Watch {
    pub fn new() -> Self {
        Self::with(|config| config)
    }

    /// With something else in the configuration.
    pub fn with(change: impl FnOnce(Config) -> Config) -> Self {
        let app = App::start();
        let kawal = Kawal::start(change(Config::new(&app)).observing());
        Self { app, kawal }
    }

    /// Sends one that leads to a decision, when nothing else is on its way.
    #[track_caller]
    pub fn send(&self, request: &Request) -> Seen {
        let (seen, told) = (self.app.count(), self.kawal.decided());
        let answer = self.kawal.send(request);
        Seen {
            line: self.kawal.notifications(told + 1).remove(told),
            at_app: self.app.requests().split_off(seen),
            answer,
        }
    }

    /// It would be refused for this reason; the app gets it once, as it was sent, and takes it.
    #[track_caller]
    pub fn lets_through(&self, name: &str, request: &Request, reason: &str) -> Recorded {
        let seen = self.send(request);
        assert_eq!(seen.answer.status, 200, "{name}: {:?}", seen.answer);
        assert_eq!(seen.line["status"], 200, "{name}: {}", seen.line);
        assert_eq!(seen.line["app_status"], 200, "{name}: {}", seen.line);
        seen.marked(name, request, reason)
    }

    /// It would be refused at the door for this reason, though it is genuine: the app gets it once, with all that a
    /// genuine one has, and takes it.
    #[track_caller]
    pub fn claims(&self, name: &str, request: &Request, reason: &str) -> Recorded {
        let seen = self.send(request);
        assert_eq!(seen.answer.status, 200, "{name}: {:?}", seen.answer);
        assert_eq!(seen.line["app_status"], 200, "{name}: {}", seen.line);
        seen.claimed(name, request, reason)
    }

    /// The app gets it once, as it was sent, with all that a genuine one has, and takes it.
    #[track_caller]
    pub fn accepts(&self, name: &str, request: &Request) -> Recorded {
        let seen = self.send(request);
        assert_eq!(seen.answer.status, 200, "{name}: {:?}", seen.answer);
        assert_eq!(seen.line["outcome"], "delivered", "{name}: {}", seen.line);
        seen.accepted(name, request)
    }

    /// The app is asked nothing.
    #[track_caller]
    pub fn keeps_from_the_app(&self, name: &str, request: &Request) -> Response {
        let before = self.app.connections();
        let answer = self.kawal.send(request);
        let after = self.app.connections();
        assert_eq!(after, before, "{name} reached the app: {answer:?}");
        answer
    }
}

impl Seen {
    /// The one request that reached the app.
    #[track_caller]
    pub fn only(&self, name: &str) -> &Recorded {
        let [only] = &self.at_app[..] else {
            panic!("{name} came {} times: {}", self.at_app.len(), self.line);
        };
        only
    }

    /// The app and the log are told why it would be refused, and nothing that is not proven.
    #[track_caller]
    pub fn marked(&self, name: &str, request: &Request, reason: &str) -> Recorded {
        self.refused(name, request, reason);
        let only = self.only(name);
        let known = ["Gateway", "Verdict", "Client", "Notification-Id"];
        for header in only.ours() {
            assert!(known.contains(&&*header), "{name}: X-Kawal-{header}");
        }
        only.clone()
    }

    /// The app and the log are told why it would be refused, and that it is genuine all the same.
    #[track_caller]
    pub fn claimed(&self, name: &str, request: &Request, reason: &str) -> Recorded {
        self.refused(name, request, reason);
        self.is_whole(name);
        self.only(name).clone()
    }

    #[track_caller]
    fn refused(&self, name: &str, request: &Request, reason: &str) {
        let outcome = match reason {
            "duplicate" => "duplicate",
            _ => "rejected",
        };
        let line = &self.line;
        assert_eq!(line["reason"], reason, "{name}: {line}");
        assert_eq!(line["outcome"], outcome, "{name}: {line}");
        self.verdict(name, request, &format!("would-reject:{reason}"));
    }

    /// The app and the log are told that it is genuine.
    #[track_caller]
    pub fn accepted(&self, name: &str, request: &Request) -> Recorded {
        assert!(self.line["reason"].is_null(), "{name}: {}", self.line);
        self.verdict(name, request, "accepted");
        self.is_whole(name);
        self.only(name).clone()
    }

    /// Whatever is proven of every genuine one is there.
    #[track_caller]
    fn is_whole(&self, name: &str) {
        let only = self.only(name);
        for header in ["Notification-Id", "Covers", "Attempt"] {
            let header = format!("X-Kawal-{header}");
            assert_eq!(only.all(&header).len(), 1, "{name}: {header}");
        }
    }

    #[track_caller]
    fn verdict(&self, name: &str, request: &Request, verdict: &str) {
        let only = self.only(name);
        assert_eq!(self.line["verdict"], verdict, "{name}: {}", self.line);
        assert_eq!(only.all("X-Kawal-Verdict"), [verdict], "{name}");
        let gateway = self.line["gateway"].as_str().unwrap();
        assert_eq!(only.all("X-Kawal-Gateway"), [gateway], "{name}");
        sent_on(name, gateway, request, only);
    }
}

impl Recorded {
    /// What follows `X-Kawal-` in the names of this request.
    pub fn ours(&self) -> Vec<String> {
        let names = self.names().into_iter();
        let ours = names.filter(|name| name.to_ascii_lowercase().starts_with("x-kawal-"));
        ours.map(|name| name[8..].to_owned()).collect()
    }

    /// Who it is from and what it is called, as far as that was proven.
    pub fn proven(&self) -> [Option<String>; 2] {
        ["X-Kawal-Client", "X-Kawal-Notification-Id"].map(|name| self.header(name))
    }
}
