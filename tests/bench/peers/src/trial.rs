//! One contestant in one round: started afresh, asked whether it verifies, warmed up, measured, and
//! held to account: who did not do the work has no figures.

use crate::Fallible;
use crate::account::memory;
use crate::contestant::{Contestant, Peer, Traffic};
use crate::exchange::{get, send};
use crate::figures::{MEBIBYTE, Sample};
use crate::guard::Guard;
use crate::load::{Plan, Seen};
use crate::servers::{Kawal, Server, USUAL, haproxy, nginx_peer};
use crate::set::Set;
use crate::sets::Sets;

/// What stays the same over all rounds.
pub(crate) struct Stage<'a> {
    pub(crate) guard: &'a Guard,
    pub(crate) app: &'a Server<'a>,
    pub(crate) plan: Plan,
}

impl<'a> Stage<'a> {
    /// Measures it once.
    pub(crate) fn measure(&self, contestant: &Contestant, sets: &Sets) -> Fallible<Sample> {
        let started = self.start(contestant)?;
        let server = started.as_ref().unwrap_or(self.app);
        let is_plain = contestant.traffic == Traffic::Plain;
        let port = if is_plain {
            server.other_port
        } else {
            server.port
        };
        let idle = memory(server.process.pid())?.resident;
        let set = sets.of(contestant.traffic);
        if contestant.verifies() {
            prove(port, set, &sets.forged, contestant.traffic)?;
        }
        let once = contestant.traffic == Traffic::Duplicates;
        let one = once.then(|| set.repeated(self.guard, self.plan.whole()));
        let one = one.transpose()?;
        let set = one.as_ref().unwrap_or(set);
        self.plan.warm_up(set).run(self.guard, port)?;

        let reached = self.reached_app()?;
        let measured = self.plan.measured(set);
        let (mut sample, seen) = measured.cost(self.guard, server, port)?;
        sample.idle = idle / MEBIBYTE;
        check(contestant, &seen, self.plan)?;
        self.check_app(contestant, self.reached_app()? - reached, &seen)?;
        if contestant.is_kawal() {
            check_lines(server)?;
        }
        Ok(sample)
    }

    /// Starts it; the app runs already.
    pub(crate) fn start(&self, contestant: &Contestant) -> Fallible<Option<Server<'a>>> {
        let app = self.app.port;
        Ok(match contestant.peer {
            Peer::App => None,
            Peer::Haproxy => Some(haproxy(self.guard, app)?),
            Peer::Nginx => Some(nginx_peer(self.guard, app, 4096)?),
            Peer::Kawal { with_redis } => {
                let kawal = Kawal {
                    binary: &contestant.binary.path,
                    with_redis,
                    // Its default, unless more are sent.
                    capacity: 100_000.max(2 * self.plan.count),
                    template: USUAL,
                    secrets: 0,
                };
                Some(kawal.start(self.guard, app)?)
            }
        })
    }

    /// How many requests the app has had, this one left out.
    fn reached_app(&self) -> Fallible<f64> {
        let page = get(self.app.port, "/count")?.body;
        // The line below `server accepts handled requests`.
        let numbers = page.lines().nth(2).unwrap_or_default();
        let requests = numbers.split_whitespace().nth(2);
        Ok(requests.ok_or("the app does not count")?.parse::<f64>()? - 1.0)
    }

    /// What reached the app, the question how many there were included.
    fn check_app(&self, contestant: &Contestant, reached: f64, seen: &Seen) -> Fallible<()> {
        let reached = reached - 1.0;
        let right = match contestant.traffic {
            Traffic::Duplicates | Traffic::Forgeries => reached == 0.0,
            Traffic::Doku
            | Traffic::Pivot
            | Traffic::Plain
            | Traffic::Snap
            | Traffic::Unrouted
            | Traffic::UnroutedPost => reached >= seen.answers,
        };
        let sentence = || format!("{} answers, but {reached} at the app", seen.answers);
        if right {
            Ok(())
        } else {
            Err(sentence().into())
        }
    }
}

/// A genuine one passes, a forged one does not: else what follows would measure something else.
fn prove(port: u16, set: &Set, forged: &Set, traffic: Traffic) -> Fallible<()> {
    if traffic != Traffic::Forgeries {
        let answer = send(port, set.last())?;
        if answer.status != 200 || answer.body != "ok" {
            return Err(format!("a genuine one is answered with {}", answer.status).into());
        }
    }
    let mut spoilt = set.last().to_vec();
    // Of a static key nothing depends on the body, so it is the proof that is spoilt.
    let at = if traffic == Traffic::Pivot {
        find(&spoilt, b"X-API-Key: ").ok_or("a set without its key")?
    } else {
        spoilt.len() - 3
    };
    if let Some(byte) = spoilt.get_mut(at) {
        *byte ^= 1;
    }
    for (what, request) in [
        ("a changed one", spoilt.as_slice()),
        ("a forged one", forged.last()),
    ] {
        let status = send(port, request)?.status;
        if status != 401 {
            return Err(format!("{what} is answered with {status}").into());
        }
    }
    Ok(())
}

/// Where the bytes behind a word begin.
fn find(text: &[u8], word: &[u8]) -> Option<usize> {
    let at = text.windows(word.len()).position(|part| part == word)?;
    Some(at + word.len())
}

/// Everything was answered, and as it has to be.
pub(crate) fn check(contestant: &Contestant, seen: &Seen, plan: Plan) -> Fallible<()> {
    let is_forged = contestant.traffic == Traffic::Forgeries;
    let refusals = if is_forged { seen.answers } else { 0.0 };
    if plan.is_done(seen, refusals) {
        return Ok(());
    }
    Err(format!("it did not do its work: {} sent, {seen:?}", plan.count).into())
}

/// A line that was dropped is work that was not done.
pub(crate) fn check_lines(server: &Server<'_>) -> Fallible<()> {
    let page = get(server.other_port, "/metrics")?.body;
    let name = "kawal_log_lines_dropped_total ";
    let dropped = page.lines().find_map(|line| line.strip_prefix(name));
    match dropped.ok_or("Kawal does not count its lines")? {
        "0" => Ok(()),
        count => Err(format!("Kawal dropped {count} lines of its log").into()),
    }
}
