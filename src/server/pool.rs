//! Connections to the app that wait for the next request.

use super::app::App;
use super::wire::Wire;
use crate::forward::Endpoint;
use crate::rejection::Rejection;
use parking_lot::Mutex;
use pingora_core::Result as PingoraResult;
use pingora_core::connectors::TransportConnector;
use pingora_core::upstreams::peer::HttpPeer;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// Below the keep-alive of the usual app servers, of which gunicorn's 2 s is the shortest
/// (<https://docs.gunicorn.org/en/stable/settings.html#keepalive>), so that no notification is
/// written to a connection that the app is about to close.
const IDLE: Duration = Duration::from_secs(1);
/// How often it is looked for connections that have waited so long.
const SWEEP: Duration = Duration::from_millis(250);
/// More than this many do not wait.
const MOST: usize = 128;

/// Connections to the app.
pub(super) struct Pool {
    connector: TransportConnector,
    idle: Arc<Mutex<Idle>>,
}

/// Those that wait for the next request.
#[derive(Default)]
struct Idle {
    /// Whoever has waited longest comes first.
    apps: VecDeque<(Instant, App)>,
    is_swept: bool,
}

impl Pool {
    pub(super) fn new() -> Self {
        Self {
            connector: TransportConnector::new(None),
            idle: Arc::default(),
        }
    }

    /// Connects to the first address that answers, each within this time, for what is verified or for what is
    /// not.
    pub(super) async fn connect(
        &self,
        to: &[Endpoint],
        is_verified: bool,
        longest: Duration,
    ) -> Result<App, Rejection> {
        let mut failed = Rejection::UpstreamDown;
        for endpoint in to {
            if let Some(app) = self.idle.lock().take(endpoint, is_verified) {
                return Ok(app);
            }
            // Boxed, as it is rare.
            match timeout(longest, Box::pin(self.open(endpoint, is_verified))).await {
                Ok(Ok(app)) => return Ok(app),
                Ok(Err(_)) => {}
                Err(_) => failed = Rejection::UpstreamTimeout,
            }
        }
        Err(failed)
    }

    async fn open(&self, endpoint: &Endpoint, is_verified: bool) -> PingoraResult<App> {
        let stream = self.connector.new_stream(&peer(endpoint)?).await?;
        Ok(App::new(endpoint.clone(), is_verified, Wire::new(stream)))
    }

    /// Keeps a connection for the next request, if it can take one.
    pub(super) fn give_back(&self, mut app: App) {
        if !app.serves_on() {
            return;
        }
        let mut idle = self.idle.lock();
        if idle.apps.len() >= MOST {
            return;
        }
        idle.apps.push_back((Instant::now(), app));
        if !std::mem::replace(&mut idle.is_swept, true) {
            tokio::spawn(sweep(Arc::clone(&self.idle)));
        }
    }
}

impl Idle {
    /// The one that has waited least.
    fn take(&mut self, endpoint: &Endpoint, is_verified: bool) -> Option<App> {
        let fits = |app: &App| app.endpoint == *endpoint && app.is_verified == is_verified;
        loop {
            let place = self.apps.iter().rposition(|(_, app)| fits(app))?;
            let (since, mut app) = self.apps.remove(place)?;
            if since.elapsed() < IDLE && app.is_quiet() {
                return Some(app);
            }
        }
    }
}

/// Closes those that have waited too long, until none waits.
async fn sweep(idle: Arc<Mutex<Idle>>) {
    loop {
        tokio::time::sleep(SWEEP).await;
        let mut idle = idle.lock();
        idle.apps.retain(|(since, _)| since.elapsed() < IDLE);
        if idle.apps.is_empty() {
            idle.is_swept = false;
            return;
        }
    }
}

fn peer(endpoint: &Endpoint) -> PingoraResult<HttpPeer> {
    match endpoint {
        Endpoint::Tcp(address) => Ok(HttpPeer::new(address, false, String::new())),
        Endpoint::Unix(path) => HttpPeer::new_uds(&path.to_string_lossy(), false, String::new()),
    }
}
