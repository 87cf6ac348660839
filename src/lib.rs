//! Kawal.
pub mod admin;
pub mod answer;
pub mod cli;
pub mod clock;
pub mod config;
pub mod convert;
pub mod forward;
pub mod freshness;
pub mod intake;
pub mod ledger;
pub mod rejection;
pub mod route;
pub mod scheme;
pub mod secret;
pub mod server;
pub mod settle;
pub mod telemetry;
