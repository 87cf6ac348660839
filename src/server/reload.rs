//! Takes over a new configuration, new secrets and keys: all of it, or nothing.

use super::live::Live;
use super::{Server, upstream};
use crate::config::{Config, Fault, Files};
use crate::ledger::Kept;
use crate::telemetry::ReloadOf;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// Between two looks at the files.
const EVERY: Duration = Duration::from_secs(2);
/// What was half written at one look is whole, or another, at the next.
const SETTLE: Duration = Duration::from_secs(1);

/// A running sidecar's way to a new configuration.
pub(super) struct Reload {
    file: PathBuf,
    /// The files as they were when they were loaded last, whether that succeeded or not.
    seen: Files,
    /// Other content, at one look so far.
    unsettled: Option<Files>,
    /// What was started with.
    pinned: Vec<(&'static str, String)>,
    /// What was told of the configuration that is served.
    warnings: Vec<String>,
}

impl Reload {
    pub(super) fn new(file: PathBuf, seen: Files, config: &Config) -> Self {
        Self {
            file,
            seen,
            unsettled: None,
            pinned: config.pinned().to_vec(),
            warnings: config.warnings.clone(),
        }
    }

    /// Waits for SIGHUP, and for files that change; never comes back.
    pub(super) async fn keep(mut self, server: Arc<Server>, mut hangups: Signal) {
        loop {
            let pause = match self.unsettled {
                None => EVERY,
                Some(_) => SETTLE,
            };
            tokio::select! {
                _ = hangups.recv() => {
                    let (loaded, files) = self.load().await;
                    self.take_over(&server, ReloadOf::Config, loaded, files).await;
                }
                () = sleep(pause) => self.look(&server).await,
            }
        }
    }

    /// Loads what changed, once it no longer does.
    async fn look(&mut self, server: &Arc<Server>) {
        let now = look_again(&self.seen).await;
        let before = self.unsettled.take();
        if now == self.seen {
            return;
        }
        if before.as_ref() != Some(&now) {
            self.unsettled = Some(now);
            return;
        }
        let of = match now.has_same_configuration(&self.seen) {
            true => ReloadOf::Keys,
            false => ReloadOf::Config,
        };
        let (loaded, files) = self.load().await;
        // Otherwise it was loaded from other bytes than those that had settled.
        if files.agree_with(&now) {
            self.take_over(server, of, loaded, files).await;
        }
    }

    async fn load(&self) -> (Result<Config, Vec<Fault>>, Files) {
        let file = self.file.clone();
        let loaded = spawn_blocking(move || Config::load_watched(&file)).await;
        // The panic hook has told of it.
        loaded.unwrap_or_else(|_| (Err(vec![Fault::ours()]), self.seen.clone()))
    }

    async fn take_over(
        &mut self,
        server: &Arc<Server>,
        of: ReloadOf,
        loaded: Result<Config, Vec<Fault>>,
        files: Files,
    ) {
        (self.seen, self.unsettled) = (files, None);
        let config = match loaded {
            Ok(config) => config,
            Err(faults) => return self.refuse(server, of, &faults),
        };
        let unlike = self.unlike(&config);
        if !unlike.is_empty() {
            tracing::warn!(keys = unlike.join(", "), "needs a restart");
        }
        for warning in &config.warnings {
            if !self.warnings.contains(warning) {
                tracing::warn!(warning, "configuration");
            }
        }
        self.warnings.clone_from(&config.warnings);
        // So that the first notification already finds the app.
        let connect = config.timeouts.connect;
        let _ = timeout(connect, upstream::resolve(&config.upstream)).await;
        server.ledger.follow(&config.bases, server.now().wall).await;
        if let Kept::Memory { capacity } = config.store {
            server.ledger.resize(capacity);
        }
        server.connections.resize(config.limits.connections);
        let live = Live::new(config, &server.metrics);
        server.live.store(Arc::new(live));
        server.loaded(None);
        server.metrics.reloaded(of, true);
        tracing::info!(what = of.label(), "reloaded");
    }

    /// The keys in which a configuration differs from what was started with, and that need a restart.
    fn unlike(&self, config: &Config) -> Vec<&'static str> {
        let both = self.pinned.iter().zip(config.pinned());
        let unlike = both.filter(|(own, other)| own != other);
        unlike.map(|((key, _), _)| *key).collect()
    }

    fn refuse(&self, server: &Server, of: ReloadOf, faults: &[Fault]) {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let why = format!("{}: {}", self.file.display(), faults.join("; "));
        server.metrics.reloaded(of, false);
        tracing::error!(what = of.label(), why, "reload refused");
        server.loaded(Some(why));
    }
}

/// Away from the threads that serve: a file may be on a slow disk.
async fn look_again(files: &Files) -> Files {
    let (before, looked) = (files.clone(), files.clone());
    let now = spawn_blocking(move || looked.look_again()).await;
    now.unwrap_or(before)
}
