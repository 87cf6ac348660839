//! The sets that all contestants of a size are measured with.

use std::thread;

use crate::Fallible;
use crate::contestant::{Contestant, Traffic};
use crate::set::Set;
use crate::signer::Kind;
use crate::trial::Stage;

/// One set for each kind of notification.
pub(crate) struct Sets {
    doku: Set,
    pub(crate) forged: Set,
    pivot: Set,
    snap: Set,
    unrouted: Set,
    unrouted_post: Set,
}

impl Sets {
    /// Signs what these contestants need: whole sets of what is measured, and one of what is only
    /// shown to them.
    pub(crate) fn sign(
        stage: &Stage<'_>,
        size: usize,
        token: &str,
        contestants: &[Contestant],
    ) -> Fallible<Self> {
        let token = token.to_owned();
        let sign = |kind: Kind, kinds: &[Traffic]| {
            let is_needed = contestants.iter().any(|one| kinds.contains(&one.traffic));
            let whole = stage.plan.whole();
            let count = if is_needed { whole } else { 1 };
            Set::sign(stage.guard, &kind, size, 1..count + 1)
        };
        let lost = |_| "a thread that signs is lost";
        thread::scope(|scope| {
            let half = scope.spawn(|| -> Fallible<_> {
                Ok((
                    sign(Kind::Forged, &[Traffic::Forgeries])?,
                    sign(Kind::Unrouted, &[Traffic::Unrouted])?,
                    sign(Kind::UnroutedPost, &[Traffic::UnroutedPost])?,
                ))
            });
            let doku = [Traffic::Doku, Traffic::Duplicates, Traffic::Plain];
            let doku = sign(Kind::Doku, &doku)?;
            let pivot = sign(Kind::Pivot, &[Traffic::Pivot])?;
            let snap = sign(Kind::Snap { token }, &[Traffic::Snap])?;
            let (forged, unrouted, unrouted_post) = half.join().map_err(lost)??;
            Ok(Self {
                doku,
                forged,
                pivot,
                snap,
                unrouted,
                unrouted_post,
            })
        })
    }

    /// Of the bodies.
    pub(crate) fn size(&self) -> usize {
        self.doku.size
    }

    pub(crate) fn of(&self, traffic: Traffic) -> &Set {
        match traffic {
            Traffic::Doku | Traffic::Duplicates | Traffic::Plain => &self.doku,
            Traffic::Forgeries => &self.forged,
            Traffic::Pivot => &self.pivot,
            Traffic::Snap => &self.snap,
            Traffic::Unrouted => &self.unrouted,
            Traffic::UnroutedPost => &self.unrouted_post,
        }
    }
}
