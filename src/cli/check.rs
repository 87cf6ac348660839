//! `kawal check`: finds all that `serve` would, and prints what it would do.

use super::{Exit, complain_of, one_line, say, table};
use crate::answer::Respond;
use crate::config::{self, Config};
use crate::convert::Convert;
use crate::ledger::{Complaint, Ledger};
use crate::route::Purpose;
use crate::token::Issuer;
use jiff::Timestamp;
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
    let store = match connect(config) {
        Err(complaint) if complaint.key.is_some() => return complain_of(file, &complaint),
        Err(complaint) => Some(one_line(&format!("replay.redis: {complaint}"))),
        Ok(()) => None,
    };
    let warnings: String = config
        .warnings
        .iter()
        .chain(&store)
        .map(|warning| format!("warning: {warning}\n"))
        .collect();
    let routes = table(&rows);
    let text = format!("{routes}{warnings}{}: ok\n", file.display());
    say(&text, Exit::Done)
}

/// Whether the ledger's store, if there is one, can be used.
fn connect(config: &Config) -> Result<(), Complaint> {
    // Without bases, so that it takes nothing from those that run beside it under another configuration.
    let ledger = Ledger::new(&config.store, &[], Timestamp::now());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    // Without a runtime, serve does not start either, and says why.
    runtime.map_or(Ok(()), |runtime| runtime.block_on(ledger.connect()))
}

/// Prints what editors check a configuration with.
pub(super) fn schema() -> Exit {
    let schema = serde_json::to_string_pretty(&config::schema());
    let text = format!("{}\n", schema.unwrap_or_default());
    say(&text, Exit::Done)
}
