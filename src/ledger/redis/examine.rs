//! Whether a store is fit to be a ledger, asked at the start and ever after.

use super::complaint::{Complaint, LOADING, REDIS, REPLICA};
use super::connection::Connection;
use super::figures::Operation;
use super::script::SHARDS;
use super::{Link, Redis};
use ::redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use ::redis::{FromRedisValue as _, RedisResult, cmd};
use futures_util::future::join_all;
use jiff::Timestamp;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Between two looks at a store that is up.
const EVERY: Duration = Duration::from_secs(2);
/// Between two looks at one that is down.
const AGAIN: Duration = Duration::from_millis(250);
/// Connecting takes longer than a step: name servers, Sentinels and TLS may be asked first.
const CONNECTING: Duration = Duration::from_secs(2);
/// More than daemons that set clocks leave.
const TOLERATED_OFFSET: f64 = 30.0;
/// The first version whose scripts have flags. Source:
/// <https://redis.io/docs/latest/develop/programmability/eval-intro/#script-flags>
const OLDEST: u32 = 7;

impl Redis {
    /// Looks at the store again and again, connecting where the connection was lost.
    pub(in super::super) async fn keep_connected(&self) {
        loop {
            match self.examine().await {
                Ok(()) => {
                    let _ = timeout(EVERY, self.doubt.notified()).await;
                }
                Err(_) => sleep(AGAIN).await,
            }
        }
    }

    /// Looks once, and lets claims through or not.
    pub(in super::super) async fn examine(&self) -> Result<(), Complaint> {
        let begun = Instant::now();
        let found = self.look().await;
        let took = begun.elapsed();
        self.figures
            .observe(Operation::Check, Some(took), found.is_ok());
        self.figures.up.set(i64::from(found.is_ok()));
        let mut seen = self.seen.lock();
        let store = self.settings.address.text();
        match &found {
            Ok(connection) => {
                if !matches!(&*self.link.borrow(), Link::Up { .. }) {
                    tracing::info!(store, "the ledger's store is up");
                }
                seen.complaint = None;
                self.link.send_if_modified(|link| {
                    let is_new = !matches!(link, Link::Up { number, .. } if *number == seen.number);
                    if is_new {
                        *link = Link::Up {
                            connection: connection.clone(),
                            number: seen.number,
                        };
                    }
                    is_new
                });
            }
            Err(why) => {
                self.link.send_replace(Link::Down);
                if seen.complaint.replace(why.clone()).as_ref() != Some(why) {
                    tracing::error!(store, %why, "the ledger's store is down");
                }
            }
        }
        found.map(drop)
    }

    /// A connection to a store that is fit.
    async fn look(&self) -> Result<Connection, Complaint> {
        let known = self.seen.lock().connection.take();
        if let Some(mut known) = known {
            let looked = timeout(self.settings.timeout, self.inspect(&mut known)).await;
            match looked {
                Ok(Ok(())) => {
                    self.seen.lock().connection = Some(known.clone());
                    return Ok(known);
                }
                Err(_) => return Err(Complaint::late()),
                // The store was replaced, perhaps, and the address leads to another by now.
                Ok(Err(_)) => {}
            }
        }
        let connect = async {
            let mut connection = self.settings.address.connect(CONNECTING).await?;
            let loaded = self.scripts.load(&mut connection).await;
            loaded.map_err(|error| Complaint::from(&error))?;
            self.inspect(&mut connection).await?;
            Ok::<_, Complaint>(connection)
        };
        let connected = timeout(CONNECTING, connect).await;
        let connected = match connected.unwrap_or_else(|_| Err(Complaint::late())) {
            Ok(connected) => connected,
            // One side takes what the other begins with for nonsense, and waits or hangs up.
            Err(why) if why.key.is_none() => {
                let channel = self.settings.address.misnamed().await;
                return Err(channel.map_or(why, Complaint::channel));
            }
            Err(why) => return Err(why),
        };
        let mut seen = self.seen.lock();
        seen.connection = Some(connected.clone());
        seen.number += 1;
        Ok(connected)
    }

    /// Whether the store keeps what it is given, and takes what we have to give.
    async fn inspect(&self, connection: &mut Connection) -> Result<(), Complaint> {
        let told = tell(connection).await;
        for info in told.map_err(|error| Complaint::from(&error))? {
            check(&info)?;
        }
        let before = Timestamp::now();
        let checks = SHARDS.chars().map(|shard| {
            let mut connection = connection.clone();
            async move {
                let (known, number) = (self.marks.known(shard), self.marks.next());
                let check = self.scripts.check(shard, known, number);
                let now = check.invoke_async::<i64>(&mut connection).await?;
                self.marks.acknowledge(shard, known, number);
                RedisResult::Ok(now)
            }
        });
        let checked: Result<Vec<_>, _> = join_all(checks).await.into_iter().collect();
        let times = checked.map_err(|error| Complaint::from(&error))?;
        // The nodes of a cluster have a clock each.
        let now = times.into_iter().min().unwrap_or_default();
        self.compare_clocks(now, before, Timestamp::now());
        Ok(())
    }

    /// The store said `now`, in milliseconds since 1970, some time between these two.
    fn compare_clocks(&self, now: i64, before: Timestamp, after: Timestamp) {
        let (before, after) = (before.as_millisecond(), after.as_millisecond());
        let offset = Duration::from_millis(now.abs_diff(before.midpoint(after))).as_secs_f64();
        let offset = if now < before { -offset } else { offset };
        self.figures.clock_offset.set(offset);
        let is_off = offset.abs() > TOLERATED_OFFSET;
        let was_off = std::mem::replace(&mut self.seen.lock().is_clock_off, is_off);
        if is_off && !was_off {
            tracing::warn!(
                offset_s = offset.round(),
                "the store's clock differs from ours: set both, or late notifications are misjudged"
            );
        }
    }
}

type Info = HashMap<String, String>;

/// What the store says of itself; of a cluster, what each primary says.
async fn tell(connection: &mut Connection) -> RedisResult<Vec<Info>> {
    let texts = match connection {
        Connection::Single(connection) => {
            vec![cmd("INFO").query_async::<String>(connection).await?]
        }
        Connection::Cluster(connection) => {
            let everywhere = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
            let told = connection.route_command(cmd("INFO"), everywhere).await?;
            HashMap::<String, String>::from_redis_value(told)?
                .into_values()
                .collect()
        }
    };
    let fields = |text: String| {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        lines
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect()
    };
    Ok(texts.into_iter().map(fields).collect())
}

fn check(info: &Info) -> Result<(), Complaint> {
    let field = |name: &str| info.get(name).map(String::as_str);
    // Valkey tells of a version of Redis that it equals, too.
    let version = field("valkey_version").or(field("redis_version"));
    let version = version.unwrap_or("of no version");
    let major = version.split('.').next().and_then(|n| n.parse().ok());
    if major.is_none_or(|major: u32| major < OLDEST) {
        let says =
            format!("the store is {version}; it has to be Redis {OLDEST}.0 or Valkey, or newer");
        return Err(Complaint::lasting(REDIS, says));
    }
    if field("loading") == Some("1") {
        return Err(Complaint::passing(LOADING));
    }
    let policy = field("maxmemory_policy").unwrap_or("not told");
    if policy != "noeviction" {
        let says = format!(
            "the store's maxmemory-policy is {policy}: it would forget delivered notifications; set it to noeviction"
        );
        return Err(Complaint::lasting(REDIS, says));
    }
    match field("role") {
        Some("master") => Ok(()),
        _ => Err(Complaint::passing(REPLICA)),
    }
}
