//! All routes, and what becomes of everything else.

use super::Route;
use super::normalise::normalise;
use crate::forward::Unmatched;
use crate::intake::Head;
use crate::rejection::Rejection;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// All routes, and what becomes of everything else.
#[derive(Debug)]
pub struct Routes {
    exact: HashMap<Arc<str>, Arc<Route>>,
    normalised: HashSet<String>,
    unmatched: Policy,
}

/// What becomes of a path without a route.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Policy {
    /// 404.
    #[default]
    Reject,
    /// Streamed to the app, never verified.
    Forward,
}

/// Where a request goes.
#[derive(Debug)]
pub enum Found {
    /// To judgement.
    Route(Arc<Route>),
    /// To the app, unverified.
    Unmatched(Unmatched),
}

impl Routes {
    /// These routes, whose paths differ.
    #[must_use]
    pub fn new(routes: Vec<Route>, unmatched: Policy) -> Self {
        Self {
            normalised: routes
                .iter()
                .filter_map(|route| normalise(&route.path))
                .collect(),
            exact: routes
                .into_iter()
                .map(|route| (Arc::clone(&route.path), Arc::new(route)))
                .collect(),
            unmatched,
        }
    }

    /// Finds the route of a request by its path, byte for byte.
    ///
    /// # Errors
    /// [`Rejection::NoRoute`], and [`Rejection::Malformed`] for a path that an app may take for a
    /// route's although it is another: it would get around the judgement.
    pub fn find(&self, head: &Head) -> Result<Found, Rejection> {
        if let Some(route) = self.exact.get(head.path()) {
            return Ok(Found::Route(Arc::clone(route)));
        }
        let normalised = normalise(head.path());
        if normalised.is_none_or(|normalised| self.normalised.contains(&normalised)) {
            return Err(Rejection::Malformed(
                "a path that becomes a route's only when normalised",
            ));
        }
        match self.unmatched {
            Policy::Reject => Err(Rejection::NoRoute),
            Policy::Forward => Ok(Found::Unmatched(Unmatched::new(head))),
        }
    }

    /// All routes, by path.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        let mut routes: Vec<_> = self.exact.values().map(Arc::as_ref).collect();
        routes.sort_by(|a, b| a.path.cmp(&b.path));
        routes.into_iter()
    }
}
