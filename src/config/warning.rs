//! What is allowed, and yet worth a second look.

use crate::forward::{Mode, Upstream};
use crate::route::{Gateway, Policy, Purpose, Route};
use crate::scheme::{AnswerForm, Coverage};
use crate::secret::KeyKind;
use ipnet::IpNet;

/// Ways to the app that get around the judgement.
pub(super) fn of_upstream(upstream: &Upstream, unmatched: Policy) -> Vec<String> {
    let mut warnings = Vec::new();
    if !upstream.is_local() {
        warnings.push(format!(
            "upstream: {} is not on this host: whoever reaches it gets around Kawal; \
             let the app listen on 127.0.0.1",
            upstream.text()
        ));
    }
    if unmatched == Policy::Forward {
        warnings.push(
            "unmatched: paths without a route are forwarded unverified; if the app has other ways to \
             its handler (such as /index.php?route=... or /notify.php/x), let the handler demand X-Kawal-Gateway"
                .into(),
        );
    }
    warnings
}

/// Proxies that are anybody.
pub(super) fn of_proxies(trusted: &[IpNet]) -> Option<String> {
    let everybody = trusted.iter().find(|net| net.prefix_len() == 0)?;
    Some(format!(
        "trusted_proxies: {everybody} is everybody: whoever sends can name any address, and allow_from keeps nobody out"
    ))
}

/// Answers that the gateway may not understand.
pub(super) fn of_route(route: &Route) -> Option<String> {
    let is_snap = route.gateway.scheme.answers() == AnswerForm::Snap;
    (is_snap && route.service.is_none()).then(|| {
        format!(
            "route {}: without service, such as va-payment, what Kawal answers itself is not in SNAP form",
            route.path
        )
    })
}

/// What a gateway's proof leaves open.
pub(super) fn of_gateway(gateway: &Gateway, routes: &[Route]) -> Vec<String> {
    let (scheme, ring) = (&gateway.scheme, &gateway.ring);
    let by = scheme.key_kind();
    let is_served =
        |route: &&Route| route.gateway.name == gateway.name && route.purpose == Purpose::Notify;
    let served = routes.iter().filter(is_served).count();
    let covers = match scheme.covers() {
        Coverage::Body => None,
        Coverage::Fields(fields) => Some(format!(
            "its proof covers {} only; compare amount and status with the gateway before an order is paid",
            fields.join(", ").replace('*', "parameters")
        )),
        Coverage::Nothing => Some(
            "its proof covers no part of a notification; whoever knows the key can send anything"
                .to_owned(),
        ),
    };
    let anyone = ring.clients().iter().any(|client| client.id.is_none());
    let of_all_merchants =
        by == KeyKind::PublicKey && !scheme.proves_client() && gateway.issuer.is_none();
    let open = [
        (served == 0, "no route leads to it"),
        (
            gateway.mode == Mode::Observe,
            "mode: observe: nothing is refused; what would be reaches the app with X-Kawal-Verdict: would-reject",
        ),
        (
            served > 1 && !scheme.covers_path() && !scheme.is_known_by_content(),
            "its proof does not cover the path: the same event sent to two of its routes is a conflict at the \
             second; give each route a gateway with a key of its own",
        ),
        (
            served > 1 && scheme.is_known_by_content(),
            "its proof does not cover the path, and nothing that it covers names a notification: what was \
             delivered at one of its routes passes at the others; give each route a gateway with a key of its own",
        ),
        (
            of_all_merchants && scheme.answers() == AnswerForm::Plain,
            "the gateway's key may sign for all of its merchants, and the proof does not cover for whom: \
             compare the ids in the body with your own",
        ),
        (
            of_all_merchants && scheme.answers() == AnswerForm::Snap,
            "the gateway's key may sign for all of its merchants, and the proof does not cover for whom: \
             add a token route, or compare the ids in the body with your own",
        ),
        (
            scheme.needs_client_id().is_some() && !scheme.proves_client() && ring.shares(by),
            "two clients have a key in common, and the proof does not tell which of them is meant: \
             look at the body, not at X-Kawal-Client",
        ),
        (
            anyone && scheme.needs_client_id() == Some(false),
            "without an id, a digit can be moved between the client's and the next field without \
             changing the proof; give the id",
        ),
    ];
    let open = open.into_iter().filter(|(holds, _)| *holds);
    let open = open.map(|(_, says)| says.to_owned());
    let joined = scheme.joined().iter().map(|values| {
        format!(
            "its message has {values} joined without a border: other values can have the same proof"
        )
    });
    let weak = scheme.weakness().map(str::to_owned);
    let open = open.chain(joined).chain(weak);
    covers
        .into_iter()
        .chain(open)
        .map(|says| format!("gateways.{}: {says}", gateway.name))
        .collect()
}

/// Gateways whose notifications pass for one another's.
pub(super) fn of_pairs(gateways: &[&Gateway]) -> Vec<String> {
    let mut warnings = Vec::new();
    for (index, one) in gateways.iter().enumerate() {
        for other in gateways.iter().skip(index + 1) {
            let (kind, name) = (one.scheme.key_kind(), one.scheme.name());
            let alike = other.scheme.name() == name && !one.scheme.covers_path();
            if alike && one.ring.shares_with(&other.ring, kind) {
                warnings.push(format!(
                    "gateways.{} and gateways.{}: they have a key in common, and scheme {name} does not sign \
                     the path: what was delivered for one passes for the other",
                    one.name, other.name
                ));
            }
        }
    }
    warnings
}
