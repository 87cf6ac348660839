//! What is shipped to be copied is sound: every configuration in it passes `kawal check`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::harness::kawal::command;

#[test]
fn the_documented_configuration_is_sound() {
    check(&shipped("conf/kawal.yaml"));
}

#[test]
fn the_configurations_in_the_readme_are_sound_and_short() {
    let readme = shipped("README.md");
    let configs = readme.split("```yaml\n").skip(1);
    let configs: Vec<_> = configs
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    assert_eq!(configs.len(), 3);
    let whole = configs[0];
    for config in configs {
        assert!(config.lines().count() <= 16, "it grew");
        // A part is meant for the end of a whole one.
        match config.starts_with("listen:") {
            true => check(config),
            false => check(&format!("{whole}{config}")),
        }
    }
}

#[test]
fn the_configuration_of_the_example_for_kubernetes_is_sound() {
    check(&shipped("k8s/example/kawal.yaml"));
}

/// Whatever can be set is documented where users look for it.
#[test]
fn every_key_is_documented() {
    let (documented, mut keys) = (shipped("conf/kawal.yaml"), 0);
    let everything = shipped("tests/config/valid/everything.yaml");
    for line in everything
        .lines()
        .filter(|line| !line.trim().starts_with('#'))
    {
        for word in line.split([' ', '{', '-', '[']) {
            if let Some(key) = word.strip_suffix(':') {
                keys += 1;
                assert!(
                    documented.contains(&format!("{key}:")),
                    "{key} is not documented"
                );
            }
        }
    }
    assert!(keys > 30, "the check sees nothing: {keys} keys");
}

fn shipped(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
}

/// Checks a configuration whose secrets stand in a folder of ours.
fn check(config: &str) {
    let folder = Folder::new();
    let secrets = format!("file:{}/", folder.0.display());
    let config = config.replace("file:/run/secrets/", &secrets);
    let key = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys/gateway-public.pem");
    let config = config.replace("/etc/kawal/doku-public.pem", key.to_str().unwrap());
    for reference in config.split(&secrets).skip(1) {
        let name = reference.split([']', ',', '\n', ' ']).next().unwrap();
        let file = folder.0.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, "U0stYS1zZWNyZXQtZm9yLXRoZS1jaGVjaw==\n").unwrap();
    }
    let file = folder.0.join("kawal.yaml");
    fs::write(&file, config).unwrap();
    let checked = command()
        .args(["check", "--config"])
        .arg(&file)
        .env("PIVOT_CALLBACK_API_KEY", "cb-a-key-for-the-check")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&checked.stderr);
    assert_eq!(checked.status.code(), Some(0), "{told}");
}

struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let thread = std::thread::current();
        let name = thread.name().unwrap_or_default().replace("::", "-");
        let path = std::env::temp_dir().join(format!("kawal-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
