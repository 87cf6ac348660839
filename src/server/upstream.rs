//! Talks to the app. Only what was admitted, or has no route, has an address to talk to.

use crate::forward::{
    AppRequest, Endpoint, Outbound, RequestHead, Upstream, is_of_the_connection, is_ours,
};
use crate::ledger::Claim;
use crate::rejection::Rejection;
use crate::settle::{AppAnswer, Reply};
use bytes::{Bytes, BytesMut};
use pingora_core::connectors::http::v1::Connector;
use pingora_core::protocols::http::v1::client::HttpSession;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::{ErrorType, Result as PingoraResult};
use pingora_http::{RequestHeader, ResponseHeader};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};

/// An answer larger than this is not held; what it means is known from its status.
const LARGEST_ANSWER: usize = 1024 * 1024;
/// An app may answer before it has read everything, and never read the rest: its answer still
/// counts, so only this part of the time goes to writing.
const SHARE_OF_WRITING: u32 = 2;
/// More interim answers than this are no answer.
const MOST_INTERIM: usize = 16;
/// Below the keep-alive of the usual app servers, of which gunicorn's 2 s is the shortest
/// (<https://docs.gunicorn.org/en/stable/settings.html#keepalive>), so that no notification is
/// written to a connection that the app is about to close.
const IDLE: Duration = Duration::from_secs(1);
const RESOLVE_EVERY: Duration = Duration::from_secs(10);
const RESOLVE_AGAIN: Duration = Duration::from_secs(1);

/// Connections to the app.
pub(super) struct Pool {
    connector: Connector,
}

/// How long things with the app may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Connecting to one address.
    pub(super) connect: Duration,
    /// The whole exchange.
    pub(super) whole: Duration,
}

/// A connection and its address.
pub(super) struct Connected {
    pub(super) session: HttpSession,
    peer: HttpPeer,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self {
            connector: Connector::new(None),
        }
    }

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
        let is_last = request.ends_connection();
        let (to, head, body) = request.open();
        let Ok(header) = request_header(head, Some(body.len()), is_last) else {
            return Reply::Unsent(Rejection::Internal);
        };
        let mut connected = match timeout_at(deadline, self.connect(&to, connect)).await {
            Ok(Ok(connected)) => connected,
            Ok(Err(rejection)) => return Reply::Unsent(rejection),
            Err(_) => return Reply::Unsent(Rejection::UpstreamTimeout),
        };
        if !sending(deadline) {
            let wait = Duration::ZERO;
            return Reply::Unsent(Rejection::InFlight { wait });
        }
        let written = timeout(
            whole / SHARE_OF_WRITING,
            write(&mut connected.session, header, &body),
        )
        .await;
        let head = timeout_at(deadline, read_head(&mut connected.session)).await;
        let mut answer = match head {
            Ok(Ok(answer)) => answer,
            Ok(Err(())) => return Reply::Silent(Rejection::UpstreamDown),
            Err(_) => return Reply::Silent(Rejection::UpstreamTimeout),
        };
        match timeout_at(deadline, read_body(&mut connected.session)).await {
            Ok(Ok(Some(body))) => {
                answer.body = body;
                // Of a request that was not sent whole the app still expects the rest.
                if matches!(written, Ok(Ok(()))) && !is_last {
                    self.give_back(connected).await;
                }
                Reply::Complete(answer)
            }
            // Its status says what it means; its body is more than anybody waits for.
            Ok(Ok(None)) => Reply::Complete(answer),
            Ok(Err(())) | Err(_) => Reply::Broken(answer),
        }
    }

    /// Connects to the first address that answers, each within this time.
    pub(super) async fn connect(
        &self,
        to: &[Endpoint],
        longest: Duration,
    ) -> Result<Connected, Rejection> {
        let mut failed = Rejection::UpstreamDown;
        for endpoint in to {
            let Ok(mut peer) = peer(endpoint) else {
                continue;
            };
            peer.options.connection_timeout = Some(longest);
            match self.connector.get_http_session(&peer).await {
                Ok((session, _)) => return Ok(Connected { session, peer }),
                Err(error) if *error.etype() == ErrorType::ConnectTimedout => {
                    failed = Rejection::UpstreamTimeout;
                }
                Err(_) => {}
            }
        }
        Err(failed)
    }

    /// Keeps a connection whose exchange is complete for the next one.
    pub(super) async fn give_back(&self, connected: Connected) {
        let Connected { session, peer } = connected;
        self.connector
            .release_http_session(session, &peer, Some(IDLE))
            .await;
    }
}

fn peer(endpoint: &Endpoint) -> PingoraResult<HttpPeer> {
    match endpoint {
        Endpoint::Tcp(address) => Ok(HttpPeer::new(address, false, String::new())),
        Endpoint::Unix(path) => HttpPeer::new_uds(&path.to_string_lossy(), false, String::new()),
    }
}

/// The head for the codec; `length` of the body, `None` where it is chunked; and whether the connection is to
/// end with the answer.
pub(super) fn request_header(
    head: RequestHead,
    length: Option<usize>,
    is_last: bool,
) -> PingoraResult<Box<RequestHeader>> {
    let mut header = RequestHeader::build(
        head.method.as_str(),
        head.target.as_bytes(),
        Some(head.headers.len() + 3),
    )?;
    for (name, value) in head.headers {
        header.append_header(name, value)?;
    }
    match length {
        // A method without a body bears no length (RFC 9110 §8.6).
        Some(0) if matches!(head.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "DELETE") => {}
        Some(length) => header.insert_header("Content-Length", length.to_string())?,
        None => header.insert_header("Transfer-Encoding", "chunked")?,
    }
    if is_last {
        header.insert_header("Connection", "close")?;
    }
    Ok(Box::new(header))
}

/// Reads the head of the final answer.
async fn read_head(session: &mut HttpSession) -> Result<AppAnswer, ()> {
    for _ in 0..MOST_INTERIM {
        session.read_response().await.map_err(|_| ())?;
        let head = session.resp_header().ok_or(())?;
        match head.status.as_u16() {
            101 => return Err(()),
            100..200 => {}
            status => {
                return Ok(AppAnswer {
                    status,
                    headers: end_to_end(head),
                    body: Bytes::new(),
                });
            }
        }
    }
    Err(())
}

async fn write(
    session: &mut HttpSession,
    header: Box<RequestHeader>,
    body: &[u8],
) -> PingoraResult<()> {
    session.write_request_header(header).await?;
    if !body.is_empty() {
        session.write_body(body).await?;
    }
    session.finish_body().await.map(|_| ())
}

/// The whole body of an answer, `None` where it is too large to hold; an error where it breaks off.
async fn read_body(session: &mut HttpSession) -> Result<Option<Bytes>, ()> {
    let mut body = BytesMut::new();
    while let Some(piece) = session.read_body_ref().await.map_err(|_| ())? {
        if body.len() + piece.len() > LARGEST_ANSWER {
            return Ok(None);
        }
        body.extend_from_slice(piece);
    }
    Ok(Some(body.freeze()))
}

/// The headers of an answer that go on to the gateway.
pub(super) fn end_to_end(head: &ResponseHeader) -> Vec<(String, Vec<u8>)> {
    let nominated: Vec<String> = head
        .headers
        .get_all("connection")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    head.case_header_iter()
        .map(|(name, value)| (String::from_utf8_lossy(name.as_slice()).into_owned(), value))
        .filter(|(name, _)| !is_of_the_connection(name) && !is_ours(name))
        .filter(|(name, _)| !nominated.contains(&name.to_ascii_lowercase()))
        .map(|(name, value)| (name, value.as_bytes().to_vec()))
        .collect()
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
