//! How large a body may become, and whose turn it is to become very large.

use crate::rejection::{Part, Rejection};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bodies above their route's limit are held only while observing, and only so many at a time: each
/// may be as large as all that others may hold together.
pub(super) const LARGE_AT_A_TIME: usize = 2;

/// The size of one body while it comes.
pub(super) struct Size {
    usual: u64,
    most: u64,
    turns: Option<Arc<Semaphore>>,
    waits: bool,
    turn: Option<OwnedSemaphorePermit>,
}

impl Size {
    /// Up to so many bytes.
    pub(super) fn up_to(most: u64) -> Self {
        Self {
            usual: most,
            most,
            turns: None,
            waits: false,
            turn: None,
        }
    }

    /// Above the usual one has to wait for its turn.
    pub(super) fn with_turns(usual: u64, most: u64, turns: &Arc<Semaphore>) -> Self {
        Self {
            usual,
            turns: Some(Arc::clone(turns)),
            ..Self::up_to(most)
        }
    }

    /// Lets it become so many bytes; waits for its turn where that is very many.
    ///
    /// # Errors
    /// [`Rejection::TooLarge`] above the most.
    pub(super) async fn reach(&mut self, length: u64) -> Result<(), Rejection> {
        if length > self.most {
            return Err(Rejection::TooLarge(Part::Body));
        }
        if length > self.usual
            && self.turn.is_none()
            && let Some(turns) = &self.turns
        {
            self.waits = true;
            let turn = Arc::clone(turns).acquire_owned().await;
            self.turn = Some(turn.map_err(|_| Rejection::Internal)?);
            self.waits = false;
        }
        Ok(())
    }

    /// Whose fault it is that it did not come in time.
    pub(super) fn late(&self) -> Rejection {
        match self.waits {
            true => Rejection::Crowded,
            false => Rejection::Timeout,
        }
    }

    /// Its turn, to be kept for as long as the body is.
    pub(super) fn turn(self) -> Option<OwnedSemaphorePermit> {
        self.turn
    }
}
