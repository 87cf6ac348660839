//! The usual mistakes, tried one after the other until one explains a proof that does not hold.

mod keys;
mod message;

use super::{Capture, Chart};
use crate::intake::Received;
use crate::rejection::Rejection;
use crate::route::Route;
use crate::scheme::{Preset, Scheme, Trial, visible};

/// A mistake, and what to do about it.
pub(super) struct Cause {
    /// Its word; `None` where it is told without one.
    pub(super) word: Option<&'static str>,
    pub(super) says: String,
}

/// A refused request, and all that it may be compared with.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) capture: &'a Capture,
    pub(super) received: &'a Received,
    pub(super) route: &'a Route,
    pub(super) scheme: &'a Scheme,
    pub(super) chart: Chart<'a>,
}

fn cause(word: &'static str, says: impl Into<String>) -> Option<Cause> {
    Some(Cause {
        word: Some(word),
        says: says.into(),
    })
}

impl Case<'_> {
    /// The first mistake that explains the refusal.
    pub(super) fn first_cause(&self, why: &Rejection) -> Option<Cause> {
        if self.scheme.given(self.received).is_none() {
            return self.wrong_scheme().or_else(|| self.no_proof());
        }
        let mistakes: [fn(&Self) -> Option<Cause>; 13] = [
            Self::held,
            Self::proof_prefix,
            Self::proof_encoding,
            Self::other_client,
            Self::secret,
            Self::trailing_slash,
            Self::query,
            Self::path,
            Self::body,
            Self::bearer,
            Self::time,
            Self::letter_case,
            Self::hash,
        ];
        let found = mistakes.iter().find_map(|mistake| mistake(self));
        found
            .or_else(|| self.wrong_scheme())
            .or_else(|| self.stranger(why))
    }

    /// With the keys of the client that is named, where there is one.
    fn trial(&self) -> Trial<'_> {
        let ring = &self.route.gateway.ring;
        let named = self.scheme.named_client(self.received);
        let named = named.and_then(|id| ring.find(&id));
        Trial {
            received: self.received,
            clients: named.map_or(ring.clients(), |(_, client)| std::slice::from_ref(client)),
            public_path: self.route.public_path.as_deref(),
        }
    }

    fn holds_with(&self, changed: &Capture) -> bool {
        let Ok(received) = changed.received(self.chart.head_limit) else {
            return false;
        };
        let received = &received;
        self.scheme.holds(Trial {
            received,
            ..self.trial()
        })
    }

    fn holds_at(&self, public_path: Option<&str>) -> bool {
        self.scheme.holds(Trial {
            public_path,
            ..self.trial()
        })
    }

    /// The proof holds, and something beside it does not.
    fn held(&self) -> Option<Cause> {
        if !self.scheme.holds(self.trial()) {
            return None;
        }
        if let Some(place) = self.scheme.misshapen(self.received) {
            let says =
                format!("the proof holds, but {place} has not the shape that the scheme demands");
            return cause("shape", says);
        }
        let named = self.scheme.named_client(self.received);
        if let Some(id) = named.filter(|id| self.route.gateway.ring.find(id).is_none()) {
            let says = format!(
                "no client has the id `{}`; the proof is made with the key of another one of this gateway",
                visible(id.as_bytes())
            );
            return cause("other-client", says);
        }
        let query = self.received.head().query();
        if query.is_some()
            || self
                .route
                .public_path
                .as_deref()
                .is_some_and(|path| path.contains('?'))
        {
            let says = "the proof holds for the path alone, and the query beside it is not signed: set \
                        public_path to the path with the very query that is registered at the gateway";
            return cause("query", says);
        }
        if let Some(place) = self.scheme.time_place() {
            let says = format!(
                "the proof holds, but the time at {place} is not written as the scheme declares"
            );
            return cause("time-format", says);
        }
        Some(Cause {
            word: None,
            says: "the proof holds for one of the gateway's clients, but not for the one that is named".into(),
        })
    }

    fn proof_prefix(&self) -> Option<Cause> {
        cause("proof-prefix", self.scheme.other_prefix(self.trial())?)
    }

    fn proof_encoding(&self) -> Option<Cause> {
        let found = self.scheme.other_encoding(self.trial())?;
        let (case, says) = (
            found.ends_with("-case hex"),
            format!("the proof is written as {found}"),
        );
        let declared = "; the scheme declares another encoding";
        let given = self.scheme.given_bare(self.received).unwrap_or_default();
        let expected = self.scheme.expectations(self.trial());
        let only_case = expected
            .iter()
            .filter_map(|expected| expected.proof.as_deref());
        let mut only_case = only_case.filter(|proof| proof.eq_ignore_ascii_case(&given));
        match case && only_case.next().is_some() {
            true => cause(
                "letter-case",
                format!("{says}; the scheme declares the other letter case"),
            ),
            false => cause("proof-encoding", format!("{says}{declared}")),
        }
    }

    fn hash(&self) -> Option<Cause> {
        let hash = self.scheme.other_hash(self.trial())?;
        cause(
            "wrong-hash",
            format!("the proof is made with {hash}, another hash than the scheme declares"),
        )
    }

    fn wrong_scheme(&self) -> Option<Cause> {
        let built_in = Preset::ALL
            .into_iter()
            .filter_map(|preset| preset.scheme().ok());
        let token = Preset::TOKEN_REQUEST.scheme().ok();
        let others: Vec<Scheme> = built_in.chain(token).collect();
        let configured = self.chart.gateways.iter().map(|gateway| &gateway.scheme);
        let others = configured
            .chain(&others)
            .filter(|other| other.name() != self.scheme.name());
        let others: Vec<&Scheme> = others.collect();
        let holds = |other: &&&Scheme| other.holds(self.trial());
        if let Some(other) = others.iter().find(holds) {
            let says = format!(
                "the proof is one of scheme {}: give the gateway that scheme",
                other.name()
            );
            return cause("wrong-scheme", says);
        }
        if self.scheme.given(self.received).is_some() {
            return None;
        }
        // Many requests bear a key of something else.
        let bears = |other: &&&Scheme| !other.is_static() && other.given(self.received).is_some();
        let other = others.iter().find(bears)?;
        cause(
            "wrong-scheme",
            format!(
                "there is nothing at {}; what stands at {} is a proof of scheme {}",
                self.scheme.proof_place(),
                other.proof_place(),
                other.name()
            ),
        )
    }

    fn no_proof(&self) -> Option<Cause> {
        let place = self.scheme.proof_place();
        Some(Cause {
            word: None,
            says: format!("no proof stands at {place}: look whether something on the way drops it"),
        })
    }

    /// Who is named, and not configured.
    fn stranger(&self, why: &Rejection) -> Option<Cause> {
        if *why != Rejection::UnknownClient {
            return None;
        }
        let named = self.scheme.named_client(self.received)?;
        let ids = self.route.gateway.ring.clients().iter();
        let ids: Vec<&str> = ids.filter_map(|client| client.id.as_deref()).collect();
        Some(Cause {
            word: None,
            says: format!(
                "the request names client `{}`; gateway {} has {}",
                visible(named.as_bytes()),
                self.route.gateway.name,
                ids.join(", ")
            ),
        })
    }
}
