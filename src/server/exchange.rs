//! One notification: read its body, ask for a judgement, talk to the app, say what came of it.

use super::Server;
use super::codec::{answer_while_kept, may_go_on, read_body};
use super::limit::Slot;
use crate::answer::Answer;
use crate::clock::Moment;
use crate::intake::{Head, Received};
use crate::ledger::Admitted;
use crate::rejection::Rejection;
use crate::route::Route;
use crate::settle::{Outcome, Reply};
use crate::telemetry::{self, Decision};
use bytes::Bytes;
use futures_util::FutureExt as _;
use pingora_core::protocols::http::v1::server::HttpSession;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

/// Serves a request that has a route. The gateway's leaving ends nothing here: the app's answer is
/// awaited and settled all the same.
pub(super) async fn serve(
    server: &Server,
    session: &mut HttpSession,
    route: &Route,
    head: Head,
    peer: Option<IpAddr>,
    slot: &mut Slot,
) {
    let mut decision = Decision::begin(route);
    let received = slot
        .while_kept(receive(server, session, route, &head, peer))
        .await;
    // Until here it may have to make way; what is whole keeps its slot while it is at the app.
    let received = match received {
        Some(Ok(_)) if !slot.keep() => None,
        received => received,
    };
    let Some(received) = received else {
        telemetry::log_refused(&Rejection::Crowded, None);
        return session.set_server_keepalive(None);
    };
    // Only now, since leases and ages count from here.
    let now = server.now();
    decision.judged = Some(now.wall);
    let admitted = match received {
        Ok(body) => {
            let received = Received::new(head.clone(), body);
            judge(server, route, received, now, &mut decision).await
        }
        Err(rejection) => Err(rejection),
    };
    let (answer, outcome, rejection) = match admitted {
        Ok(admitted) => deliver(server, route, admitted, &mut decision).await,
        Err(rejection) => {
            // Whoever was refused keeps no slot.
            slot.end();
            let (answer, outcome) = refuse(server, route, &rejection);
            (answer, outcome, Some(rejection))
        }
    };
    // Logged first: whoever has the answer finds its line.
    decision.log(outcome, rejection.as_ref(), answer.status);
    let keep_alive = !server.is_draining() && may_go_on(session, &head, rejection.as_ref());
    answer_while_kept(session, slot, answer, keep_alive).await;
}

async fn receive(
    server: &Server,
    session: &mut HttpSession,
    route: &Route,
    head: &Head,
    peer: Option<IpAddr>,
) -> Result<Bytes, Rejection> {
    route.accept(head, peer)?;
    read_body(session, head, route.body_limit, server.timeouts.body).await
}

async fn judge(
    server: &Server,
    route: &Route,
    received: Received,
    now: Moment,
    decision: &mut Decision<'_>,
) -> Result<Admitted, Rejection> {
    let begun = Instant::now();
    decision.bytes = received.body().len();
    let judgement = route.admit(received, &server.ledger, now, &mut decision.known);
    let admitted = guarded(judgement).await;
    decision.verify = begun.elapsed();
    admitted
}

/// A panic in the judgement admits nothing.
async fn guarded<T>(judgement: impl Future<Output = Result<T, Rejection>>) -> Result<T, Rejection> {
    let judged = AssertUnwindSafe(judgement).catch_unwind().await;
    judged.unwrap_or(Err(Rejection::Internal))
}

fn refuse(server: &Server, route: &Route, rejection: &Rejection) -> (Answer, Outcome) {
    let form = route.form(server.now().wall);
    if *rejection == Rejection::Test {
        let with = route.gateway.scheme.acknowledgement();
        return (Answer::acknowledge(with, form), Outcome::Test);
    }
    (Answer::to(rejection, form), Outcome::of(rejection))
}

async fn deliver(
    server: &Server,
    route: &Route,
    admitted: Admitted,
    decision: &mut Decision<'_>,
) -> (Answer, Outcome, Option<Rejection>) {
    let begun = Instant::now();
    decision.is_known = admitted.claim().is_known();
    decision.attempt = Some(admitted.claim().attempt());
    let (body, key) = (admitted.payload().body().clone(), admitted.claim().key());
    let outbound = server.upstream.address(admitted, &route.gateway.name);
    let (reply, claim) = server.pool.exchange(outbound, route.upstream_timeout).await;
    decision.upstream = Some(begun.elapsed());
    decision.app_status = reply.status();
    let outcome = reply.outcome();
    let rejection = match &reply {
        Reply::Silent(rejection) | Reply::Unsent(rejection) => Some(rejection.clone()),
        Reply::Broken(_) if outcome == Outcome::Unknown => Some(Rejection::UpstreamDown),
        Reply::Broken(_) | Reply::Complete(_) => None,
    };
    let form = route.form(server.now().wall);
    let acknowledgement = route.respond.acknowledgement(&body, key);
    let answer = Answer::relay(reply, acknowledgement.as_ref(), form);
    match outcome {
        Outcome::Delivered => {
            let kept = answer.keep(|| route.stand_in(&body, key));
            claim.deliver(kept, server.now().steady).await;
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
    (answer, outcome, rejection)
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
