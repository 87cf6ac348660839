//! What stands around the real binary: a gateway that signs, an app that records, and the process itself.
#![allow(
    dead_code,
    unused_imports,
    reason = "a vocabulary for all test files; each word need not be in use at all times"
)]

pub mod adyen;
pub mod app;
pub mod balancer;
pub mod board;
pub mod broken;
pub mod browser;
pub mod canary;
pub mod clinic;
pub mod cluster;
pub mod config;
pub mod confined;
pub mod container;
pub mod counted;
pub mod curve;
pub mod declared;
pub mod declared_rows;
pub mod deployment;
pub mod doctor;
pub mod exposition;
pub mod forwarded;
pub mod forwarded_rows;
pub mod forwarding;
pub mod frames;
pub mod gateway;
pub mod genuine;
pub mod guarded;
pub mod hashes;
pub mod histogram;
pub mod hooks;
pub mod judged;
pub mod judges;
pub mod kawal;
pub mod keys;
pub mod kinds;
pub mod kubectl;
pub mod kubelet;
pub mod lateness;
pub mod leftovers;
pub mod library;
pub mod lines;
pub mod load;
pub mod loose;
pub mod metrics;
pub mod mounts;
pub mod notice;
pub mod observed;
pub mod page;
pub mod pair;
pub mod pairs;
pub mod peers;
pub mod plain;
pub mod playable;
pub mod pod;
pub mod pod_end;
pub mod pod_images;
pub mod pod_network;
pub mod podman;
pub mod probe;
pub mod process;
pub mod promql;
pub mod promtool;
pub mod qris;
pub mod recorded;
pub mod redis;
pub mod reduced;
pub mod reloads;
pub mod rendered;
pub mod reply;
pub mod request;
pub mod resp;
pub mod restarting;
pub mod retrying;
pub mod rotating;
pub mod rough;
pub mod rows;
pub mod sample;
pub mod sample_status;
pub mod scripts;
pub mod senders;
pub mod sentinel;
pub mod series;
pub mod service;
pub mod snap;
pub mod store;
pub mod store_proxy;
pub mod store_steps;
pub mod store_traps;
pub mod switched;
pub mod tainted;
pub mod tainted_wire;
pub mod tally;
pub mod template;
pub mod tokens;
pub mod typed;
pub mod typist;
pub mod vacant;
pub mod valgrind;
pub mod variables;
pub mod vector;
pub mod visits;
pub mod volume;
pub mod webhooks;
pub mod wire;

pub use app::App;
pub use balancer::Balancer;
pub use board::Board;
pub use browser::Browser;
pub use cluster::Cluster;
pub use config::Config;
pub use container::Container;
pub use curve::Curve;
pub use deployment::Deployment;
pub use doctor::{Diagnosis, Doctor};
pub use exposition::Exposition;
pub use gateway::{Doku, ago, ahead, doku, now, pivot, pivot_with, unique};
pub use guarded::Guarded;
pub use judges::Judges;
pub use kawal::{Exit, Kawal};
pub use kinds::{Kind, kind};
pub use kubectl::Kubectl;
pub use kubelet::{Failure, Kubelet, scaled};
pub use lateness::{Moment, fresh};
pub use library::Library;
pub use lines::Form;
pub use load::Load;
pub use notice::{Key, Notice};
pub use observed::{Seen, Watch};
pub use page::Page;
pub use pairs::Pairs;
pub use plain::Plain;
pub use pod::Pod;
pub use pod_end::Ended;
pub use podman::Podman;
pub use promql::Query;
pub use promtool::Promtool;
pub use qris::Qris;
pub use recorded::Recorded;
pub use redis::Redis;
pub use rendered::Rendered;
pub use reply::Reply;
pub use request::Request;
pub use restarting::Restarting;
pub use retrying::Retrying;
pub use rough::Rough;
pub use rows::KINDS;
pub use sample_status::sample_status;
pub use scripts::Script;
pub use senders::everybody;
pub use sentinel::Sentinel;
pub use service::Service;
pub use snap::{Snap, snap};
pub(crate) use store::on_every_store;
pub use store::{Backend, Store};
pub use store_proxy::StoreProxy;
pub use tally::Tally;
pub use template::Template;
pub use tokens::{Jwt, TokenRequest};
pub use typed::{Typed, typed};
pub use vacant::Vacant;
pub use valgrind::Valgrind;
pub use vector::vectors;
pub use volume::Volume;
pub use wire::{Connection, Response};

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

/// How long a test waits for what must happen before it gives up: long, because a busy machine is not a defect.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The payloads whose file name starts so, by name.
pub fn samples(prefix: &str) -> Vec<(String, Vec<u8>)> {
    let folder = tests_folder().join("samples");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .filter(|(name, _)| name.starts_with(prefix))
        .map(|(name, path)| (name, std::fs::read(path).unwrap()))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no sample starts with {prefix}");
    found
}

/// Where samples, vectors and fixtures lie.
pub fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// Waits for what must come about.
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "{what}: not yet");
        thread::sleep(Duration::from_millis(10));
    }
}
