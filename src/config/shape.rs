//! The configuration as it is written.

use crate::answer::Service;
use crate::convert::Convert;
use crate::forward::Mode;
use crate::ledger::Unavailable;
use crate::route::{Duplicate, Policy};
use crate::scheme::Declaration;
use bytesize::ByteSize;
use figment::value::Value;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The configuration of Kawal.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "kawal.yaml", extend("required" = ["listen", "upstream", "gateways", "routes"]))]
pub(super) struct Top {
    /// Where gateways come in: an address and a port, plain HTTP/1.1.
    pub(super) listen: Option<String>,
    /// The app: `http://HOST:PORT` or `unix:/PATH`.
    pub(super) upstream: Option<String>,
    /// Where probes come in; left out, there are none.
    pub(super) admin: Option<String>,
    /// What becomes of a path without a route.
    pub(super) unmatched: Policy,
    /// Proxies whose `X-Forwarded-For` is believed: addresses or CIDRs.
    pub(super) trusted_proxies: Vec<String>,
    /// Worker threads; left out, one per core.
    pub(super) threads: Option<usize>,
    /// How long things may take.
    #[schemars(with = "Option<Timeouts>")]
    pub(super) timeouts: Option<Value>,
    /// How large and how many things may be.
    #[schemars(with = "Option<LimitsShape>")]
    pub(super) limits: Option<Value>,
    /// The memory of what was delivered.
    #[schemars(with = "Option<ReplayShape>")]
    pub(super) replay: Option<Value>,
    /// Schemes of your own, by name.
    #[schemars(with = "BTreeMap<String, Declaration>")]
    pub(super) schemes: BTreeMap<String, Value>,
    /// Senders, by name.
    #[schemars(with = "BTreeMap<String, GatewayShape>")]
    pub(super) gateways: BTreeMap<String, Value>,
    /// Paths and their policies.
    #[schemars(with = "Vec<AnyRoute>")]
    pub(super) routes: Vec<Value>,
}

/// Notifications, or requests for an access token.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(
    dead_code,
    reason = "it only draws the schema: routes are told apart while they are read"
)]
enum AnyRoute {
    Notify(RouteShape),
    Token(TokenRouteShape),
}

/// How long each part of an exchange may take.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// A request head, from its first byte.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub header: Duration,
    /// A request body.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub body: Duration,
    /// Between two requests on one connection.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub idle: Duration,
    /// Connecting to the app.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub connect: Duration,
    /// The whole exchange with the app.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub upstream: Duration,
    /// How long it goes on as before once the process is asked to end, with `/readyz` at 503.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub drain_delay: Duration,
    /// Requests in flight, after that.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
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
            drain_delay: Duration::ZERO,
            drain: Duration::from_secs(25),
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsShape {
    #[schemars(with = "Size")]
    pub(super) head: ByteSize,
    #[schemars(with = "Size")]
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

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReplayShape {
    /// In this process, or shared by replicas.
    pub(super) store: Store,
    /// Entries in memory.
    pub(super) capacity: usize,
    /// What becomes of a delivered notification that comes again.
    pub(super) duplicate: Duplicate,
    /// What becomes of a notification when the store does not answer.
    pub(super) unavailable: Unavailable,
    /// The shared store.
    #[schemars(with = "Option<RedisShape>")]
    pub(super) redis: Option<Value>,
}

impl Default for ReplayShape {
    fn default() -> Self {
        Self {
            store: Store::Memory,
            capacity: 100_000,
            duplicate: Duplicate::Acknowledge,
            unavailable: Unavailable::Reject,
            redis: None,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Store {
    Memory,
    Redis,
}

/// Redis or Valkey.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RedisShape {
    /// Such as `redis://HOST:6379/0`, without a password.
    pub(super) url: String,
    /// A reference to its password.
    #[serde(default)]
    #[schemars(regex(pattern = "^(file|env):.+$"))]
    pub(super) password: Option<String>,
    /// What all keys begin with.
    #[serde(default = "prefix")]
    pub(super) prefix: String,
    /// How long one step may take.
    #[serde(default = "timeout", with = "humantime_serde")]
    #[schemars(with = "String")]
    pub(super) timeout: Duration,
}

fn prefix() -> String {
    "kawal".to_owned()
}

fn timeout() -> Duration {
    Duration::from_millis(250)
}

/// One sender.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GatewayShape {
    /// A built-in scheme, or one from `schemes`.
    pub(super) scheme: String,
    /// Whether it is refused what the judgement refuses, or forwarded and marked.
    #[serde(default)]
    pub(super) mode: Mode,
    /// Merchant identities with their keys.
    #[schemars(with = "Vec<ClientShape>")]
    pub(super) clients: Vec<Value>,
    /// Limits for the signed time; the scheme's own where left out.
    #[serde(default)]
    #[schemars(with = "Option<FreshnessShape>")]
    pub(super) freshness: Option<Value>,
    /// How long a delivered notification stays known.
    #[serde(default, with = "humantime_serde")]
    #[schemars(with = "Option<String>")]
    pub(super) remember: Option<Duration>,
    /// Addresses or CIDRs it may come from; empty = any.
    #[serde(default)]
    pub(super) allow_from: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct FreshnessShape {
    #[serde(with = "humantime_serde")]
    #[schemars(with = "Option<String>")]
    pub(super) max_age: Option<Duration>,
    #[serde(with = "humantime_serde")]
    #[schemars(with = "Option<String>")]
    pub(super) max_skew: Option<Duration>,
    #[serde(with = "humantime_serde")]
    #[schemars(with = "Option<String>")]
    pub(super) late: Option<Duration>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientShape {
    /// The id, as the gateway sends it.
    #[serde(default)]
    pub(super) id: Option<String>,
    /// References to shared secrets, newest first.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^(file|env):.+$")))]
    pub(super) secrets: Vec<String>,
    /// References to the gateway's public keys, newest first.
    #[serde(default)]
    #[schemars(inner(regex(pattern = "^(file|env):.+$")))]
    pub(super) public_keys: Vec<String>,
}

/// A route of requests for an access token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenRouteShape {
    /// The path, exactly, without a query.
    pub(super) path: String,
    /// The gateway that asks for tokens.
    pub(super) token: String,
    #[serde(default)]
    #[schemars(with = "Option<RouteLimits>")]
    pub(super) limits: Option<Value>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteShape {
    /// The path, exactly, without a query.
    pub(super) path: String,
    /// Who sends what comes here.
    pub(super) gateway: String,
    /// The methods it takes.
    #[serde(default = "post")]
    pub(super) methods: Vec<String>,
    /// The path as registered at the gateway, where an ingress rewrites it.
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
    #[schemars(with = "Option<RouteLimits>")]
    pub(super) limits: Option<Value>,
    #[serde(default)]
    #[schemars(with = "Option<RouteTimeouts>")]
    pub(super) timeouts: Option<Value>,
}

fn post() -> Vec<String> {
    vec!["POST".to_owned()]
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RespondShape {
    #[default]
    App,
    Gateway,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RouteLimits {
    #[schemars(with = "Option<Size>")]
    pub(super) body: Option<ByteSize>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RouteTimeouts {
    #[serde(with = "humantime_serde")]
    #[schemars(with = "Option<String>")]
    pub(super) upstream: Option<Duration>,
}

/// Bytes, as a number or as text such as `512KiB`.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, reason = "it only draws the schema: a library reads sizes")]
enum Size {
    Bytes(u64),
    Text(String),
}

/// The JSON Schema of the configuration, for editors. Source: <https://json-schema.org/draft/2020-12>.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Top).to_value()
}
