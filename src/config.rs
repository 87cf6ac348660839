//! File and environment, turned into values that can only be valid.

mod fault;
mod files;
mod gateway;
mod keys;
mod path;
mod replay;
mod schemes;
mod shape;
mod source;
mod warning;

pub use fault::Fault;
pub use files::Files;
pub use shape::{Timeouts, schema};
pub use source::find;

use crate::forward::Upstream;
use crate::ledger::{Basis, Kept};
use crate::route::{Duplicate, Gateway, Routes};
use fault::{Faults, join};
use figment::value::Value;
use files::Reader;
use ipnet::IpNet;
use schemes::Schemes;
use shape::{LimitsShape, ReplayShape, Top};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A valid configuration.
#[derive(Debug)]
pub struct Config {
    /// Where gateways come in.
    pub listen: SocketAddr,
    /// Where probes come in.
    pub admin: Option<SocketAddr>,
    /// The app.
    pub upstream: Upstream,
    /// Worker threads.
    pub threads: usize,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// How large and how many things may be.
    pub limits: Limits,
    /// Where the ledger is kept.
    pub store: Kept,
    /// The bases of all entries that may be late.
    pub bases: Box<[Basis]>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// All gateways, by name.
    pub gateways: Vec<Arc<Gateway>>,
    /// All routes.
    pub routes: Routes,
    /// What is allowed, and yet worth a second look.
    pub warnings: Vec<String>,
    /// What takes effect only at the start: keys, each with what it says.
    pinned: Vec<(&'static str, String)>,
}

/// How large and how many things may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// A request head, in bytes.
    pub head: usize,
    /// Connections.
    pub connections: usize,
}

impl Config {
    /// Loads a configuration, and everything that it names.
    ///
    /// # Errors
    /// Every fault that was found.
    pub fn load(file: &Path) -> Result<Self, Vec<Fault>> {
        Self::load_watched(file).0
    }

    /// The same, and the files that it was made of, or that it failed for.
    pub fn load_watched(file: &Path) -> (Result<Self, Vec<Fault>>, Files) {
        Self::load_by(Reader::new(file, false))
    }

    /// The same once more, from regular files only.
    pub fn load_again(file: &Path) -> (Result<Self, Vec<Fault>>, Files) {
        Self::load_by(Reader::new(file, true))
    }

    fn load_by(reader: Reader) -> (Result<Self, Vec<Fault>>, Files) {
        let value = source::read(&reader).map_err(|fault| vec![fault]);
        let config = value.and_then(|value| Self::build(&value, &reader));
        (config, reader.into_files())
    }

    /// The keys that take effect only at the start, each with what it says.
    #[must_use]
    pub fn pinned(&self) -> &[(&'static str, String)] {
        &self.pinned
    }

    fn build(value: &Value, files: &Reader) -> Result<Self, Vec<Fault>> {
        let mut faults = Faults::default();
        // What is wrong at the top hides nothing of what is wrong below.
        let sound = faults.sound_keys::<Top>("", value);
        let top = sound.deserialize().unwrap_or_default();
        let config = assemble(&mut faults, &top, files);
        name_variables(&mut faults);
        match config {
            Some(config) if faults.0.is_empty() => Ok(config),
            _ => Err(faults.0),
        }
    }
}

/// What comes from the environment is told by the name of its variable.
fn name_variables(faults: &mut Faults) {
    for fault in &mut faults.0 {
        let variable = format!(
            "KAWAL_{}",
            fault.path.replace('.', "__").to_ascii_uppercase()
        );
        if std::env::var_os(&variable).is_some() {
            fault.path = variable;
        }
    }
}

fn required<'a>(faults: &mut Faults, key: &str, value: Option<&'a String>) -> Option<&'a String> {
    if value.is_none() && !faults.0.iter().any(|fault| fault.path == key) {
        faults.add(key, "missing, and required");
    }
    value
}

fn assemble(faults: &mut Faults, top: &Top, files: &Reader) -> Option<Config> {
    let listen = required(faults, "listen", top.listen.as_ref());
    let listen = listen.and_then(|text| faults.take("listen", address(text)));
    let admin = top
        .admin
        .as_deref()
        .map(|text| faults.take("admin", address(text)));
    if let (Some(listen), Some(admin)) = (listen, admin.flatten())
        && clash(listen, admin)
    {
        let says = "the same address as listen; probes need a port of their own";
        faults.add("admin", says);
    }
    let upstream = required(faults, "upstream", top.upstream.as_ref());
    let upstream = upstream.and_then(|text| faults.take("upstream", Upstream::parse(text)));
    if let (Some(listen), Some(upstream)) = (listen, &upstream)
        && upstream.is_at(listen)
    {
        faults.add("upstream", "is our own address: name the app's");
    }
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let threads = top.threads.unwrap_or_else(cores);
    if !(1..=MOST_THREADS).contains(&threads) {
        let says = "must be at least 1 and at most 1024; leave it out for one per core";
        faults.add("threads", says);
    }
    let timeouts = section(faults, "timeouts", top.timeouts.as_ref());
    let timeouts: Timeouts = timeouts.unwrap_or_default();
    check_timeouts(faults, timeouts);
    let limits: LimitsShape = section(faults, "limits", top.limits.as_ref()).unwrap_or_default();
    check_limits(faults, limits);
    let replay: ReplayShape = section(faults, "replay", top.replay.as_ref()).unwrap_or_default();
    if replay.duplicate == Duplicate::Forward {
        let says = "forward is for routes of inquiries; right are acknowledge and reject";
        faults.add("replay.duplicate", says);
    }
    let mut warnings = Vec::new();
    let store = replay::store(faults, &mut warnings, &replay, files.base());
    let issuing = path::named_by_token_routes(&top.routes);
    let schemes = Schemes::check(faults, &top.schemes);
    let gateways = gateway::gateways(
        faults,
        &mut warnings,
        &top.gateways,
        &schemes,
        &issuing,
        files,
    );
    let defaults = path::Defaults {
        body_limit: limits.body.as_u64(),
        upstream_timeout: timeouts.upstream,
        duplicate: replay.duplicate,
    };
    let routes = path::routes(faults, &top.routes, &top.gateways, &gateways, defaults);
    let trusted_proxies = networks(faults, "trusted_proxies", &top.trusted_proxies);
    let upstream = upstream?;
    warnings.extend(warning::of_upstream(&upstream, top.unmatched));
    warnings.extend(warning::of_proxies(&trusted_proxies));
    warnings.extend(routes.iter().filter_map(warning::of_route));
    for gateway in gateways.values() {
        warnings.extend(warning::of_gateway(gateway, &routes));
    }
    let all: Vec<&Gateway> = gateways.values().map(AsRef::as_ref).collect();
    warnings.extend(warning::of_pairs(&all));
    let used: Vec<_> = gateways.values().map(|g| g.scheme.name()).collect();
    warnings.extend(schemes.unused(&used));
    let listen = listen?;
    let pinned = [
        ("listen", listen.to_string()),
        ("admin", format!("{:?}", admin.flatten())),
        ("threads", threads.to_string()),
    ];
    Some(Config {
        pinned: pinned.into_iter().chain(replay::pinned(&replay)).collect(),
        listen,
        admin: admin.flatten(),
        upstream,
        threads,
        timeouts,
        limits: Limits {
            head: usize::try_from(limits.head.as_u64()).unwrap_or(usize::MAX),
            connections: limits.connections,
        },
        store: store?,
        bases: replay::bases(&routes),
        trusted_proxies,
        gateways: gateways.into_values().collect(),
        routes: Routes::new(routes, top.unmatched),
        warnings,
    })
}

/// Addresses and networks that are sound.
fn networks(faults: &mut Faults, path: &str, declared: &[String]) -> Vec<IpNet> {
    let networks = declared.iter().enumerate().filter_map(|(index, text)| {
        let at = format!("{path}[{index}]");
        faults.take(&at, gateway::network(text))
    });
    networks.collect()
}

/// Whether a second listener cannot be bound beside the first.
fn clash(first: SocketAddr, second: SocketAddr) -> bool {
    let any = first.ip().is_unspecified() || second.ip().is_unspecified();
    first.port() != 0 && first.port() == second.port() && (any || first.ip() == second.ip())
}

/// More would only wait for one another.
const MOST_THREADS: usize = 1024;

fn section<T: serde::de::DeserializeOwned>(
    faults: &mut Faults,
    path: &str,
    value: Option<&Value>,
) -> Option<T> {
    faults.section(path, value?)
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is no IP address with a port; right is, for example, 0.0.0.0:8080 or [::]:8080")
    })
}

fn check_timeouts(faults: &mut Faults, timeouts: Timeouts) {
    for (key, value) in [
        ("header", timeouts.header),
        ("body", timeouts.body),
        ("idle", timeouts.idle),
        ("connect", timeouts.connect),
        ("upstream", timeouts.upstream),
    ] {
        if value.is_zero() {
            faults.add(join("timeouts", key), "must be longer than zero");
        } else if value > LONGEST {
            faults.add(join("timeouts", key), "must not be longer than a day");
        }
    }
    for (key, value) in [
        ("drain_delay", timeouts.drain_delay),
        ("drain", timeouts.drain),
    ] {
        if value > LONGEST {
            faults.add(join("timeouts", key), "must not be longer than a day");
        }
    }
}

const LONGEST: Duration = Duration::from_secs(24 * 3600);

fn check_limits(faults: &mut Faults, limits: LimitsShape) {
    if !(1024..=1024 * 1024).contains(&limits.head.as_u64()) {
        faults.add("limits.head", "must be from 1KiB to 1MiB");
    }
    if limits.body.as_u64() == 0 {
        faults.add("limits.body", "must be at least 1B");
    }
    if limits.connections == 0 {
        faults.add("limits.connections", "must be at least 1");
    }
}

#[cfg(test)]
mod tests;
