//! k8s/README.md can be followed to the letter: its files are sound, its commands exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::config::Folder;
use crate::harness::kawal::command;
use crate::harness::*;

#[test]
fn what_it_tells_to_write_guards_an_app() {
    let Some(kubectl) = Kubectl::find() else {
        return;
    };
    let blocks = blocks("yaml");
    let (config, base) = (&blocks[0], parsed(&blocks[1]));
    let judges = Judges::installed();
    let (mut parts, mut texts) = (0, BTreeSet::new());
    for block in &blocks[1..] {
        // Its first line says where it belongs; what stands there stays but for the same keys.
        let place = block.lines().next().unwrap();
        let name = if place.contains("billing/") {
            "billing"
        } else {
            "shop"
        };
        let folder = merchant(name, config);
        let home = folder.path().join(name);
        let mut whole = base.clone();
        if place.contains("a file of yours") {
            fs::write(home.join("policy.yaml"), block).unwrap();
            whole["resources"]
                .as_array_mut()
                .unwrap()
                .push(json!("policy.yaml"));
        } else if place.contains("/base/") {
            fs::create_dir(home.join("base")).unwrap();
            let app = fs::read_to_string(home.join("deployment.yaml")).unwrap();
            let app = app.replace(r#""kawal":"guarded""#, r#""made":"by-helm""#);
            fs::write(home.join("base/rendered.yaml"), app).unwrap();
            fs::write(home.join("base/kustomization.yaml"), block).unwrap();
            whole["resources"] = json!(["base", "service.yaml"]);
        } else {
            parts += 1;
            for (key, value) in parsed(block).as_object().unwrap() {
                whole[key] = value.clone();
            }
        }
        fs::write(home.join("kustomization.yaml"), whole.to_string()).unwrap();
        let rendered = Rendered::new(place, kubectl.kustomize(&home).unwrap());
        let guarded = rendered.guarded();
        assert_eq!(guarded.len(), 1, "{place}");
        assert_eq!(guarded[0].file, *config, "{place}");
        let image = "registry.example.com/kawal:0.1.0";
        assert_eq!(guarded[0].kawal()["image"], image, "{place}");
        for secret in guarded[0].secrets() {
            guarded[0].volume(&secret);
        }
        let file = home.join("rendered.yaml");
        fs::write(&file, rendered.known().join("\n---\n")).unwrap();
        let (refused, _) = judges.validate(&file, Some("1.33"));
        assert!(refused.is_empty(), "{place}: {refused:#?}");
        assert!(
            texts.insert(rendered.text.clone()) || place.contains("/base/"),
            "{place}"
        );
    }
    assert_eq!((parts, blocks.len()), (4, 7));
}

#[test]
fn its_configuration_is_the_examples_and_is_sound() {
    let config = &blocks("yaml")[0];
    let example = fs::read_to_string(repository().join("k8s/example/kawal.yaml")).unwrap();
    assert_eq!(parsed(config), parsed(&example));
    let folder = merchant("shop", config);
    let key = folder.path().join("doku-secret-key");
    fs::write(&key, "SK-a-secret-for-the-check\n").unwrap();
    let config = config.replace("/run/secrets/kawal/doku-secret-key", key.to_str().unwrap());
    fs::write(folder.path().join("kawal.yaml"), config).unwrap();
    let file = folder.path().join("kawal.yaml");
    let checked = command().args(["check", "--config"]).arg(file).output();
    assert_eq!(checked.unwrap().status.code(), Some(0));
}

/// As far as they need no cluster.
#[test]
fn its_commands_do_what_it_says() {
    let Some(kubectl) = Kubectl::find() else {
        return;
    };
    let commands: Vec<_> = blocks("sh")
        .iter()
        .flat_map(|block| {
            let joined = block.replace("\\\n", " ");
            joined.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    assert!(commands.len() >= 12, "the check sees nothing");
    let folder = merchant("shop", &blocks("yaml")[0]);
    for name in ["doku-secret-key", "doku-secret-key-new"] {
        fs::write(folder.path().join(name), "key\n").unwrap();
    }
    let mut tried = 0;
    for line in &commands {
        // What goes to the cluster at the end is shown instead.
        let line = line
            .split(" | kubectl -n shop")
            .next()
            .unwrap()
            .replace(
                "create secret generic kawal --from-file=doku-secret-key",
                "create secret generic kawal --dry-run=client -o yaml --from-file=doku-secret-key",
            )
            .replace("kubectl ", &format!("{} ", kubectl.path().display()));
        if !line.contains("create secret") && !line.starts_with("sh ") {
            continue;
        }
        tried += 1;
        let done = Command::new("sh")
            .args(["-c", &line])
            .env("KUBECONFIG", "/dev/null")
            .current_dir(folder.path())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{line}: {told}");
        let made = Rendered::new(&line, String::from_utf8(done.stdout).unwrap());
        assert_eq!(made.of_kind("Secret").len(), 1, "{line}");
    }
    assert_eq!(tried, 3);
    let makefile = fs::read_to_string(repository().join("Makefile")).unwrap();
    assert!(makefile.contains("\nimage:"));
}

#[test]
fn it_is_short_and_its_links_lead_somewhere() {
    let page = page();
    assert!(page.lines().count() <= 280, "it grew");
    let mut links = 0;
    for rest in page.split("](").skip(1) {
        links += 1;
        let link = rest.split(')').next().unwrap();
        let (file, place) = link.split_once('#').unwrap_or((link, ""));
        let file = match file {
            "" => repository().join("k8s/README.md"),
            file => repository().join("k8s").join(file),
        };
        assert!(file.exists(), "{link}");
        if !place.is_empty() {
            let text = fs::read_to_string(file).unwrap();
            let mut titles = text.lines().filter(|line| line.starts_with('#'));
            assert!(titles.any(|title| anchor(title) == place), "{link}");
        }
    }
    assert!(links >= 5, "the check sees nothing");
}

/// What a heading is called in links.
fn anchor(title: &str) -> String {
    let title = title.trim_start_matches('#').trim().to_lowercase();
    let kept = title.replace(' ', "-");
    kept.chars()
        .filter(|c| c.is_alphanumeric() || *c == '-')
        .collect()
}

/// A merchant's folder beside this repository, with an app as it was.
fn merchant(name: &str, config: &str) -> Folder {
    let folder = Folder::new();
    let home = folder.path().join(name);
    fs::create_dir(&home).unwrap();
    std::os::unix::fs::symlink(repository(), folder.path().join("kawal")).unwrap();
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {"kawal": "guarded"}},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [
                {"name": "shop", "image": "shop:1.0.0", "ports": [{"name": "http", "containerPort": 3000}]},
            ]}},
        },
    });
    let service = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "shop"},
        "spec": {"selector": {"app": "shop"}, "ports": [{"port": 80, "targetPort": "http"}]},
    });
    for (file, content) in [
        ("deployment.yaml", deployment.to_string()),
        ("service.yaml", service.to_string()),
        ("kawal.yaml", config.to_owned()),
    ] {
        fs::write(home.join(file), content).unwrap();
    }
    folder
}

fn parsed(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap()
}

/// Everything between fences of this language.
fn blocks(language: &str) -> Vec<String> {
    let page = page();
    let fence = format!("```{language}\n");
    let fences = page.split(&fence).skip(1);
    fences
        .map(|rest| rest.split("```").next().unwrap().to_owned())
        .collect()
}

fn page() -> String {
    fs::read_to_string(repository().join("k8s/README.md")).unwrap()
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
