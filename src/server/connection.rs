//! One connection: request after request, until somebody wants it closed.

use super::downstream::Downstream;
use super::limit::Slot;
use super::live::Live;
use super::pool::Pool;
use super::relay;
use super::{Server, exchange};
use crate::admin;
use crate::answer::{Answer, Form};
use crate::intake::{Head, sender};
use crate::rejection::Rejection;
use crate::route::Found;
use crate::telemetry::Metrics;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// For what a refused peer may still be sending.
const LINGER: Duration = Duration::from_secs(2);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listener {
    /// The gateways' side.
    Public,
    /// Probes.
    Admin,
}

/// Serves a connection to its end.
pub(super) async fn serve(
    (server, pool): (&Server, &Pool),
    mut downstream: Downstream,
    (mut since, mut slot): (Instant, Slot),
    listener: Listener,
    mut shutdown: watch::Receiver<bool>,
) {
    loop {
        if !slot.wait(since) {
            return;
        }
        let idle = server.live.load().timeouts.idle;
        let begun = slot.while_kept(async {
            tokio::select! {
                biased;
                begun = downstream.wait(idle) => begun,
                _ = shutdown.wait_for(|ending| *ending) => false,
            }
        });
        if begun.await != Some(true) {
            return;
        }
        // Boxed, so that a connection that waits is small.
        let request = Box::pin(one((server, pool), downstream, &mut slot, listener));
        match request.await {
            Some(next) => (downstream, since) = next,
            None => return,
        }
    }
}

/// Serves one request; gives the connection back where it can serve another.
async fn one(
    (server, pool): (&Server, &Pool),
    mut downstream: Downstream,
    slot: &mut Slot,
    listener: Listener,
) -> Option<(Downstream, Instant)> {
    let peer = Some(downstream.peer());
    // From its first byte to its answer it has one configuration.
    let live = server.live.load_full();
    let in_flight = (listener == Listener::Public).then(|| server.in_flight.begin());
    let bounds = live.head_bounds();
    let read = downstream.read_head(bounds);
    match (slot.while_kept(read).await?, listener) {
        (Ok(None), _) => return None,
        (Err(rejection), _) => {
            let refused = Refused::new((server, listener), &rejection, Form::Plain, peer);
            refused.answer(&mut downstream, slot, false).await;
        }
        (Ok(Some(head)), Listener::Admin) => {
            let answer = {
                let _turn = match admin::is_probe(&head) {
                    true => None,
                    false => Some(server.admin_page.lock().await),
                };
                admin::answer(&head, &server.inside(&live))
            };
            // Whoever asks again and again lets others go first.
            tokio::task::yield_now().await;
            let serves_on = may_serve_on(&downstream, &head, None);
            answer_while_kept(&mut downstream, slot, &answer, serves_on).await;
        }
        (Ok(Some(head)), Listener::Public) => {
            public((server, pool), &live, &mut downstream, head, slot, peer).await;
        }
    }
    drop(in_flight);
    next(downstream, slot).await
}

async fn public(
    (server, pool): (&Server, &Pool),
    live: &Arc<Live>,
    downstream: &mut Downstream,
    head: Head,
    slot: &mut Slot,
    peer: Option<IpAddr>,
) {
    let from = sender(&head, peer, &live.trusted_proxies);
    let refused = |rejection, form| Refused::new((server, Listener::Public), rejection, form, from);
    let found = live.routes.find(&head);
    if server.is_closed() && !matches!(found, Ok(Found::Route(_))) {
        let refused = refused(&Rejection::Draining, Form::Plain);
        return refused.answer(downstream, slot, false).await;
    }
    match found {
        Ok(Found::Route(route)) => {
            let Some(metrics) = live.metrics(&route) else {
                let form = route.form(server.now().wall);
                return refused(&Rejection::Internal, form)
                    .answer(downstream, slot, false)
                    .await;
            };
            let work = exchange::Work {
                server,
                pool,
                live,
                route: &route,
                metrics,
            };
            work.serve(downstream, head, from, slot).await;
        }
        Ok(Found::Unmatched(unmatched)) => match head.expects_continue() {
            Ok(_) => {
                // It never keeps its slot: what nobody verified makes way for what somebody will,
                // though after those that do nothing at all.
                slot.relay();
                let relayed = Box::pin(relay::serve(
                    (server, pool),
                    live,
                    downstream,
                    (&head, from),
                    unmatched,
                ));
                if slot.while_kept(relayed).await.is_none() {
                    server.metrics.refused(&Rejection::Crowded, None, from);
                    downstream.close();
                }
            }
            Err(rejection) => {
                refused(&rejection, Form::Plain)
                    .answer(downstream, slot, false)
                    .await;
            }
        },
        Err(rejection) => {
            let serves_on = may_serve_on(downstream, &head, Some(&rejection));
            refused(&rejection, Form::Plain)
                .answer(downstream, slot, serves_on)
                .await;
        }
    }
}

/// Answers 503 to a connection for which there is no slot.
pub(super) async fn turn_away(
    server: &Server,
    mut downstream: Downstream,
    slot: &mut Slot,
    listener: Listener,
) {
    let (who, peer) = ((server, listener), Some(downstream.peer()));
    let refused = Refused::new(who, &Rejection::Crowded, Form::Plain, peer);
    refused.answer(&mut downstream, slot, false).await;
    next(downstream, slot).await;
}

/// A request that comes to no route.
struct Refused<'a> {
    metrics: Option<&'a Metrics>,
    rejection: &'a Rejection,
    form: Form,
    from: Option<IpAddr>,
}

impl<'a> Refused<'a> {
    /// What comes to the admin listener is counted nowhere.
    fn new(
        (server, listener): (&'a Server, Listener),
        rejection: &'a Rejection,
        form: Form,
        from: Option<IpAddr>,
    ) -> Self {
        Self {
            from,
            metrics: (listener == Listener::Public).then_some(&server.metrics),
            rejection,
            form,
        }
    }

    async fn answer(self, downstream: &mut Downstream, slot: &mut Slot, serves_on: bool) {
        let answer = Answer::to(self.rejection, self.form);
        if let Some(metrics) = self.metrics {
            metrics.refused(self.rejection, Some(answer.status), self.from);
        }
        answer_while_kept(downstream, slot, &answer, serves_on).await;
    }
}

/// Whether a connection may serve on after a request: its sender wants it, its framing is sound,
/// and nobody waits for the other to begin with the body.
pub(super) fn may_serve_on(
    downstream: &Downstream,
    head: &Head,
    rejection: Option<&Rejection>,
) -> bool {
    let sound = !matches!(
        rejection,
        Some(
            Rejection::Expectation
                | Rejection::Malformed(_)
                | Rejection::Timeout
                | Rejection::TooLarge(_)
        )
    );
    let begun = head.expects_continue() == Ok(false) || downstream.has_whole_body();
    head.keep_alive() && sound && begun
}

/// Writes an answer, unless the connection has to make way.
pub(super) async fn answer_while_kept(
    downstream: &mut Downstream,
    slot: &mut Slot,
    answer: &Answer,
    serves_on: bool,
) {
    let written = slot.while_kept(downstream.answer(answer, serves_on)).await;
    if written.is_none() {
        downstream.close();
    }
}

/// Where both sides want to go on, the connection for the next request, and since when it waits for that.
async fn next(downstream: Downstream, slot: &mut Slot) -> Option<(Downstream, Instant)> {
    let answered = downstream.answered()?;
    if downstream.serves_on() {
        return Some((downstream, answered.into_std()));
    }
    if slot.end() {
        slot.while_kept(downstream.linger(LINGER)).await;
    }
    None
}
