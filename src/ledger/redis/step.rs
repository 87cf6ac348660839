//! One step in the store: sent, awaited within the timeout, and taken again where its reply was lost.

use super::connection::Connection;
use super::figures::Operation;
use super::{Link, Redis};
use ::redis::{ErrorKind, FromRedisValue, RedisError, ScriptInvocation};
use std::pin::pin;
use std::time::Instant;
use tokio::time::{timeout, timeout_at};

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
        let Link::Up { connection, number } = self.link.borrow().clone() else {
            return Err(Failure::Down);
        };
        match self.send(operation, call, connection, deadline).await {
            Err(Failure::Unsure) if Instant::now() < deadline => {}
            outcome => return outcome,
        }
        let mut links = self.link.subscribe();
        let newer = |link: &Link| matches!(link, Link::Up { number: n, .. } if *n > number);
        let found = timeout_at(deadline.into(), links.wait_for(newer)).await;
        let Ok(Ok(Link::Up { connection, .. })) = found.map(|link| link.map(|link| link.clone()))
        else {
            return Err(Failure::Unsure);
        };
        self.send(operation, call, connection, deadline).await
    }

    async fn send<T: FromRedisValue>(
        &self,
        operation: Operation,
        call: &ScriptInvocation<'_>,
        mut connection: Connection,
        deadline: Instant,
    ) -> Result<T, Failure> {
        let mut answer = pin!(call.invoke_async(&mut connection));
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
        self.doubt.notify_one();
        if error.code() == Some("OOM") {
            return Failure::Full;
        }
        if error.is_io_error() || matches!(error.kind(), ErrorKind::Parse | ErrorKind::Client) {
            return Failure::Unsure;
        }
        let operation = operation.label();
        tracing::error!(operation, why = %error, "the ledger's store refuses");
        Failure::Refused
    }
}
