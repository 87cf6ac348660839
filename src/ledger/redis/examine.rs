//! Whether a store is fit to be a ledger, asked at the start and ever after.

use super::complaint::Complaint;
use super::connection::{Connection, Refused};
use super::figures::Operation;
use super::info::{Info, check, tell};
use super::marks::SHARDS;
use super::{Bases, Basis, Link, Opened, Redis};
use ::redis::RedisResult;
use futures_util::future::try_join_all;
use jiff::Timestamp;
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Between two looks at a store that is up.
const EVERY: Duration = Duration::from_secs(2);
/// Between two looks at one that is down.
const AGAIN: Duration = Duration::from_millis(250);
/// Between any two: a store that many complain of has enough to do.
const REST: Duration = Duration::from_millis(100);
/// Connecting takes longer than a step: name servers, Sentinels and TLS may be asked first.
const CONNECTING: Duration = Duration::from_secs(2);
/// Longer than thousands of outcomes take.
const SETTLING: Duration = Duration::from_secs(2);
/// More than daemons that set clocks leave, in seconds.
const TOLERATED_OFFSET: f64 = 30.0;

impl Redis {
    /// Looks at the store again and again, connecting where the connection was lost.
    pub(in super::super) async fn keep_connected(&self) {
        let mut turns = SHARDS.chunks(1).cycle();
        let mut written: &[char] = &SHARDS;
        loop {
            let found = self.examine_writing(written).await;
            written = &SHARDS;
            if found.is_err() {
                sleep(AGAIN).await;
                continue;
            }
            sleep(REST.min(self.settings.timeout / 2)).await;
            if timeout(EVERY, self.doubt.notified()).await.is_err() {
                // Nobody has reason to doubt it: one after the other spares an idle store its writes.
                written = turns.next().unwrap_or(&SHARDS);
            }
        }
    }

    /// Looks once, and lets claims through or not.
    pub(in super::super) async fn examine(&self) -> Result<(), Complaint> {
        self.examine_writing(&SHARDS).await
    }

    async fn examine_writing(&self, written: &[char]) -> Result<(), Complaint> {
        let begun = Instant::now();
        let found = self.look(written).await;
        let took = begun.elapsed();
        self.figures
            .observe(Operation::Check, Some(took), found.is_ok());
        match found {
            Ok(connection) => {
                self.open(connection).await;
                Ok(())
            }
            Err(why) => {
                self.close();
                let store = self.settings.address.text();
                let before = self.seen.lock().complaint.replace(why.clone());
                if before.as_ref() != Some(&why) {
                    tracing::error!(store, %why, "the ledger's store is down");
                }
                Err(why)
            }
        }
    }

    /// Claims are made from now on, through this.
    async fn open(&self, connection: Connection) {
        let number = self.seen.lock().number;
        let opened = Opened { connection, number };
        let was_up = matches!(&*self.link.borrow(), Link::Up(_));
        let is_known = matches!(&*self.link.borrow(), Link::Up(known) if known.number == number);
        if !is_known && !self.unsettled.borrow().is_empty() {
            self.link.send_replace(Link::Settling(opened.clone()));
            let _ = timeout(SETTLING, self.settled()).await;
        }
        // Held until the link is up: of bases that the store does not know nothing is claimed.
        let bases = self.bases.lock();
        if bases.turn != *self.told.borrow() {
            return self.doubt.notify_one();
        }
        let had_complaint = self.seen.lock().complaint.take().is_some();
        if had_complaint || !was_up {
            let store = self.settings.address.text();
            tracing::info!(store, "the ledger's store is up");
        }
        self.figures.up.set(1);
        self.link.send_if_modified(|link| {
            let is_new = !matches!(link, Link::Up(known) if known.number == number);
            if is_new {
                *link = Link::Up(opened);
            }
            is_new
        });
    }

    fn close(&self) {
        self.figures.up.set(0);
        self.link.send_replace(Link::Down);
    }

    /// A connection to a store that is fit.
    async fn look(&self, written: &[char]) -> Result<Connection, Complaint> {
        let known = self.seen.lock().connection.take();
        if let Some(mut known) = known {
            match self.inspect(&mut known, written).await {
                Ok(()) => {
                    self.seen.lock().connection = Some(known.clone());
                    return Ok(known);
                }
                Err(why) if why == Complaint::late() => return Err(why),
                // The store was replaced, perhaps, and the address leads to another by now.
                Err(_) => {}
            }
        }
        let mut connect = pin!(self.connect());
        let connected = match timeout(self.settings.timeout, &mut connect).await {
            Ok(connected) => connected?,
            // Whoever comes meanwhile would wait for nothing.
            Err(_) => {
                self.close();
                connect.await?
            }
        };
        let mut seen = self.seen.lock();
        seen.connection = Some(connected.clone());
        seen.number += 1;
        Ok(connected)
    }

    async fn connect(&self) -> Result<Connection, Complaint> {
        let opened = timeout(CONNECTING, async {
            let mut connection = self.settings.address.connect(CONNECTING).await?;
            self.scripts.load(&mut connection).await?;
            Ok::<_, Refused>(connection)
        });
        let (why, is_mute) = match opened.await {
            Ok(Ok(mut connection)) => {
                self.inspect(&mut connection, &SHARDS).await?;
                return Ok(connection);
            }
            Ok(Err(refused)) => {
                let is_mute = refused.is_mute();
                (Complaint::from(refused), is_mute)
            }
            Err(_) => (Complaint::late(), true),
        };
        if !is_mute || why.key.is_some() {
            return Err(why);
        }
        // One side takes what the other begins with for nonsense, and waits or hangs up.
        Err(match self.settings.address.misnamed().await {
            Some(channel) => Complaint::channel(channel),
            None if self.settings.address.tls => why.of_tls(),
            None => why,
        })
    }

    /// Whether the store keeps what it is given, and takes what we have to give, each as fast as a
    /// step has to be.
    async fn inspect(
        &self,
        connection: &mut Connection,
        written: &[char],
    ) -> Result<(), Complaint> {
        let asked = (Timestamp::now(), Instant::now());
        let infos = self.within(tell(connection)).await?;
        infos.iter().try_for_each(check)?;
        self.compare_clocks(&infos, asked);
        let Bases { list, kept, turn } = self.bases.lock().clone();
        if kept != list {
            // Otherwise it would not hear of bases that left and came back; one that nobody has strikes out all.
            let nobody_s = [Basis::of([&b"nobody's"[..]])];
            let kept = if kept.is_empty() {
                &nobody_s[..]
            } else {
                &kept
            };
            self.check(connection, written, kept).await?;
        }
        self.check(connection, written, &list).await?;
        let mut bases = self.bases.lock();
        if bases.turn == turn {
            bases.kept = list;
        }
        drop(bases);
        self.told.send_replace(turn);
        Ok(())
    }

    /// Tells every shard of these bases, and learns whether it has what it acknowledged.
    async fn check(
        &self,
        connection: &Connection,
        written: &[char],
        bases: &[Basis],
    ) -> Result<(), Complaint> {
        let checks = SHARDS.iter().map(|&shard| {
            let mut connection = connection.clone();
            let mark = self.marks.of(shard);
            let anyway = written.contains(&shard);
            let ours = Timestamp::now();
            let check = self.scripts.check((shard, mark), anyway, bases, ours);
            async move {
                match check.invoke_async::<i64>(&mut connection).await {
                    Ok(number) => self.marks.told(shard, mark, number),
                    // Of a slot that moves, the keys are on two nodes for a while.
                    Err(error) if error.code() == Some("TRYAGAIN") => {}
                    Err(error) => return Err(error),
                }
                RedisResult::Ok(())
            }
        });
        self.within(try_join_all(checks)).await.map(drop)
    }

    async fn within<T>(&self, asked: impl Future<Output = RedisResult<T>>) -> Result<T, Complaint> {
        match timeout(self.settings.timeout, asked).await {
            Ok(answered) => answered.map_err(|error| Complaint::from(&error)),
            Err(_) => Err(Complaint::late()),
        }
    }

    /// Of the nodes of a cluster, which have a clock each, the one that is furthest ahead counts.
    fn compare_clocks(&self, infos: &[Info], (wall, steady): (Timestamp, Instant)) {
        let took = steady.elapsed();
        let told = |info: &Info| info.get("server_time_usec")?.parse::<i64>().ok();
        let Some(theirs) = infos.iter().filter_map(told).max() else {
            return;
        };
        let ours = wall.as_microsecond() + whole_micros(took) / 2;
        let offset = seconds(theirs - ours);
        self.figures.clock_offset.set(offset);
        let is_off = offset.abs() > TOLERATED_OFFSET;
        let mut seen = self.seen.lock();
        let was_off = std::mem::replace(&mut seen.is_clock_off, is_off);
        if is_off && !was_off {
            tracing::warn!(
                offset_s = offset.round(),
                "the store's clock differs from ours: set both, or late notifications are misjudged"
            );
        }
        // A clock that leaps ahead ends entries before their time. Ours may leap too, so the steady one tells.
        let Some((before, then)) = seen.told_time.replace((theirs, steady)) else {
            return;
        };
        let passed = whole_micros(then.elapsed());
        if seconds(theirs - before - passed) > TOLERATED_OFFSET {
            SHARDS.iter().for_each(|shard| self.marks.miss(*shard));
        }
    }
}

fn whole_micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

fn seconds(micros: i64) -> f64 {
    let size = Duration::from_micros(micros.unsigned_abs()).as_secs_f64();
    if micros < 0 { -size } else { size }
}
