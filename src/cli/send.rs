//! `kawal send`: signs notifications, sends them, and prints the answers.

use super::http;
use super::notification::new_id;
use super::sign::{Order, Plan, Refused};
use super::{Exit, complain, say};
use crate::config::Config;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Where to, and how often.
#[derive(clap::Args)]
pub(super) struct Delivery {
    /// The sidecar, http://HOST:PORT
    #[arg(long, value_name = "URL")]
    to: String,
    /// How many notifications, each with a new id
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// How many a second at most [default: as many as are answered]
    #[arg(long, value_name = "R", value_parser = rate)]
    rate: Option<f64>,
}

/// So many are on their way at once.
const AT_ONCE: usize = 16;
/// Runs that take longer tell how far they are, so often.
const PROGRESS: Duration = Duration::from_secs(2);

pub(super) fn run(config: &Config, order: &Order, delivery: &Delivery) -> Exit {
    let sent = order
        .plan(config)
        .and_then(|plan| Ok((plan, authority(&delivery.to)?)))
        .and_then(|(plan, to)| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = runtime.map_err(|error| (Exit::Internal, error.to_string()))?;
            runtime.block_on(deliver(&plan, order, delivery, to))
        });
    sent.unwrap_or_else(|(exit, why)| {
        complain(&why);
        exit
    })
}

async fn deliver(
    plan: &Plan<'_>,
    order: &Order,
    delivery: &Delivery,
    to: &str,
) -> Result<Exit, Refused> {
    // Copies of one notification follow one another, so that the second is a repeat.
    let at_once = if order.id.is_some() { 1 } else { AT_ONCE };
    let room = Arc::new(Semaphore::new(at_once));
    let mut running = JoinSet::new();
    let mut tally = Tally::new(delivery.count);
    let mut pace = delivery.rate.map(|rate| {
        let mut pace = tokio::time::interval(Duration::from_secs_f64(1.0 / rate));
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        pace
    });
    for _ in 0..delivery.count {
        if let Some(pace) = &mut pace {
            pace.tick().await;
        }
        let id = order.id.clone().unwrap_or_else(new_id);
        let mut draft = plan.compose(&id, order.at.unwrap_or_else(Timestamp::now))?;
        draft.headers.push(("Connection".into(), "close".into()));
        let (bytes, to) = (draft.bytes(to), to.to_owned());
        let permit = Arc::clone(&room).acquire_owned().await;
        running.spawn(async move {
            let answer = http::send(&to, &bytes).await;
            drop(permit);
            answer
        });
        while let Some(Ok(answer)) = running.try_join_next() {
            tally.add(answer);
        }
    }
    while let Some(answer) = running.join_next().await {
        tally.add(answer.unwrap_or_else(|error| Err(std::io::Error::other(error))));
    }
    Ok(tally.finish(to))
}

/// What was answered.
struct Tally {
    count: u64,
    answers: BTreeMap<u16, u64>,
    failed: u64,
    last: Option<std::io::Result<http::Answer>>,
    told: Instant,
}

impl Tally {
    fn new(count: u64) -> Self {
        Self {
            count,
            answers: BTreeMap::new(),
            failed: 0,
            last: None,
            told: Instant::now(),
        }
    }

    fn add(&mut self, answer: std::io::Result<http::Answer>) {
        match &answer {
            Ok(answer) => *self.answers.entry(answer.status).or_default() += 1,
            Err(_) => self.failed += 1,
        }
        self.last = Some(answer);
        if self.told.elapsed() >= PROGRESS {
            self.told = Instant::now();
            let done = self.answers.values().sum::<u64>() + self.failed;
            complain(&format!("{done} of {} sent", self.count));
        }
    }

    /// Prints the answer, or how often which came.
    fn finish(self, to: &str) -> Exit {
        let mut text = String::new();
        match self.last {
            Some(Err(error)) if self.failed == self.count => {
                complain(&format!("{to} does not answer: {error}"));
            }
            Some(Ok(answer)) if self.count == 1 => {
                text = format!("{}\n", answer.text.trim_end());
            }
            _ => {
                let rows = self.answers.iter();
                let rows: String = rows.map(|(status, n)| format!("{status}: {n}\n")).collect();
                text = rows;
                if self.failed > 0 {
                    complain(&format!(
                        "{} of {} were not answered",
                        self.failed, self.count
                    ));
                }
            }
        }
        let good = |status: &u16| (200..300).contains(status);
        let exit = match self.failed == 0 && self.answers.keys().all(good) {
            true => Exit::Done,
            false => Exit::No,
        };
        say(&text, exit)
    }
}

fn authority(url: &str) -> Result<&str, Refused> {
    let usage = |says: &str| (Exit::WrongUsage, format!("--to `{url}` {says}"));
    if url.starts_with("https://") {
        let says = "is https, which is not spoken here; type what `kawal sign --as curl` prints";
        return Err(usage(says));
    }
    let rest = url
        .strip_prefix("http://")
        .map(|rest| rest.trim_end_matches('/'));
    let named = |authority: &&str| {
        let plain = |byte: u8| byte.is_ascii_graphic() && !b"/?#@".contains(&byte);
        let split = authority.rsplit_once(':');
        authority.bytes().all(plain)
            && split.is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
    };
    rest.filter(named).ok_or_else(|| {
        usage("is no address; right is http://HOST:PORT, the path is given by --path")
    })
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse::<f64>().ok();
    rate.filter(|rate| (0.001..=1e6).contains(rate))
        .ok_or_else(|| "right is a number of notifications a second, such as 50 or 0.5".to_owned())
}
