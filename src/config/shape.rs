//! The configuration as it is written.

use crate::answer::Service;
use crate::convert::Convert;
use crate::route::{Duplicate, Policy};
use bytesize::ByteSize;
use figment::value::Value;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The keys of the top level.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Top {
    pub(super) listen: Option<String>,
    pub(super) upstream: Option<String>,
    pub(super) admin: Option<String>,
    pub(super) unmatched: Policy,
    pub(super) threads: Option<usize>,
    pub(super) timeouts: Option<Value>,
    pub(super) limits: Option<Value>,
    pub(super) replay: Option<Value>,
    pub(super) schemes: BTreeMap<String, Value>,
    pub(super) gateways: BTreeMap<String, Value>,
    pub(super) routes: Vec<Value>,
}

/// How long each part of an exchange may take.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// A request head, from its first byte.
    #[serde(with = "humantime_serde")]
    pub header: Duration,
    /// A request body.
    #[serde(with = "humantime_serde")]
    pub body: Duration,
    /// Between two requests on one connection.
    #[serde(with = "humantime_serde")]
    pub idle: Duration,
    /// Connecting to the app.
    #[serde(with = "humantime_serde")]
    pub connect: Duration,
    /// The whole exchange with the app.
    #[serde(with = "humantime_serde")]
    pub upstream: Duration,
    /// Requests in flight, once the process is asked to end.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            header: Duration::from_secs(10),
            body: Duration::from_secs(10),
            idle: Duration::from_secs(60),
            connect: Duration::from_secs(2),
            upstream: Duration::from_secs(30),
            drain: Duration::from_secs(25),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsShape {
    pub(super) head: ByteSize,
    pub(super) body: ByteSize,
    pub(super) connections: usize,
}

impl Default for LimitsShape {
    fn default() -> Self {
        Self {
            head: ByteSize::kib(32),
            body: ByteSize::mib(1),
            connections: 4096,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReplayShape {
    #[serde(rename = "store")]
    pub(super) _store: Store,
    pub(super) capacity: usize,
    pub(super) duplicate: Duplicate,
}

impl Default for ReplayShape {
    fn default() -> Self {
        Self {
            _store: Store::Memory,
            capacity: 100_000,
            duplicate: Duplicate::Acknowledge,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Store {
    Memory,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GatewayShape {
    pub(super) scheme: String,
    pub(super) clients: Vec<Value>,
    #[serde(default)]
    pub(super) freshness: Option<Value>,
    #[serde(default, with = "humantime_serde")]
    pub(super) remember: Option<Duration>,
    #[serde(default)]
    pub(super) allow_from: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FreshnessShape {
    #[serde(with = "humantime_serde")]
    pub(super) max_age: Option<Duration>,
    #[serde(with = "humantime_serde")]
    pub(super) max_skew: Option<Duration>,
    #[serde(with = "humantime_serde")]
    pub(super) late: Option<Duration>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientShape {
    #[serde(default)]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) secrets: Vec<String>,
    #[serde(default)]
    pub(super) public_keys: Vec<String>,
}

/// A route of requests for an access token.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenRouteShape {
    pub(super) path: String,
    pub(super) token: String,
    #[serde(default)]
    pub(super) limits: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteShape {
    pub(super) path: String,
    pub(super) gateway: String,
    #[serde(default = "post")]
    pub(super) methods: Vec<String>,
    #[serde(default)]
    pub(super) public_path: Option<String>,
    #[serde(default)]
    pub(super) convert: Convert,
    #[serde(default)]
    pub(super) respond: RespondShape,
    #[serde(default)]
    pub(super) service: Option<Service>,
    #[serde(default)]
    pub(super) duplicate: Option<Duplicate>,
    #[serde(default)]
    pub(super) limits: Option<Value>,
    #[serde(default)]
    pub(super) timeouts: Option<Value>,
}

fn post() -> Vec<String> {
    vec!["POST".to_owned()]
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RespondShape {
    #[default]
    App,
    Gateway,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RouteLimits {
    pub(super) body: Option<ByteSize>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RouteTimeouts {
    #[serde(with = "humantime_serde")]
    pub(super) upstream: Option<Duration>,
}
