//! What Kawal's process may do in a pod, and what the app may: as the kernel has it.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::harness::*;

const SECRET: &str = "/run/secrets/kawal/doku-secret-key";

#[test]
fn kawal_can_do_nothing_but_serve() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let pod = kubelet.start(&Template::rendered("native"));
    let kawal = pod.container("kawal");
    for set in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(kawal.status(set), "0000000000000000", "{set}");
    }
    assert_eq!(kawal.status("NoNewPrivs:"), "1");
    // With a filter, not only without a few calls.
    assert_eq!(kawal.status("Seccomp:"), "2");
    assert_eq!(kawal.status("Uid:"), "65532 65532 65532 65532");
    assert_eq!(kawal.status("Gid:"), "65532 65532 65532 65532");
    assert_eq!(kawal.status("Groups:"), "65532");
    let kernels = ["/dev", "/proc", "/sys"];
    for place in kawal.writable_mounts() {
        let is_kernels = kernels.iter().any(|kernel| place.starts_with(kernel));
        assert!(is_kernels, "Kawal may write to {place}");
    }
}

#[test]
fn the_app_has_no_way_to_kawals_keys() {
    let Some(kubelet) = Kubelet::find() else {
        return;
    };
    let pod = kubelet.start(&Template::rendered("native"));
    let (kawal, app) = (pod.container("kawal"), pod.app());
    let secret = fs::metadata(kawal.file(SECRET)).unwrap();
    assert_eq!((secret.uid(), secret.gid()), (0, 65532));
    assert_eq!(secret.mode() & 0o777, 0o440);
    // The app is in that group too, but it sees neither the file nor Kawal's process.
    assert!(app.status("Groups:").contains("65532"));
    assert!(!app.file(SECRET).exists());
    assert!(!app.file("/run/secrets/kawal").exists());
    assert_ne!(app.namespace("pid"), kawal.namespace("pid"));
    assert_ne!(app.namespace("mnt"), kawal.namespace("mnt"));
    assert_eq!(app.namespace("net"), kawal.namespace("net"));
    let id = |one: &Container| one.status("Uid:");
    assert_ne!(id(app), id(kawal));
}
