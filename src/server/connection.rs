//! One connection: request after request, until somebody wants it closed.

use super::codec::{answer_while_kept, may_go_on};
use super::downstream::{Downstream, HeadBounds};
use super::limit::Slot;
use super::live::Live;
use super::relay;
use super::{Server, exchange};
use crate::admin;
use crate::answer::{Answer, Form};
use crate::intake::{Framing, Head, sender};
use crate::rejection::Rejection;
use crate::route::Found;
use crate::telemetry::Metrics;
use pingora_core::protocols::Stream;
use pingora_core::protocols::http::v1::server::HttpSession;
use pingora_core::server::ShutdownWatch;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    server: &Server,
    stream: Stream,
    (mut since, mut slot): (Instant, Slot),
    listener: Listener,
    mut shutdown: ShutdownWatch,
) {
    let peer = peer(&stream);
    let mut downstream = Downstream::new(stream);
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
        let request = Box::pin(one(server, downstream, &mut slot, listener, peer));
        match request.await {
            Some(next) => downstream = next,
            None => return,
        }
        since = Instant::now();
    }
}

/// Serves one request; gives the connection back where it can serve another.
async fn one(
    server: &Server,
    mut downstream: Downstream,
    slot: &mut Slot,
    listener: Listener,
    peer: Option<IpAddr>,
) -> Option<Downstream> {
    // From its first byte to its answer it has one configuration.
    let live = server.live.load_full();
    let in_flight = (listener == Listener::Public).then(|| server.in_flight.begin());
    let bounds = live.head_bounds();
    let head = slot.while_kept(read_head(&mut downstream, bounds)).await?;
    let mut session = HttpSession::new(Box::new(downstream));
    let head = match head {
        Ok(None) => return None,
        Ok(Some(head)) => match session.read_request().await {
            Ok(Some(_)) => Ok(head),
            // The codec is stricter still, in some corner, and reads a chunk that came with the head.
            _ => Err((
                Rejection::Malformed("not an HTTP/1.1 request"),
                form(server, &live, &head),
            )),
        },
        Err(rejection) => Err((rejection, Form::Plain)),
    };
    session.set_read_timeout(None);
    session.set_write_timeout(Some(live.timeouts.upstream));
    session.set_pipelining_enabled(true);
    match (head, listener) {
        (Err((rejection, form)), _) => {
            let refused = Refused::new((server, listener), &rejection, form, peer);
            refused.answer(&mut session, slot, false).await;
        }
        (Ok(head), Listener::Admin) => {
            let answer = {
                let _turn = match admin::is_probe(&head) {
                    true => None,
                    false => Some(server.admin_page.lock().await),
                };
                admin::answer(&head, &server.inside(&live))
            };
            // Whoever asks again and again lets others go first.
            tokio::task::yield_now().await;
            let keep_alive = may_go_on(&mut session, &head, None);
            answer_while_kept(&mut session, slot, answer, keep_alive).await;
        }
        (Ok(head), Listener::Public) => {
            public(server, &live, &mut session, head, slot, peer).await;
        }
    }
    drop(in_flight);
    next(session, slot).await
}

async fn read_head(
    downstream: &mut Downstream,
    bounds: HeadBounds,
) -> Result<Option<Head>, Rejection> {
    let Some(raw) = downstream.read_head(bounds).await? else {
        return Ok(None);
    };
    let length = raw.len();
    let head = Head::parse(&raw)?;
    if head.framing() == Framing::Chunked {
        downstream.watch_chunks(length);
    }
    Ok(Some(head))
}

async fn public(
    server: &Server,
    live: &Arc<Live>,
    session: &mut HttpSession,
    head: Head,
    slot: &mut Slot,
    peer: Option<IpAddr>,
) {
    let from = sender(&head, peer, &live.trusted_proxies);
    let refused = |rejection, form| Refused::new((server, Listener::Public), rejection, form, from);
    let found = live.routes.find(&head);
    if server.is_closed() && !matches!(found, Ok(Found::Route(_))) {
        let refused = refused(&Rejection::Draining, Form::Plain);
        return refused.answer(session, slot, false).await;
    }
    match found {
        Ok(Found::Route(route)) => {
            let Some(metrics) = live.metrics(&route) else {
                let form = route.form(server.now().wall);
                return refused(&Rejection::Internal, form)
                    .answer(session, slot, false)
                    .await;
            };
            let work = exchange::Work {
                server,
                live,
                route: &route,
                metrics,
            };
            work.serve(session, head, from, slot).await;
        }
        Ok(Found::Unmatched(unmatched)) => match head.expects_continue() {
            Ok(_) => {
                // It never keeps its slot: what nobody verified makes way for what somebody will,
                // though after those that do nothing at all.
                slot.relay();
                let relayed = relay::serve(server, live, session, (&head, from), unmatched);
                if slot.while_kept(relayed).await.is_none() {
                    server.metrics.refused(&Rejection::Crowded, None, from);
                    session.set_server_keepalive(None);
                }
            }
            Err(rejection) => {
                refused(&rejection, Form::Plain)
                    .answer(session, slot, false)
                    .await;
            }
        },
        Err(rejection) => {
            let keep_alive = may_go_on(session, &head, Some(&rejection));
            refused(&rejection, Form::Plain)
                .answer(session, slot, keep_alive)
                .await;
        }
    }
}

/// The form in which a request that came to no route yet is refused.
fn form(server: &Server, live: &Live, head: &Head) -> Form {
    match live.routes.find(head) {
        Ok(Found::Route(route)) => route.form(server.now().wall),
        Ok(Found::Unmatched(_)) | Err(_) => Form::Plain,
    }
}

/// Answers 503 to a connection for which there is no slot.
pub(super) async fn turn_away(
    server: &Server,
    stream: Stream,
    slot: &mut Slot,
    listener: Listener,
) {
    let peer = peer(&stream);
    let mut session = HttpSession::new(Box::new(Downstream::new(stream)));
    let who = (server, listener);
    let refused = Refused::new(who, &Rejection::Crowded, Form::Plain, peer);
    refused.answer(&mut session, slot, false).await;
    next(session, slot).await;
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

    async fn answer(self, session: &mut HttpSession, slot: &mut Slot, keep_alive: bool) {
        let answer = Answer::to(self.rejection, self.form);
        if let Some(metrics) = self.metrics {
            metrics.refused(self.rejection, Some(answer.status), self.from);
        }
        answer_while_kept(session, slot, answer, keep_alive).await;
    }
}

/// Where both sides want to go on, the connection for the next request.
async fn next(session: HttpSession, slot: &mut Slot) -> Option<Downstream> {
    session.response_written()?;
    if session.will_keepalive() {
        let (stream, ahead) = session.reuse().await.ok()??.into_parts();
        let mut downstream = *stream.into_any().downcast::<Downstream>().ok()?;
        downstream.again(ahead);
        return Some(downstream);
    }
    let downstream = session
        .into_inner()
        .into_any()
        .downcast::<Downstream>()
        .ok()?;
    if slot.end() {
        slot.while_kept(downstream.linger(LINGER)).await;
    }
    None
}

/// When a connection was accepted, by the steady clock.
pub(super) fn accepted(stream: &Stream) -> Instant {
    let now = Instant::now();
    let digest = stream.get_timing_digest().into_iter().flatten().next();
    let ago = digest.and_then(|digest| digest.established_ts.elapsed().ok());
    now.checked_sub(ago.unwrap_or_default()).unwrap_or(now)
}

fn peer(stream: &Stream) -> Option<IpAddr> {
    let digest = stream.get_socket_digest()?;
    Some(digest.peer_addr()?.as_inet()?.ip())
}
