//! Gateways: scheme, clients, secrets and limits.

use super::fault::{Faults, join, suggest};
use super::shape::{ClientShape, FreshnessShape, GatewayShape};
use crate::freshness::Window;
use crate::route::Gateway;
use crate::scheme::{Freshness, Preset, Scheme};
use crate::secret::{Client, KeyRing, Reference, Secret};
use figment::value::Value;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// All gateways that are sound.
pub(super) fn gateways(
    faults: &mut Faults,
    warnings: &mut Vec<String>,
    declared: &BTreeMap<String, Value>,
    base: &Path,
) -> BTreeMap<String, Arc<Gateway>> {
    if declared.is_empty() {
        faults.add("gateways", "missing, and required: at least one gateway");
    }
    let mut sound = BTreeMap::new();
    for (name, value) in declared {
        let path = join("gateways", name);
        if let Some(gateway) = gateway(faults, warnings, &path, name, value, base) {
            sound.insert(name.clone(), Arc::new(gateway));
        }
    }
    sound
}

fn gateway(
    faults: &mut Faults,
    warnings: &mut Vec<String>,
    path: &str,
    name: &str,
    value: &Value,
    base: &Path,
) -> Option<Gateway> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || !name.chars().all(plain) {
        faults.add(
            path,
            "a gateway's name is made of letters, digits, dots, - and _",
        );
    }
    let shape: GatewayShape = faults.section(path, value)?;
    let scheme = faults.take(&join(path, "scheme"), scheme(&shape.scheme));
    let clients = clients(
        faults,
        warnings,
        path,
        &shape.clients,
        scheme.as_ref(),
        base,
    );
    let allow_from = shape
        .allow_from
        .iter()
        .enumerate()
        .filter_map(|(index, text)| {
            faults.take(&format!("{path}.allow_from[{index}]"), network(text))
        });
    let allow_from: Vec<_> = allow_from.collect();
    let limits = freshness(faults, path, shape.freshness.as_ref(), scheme.as_ref()?);
    let remember = remember(faults, path, shape.remember, limits, scheme.as_ref()?);
    Some(Gateway {
        name: name.into(),
        scheme: scheme?,
        ring: KeyRing::new(clients),
        window: Window::new(limits),
        remember,
        allow_from,
    })
}

fn scheme(name: &str) -> Result<Scheme, String> {
    match Preset::find(name) {
        Some(preset) => preset.scheme(),
        None => {
            let names = Preset::ALL.map(|preset| preset.name);
            let hint = suggest(name, &names);
            let all = names.join(", ");
            Err(format!("unknown scheme `{name}`{hint} (built in: {all})"))
        }
    }
}

fn clients(
    faults: &mut Faults,
    warnings: &mut Vec<String>,
    path: &str,
    declared: &[Value],
    scheme: Option<&Scheme>,
    base: &Path,
) -> Vec<Client> {
    if declared.is_empty() {
        faults.add(
            join(path, "clients"),
            "is empty; at least one client is required",
        );
    }
    let mut ids = BTreeSet::new();
    let mut sound = Vec::new();
    for (index, value) in declared.iter().enumerate() {
        let path = format!("{path}.clients[{index}]");
        let Some(shape) = faults.section::<ClientShape>(&path, value) else {
            continue;
        };
        check_id(faults, &path, &shape, scheme);
        // Where a scheme names no client, each stands for itself.
        let named = scheme.is_none_or(|scheme| scheme.needs_client_id().is_some());
        if named && !ids.insert(shape.id.clone()) {
            faults.add(
                join(&path, "id"),
                "another client has this id already; put the secrets of both into one",
            );
        }
        let secrets = secrets(faults, warnings, &path, &shape.secrets, base);
        sound.push(Client {
            id: shape.id.map(Into::into),
            secrets,
        });
    }
    sound
}

fn check_id(faults: &mut Faults, path: &str, shape: &ClientShape, scheme: Option<&Scheme>) {
    let at = join(path, "id");
    match (scheme.and_then(Scheme::needs_client_id), &shape.id) {
        (Some(true), None) => {
            faults.add(at, "missing: this scheme's notifications name their client");
        }
        (None, Some(_)) if scheme.is_some() => {
            faults.add(at, "this scheme names no client; leave it out");
        }
        (_, Some(id)) if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic()) => {
            faults.add(at, "must be visible ASCII without spaces");
        }
        _ => {}
    }
}

fn secrets(
    faults: &mut Faults,
    warnings: &mut Vec<String>,
    path: &str,
    references: &[String],
    base: &Path,
) -> Vec<Secret> {
    if references.is_empty() {
        faults.add(
            join(path, "secrets"),
            "is empty; at least one secret is required",
        );
    }
    let mut loaded = Vec::new();
    for (index, text) in references.iter().enumerate() {
        let at = format!("{path}.secrets[{index}]");
        let secret = text
            .parse::<Reference>()
            .and_then(|reference| reference.load(base));
        if let Some(secret) = faults.take(&at, secret) {
            if secret.is_weak() {
                warnings.push(format!(
                    "{at}: shorter than 16 bytes, which is easy to guess"
                ));
            }
            loaded.push(secret);
        }
    }
    loaded
}

fn network(text: &str) -> Result<IpNet, String> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| format!("`{text}` is no CIDR; right is, for example, 103.10.128.0/22"))
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
