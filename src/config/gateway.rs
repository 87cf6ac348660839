//! Gateways: scheme and limits.

use super::fault::{Faults, join};
use super::files::Reader;
use super::keys::Keys;
use super::schemes::Schemes;
use super::shape::{FreshnessShape, GatewayShape};
use crate::freshness::Window;
use crate::route::Gateway;
use crate::scheme::{AnswerForm, Freshness, Scheme};
use crate::secret::KeyRing;
use crate::token::Issuer;
use figment::value::Value;
use ipnet::{IpNet, Ipv4Net};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// All gateways that are sound.
pub(super) fn gateways(
    faults: &mut Faults,
    warnings: &mut Vec<String>,
    declared: &BTreeMap<String, Value>,
    schemes: &Schemes,
    issuing: &BTreeSet<String>,
    files: &Reader,
) -> BTreeMap<String, Arc<Gateway>> {
    if declared.is_empty() {
        faults.add("gateways", "missing, and required: at least one gateway");
    }
    let mut sound = BTreeMap::new();
    for (name, value) in declared {
        let path = join("gateways", name);
        let issues = issuing.contains(name);
        let with = (schemes, files);
        if let Some(mut gateway) = gateway(faults, warnings, &path, (name, value), issues, with) {
            gateway.number = sound.len();
            sound.insert(name.clone(), Arc::new(gateway));
        }
    }
    sound
}

fn gateway(
    faults: &mut Faults,
    warnings: &mut Vec<String>,
    path: &str,
    (name, value): (&str, &Value),
    has_token_route: bool,
    (schemes, files): (&Schemes, &Reader),
) -> Option<Gateway> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(plain) {
        faults.add(
            path,
            "a gateway's name is made of letters, digits, dots, - and _",
        );
    }
    let shape: GatewayShape = faults.section(path, value)?;
    let scheme = schemes.take(faults, &join(path, "scheme"), &shape.scheme);
    let is_snap = |scheme: &Scheme| scheme.answers() == AnswerForm::Snap;
    // Of a token route that it cannot have, its route tells.
    let issues = has_token_route && scheme.as_ref().is_none_or(is_snap);
    let keys = Keys {
        scheme: scheme.as_ref(),
        issues,
        files,
    };
    let ring = KeyRing::new(keys.clients(faults, warnings, path, &shape.clients));
    let allow_from = super::networks(faults, &join(path, "allow_from"), &shape.allow_from);
    let limits = freshness(faults, path, shape.freshness.as_ref(), scheme.as_ref()?);
    let remember = remember(faults, path, shape.remember, limits, scheme.as_ref()?);
    let name: Arc<str> = name.into();
    let issuer = issues.then(|| Issuer::new(Arc::clone(&name), &ring));
    Some(Gateway {
        number: 0,
        mode: shape.mode,
        issuer: issuer.and_then(|issuer| faults.take(path, issuer)),
        name,
        scheme: scheme?,
        ring,
        window: Window::new(limits),
        remember,
        allow_from,
    })
}

/// Reads an address or a CIDR. Addresses are compared as IPv4 where they are mapped (RFC 4291 §2.5.5.2), so
/// networks are too.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let network = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("`{text}` is no CIDR; right is, for example, 103.10.128.0/22"))?;
    let mapped = match network {
        IpNet::V4(_) => None,
        IpNet::V6(net) => net
            .addr()
            .to_ipv4_mapped()
            .zip(net.prefix_len().checked_sub(96)),
    };
    let mapped = mapped.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    Ok(mapped.map_or(network, IpNet::V4))
}

fn freshness(
    faults: &mut Faults,
    path: &str,
    declared: Option<&Value>,
    scheme: &Scheme,
) -> Option<Freshness> {
    let path = join(path, "freshness");
    let Some(defaults) = scheme.freshness() else {
        if declared.is_some() {
            faults.add(
                path,
                format!("scheme {} signs no time; leave it out", scheme.name()),
            );
        }
        return None;
    };
    let shape: FreshnessShape = match declared {
        Some(value) => faults.section(&path, value).unwrap_or_default(),
        None => FreshnessShape::default(),
    };
    Some(Freshness {
        max_age: shape.max_age.unwrap_or(defaults.max_age),
        max_skew: shape.max_skew.unwrap_or(defaults.max_skew),
        late: shape.late.unwrap_or(defaults.late),
    })
}

fn remember(
    faults: &mut Faults,
    path: &str,
    declared: Option<Duration>,
    limits: Option<Freshness>,
    scheme: &Scheme,
) -> Duration {
    let remember = declared.unwrap_or(scheme.remember());
    // Less would forget a notification while its bytes are still fresh enough to pass again.
    let least = limits.map_or(Duration::from_secs(60), |limits| {
        limits
            .late
            .max(limits.max_age)
            .saturating_add(limits.max_skew)
    });
    let at = join(path, "remember");
    if remember < least {
        let least = humantime::format_duration(least);
        faults.add(
            at,
            format!("must be at least {least}: late (or max_age, if longer) plus max_skew"),
        );
    } else if remember > LONGEST {
        faults.add(at, "must not be longer than 100 years");
    }
    remember
}

const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);
