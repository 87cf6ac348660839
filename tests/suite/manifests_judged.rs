//! Kubernetes' own schemas take the manifests, and what checkov finds has its reason.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use crate::harness::config::Folder;
use crate::harness::*;

#[test]
fn clusters_of_today_take_all_of_it() {
    let judges = Judges::installed();
    let folder = Folder::new();
    for rendered in Kubectl::render_all() {
        let (file, resources) = written(&folder, rendered);
        for version in [Some("1.29"), Some("1.33"), None] {
            let (refused, passed) = judges.validate(&file, version);
            assert!(refused.is_empty(), "{}: {refused:#?}", rendered.name);
            assert_eq!(passed, resources, "{}", rendered.name);
        }
    }
}

#[test]
fn clusters_before_sidecars_take_the_classic_one_only() {
    let judges = Judges::installed();
    let folder = Folder::new();
    let mut natives = 0;
    for rendered in Kubectl::render_all() {
        let (file, resources) = written(&folder, rendered);
        let (refused, passed) = judges.validate(&file, Some("1.27"));
        let guarded = rendered.guarded();
        let native = guarded.iter().filter(|one| one.is_native()).count();
        natives += native;
        assert_eq!(refused.len(), native, "{}: {refused:#?}", rendered.name);
        assert_eq!(passed, resources - native, "{}", rendered.name);
    }
    assert!(
        natives > 4 || Kubectl::render_all().is_empty(),
        "the check sees nothing"
    );
}

/// Those with apps of ours; of merchants' there is more to find.
#[test]
fn what_checkov_finds_has_its_reason_and_no_reason_stands_without() {
    let judges = Judges::installed();
    let folder = Folder::new();
    let file = tests_folder().join("manifests/checkov.yaml");
    let reasons: BTreeMap<String, String> =
        serde_yaml::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    assert!(reasons.values().all(|reason| reason.len() > 40));
    let Some(shared) = Kubectl::render_all()
        .iter()
        .find(|one| one.name == "tests/manifests/shared")
    else {
        return;
    };
    let (failed, passed) = judges.checkov(&written(&folder, shared).0);
    assert!(passed > 100, "the check sees nothing");
    let found: BTreeSet<_> = failed.iter().map(|(check, _)| check.clone()).collect();
    let explained: BTreeSet<_> = reasons.into_keys().collect();
    assert_eq!(found, explained, "{failed:#?}");
}

/// Writes what the schemas know, and tells how many resources that are.
fn written(folder: &Folder, rendered: &Rendered) -> (PathBuf, usize) {
    let known = rendered.known();
    let file = format!("{}.yaml", rendered.name.replace('/', "-"));
    let file = folder.path().join(file);
    fs::write(&file, known.join("\n---\n")).unwrap();
    (file, known.len())
}
