//! Takes over a new configuration, new secrets and keys: all of it, or nothing.

use super::live::Live;
use super::{Server, upstream};
use crate::config::{Config, Fault, Files};
use crate::ledger::{Basis, Kept};
use crate::telemetry::ReloadOf;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::Signal;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// Between two looks at the files.
const EVERY: Duration = Duration::from_secs(2);
/// As long for each file: to read one takes some microseconds, so that looking never takes a hundredth of a core.
const EVERY_FILE: Duration = Duration::from_millis(1);
/// What was half written at one look is whole, or another, at the next.
const SETTLE: Duration = Duration::from_secs(1);
/// A disk that takes longer is told of.
const SLOW: Duration = Duration::from_secs(10);

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
    /// Why the last load was refused, and what it was for.
    refused: Option<(String, ReloadOf)>,
}

type Loaded = (Result<Config, Vec<Fault>>, Files);

impl Reload {
    pub(super) fn new(file: PathBuf, seen: Files, config: &Config) -> Self {
        Self {
            file,
            seen,
            unsettled: None,
            pinned: config.pinned().to_vec(),
            warnings: config.warnings.clone(),
            refused: None,
        }
    }

    /// Waits for SIGHUP, and for files that change; never comes back.
    pub(super) async fn keep(mut self, server: Arc<Server>, mut hangups: Signal) {
        loop {
            let pause = match self.unsettled {
                None => until_next_look(self.seen.count()),
                Some(_) => SETTLE,
            };
            tokio::select! {
                _ = hangups.recv() => {
                    // It is told, whether it was before or not.
                    self.refused = None;
                    let loaded = self.load(&server).await;
                    self.take_over(&server, ReloadOf::Config, loaded).await;
                }
                () = sleep(pause) => self.look(&server).await,
            }
        }
    }

    /// Loads what changed, once it no longer does.
    async fn look(&mut self, server: &Arc<Server>) {
        let before = self.unsettled.take();
        let now = self
            .look_again(server, before.as_ref().unwrap_or(&self.seen))
            .await;
        let of = match now.has_same_configuration(&self.seen) {
            true => ReloadOf::Keys,
            false => ReloadOf::Config,
        };
        let is_settled = before.as_ref() == Some(&now);
        match &self.refused {
            _ if is_settled => {}
            // What was refused may be sound by now for what was not looked at.
            Some((_, of)) if now == self.seen => {
                let of = *of;
                let loaded = self.load(server).await;
                return self.take_over(server, of, loaded).await;
            }
            None | Some(_) if now == self.seen => return,
            None | Some(_) => {
                self.unsettled = Some(now);
                return;
            }
        }
        let loaded = self.load(server).await;
        if loaded.1 == now {
            self.take_over(server, of, loaded).await;
        } else {
            // It names other files, or has changed since: that has to settle too.
            self.unsettled = Some(loaded.1);
        }
    }

    async fn take_over(&mut self, server: &Arc<Server>, of: ReloadOf, loaded: Loaded) {
        let (loaded, files) = loaded;
        self.seen = files;
        let config = match loaded {
            Ok(config) => config,
            Err(faults) => return self.refuse(server, of, &faults),
        };
        let before = server.live.load_full();
        self.tell(server, &before, &config);
        // So that the first notification already finds the app.
        config.upstream.inherit(&before.upstream);
        let connect = config.timeouts.connect;
        let _ = timeout(connect, upstream::resolve(&config.upstream)).await;
        // What began under the old configuration may have been signed until its body was there.
        let begun = before.timeouts.header + before.timeouts.body;
        let since = server.now().wall.saturating_add(begun).ok();
        let since = since.unwrap_or(server.now().wall);
        server.ledger.follow(&config.bases, since).await;
        if let Kept::Memory { capacity } = config.store {
            server.ledger.resize(capacity);
        }
        server.connections.resize(config.limits.connections);
        self.warnings.clone_from(&config.warnings);
        self.refused = None;
        let live = Live::new(config, &server.metrics);
        server.live.store(Arc::new(live));
        server.loaded(None);
        server.metrics.reloaded(of, true);
        tracing::info!(what = of.label(), "reloaded");
    }

    fn refuse(&mut self, server: &Server, of: ReloadOf, faults: &[Fault]) {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let why = format!("{}: {}", self.file.display(), faults.join("; "));
        // What users write may hold line ends, and words for terminals.
        let why = why.replace(char::is_control, " ");
        let before = self.refused.replace((why.clone(), of));
        if before.is_some_and(|(before, _)| before == why) {
            return;
        }
        server.metrics.reloaded(of, false);
        tracing::error!(what = of.label(), why, "reload refused");
        server.loaded(Some(why));
    }

    /// What a new configuration does not do, or does besides.
    fn tell(&self, server: &Server, before: &Live, config: &Config) {
        let both = self.pinned.iter().zip(config.pinned());
        let unlike = both.filter(|(own, other)| own != other);
        let unlike: Vec<_> = unlike.map(|((key, _), _)| *key).collect();
        if !unlike.is_empty() {
            tracing::warn!(keys = unlike.join(", "), "needs a restart");
        }
        for warning in &config.warnings {
            if !self.warnings.contains(warning) {
                tracing::warn!(warning, "configuration");
            }
        }
        let anew = forgotten(before, &config.bases);
        if !anew.is_empty() {
            tracing::warn!(
                gateways = anew.join(", "),
                why = "their configuration names or keeps notifications otherwise: late ones are unproven, and what \
                       was delivered passes again where a gateway's name, scheme or conversion changed",
                "begins a new memory"
            );
        }
        if let (Kept::Memory { capacity }, Some((entries, _))) =
            (&config.store, server.ledger.filled())
            && *capacity < entries
        {
            tracing::warn!(
                entries,
                capacity,
                "the ledger holds more than replay.capacity: 503 until enough have left"
            );
        }
    }

    async fn load(&self, server: &Server) -> Loaded {
        let file = self.file.clone();
        let loaded = self.patiently(server, move || Config::load_again(&file));
        // The panic hook has told of it.
        let ours = || (Err(vec![Fault::ours()]), self.seen.clone());
        loaded.await.unwrap_or_else(ours)
    }

    async fn look_again(&self, server: &Server, files: &Files) -> Files {
        let looked = files.clone();
        let now = self.patiently(server, move || looked.look_again());
        now.await.unwrap_or_else(|| files.clone())
    }

    /// Reads files away from the threads that serve. A disk that hangs is told of, and waited for: nobody can
    /// read on beside it.
    async fn patiently<T: Send + 'static>(
        &self,
        server: &Server,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let mut reading = spawn_blocking(read);
        if let Ok(read) = timeout(SLOW, &mut reading).await {
            return read.ok();
        }
        let why = format!(
            "{}: reading it, or a file that it names, takes longer than 10s",
            self.file.display()
        );
        server.metrics.reloaded(ReloadOf::Config, false);
        tracing::error!(what = ReloadOf::Config.label(), why, "reload refused");
        server.loaded(Some(why));
        reading.await.ok()
    }
}

/// Between two looks at so many files.
fn until_next_look(files: u32) -> Duration {
    EVERY.max(EVERY_FILE.saturating_mul(files))
}

/// The gateways whose notifications were known under bases that are no longer in use.
fn forgotten(before: &Live, bases: &[Basis]) -> Vec<String> {
    let routes = before
        .routes
        .iter()
        .filter(|route| route.basis != Basis::default());
    let gone = routes.filter(|route| !bases.contains(&route.basis));
    let names: BTreeSet<_> = gone.map(|route| route.gateway.name.to_string()).collect();
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_files_are_looked_at_less_often() {
        for (files, seconds) in [(1, 2), (2_000, 2), (3_000, 3), (10_000, 10)] {
            assert_eq!(until_next_look(files).as_secs(), seconds, "{files}");
        }
    }
}
