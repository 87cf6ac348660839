//! What a configuration decides of the work, and a reload replaces as a whole.

use super::downstream::HeadBounds;
use super::upstream::{self, Resolving};
use crate::config::{Config, Limits, Timeouts};
use crate::forward::Upstream;
use crate::route::{Gateway, Route, Routes};
use crate::telemetry::{GatewayMetrics, Metrics};
use ipnet::IpNet;
use std::sync::Arc;

/// A request keeps the one with which it began.
pub(super) struct Live {
    pub(super) routes: Routes,
    pub(super) upstream: Arc<Upstream>,
    pub(super) timeouts: Timeouts,
    pub(super) limits: Limits,
    pub(super) trusted_proxies: Vec<IpNet>,
    gateways: Vec<(Arc<Gateway>, GatewayMetrics)>,
    _resolving: Resolving,
}

impl Live {
    /// To be called inside a tokio runtime: the app's name is kept resolved from now on.
    pub(super) fn new(config: Config, metrics: &Metrics) -> Self {
        let upstream = Arc::new(config.upstream);
        let counters = metrics.of(&config.gateways);
        Self {
            _resolving: upstream::keep_resolved(Arc::clone(&upstream)),
            upstream,
            gateways: config.gateways.into_iter().zip(counters).collect(),
            routes: config.routes,
            timeouts: config.timeouts,
            limits: config.limits,
            trusted_proxies: config.trusted_proxies,
        }
    }

    pub(super) fn head_bounds(&self) -> HeadBounds {
        HeadBounds {
            bytes: self.limits.head,
            whole: self.timeouts.header,
        }
    }

    /// All gateways, each with its counters.
    pub(super) fn gateways(&self) -> &[(Arc<Gateway>, GatewayMetrics)] {
        &self.gateways
    }

    /// The counters of a route's gateway.
    pub(super) fn metrics(&self, route: &Route) -> Option<&GatewayMetrics> {
        let (_, metrics) = self.gateways.get(route.gateway.number)?;
        Some(metrics)
    }
}
