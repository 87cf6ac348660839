//! What a store says of itself.

use super::complaint::{Complaint, LOADING, REDIS, REPLICA};
use super::connection::Connection;
use ::redis::cluster_routing::{MultipleNodeRoutingInfo, RoutingInfo};
use ::redis::{FromRedisValue as _, RedisResult, cmd};
use std::collections::HashMap;

/// The first version whose scripts have flags. Source:
/// <https://redis.io/docs/latest/develop/programmability/eval-intro/#script-flags>
const OLDEST: u32 = 7;

pub(super) type Info = HashMap<String, String>;

/// What the store says of itself; of a cluster, what each primary says.
pub(super) async fn tell(connection: &mut Connection) -> RedisResult<Vec<Info>> {
    let texts = match connection {
        Connection::Single(connection) => {
            vec![cmd("INFO").query_async::<String>(connection).await?]
        }
        Connection::Cluster(connection) => {
            let everywhere = RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, None));
            let told = connection.route_command(cmd("INFO"), everywhere).await?;
            HashMap::<String, String>::from_redis_value(told)?
                .into_values()
                .collect()
        }
    };
    let fields = |text: String| {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        lines
            .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect()
    };
    Ok(texts.into_iter().map(fields).collect())
}

pub(super) fn check(info: &Info) -> Result<(), Complaint> {
    let field = |name: &str| info.get(name).map(String::as_str);
    // Valkey tells of a version of Redis that it equals, too.
    let version = field("valkey_version").or(field("redis_version"));
    let version = version.unwrap_or("of no version");
    let major = version.split('.').next().and_then(|n| n.parse().ok());
    if major.is_none_or(|major: u32| major < OLDEST) {
        let says =
            format!("the store is {version}; it has to be Redis {OLDEST}.0 or Valkey, or newer");
        return Err(Complaint::lasting(REDIS, says));
    }
    if field("loading") == Some("1") {
        return Err(Complaint::passing(LOADING));
    }
    let policy = field("maxmemory_policy").unwrap_or("not told");
    if policy != "noeviction" {
        let says = format!(
            "the store's maxmemory-policy is {policy}: it would forget delivered notifications; set it to noeviction"
        );
        return Err(Complaint::lasting(REDIS, says));
    }
    match field("role") {
        Some("master") => Ok(()),
        _ => Err(Complaint::passing(REPLICA)),
    }
}
