//! One sender.

use crate::convert::Convert;
use crate::forward::Mode;
use crate::freshness::Window;
use crate::ledger::Basis;
use crate::scheme::Scheme;
use crate::secret::KeyRing;
use crate::token::Issuer;
use ipnet::IpNet;
use std::sync::Arc;
use std::time::Duration;

/// One sender: its scheme, its clients and its policy.
#[derive(Debug)]
pub struct Gateway {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// Its place among all gateways of the configuration.
    pub number: usize,
    /// How it proves its notifications.
    pub scheme: Scheme,
    /// Its clients.
    pub ring: KeyRing,
    /// The limits for its signed times.
    pub window: Window,
    /// How long a delivered notification stays known.
    pub remember: Duration,
    /// Whether it is refused what the judgement refuses.
    pub mode: Mode,
    /// The addresses it may come from; empty for any.
    pub allow_from: Vec<IpNet>,
    /// Gives the tokens that its notifications must bear, where it has a token route.
    pub issuer: Option<Issuer>,
}

impl Gateway {
    /// All that decides under which key, with which content and for how long a notification is known; `again`
    /// where a delivered one passes again.
    #[must_use]
    pub fn basis(&self, convert: Convert, again: bool) -> Basis {
        let stand_ins: Vec<_> = self.ring.stand_ins().collect();
        let others = format!(
            "{:?} {:?} {convert:?} {stand_ins:?}",
            self.window, self.remember
        );
        let again: &[u8] = if again { b"again" } else { b"" };
        Basis::of([
            self.name.as_bytes(),
            self.scheme.digest(),
            others.as_bytes(),
            again,
        ])
    }
}
