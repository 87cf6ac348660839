//! `kawal check` takes every configuration in the manifests, as the container would read it.

use std::fs;

use crate::cli::run;
use crate::harness::config::Folder;
use crate::harness::kawal::command;
use crate::harness::*;

const CONFIG: &str = "/etc/kawal/kawal.yaml";

#[test]
fn the_configuration_is_sound_in_its_container() {
    for one in Kubectl::render_all().iter().flat_map(Rendered::guarded) {
        let folder = Folder::new();
        // What a container has at `/` stands in a folder here.
        let moved = |text: &str| {
            let file = format!("file:{}/", folder.path().display());
            text.replace("file:/", &file)
                // Nobody answers there, which is a warning only.
                .replace("@kawal-ledger:6379/", "@127.0.0.1:1/")
        };
        for secret in one.secrets() {
            let name = &one.volume(&secret)["secret"]["secretName"];
            assert!(name == "kawal" || name == "kawal-ledger", "{}", one.name);
            let file = folder.path().join(secret.trim_start_matches('/'));
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "SK-a-secret-for-the-check").unwrap();
        }
        let args = one.kawal()["args"].as_array().unwrap();
        assert_eq!(args, &["serve", "--config", CONFIG], "{}", one.name);
        assert_eq!(one.volume(CONFIG)["configMap"]["name"], "kawal");
        let config = folder.path().join("kawal.yaml");
        fs::write(&config, moved(&one.file)).unwrap();
        let checked = run(command()
            .args(["check", "--config"])
            .arg(&config)
            .envs(one.env().iter().map(|(name, value)| (name, moved(value))))
            // Put into the container for the store's Service.
            .env("KAWAL_LEDGER_SERVICE_HOST", "10.96.0.9")
            .env("KAWAL_LEDGER_PORT", "tcp://10.96.0.9:6379")
            .env("KAWAL_LEDGER_PORT_6379_TCP_PORT", "6379"));
        assert_eq!(checked.code, Some(0), "{}: {checked:#?}", one.name);
    }
}
