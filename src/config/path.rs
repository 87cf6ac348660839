//! Routes: paths and their policies.

use super::fault::{Faults, join, suggest};
use super::shape::{RespondShape, RouteLimits, RouteShape, RouteTimeouts};
use crate::answer::Respond;
use crate::convert::Convert;
use crate::route::{Duplicate, Gateway, Route};
use figment::value::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// What a route does not say itself.
#[derive(Clone, Copy)]
pub(super) struct Defaults {
    pub(super) body_limit: u64,
    pub(super) upstream_timeout: Duration,
    pub(super) duplicate: Duplicate,
}

/// All routes that are sound.
pub(super) fn routes(
    faults: &mut Faults,
    declared: &[Value],
    names: &BTreeMap<String, Value>,
    gateways: &BTreeMap<String, Arc<Gateway>>,
    defaults: Defaults,
) -> Vec<Route> {
    if declared.is_empty() {
        faults.add("routes", "missing, and required: at least one route");
    }
    let mut paths = BTreeSet::new();
    let mut sound = Vec::new();
    for (index, value) in declared.iter().enumerate() {
        let path = format!("routes[{index}]");
        let Some(shape) = faults.section::<RouteShape>(&path, value) else {
            continue;
        };
        faults.take(&join(&path, "path"), check_path(&shape.path));
        if !paths.insert(shape.path.clone()) {
            faults.add(
                join(&path, "path"),
                format!("`{}` has a route already", shape.path),
            );
        }
        check_methods(faults, &path, &shape.methods);
        let Some(gateway) = gateways.get(&shape.gateway) else {
            // A gateway that is there, but faulty, has been told of already.
            if !names.contains_key(&shape.gateway) {
                let known: Vec<&str> = names.keys().map(String::as_str).collect();
                let hint = suggest(&shape.gateway, &known);
                faults.add(
                    join(&path, "gateway"),
                    format!("unknown gateway `{}`{hint}", shape.gateway),
                );
            }
            continue;
        };
        sound.extend(route(faults, &path, shape, gateway, defaults));
    }
    sound
}

fn route(
    faults: &mut Faults,
    path: &str,
    shape: RouteShape,
    gateway: &Arc<Gateway>,
    defaults: Defaults,
) -> Option<Route> {
    if let Some(public_path) = &shape.public_path {
        let at = join(path, "public_path");
        let path = public_path.split('?').next().unwrap_or_default();
        faults.take(&at, check_path(path));
        if !gateway.scheme.covers_path() {
            faults.add(
                &at,
                format!(
                    "scheme {} signs no path; leave it out",
                    gateway.scheme.name()
                ),
            );
        }
    }
    let at = |key| join(path, key);
    if shape.convert == Convert::Json && !gateway.scheme.reads_parameters() {
        let scheme = gateway.scheme.name();
        faults.add(
            at("convert"),
            format!("scheme {scheme} sends no parameters to convert; leave it out"),
        );
    }
    let limits = shape
        .limits
        .as_ref()
        .and_then(|value| faults.section(&at("limits"), value));
    let limits: RouteLimits = limits.unwrap_or_default();
    let timeouts = shape
        .timeouts
        .as_ref()
        .and_then(|value| faults.section(&at("timeouts"), value));
    let timeouts: RouteTimeouts = timeouts.unwrap_or_default();
    let body_limit = limits
        .body
        .map_or(defaults.body_limit, |size| size.as_u64());
    if body_limit == 0 {
        faults.add(at("limits.body"), "must be at least 1B");
    }
    let upstream_timeout = timeouts.upstream.unwrap_or(defaults.upstream_timeout);
    if upstream_timeout.is_zero() || upstream_timeout > super::LONGEST {
        faults.add(
            at("timeouts.upstream"),
            "must be longer than zero and at most a day",
        );
    }
    Some(Route {
        path: shape.path.into(),
        methods: shape.methods.into_iter().map(Into::into).collect(),
        public_path: shape.public_path.map(Into::into),
        convert: shape.convert,
        respond: match shape.respond {
            RespondShape::App => Respond::App,
            RespondShape::Gateway => Respond::Gateway(gateway.scheme.acknowledgement().clone()),
        },
        duplicate: shape.duplicate.unwrap_or(defaults.duplicate),
        body_limit,
        upstream_timeout,
        gateway: Arc::clone(gateway),
    })
}

fn check_path(path: &str) -> Result<(), String> {
    let says = if !path.starts_with('/') {
        "must begin with a slash"
    } else if path.contains(['?', '#']) {
        "is the path only, without a query"
    } else if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        "must not hold dot segments: no request reaches it in that form"
    } else if path.contains("//") {
        "must not hold doubled slashes"
    } else if !path.bytes().all(|byte| byte.is_ascii_graphic())
        || path.contains(['\\', '<', '>', '"', ';'])
    {
        "holds a character that no plain path holds; write it percent-encoded, as the gateway sends it"
    } else {
        return Ok(());
    };
    Err(format!("`{}` {says}", path.escape_debug()))
}

fn check_methods(faults: &mut Faults, path: &str, methods: &[String]) {
    let at = join(path, "methods");
    if methods.is_empty() {
        faults.add(&at, "is empty; leave it out for POST");
    }
    for (index, method) in methods.iter().enumerate() {
        let at = format!("{at}[{index}]");
        if matches!(method.as_str(), "CONNECT" | "TRACE") {
            faults.add(at, format!("{method} is never served"));
        } else if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            faults.add(
                at,
                format!(
                    "`{}` is no method; right are, for example, POST and GET",
                    method.escape_debug()
                ),
            );
        }
    }
}
