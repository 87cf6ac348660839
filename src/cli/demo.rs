//! `kawal demo`: the whole sidecar on loopback, between a sample app and gateways that sign.

mod app;
mod gateway;
mod signer;

use super::notification::new_id;
use super::sign::curl;
use super::{Exit, complain, say, table};
use crate::clock::Clock;
use crate::config::Config;
use crate::ledger::Ledger;
use crate::scheme::{Draft, Preset};
use crate::server::{self, EndSignals, Running};
use app::SampleApp;
use gateway::{SampleGateway, send};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn run(keep: bool) -> Exit {
    let folder = std::env::temp_dir().join(format!("kawal-demo-{}", std::process::id()));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let outcome = runtime
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(demo(&folder, keep)));
    let _ = std::fs::remove_dir_all(&folder);
    match outcome {
        Ok(true) => Exit::Done,
        Ok(false) => {
            complain("a verdict is not what it should be");
            Exit::Internal
        }
        Err(why) => {
            complain(&format!("the demo cannot run: {why}"));
            Exit::Internal
        }
    }
}

/// What the demo has set up.
struct Stage {
    app: SampleApp,
    clock: Arc<Clock>,
    listen: SocketAddr,
    admin: Option<SocketAddr>,
    rows: Vec<Vec<String>>,
    sound: bool,
}

async fn demo(folder: &Path, keep: bool) -> Result<bool, String> {
    let gateways = Preset::ALL.into_iter().map(SampleGateway::new);
    let mut gateways = gateways.collect::<Result<Vec<_>, _>>()?;
    let app = SampleApp::start()
        .await
        .map_err(|error| error.to_string())?;
    let clock = Arc::new(Clock::start());
    let running = start(folder, &gateways, &app, &clock)?;
    let head = ["GATEWAY", "NOTIFICATION", "ANSWER", "APP", "VERDICT"]
        .map(str::to_owned)
        .to_vec();
    let mut stage = Stage {
        app,
        clock,
        listen: running.listen,
        admin: running.admin,
        rows: vec![head],
        sound: true,
    };
    stage.play(&mut gateways).await?;
    tell(&format!(
        "app on {}, Kawal in front of it on {}, gateways signing with throw-away keys\n\n{}\n",
        stage.app.address,
        stage.listen,
        table(&stage.rows)
    ));
    let seen = stage.app.seen();
    if let Some(qris) = seen
        .iter()
        .find(|seen| seen.line.contains("/payments/doku-qris"))
    {
        tell(&format!(
            "QRIS went in as query parameters and reached the app as JSON:\n  {}\n  {}\n",
            qris.line, qris.body
        ));
    }
    if keep {
        stay(&stage, &mut gateways).await?;
    }
    running.drain().await;
    Ok(stage.sound)
}

fn start(
    folder: &Path,
    gateways: &[SampleGateway],
    app: &SampleApp,
    clock: &Arc<Clock>,
) -> Result<Running, String> {
    let text = |error: std::io::Error| error.to_string();
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(folder)
        .map_err(text)?;
    let (mut sections, mut routes) = (String::new(), String::new());
    for gateway in gateways {
        for (name, key) in gateway.keys()? {
            std::fs::write(folder.join(name), key).map_err(text)?;
        }
        sections.push_str(&gateway.section());
        routes.push_str(&gateway.routes());
    }
    let file: PathBuf = folder.join("kawal.yaml");
    let config = format!(
        "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nupstream: http://{}\ngateways:\n{sections}routes:\n{routes}",
        app.address
    );
    std::fs::write(&file, config).map_err(text)?;
    let config = Config::load(&file).map_err(|faults| {
        faults
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    })?;
    let bound = server::bind(&config)?;
    let ledger = Ledger::new(&config.store, &config.bases, clock.started());
    server::start(config, Arc::new(ledger), bound, Arc::clone(clock)).map_err(text)
}

impl Stage {
    async fn play(&mut self, gateways: &mut [SampleGateway]) -> Result<(), String> {
        // A ledger proves nothing of its first half minute: gateways' clocks may be ahead.
        self.clock.advance(Duration::from_secs(60));
        // Signed a second ahead, since these schemes write whole seconds.
        let at = self.clock.now().wall + Duration::from_secs(1);
        for gateway in gateways.iter_mut() {
            if let Some(request) = gateway.token_request(at) {
                let answer = self
                    .send(gateway, "token request", &request, 200, 0)
                    .await?;
                gateway.take_token(&answer);
            }
            let genuine = gateway.notification(&new_id(), at)?;
            self.send(gateway, "genuine", &genuine, 200, 1).await?;
            let forged = gateway.forgery(&new_id(), at)?;
            self.send(gateway, "forged", &forged, 401, 0).await?;
            self.send(gateway, "repeated", &genuine, 200, 0).await?;
        }
        let six_hours = Duration::from_secs(6 * 3600);
        self.clock.advance(six_hours);
        for gateway in gateways
            .iter()
            .filter(|gateway| gateway.takes_late(six_hours))
        {
            let late = gateway.notification(&new_id(), at)?;
            self.send(gateway, "6 h late, yet unseen", &late, 200, 1)
                .await?;
        }
        self.clock.advance(Duration::from_secs(20 * 3600));
        for gateway in gateways.iter().filter(|gateway| gateway.signs_a_time()) {
            let too_late = gateway.notification(&new_id(), at)?;
            self.send(gateway, "26 h: too late", &too_late, 401, 0)
                .await?;
        }
        Ok(())
    }

    async fn send(
        &mut self,
        gateway: &SampleGateway,
        what: &str,
        notification: &Draft,
        status: u16,
        reaches: usize,
    ) -> Result<String, String> {
        let before = self.app.seen().len();
        let answer = send(notification, self.listen).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let (answered, body) = (answer.status, answer.body());
        let reached = self.app.seen().len() - before;
        self.sound &= answered == status && reached == reaches;
        let verdict = match (what, answered, reached) {
            ("token request", 200, 0) => "token given, app untouched",
            (_, 200, 1) => "delivered",
            (_, 200, 0) => "stored answer, app untouched",
            (_, 401, 0) => "refused, app untouched",
            _ => "WRONG",
        };
        let app = if reached > 0 { "saw it" } else { "saw nothing" };
        let shown = format!("{answered} {}", short(body));
        self.rows.push(
            [gateway.name, what, &shown, app, verdict]
                .map(str::to_owned)
                .to_vec(),
        );
        Ok(body.to_owned())
    }
}

/// As much of an answer as a row of the table holds.
fn short(body: &str) -> String {
    const MOST: usize = 44;
    match body.char_indices().nth(MOST) {
        None => body.to_owned(),
        Some((end, _)) => format!("{}...", body.get(..end).unwrap_or_default()),
    }
}

async fn stay(stage: &Stage, gateways: &mut [SampleGateway]) -> Result<(), String> {
    if let Some(admin) = stage.admin {
        tell(&format!("\nWhat came of them: http://{admin}/status\n"));
    }
    tell("\nStill running; fresh notifications to try (Ctrl-C ends it):\n");
    for gateway in gateways {
        let at = stage.clock.now().wall;
        // The one from the beginning has ended meanwhile.
        if let Some(request) = gateway.token_request(at) {
            let answer = send(&request, stage.listen).await;
            gateway.take_token(answer.map_err(|error| error.to_string())?.body());
        }
        let notification = gateway.notification(&new_id(), at)?;
        tell(&format!("  {}", curl(&notification, stage.listen)));
    }
    let mut signals = EndSignals::listen().map_err(|error| error.to_string())?;
    signals.next().await;
    Ok(())
}

/// What the demo shows on its way; where nobody reads it, it goes on.
fn tell(text: &str) {
    let _ = say(text, Exit::Done);
}
