//! Talks to the app. Only what was admitted, or has no route, has an address to talk to.

use super::app::Broken;
use super::head::{Head, Length};
use super::pool::Pool;
use crate::forward::{AppRequest, Outbound, Upstream};
use crate::ledger::Claim;
use crate::rejection::Rejection;
use crate::settle::{AppAnswer, Reply};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

/// An answer larger than this is not held; what it means is known from its status.
const LARGEST_ANSWER: usize = 1024 * 1024;
/// An app may answer before it has read everything, and never read the rest: its answer still
/// counts, so only this part of the time goes to writing.
const SHARE_OF_WRITING: u32 = 2;
const RESOLVE_EVERY: Duration = Duration::from_secs(10);
const RESOLVE_AGAIN: Duration = Duration::from_secs(1);

/// How long things with the app may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Connecting to one address.
    pub(super) connect: Duration,
    /// The whole exchange.
    pub(super) whole: Duration,
}

impl Pool {
    /// Sends a notification and takes the answer. Nothing is ever sent twice.
    pub(super) async fn exchange(&self, outbound: Outbound, patience: Patience) -> (Reply, Claim) {
        let (request, mut claim) = outbound.open();
        let sending = |deadline: Instant| {
            // A process that was frozen in between may no longer be the one that holds it.
            let is_held = claim.outlasts(deadline.into_std());
            if is_held {
                claim.sent();
            }
            is_held
        };
        let reply = self.send(request, patience, sending).await;
        (reply, claim)
    }

    /// Sends what nobody holds a claim of, and takes the answer.
    pub(super) async fn observe(&self, request: AppRequest, patience: Patience) -> Reply {
        self.send(request, patience, |_| true).await
    }

    /// `sending` is asked just before the app can see anything, and may say no.
    async fn send(
        &self,
        request: AppRequest,
        patience: Patience,
        sending: impl FnOnce(Instant) -> bool,
    ) -> Reply {
        let Patience { connect, whole } = patience;
        let deadline = Instant::now() + whole;
        let (is_last, is_verified) = (request.ends_connection(), request.is_verified());
        let (to, request, body) = request.open();
        let length = Length::Known(body.len() as u64);
        let Ok(head) = Head::of_request(&request, length, is_last) else {
            return Reply::Unsent(Rejection::Internal);
        };
        let mut app = match timeout_at(deadline, self.connect(&to, is_verified, connect)).await {
            Ok(Ok(app)) => app,
            Ok(Err(rejection)) => return Reply::Unsent(rejection),
            Err(_) => return Reply::Unsent(Rejection::UpstreamTimeout),
        };
        if !sending(deadline) {
            let wait = Duration::ZERO;
            return Reply::Unsent(Rejection::InFlight { wait });
        }
        let written = timeout(whole / SHARE_OF_WRITING, app.write(head, &body)).await;
        let head = match timeout_at(deadline, app.read_head(&request.method)).await {
            Ok(Ok(head)) => head,
            Ok(Err(Broken)) => return Reply::Silent(Rejection::UpstreamDown),
            Err(_) => return Reply::Silent(Rejection::UpstreamTimeout),
        };
        let answer = |body| AppAnswer {
            status: head.status,
            headers: head.headers,
            body,
        };
        match timeout_at(deadline, app.read_body(LARGEST_ANSWER)).await {
            Ok(Ok(Some(body))) => {
                // Of a request that was not sent whole the app still expects the rest.
                if matches!(written, Ok(Ok(()))) && !is_last {
                    self.give_back(app);
                }
                Reply::Complete(answer(body))
            }
            // Its status says what it means; its body is more than anybody waits for.
            Ok(Ok(None)) => Reply::Complete(answer(Bytes::new())),
            Ok(Err(Broken)) | Err(_) => Reply::Broken(answer(Bytes::new())),
        }
    }
}

/// Asks once for the addresses of the app's host name; `true` where they are known now.
pub(super) async fn resolve(upstream: &Upstream) -> bool {
    let Some(name) = upstream.name() else {
        return true;
    };
    let found = tokio::net::lookup_host(name)
        .await
        .map(Iterator::collect::<Vec<_>>);
    match found {
        Ok(addresses) if !addresses.is_empty() => {
            upstream.resolved(&addresses);
            true
        }
        // The last good addresses stay: a name server that is down is no reason to lose the app.
        _ => {
            tracing::warn!(
                upstream = upstream.text(),
                "the app's host name does not resolve"
            );
            false
        }
    }
}

/// Keeps the addresses of the app's host name up to date, away from every request, until it is dropped.
pub(super) struct Resolving(JoinHandle<()>);

impl Drop for Resolving {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Begins to do so.
pub(super) fn keep_resolved(upstream: Arc<Upstream>) -> Resolving {
    Resolving(tokio::spawn(async move {
        let mut known = false;
        while upstream.name().is_some() {
            known |= resolve(&upstream).await;
            tokio::time::sleep(if known { RESOLVE_EVERY } else { RESOLVE_AGAIN }).await;
        }
    }))
}
