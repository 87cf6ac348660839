//! Drives the real binary over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    unreachable_pub,
    reason = "clippy.toml spares only functions marked as tests, and most of this crate is what they call"
)]

mod alerts;
mod answers;
mod bearer;
mod cli;
mod config_files;
mod config_warnings;
mod connections;
mod conversion;
mod coverage_table;
mod crashes;
mod crashes_batches;
mod crowds;
mod dashboard;
mod declared_recipes;
mod declared_schemes;
mod delivery;
mod doctor;
mod doctor_agrees;
mod doctor_captures;
mod doctor_causes;
mod doctor_display;
mod doctor_secrecy;
mod exposition;
mod fixture;
mod freshness;
mod gateways_adyen;
mod gateways_batches;
mod gateways_bodies;
mod gateways_delivery;
mod gateways_identity;
mod gateways_keys;
mod gateways_lists;
mod gateways_mutations;
mod gateways_times;
mod gateways_vectors;
mod harness;
mod headers;
mod house;
mod interop;
mod interop_webhooks;
mod late_outcomes;
mod leases;
mod lifecycle;
mod limits;
mod lost_grants;
mod lost_refusals;
mod lost_replies;
mod mistakes;
mod mutations;
mod observe_door;
mod odd_times;
mod oddities;
mod outage;
mod outage_drain;
mod outage_forward;
mod refusals;
mod reload_files;
mod replay;
mod replicas;
mod replicas_batches;
mod replicas_changes;
mod replicas_crowds;
mod replicas_keys;
mod replicas_paused;
mod replicas_restarts;
mod replicas_snap;
mod retries;
mod schema;
mod schemes_reference;
mod secrecy;
mod send;
mod shipped;
mod sign;
mod sign_bodies;
mod sign_curl;
mod sign_words;
mod signatures;
mod snap_acknowledgements;
mod snap_algorithms;
mod snap_answers;
mod snap_bearers;
mod snap_bodies;
mod snap_borders;
mod snap_inquiries;
mod snap_mutations;
mod snap_paths;
mod snap_replay;
mod snap_rotation;
mod snap_samples;
mod snap_signatures;
mod snap_times;
mod snap_token_requests;
mod snap_tokens;
mod snap_validity;
mod snap_vectors;
mod status_json;
mod status_look;
mod status_page;
mod store_channels;
mod store_faults_access;
mod store_faults_cluster;
mod store_faults_data;
mod store_faults_failover;
mod store_faults_loss;
mod store_faults_policy;
mod store_faults_restart;
mod store_faults_silence;
mod store_secrecy;
mod store_start;
mod unknown_outcomes;
mod unmatched;
mod vectors;
mod wire;
mod words;
