//! The image that is shipped: one file, no user but a number, and it says what it is.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::harness::*;

/// Bytes.
const LARGEST: u64 = 12_000_000;

#[test]
fn the_image_is_one_small_file_and_says_what_it_is() {
    let Some(podman) = Podman::find() else {
        return;
    };
    let image = podman.image("kawal");
    let told = podman.run(&["image", "inspect", &image]);
    let told: Value = serde_json::from_str(&told).unwrap();
    let told = &told[0];
    let size = told["Size"].as_u64().unwrap();
    assert!(size < LARGEST, "{size} bytes");
    let config = &told["Config"];
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["Entrypoint"], json!(["/kawal"]));
    assert_eq!(told["RootFS"]["Layers"].as_array().unwrap().len(), 1);
    let label = |name: &str| &config["Labels"][format!("org.opencontainers.image.{name}")];
    assert_eq!(label("title"), "kawal");
    assert_eq!(label("version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(label("licenses"), "MIT OR Apache-2.0");
    assert!(label("description").is_string());

    let root = podman.run(&["image", "mount", &image]);
    let files = files_under(Path::new(&root));
    podman.run(&["image", "unmount", &image]);
    assert_eq!(files, BTreeSet::from(["/kawal".to_owned()]));
}

/// Everything but folders.
fn files_under(root: &Path) -> BTreeSet<String> {
    let (mut found, mut folders) = (BTreeSet::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            match entry.file_type().unwrap().is_dir() {
                true => folders.push(entry.path()),
                false => {
                    let path = entry.path();
                    let inside = path.strip_prefix(root).unwrap();
                    found.insert(format!("/{}", inside.display()));
                }
            }
        }
    }
    found
}
