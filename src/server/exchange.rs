//! One notification: read its body, ask for a judgement, talk to the app, say what came of it.

use super::Server;
use super::connection::{answer_while_kept, may_serve_on};
use super::downstream::Downstream;
use super::limit::Slot;
use super::live::Live;
use super::pool::Pool;
use super::size::Size;
use super::upstream::Patience;
use crate::answer::Answer;
use crate::clock::Moment;
use crate::forward::{Mode, Observed, Verdict};
use crate::intake::{Head, Received};
use crate::ledger::Admitted;
use crate::rejection::{Part, Rejection};
use crate::route::{Purpose, Route};
use crate::settle::{Outcome, Reply};
use crate::telemetry::{Decision, End, GatewayMetrics};
use bytes::Bytes;
use futures_util::FutureExt as _;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Instant;
use tokio::sync::OwnedSemaphorePermit;

/// What the work on a request with a route needs.
#[derive(Clone, Copy)]
pub(super) struct Work<'a> {
    pub(super) server: &'a Server,
    pub(super) pool: &'a Pool,
    pub(super) live: &'a Live,
    pub(super) route: &'a Route,
    pub(super) metrics: &'a GatewayMetrics,
}

/// What a request has come to, what it is answered, and why that is not the app's own answer. One that had to
/// make way gets no answer.
struct Decided {
    outcome: Outcome,
    answer: Option<Answer>,
    rejection: Option<Rejection>,
}

impl Work<'_> {
    /// Serves the request. The gateway's leaving ends nothing here: the app's answer is awaited and
    /// settled all the same.
    pub(super) async fn serve(
        self,
        downstream: &mut Downstream,
        head: Head,
        from: Option<IpAddr>,
        slot: &mut Slot,
    ) {
        let Self { server, route, .. } = self;
        let mut decision = Decision::begin(route, self.metrics, from);
        let received = slot.while_kept(self.receive(downstream, &head, from)).await;
        // Only now, since leases and ages count from here.
        let now = server.now();
        decision.judged = Some(now.wall);
        let Decided {
            outcome,
            answer,
            rejection,
        } = match received {
            // Until here it may have to make way; what is whole keeps its slot while it is at the app.
            Some(Ok(body)) if slot.keep() => {
                self.decide(&head, body, now, &mut decision, slot).await
            }
            Some(Err(rejection)) => self.refuse(rejection, slot),
            Some(Ok(_)) | None => Decided::crowded(),
        };
        // Logged first: whoever has the answer finds its line.
        let end = End {
            outcome,
            rejection: rejection.as_ref(),
            status: answer.as_ref().map(|answer| answer.status),
        };
        decision.end(end, &server.recent);
        let Some(answer) = answer else {
            return downstream.close();
        };
        let refused = rejection.filter(|_| decision.observed.is_none());
        let serves_on = !server.is_draining() && may_serve_on(downstream, &head, refused.as_ref());
        answer_while_kept(downstream, slot, &answer, serves_on).await;
    }

    /// The whole body, where the head alone does not rule it out.
    async fn receive(
        self,
        downstream: &mut Downstream,
        head: &Head,
        from: Option<IpAddr>,
    ) -> Result<Body, Rejection> {
        let (route, longest) = (self.route, self.live.timeouts.body);
        if self.server.is_closed() {
            return Err(Rejection::Draining);
        }
        let accepted = route.accept(head, from);
        if route.gateway.mode == Mode::Enforce {
            accepted.clone()?;
        }
        let turns = &self.server.large_bodies;
        let mut size = Size::with_turns(route.body_limit, route.readable(), turns);
        let bytes = downstream.read_body(head, &mut size, longest).await?;
        let is_large = u64::try_from(bytes.len()).is_ok_and(|length| length > route.body_limit);
        let fits = match is_large {
            true => Err(Rejection::TooLarge(Part::Body)),
            false => Ok(()),
        };
        Ok(Body {
            accepted: accepted.and(fits),
            bytes,
            turn: size.turn(),
        })
    }

    async fn decide(
        self,
        head: &Head,
        body: Body,
        now: Moment,
        decision: &mut Decision<'_>,
        slot: &mut Slot,
    ) -> Decided {
        let Body {
            accepted,
            bytes,
            turn: _turn,
        } = body;
        let received = || Received::new(head.clone(), bytes.clone());
        decision.bytes = bytes.len();
        let door = accepted.err();
        let admitted = match &door {
            // It is given no token.
            Some(door) if self.route.purpose == Purpose::Token => Err(door.clone()),
            // The method is part of the content, and of hardly any proof: a genuine one would be a conflict.
            Some(door @ Rejection::Method(_)) => Err(door.clone()),
            Some(_) | None => self.judge(received(), now, decision).await,
        };
        let rejection = match admitted {
            Ok(admitted) => return self.deliver(admitted, door, decision).await,
            Err(rejection) => door.unwrap_or(rejection),
        };
        let observed = self.route.observe(received, &rejection, &decision.known);
        let Some(observed) = observed else {
            return self.refuse(rejection, slot);
        };
        // What nobody verified makes way for what somebody will, and may have reached the app by then.
        slot.relay();
        decision.observed = Some(Outcome::Unknown);
        // Boxed, as all that is rare: what a notification may become is carried about by each.
        let answer = Box::pin(self.observe(observed, &bytes, decision));
        Decided {
            answer: slot.while_kept(answer).await,
            outcome: Outcome::of(&rejection),
            rejection: Some(rejection),
        }
    }

    async fn judge(
        self,
        received: Received,
        now: Moment,
        decision: &mut Decision<'_>,
    ) -> Result<Admitted, Rejection> {
        guarded(async {
            let begun = Instant::now();
            let verified = self.route.verify(received, now.wall, &mut decision.known);
            decision.verify = Some(begun.elapsed());
            self.route.claim(verified?, &self.server.ledger, now).await
        })
        .await
    }

    fn refuse(self, rejection: Rejection, slot: &mut Slot) -> Decided {
        // Whoever was refused keeps no slot.
        slot.end();
        let form = self.route.form(self.server.now().wall);
        if rejection == Rejection::Test {
            let with = self.route.gateway.scheme.acknowledgement();
            return Decided::new(
                Outcome::Test,
                Answer::acknowledge(with, form),
                Some(rejection),
            );
        }
        let outcome = Outcome::of(&rejection);
        Decided::new(outcome, Answer::to(&rejection, form), Some(rejection))
    }

    /// `door` is what would have been refused before the judgement, in observe mode: its proof holds all the
    /// same, and the ledger knows of it.
    async fn deliver(
        self,
        admitted: Admitted,
        door: Option<Rejection>,
        decision: &mut Decision<'_>,
    ) -> Decided {
        let (server, route) = (self.server, self.route);
        let begun = Instant::now();
        decision.is_known = admitted.claim().is_known();
        decision.attempt = Some(admitted.claim().attempt());
        let body = admitted.payload().message().body().clone();
        let key = admitted.claim().key();
        let verdict = match route.gateway.mode {
            Mode::Enforce => None,
            Mode::Observe => Some(Verdict::of(door.as_ref())),
        };
        let name = &route.gateway.name;
        let outbound = self.live.upstream.address(admitted, name, verdict);
        let (reply, claim) = self.pool.exchange(outbound, self.patience()).await;
        let reply = self.explained(reply);
        decision.upstream = Some(begun.elapsed());
        decision.app_status = reply.status();
        let outcome = reply.outcome();
        let rejection = match &reply {
            Reply::Silent(rejection) | Reply::Unsent(rejection) => Some(rejection.clone()),
            Reply::Broken(_) if outcome == Outcome::Unknown => Some(Rejection::UpstreamDown),
            Reply::Broken(_) | Reply::Complete(_) => None,
        };
        let now = server.now();
        let form = route.form(now.wall);
        let acknowledgement = route.respond.acknowledgement(&body, key);
        let answer = Answer::relay(reply, acknowledgement.as_ref(), form);
        match outcome {
            Outcome::Delivered => {
                let kept = answer.keep(|| route.stand_in(&body, key));
                claim.deliver(kept, now.steady).await;
            }
            Outcome::Refused => claim.free().await,
            Outcome::Unsent => claim.give_back().await,
            // Its lease ends it.
            Outcome::Duplicate
            | Outcome::Rejected
            | Outcome::Test
            | Outcome::Token
            | Outcome::Unknown => drop(claim),
        }
        if door.is_some() {
            decision.observed = Some(outcome);
            return Decided::new(Outcome::Rejected, answer, door);
        }
        Decided::new(outcome, answer, rejection)
    }

    /// The app answers what would have been refused, and nothing is remembered of it.
    async fn observe(
        self,
        observed: Observed,
        body: &Bytes,
        decision: &mut Decision<'_>,
    ) -> Answer {
        let begun = Instant::now();
        let request = self.live.upstream.observe(observed);
        let reply = self.pool.observe(request, self.patience()).await;
        let reply = self.explained(reply);
        decision.upstream = Some(begun.elapsed());
        decision.app_status = reply.status();
        decision.observed = Some(reply.outcome());
        let key = decision.known.key.unwrap_or_default();
        let acknowledgement = self.route.respond.acknowledgement(body, key);
        let form = self.route.form(self.server.now().wall);
        Answer::relay(reply, acknowledgement.as_ref(), form)
    }

    fn explained(self, reply: Reply) -> Reply {
        match reply {
            Reply::Unsent(rejection) => Reply::Unsent(self.server.unreachable(rejection)),
            Reply::Silent(_) | Reply::Broken(_) | Reply::Complete(_) => reply,
        }
    }

    fn patience(self) -> Patience {
        Patience {
            connect: self.live.timeouts.connect,
            whole: self.route.upstream_timeout,
        }
    }
}

impl Decided {
    fn new(outcome: Outcome, answer: Answer, rejection: Option<Rejection>) -> Self {
        Self {
            outcome,
            answer: Some(answer),
            rejection,
        }
    }

    /// It had to make way.
    fn crowded() -> Self {
        Self {
            outcome: Outcome::Rejected,
            answer: None,
            rejection: Some(Rejection::Crowded),
        }
    }
}

/// A whole body, and what speaks against it before its proof is looked at.
struct Body {
    accepted: Result<(), Rejection>,
    bytes: Bytes,
    /// Its turn among the very large ones.
    turn: Option<OwnedSemaphorePermit>,
}

/// A panic in the judgement admits nothing.
fn guarded<T>(
    judgement: impl Future<Output = Result<T, Rejection>>,
) -> impl Future<Output = Result<T, Rejection>> {
    let judged = AssertUnwindSafe(judgement).catch_unwind();
    judged.map(|judged| judged.unwrap_or(Err(Rejection::Internal)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Form;

    #[tokio::test]
    async fn a_panic_admits_nothing_and_is_our_fault() {
        let outcome = guarded(async { panic!("a broken rule") }).await;
        assert_eq!(outcome, Err::<(), _>(Rejection::Internal));
        assert_eq!(Answer::to(&Rejection::Internal, Form::Plain).status, 500);
    }
}
