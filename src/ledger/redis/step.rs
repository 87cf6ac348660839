//! One step in the store: sent, awaited within the timeout, and taken again where its reply was lost.

use super::figures::Operation;
use super::{Link, Opened, Redis};
use ::redis::{ErrorKind, FromRedisValue, RedisError, ScriptInvocation};
use std::pin::pin;
use std::time::{Duration, Instant};
use tokio::time::{timeout, timeout_at};

/// Between two lines on what the store refuses.
const SILENCE: Duration = Duration::from_secs(10);

/// Why a step did not succeed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nothing was sent.
    Down,
    /// It may have happened.
    Unsure,
    /// The store is out of memory.
    Full,
    /// The store refused, and nothing happened.
    Refused,
}

impl Redis {
    /// Takes one step, within the timeout, and once more where the connection was lost.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        operation: Operation,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        let outcome = self.step(operation, call, begun).await;
        // What was not sent took no time.
        let took = (outcome.as_ref().err() != Some(&Failure::Down)).then(|| begun.elapsed());
        self.figures.observe(operation, took, outcome.is_ok());
        outcome
    }

    async fn step<T: FromRedisValue>(
        &self,
        operation: Operation,
        call: &ScriptInvocation<'_>,
        begun: Instant,
    ) -> Result<T, Failure> {
        let deadline = begun + self.settings.timeout;
        let (mut opened, settles) = {
            let link = self.link.borrow();
            let settles = matches!(&*link, Link::Settling(_));
            (link.takes(operation).cloned(), settles)
        };
        // Outcomes take a moment, and then it is the turn of claims.
        if opened.is_none() && settles {
            let ready = |link: &Link| !matches!(link, Link::Settling(_));
            opened = self.opened(operation, ready, deadline).await;
        }
        let opened = opened.ok_or(Failure::Down)?;
        let number = opened.number;
        match self.send(operation, call, opened, deadline).await {
            Err(Failure::Unsure) if Instant::now() < deadline => {}
            outcome => return outcome,
        }
        let newer = |link: &Link| link.takes(operation).is_some_and(|o| o.number > number);
        match self.opened(operation, newer, deadline).await {
            Some(opened) => self.send(operation, call, opened, deadline).await,
            None => Err(Failure::Unsure),
        }
    }

    /// What this step can be taken through, once the link is so.
    async fn opened(
        &self,
        operation: Operation,
        is_so: impl FnMut(&Link) -> bool,
        deadline: Instant,
    ) -> Option<Opened> {
        let mut links = self.link.subscribe();
        let found = timeout_at(deadline.into(), links.wait_for(is_so)).await;
        found.ok()?.ok()?.takes(operation).cloned()
    }

    async fn send<T: FromRedisValue>(
        &self,
        operation: Operation,
        call: &ScriptInvocation<'_>,
        mut opened: Opened,
        deadline: Instant,
    ) -> Result<T, Failure> {
        let mut answer = pin!(call.invoke_async(&mut opened.connection));
        // A link that is slow is looked at before it fails.
        let answered = match timeout(self.settings.timeout / 2, &mut answer).await {
            Ok(answered) => Ok(answered),
            Err(_) => {
                self.doubt.notify_one();
                timeout_at(deadline.into(), answer).await
            }
        };
        match answered {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.failed(operation, &error)),
            Err(_) => Err(Failure::Unsure),
        }
    }

    fn failed(&self, operation: Operation, error: &RedisError) -> Failure {
        // A look needs no memory, so it would see nothing.
        if error.code() == Some("OOM") {
            self.complain(
                operation,
                error,
                "the ledger's store is out of memory: raise its maxmemory",
            );
            return Failure::Full;
        }
        self.doubt.notify_one();
        if error.is_io_error() || matches!(error.kind(), ErrorKind::Parse | ErrorKind::Client) {
            return Failure::Unsure;
        }
        self.complain(operation, error, "the ledger's store refuses");
        Failure::Refused
    }

    /// Every notification would say the same.
    fn complain(&self, operation: Operation, error: &RedisError, what: &'static str) {
        let mut seen = self.seen.lock();
        let is_told = seen.told.is_some_and(|at| at.elapsed() < SILENCE);
        if !is_told {
            seen.told = Some(Instant::now());
            tracing::error!(operation = operation.label(), why = %error, "{what}");
        }
    }
}
