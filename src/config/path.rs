//! Routes: paths and their policies.

use super::fault::{Faults, join, suggest};
use super::shape::{RespondShape, RouteLimits, RouteShape, RouteTimeouts, TokenRouteShape};
use crate::answer::{Respond, Service};
use crate::convert::Convert;
use crate::ledger::Basis;
use crate::route::{Duplicate, Gateway, Purpose, Route};
use crate::scheme::AnswerForm;
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

/// The gateways that token routes name.
pub(super) fn named_by_token_routes(declared: &[Value]) -> BTreeSet<String> {
    let tokens = declared.iter().filter_map(|route| route.find_ref("token"));
    let names = tokens.filter_map(|name| name.as_str().map(str::to_owned));
    names.collect()
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
    let mut taken = BTreeSet::new();
    let mut sound = Vec::new();
    for (index, value) in declared.iter().enumerate() {
        let at = format!("routes[{index}]");
        let gateway = |faults: &mut Faults, key, name: &str| {
            let gateway = gateways.get(name).cloned();
            // A gateway that is there, but faulty, has been told of already.
            if gateway.is_none() && !names.contains_key(name) {
                let known: Vec<&str> = names.keys().map(String::as_str).collect();
                let hint = suggest(name, &known);
                faults.add(join(&at, key), format!("unknown gateway `{name}`{hint}"));
            }
            gateway
        };
        if value.find_ref("token").is_some() {
            let Some(shape) = faults.section::<TokenRouteShape>(&at, value) else {
                continue;
            };
            claim(faults, &mut taken, &at, &shape.path);
            if let Some(gateway) = gateway(faults, "token", &shape.token) {
                sound.extend(token_route(faults, &at, shape, gateway, defaults));
            }
        } else {
            let Some(shape) = faults.section::<RouteShape>(&at, value) else {
                continue;
            };
            claim(faults, &mut taken, &at, &shape.path);
            check_methods(faults, &at, &shape.methods);
            if let Some(gateway) = gateway(faults, "gateway", &shape.gateway) {
                sound.push(route(faults, &at, shape, gateway, defaults));
            }
        }
    }
    sound
}

/// One route a path.
fn claim(faults: &mut Faults, taken: &mut BTreeSet<String>, at: &str, path: &str) {
    let at = join(at, "path");
    faults.take(&at, check_path(path));
    if !taken.insert(path.to_owned()) {
        faults.add(at, format!("`{path}` has a route already"));
    }
}

fn token_route(
    faults: &mut Faults,
    at: &str,
    shape: TokenRouteShape,
    gateway: Arc<Gateway>,
    defaults: Defaults,
) -> Option<Route> {
    if gateway.scheme.answers() != AnswerForm::Snap {
        let scheme = gateway.scheme.name();
        let says = format!("scheme {scheme} knows no access tokens; a SNAP scheme does");
        faults.add(join(at, "token"), says);
        return None;
    }
    Some(Route {
        path: shape.path.into(),
        methods: vec!["POST".into()],
        purpose: Purpose::Token,
        service: Some(Service::Token),
        public_path: None,
        convert: Convert::None,
        basis: Basis::default(),
        respond: Respond::App,
        duplicate: Duplicate::Acknowledge,
        body_limit: body_limit(faults, at, shape.limits.as_ref(), defaults),
        upstream_timeout: defaults.upstream_timeout,
        gateway,
    })
}

fn route(
    faults: &mut Faults,
    at: &str,
    shape: RouteShape,
    gateway: Arc<Gateway>,
    defaults: Defaults,
) -> Route {
    let scheme = gateway.scheme.name();
    let key = |key| join(at, key);
    if let Some(public_path) = &shape.public_path {
        let (path, query) = public_path.split_once('?').unwrap_or((public_path, "-"));
        faults.take(&key("public_path"), check_path(path));
        if query.is_empty()
            || query.contains(['#', '<', '>', '"'])
            || !query.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let says = "ends in no query that a request could have";
            faults.add(key("public_path"), says);
        }
        if !gateway.scheme.covers_path() {
            let says = format!("scheme {scheme} signs no path; leave it out");
            faults.add(key("public_path"), says);
        }
    }
    if shape.convert == Convert::Json && !gateway.scheme.reads_parameters() {
        let says = format!("scheme {scheme} sends no parameters to convert; leave it out");
        faults.add(key("convert"), says);
    }
    if shape.service.is_some() && gateway.scheme.answers() != AnswerForm::Snap {
        let says = format!("scheme {scheme} is not SNAP; leave it out");
        faults.add(key("service"), says);
    }
    let timeouts = shape.timeouts.as_ref();
    let timeouts = timeouts.and_then(|value| faults.section(&key("timeouts"), value));
    let timeouts: RouteTimeouts = timeouts.unwrap_or_default();
    let upstream_timeout = timeouts.upstream.unwrap_or(defaults.upstream_timeout);
    if upstream_timeout.is_zero() || upstream_timeout > super::LONGEST {
        let says = "must be longer than zero and at most a day";
        faults.add(key("timeouts.upstream"), says);
    }
    let duplicate = duplicate(faults, at, &shape, defaults);
    Route {
        methods: shape
            .methods
            .iter()
            .map(|method| &**method)
            .map(Into::into)
            .collect(),
        purpose: Purpose::Notify,
        service: shape.service,
        public_path: shape.public_path.as_deref().map(Into::into),
        convert: shape.convert,
        basis: gateway.basis(shape.convert, duplicate == Duplicate::Forward),
        respond: respond(faults, at, &shape, &gateway),
        duplicate,
        body_limit: body_limit(faults, at, shape.limits.as_ref(), defaults),
        upstream_timeout,
        gateway,
        path: shape.path.into(),
    }
}

fn respond(faults: &mut Faults, at: &str, shape: &RouteShape, gateway: &Gateway) -> Respond {
    let at = join(at, "respond");
    match (shape.respond, gateway.scheme.answers(), shape.service) {
        (RespondShape::App, _, _) => Respond::App,
        (RespondShape::Gateway, AnswerForm::Plain, _) => {
            Respond::Gateway(gateway.scheme.acknowledgement().clone())
        }
        (RespondShape::Gateway, AnswerForm::Snap, Some(service)) => {
            if service.is_functional() {
                let says = "the answer to an inquiry is the app's to make; leave it out";
                faults.add(at, says);
            }
            Respond::Snap(service)
        }
        (RespondShape::Gateway, AnswerForm::Snap, None) => {
            let says = "needs `service`, such as va-payment: each is acknowledged in its own way";
            faults.add(at, says);
            Respond::App
        }
    }
}

fn duplicate(faults: &mut Faults, at: &str, shape: &RouteShape, defaults: Defaults) -> Duplicate {
    let functional = shape.service.is_some_and(Service::is_functional);
    if shape.duplicate == Some(Duplicate::Forward) && !functional {
        let says =
            "forward is for inquiries (service: va-inquiry); a payment would reach the app twice";
        faults.add(join(at, "duplicate"), says);
    }
    let default = match functional {
        true => Duplicate::Forward,
        false => defaults.duplicate,
    };
    shape.duplicate.unwrap_or(default)
}

fn body_limit(faults: &mut Faults, at: &str, limits: Option<&Value>, defaults: Defaults) -> u64 {
    let limits = limits.and_then(|value| faults.section(&join(at, "limits"), value));
    let limits: RouteLimits = limits.unwrap_or_default();
    let limit = limits
        .body
        .map_or(defaults.body_limit, |size| size.as_u64());
    if limit == 0 {
        faults.add(join(at, "limits.body"), "must be at least 1B");
    }
    limit
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
