//! `kawal check`: finds all that `serve` would, and prints what it would do.

use super::{Exit, say, table};
use crate::answer::Respond;
use crate::config::{self, Config};
use crate::convert::Convert;
use crate::route::Purpose;
use crate::token::Issuer;
use std::path::Path;

pub(super) fn run(config: &Config, file: &Path) -> Exit {
    let head = [
        "PATH", "GATEWAY", "SCHEME", "COVERS", "METHODS", "CONVERT", "RESPOND",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for route in config.routes.iter() {
        let gateway = &route.gateway;
        let issuer = gateway
            .issuer
            .as_ref()
            .filter(|_| route.purpose == Purpose::Token);
        let scheme = issuer.map_or(&gateway.scheme, Issuer::request_scheme);
        rows.push(vec![
            route.path.to_string(),
            gateway.name.to_string(),
            scheme.name().to_owned(),
            scheme.covers().to_string(),
            route.methods.join(","),
            match route.convert {
                Convert::None => "none",
                Convert::Json => "json",
            }
            .to_owned(),
            match route.respond {
                _ if issuer.is_some() => "with a token",
                Respond::App => "app",
                Respond::Gateway(_) | Respond::Snap(_) => "gateway",
            }
            .to_owned(),
        ]);
    }
    let warnings: String = config
        .warnings
        .iter()
        .map(|warning| format!("warning: {warning}\n"))
        .collect();
    let routes = table(&rows);
    let text = format!("{routes}{warnings}{}: ok\n", file.display());
    say(&text, Exit::Done)
}

/// Prints what editors check a configuration with.
pub(super) fn schema() -> Exit {
    let schema = serde_json::to_string_pretty(&config::schema());
    let text = format!("{}\n", schema.unwrap_or_default());
    say(&text, Exit::Done)
}
