//! `conf/schemes.md` is true: every scheme in it compiles, every notification in it is accepted, and no
//! word of the language is left out.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::harness::config::Folder;
use crate::harness::kawal::command;
use crate::harness::tests_folder;

const CLIENT: &str = "CLIENT-1";
const SECRET: &str = "SK-schemes-example";
const ED25519_KEY: &str = "Yo7ZepbfTZ3HdUgO7w1QOKdfLub3/sEmVcpJ2a7oxxw=";

const KINDS: [&str; 5] = ["hmac", "digest", "rsa-sha256", "ed25519", "static"];

/// Schemes whose messages leave a border open, as the page says of them or of their gateway.
const WITHOUT_BORDER: [&str; 3] = ["nicepay", "tegro", "values-alone"];

#[test]
fn every_scheme_compiles() {
    let examples = examples();
    assert!(examples.len() >= 15, "only {} examples", examples.len());
    for kind in KINDS {
        let found = examples.iter().any(|example| example.kind() == kind);
        assert!(found, "no example of {kind}");
    }
    for example in examples {
        let (code, told) = example.check();
        assert_eq!(code, Some(0), "{}: {told}", example.name);
        assert!(told.contains(&example.name), "{told}");
        let open = told.contains("joined without a border");
        let expected = WITHOUT_BORDER.contains(&&*example.name);
        assert_eq!(open, expected, "{}: {told}", example.name);
    }
}

#[test]
fn every_notification_is_accepted_and_no_other() {
    let mut kinds = Vec::new();
    for example in examples() {
        let Some(request) = &example.request else {
            continue;
        };
        kinds.push(example.kind().to_owned());
        let (code, told) = example.verify(request);
        assert_eq!(code, Some(0), "{}: {told}", example.name);
        if example.kind() == "static" {
            continue;
        }
        for (from, to) in [("1001", "1002"), ("11500", "91500"), ("1234&", "1235&")] {
            let (code, told) = example.verify(&request.replace(from, to));
            let expected = if request.contains(from) { 1 } else { 0 };
            assert_eq!(code, Some(expected), "{} with {to}: {told}", example.name);
        }
    }
    assert_eq!(kinds, KINDS);
}

/// The print on the page is that of a capture with a newline too many.
#[test]
fn the_judgement_is_printed_so() {
    let (page, example) = (page(), examples().remove(0));
    let (_, print) = page.split_once("```text\n").unwrap();
    let (print, _) = print.split_once("```").unwrap();
    let request = example.request.clone().unwrap() + "\n";
    assert_eq!(example.verify(&request), (Some(1), print.to_owned()));
}

/// What the program itself says that there is stands on the page.
#[test]
fn every_key_is_explained() {
    let page = page();
    let schema = command().args(["check", "--schema"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let mut keys = 0;
    for part in ["Declaration", "ProofDeclaration", "KeyFormat", "Freshness"] {
        let properties = &schema["$defs"][part]["properties"];
        let properties = properties.as_object();
        for key in properties
            .unwrap_or_else(|| panic!("no {part} in the schema"))
            .keys()
        {
            keys += 1;
            assert!(page.contains(&format!("`{key}`")), "{key} is not explained");
        }
    }
    assert!(keys >= 26, "the check sees nothing: {keys} keys");
}

#[test]
fn every_source_and_filter_is_explained() {
    let (page, mut words) = (page(), 0);
    for (wrong, before) in [
        ("{body|md6}", "unknown filter"),
        ("{nothing}", "unknown source"),
    ] {
        let mut example = examples().remove(0);
        example.text = example.text.replace("{body}", wrong);
        let (code, told) = example.check();
        assert_eq!(code, Some(78), "{told}");
        let (_, told) = told.split_once(before).unwrap();
        let (_, names) = told.split_once("right are ").unwrap();
        let names = names.lines().next().unwrap().split([',', ' ']);
        for name in names.filter(|name| !name.is_empty()) {
            words += 1;
            let explained = page.contains(&format!("`{name}`")) || PROSE.contains(&name);
            assert!(explained, "{name} is not explained");
        }
    }
    assert!(words > 18, "the check sees nothing: {words} words");
}

/// Words around names in what the program says, and names that the page writes in another form.
const PROSE: [&str; 5] = ["and", "places", "such", "as", "(TEMPLATE)"];

/// A `schemes` section of the page, and the notification that follows it there.
struct Example {
    name: String,
    text: String,
    declaration: serde_yaml::Value,
    request: Option<String>,
    at: Option<String>,
}

fn examples() -> Vec<Example> {
    let page = page();
    let parts = page.split("```yaml\n").skip(1);
    parts.map(Example::read).collect()
}

impl Example {
    fn read(part: &str) -> Self {
        let (text, rest) = part.split_once("```\n").unwrap();
        let section: serde_yaml::Mapping = serde_yaml::from_str(text).unwrap();
        assert_eq!(section.len(), 1, "not a `schemes` section alone: {text}");
        let schemes = section["schemes"].as_mapping().unwrap();
        assert_eq!(schemes.len(), 1, "{text}");
        let (name, declaration) = schemes.iter().next().unwrap();
        let request = rest.split_once("```http\n").map(|(_, rest)| {
            let (request, _) = rest.split_once("\n```\n").unwrap();
            request.to_owned()
        });
        let at = rest.split_once("kawal verify --config kawal.yaml --at ");
        let at = at.map(|(_, rest)| rest.split_once(' ').unwrap().0.to_owned());
        Self {
            name: name.as_str().unwrap().to_owned(),
            text: text.to_owned(),
            declaration: declaration.clone(),
            at: at.filter(|_| request.is_some()),
            request,
        }
    }

    fn kind(&self) -> &str {
        self.declaration["proof"]["kind"].as_str().unwrap()
    }

    /// A whole configuration around it.
    fn write(&self, folder: &Folder) -> PathBuf {
        let key = folder.path().join("key");
        fs::write(&key, self.key()).unwrap();
        let keys = match self.kind() {
            "rsa-sha256" | "ed25519" => "public_keys",
            _ => "secrets",
        };
        let id = match self.declaration.get("client") {
            Some(_) => format!("id: {CLIENT}, "),
            None => String::new(),
        };
        let (text, name, key) = (&self.text, &self.name, key.display());
        let config = format!(
            "listen: 127.0.0.1:0\nupstream: http://127.0.0.1:3000\n{text}gateways:\n  \
             shop: {{scheme: {name}, clients: [{{{id}{keys}: [\"file:{key}\"]}}]}}\n\
             routes: [{{path: /payments, gateway: shop}}]\n"
        );
        let file = folder.path().join("kawal.yaml");
        fs::write(&file, config).unwrap();
        file
    }

    /// The key as a gateway of this scheme shows it.
    fn key(&self) -> String {
        match self.kind() {
            "rsa-sha256" => {
                return fs::read_to_string(tests_folder().join("keys/interop-public.pem")).unwrap();
            }
            "ed25519" => return format!("{ED25519_KEY}\n"),
            _ => {}
        }
        let format = &self.declaration["proof"]["key"];
        let prefix = format["prefix"].as_str().unwrap_or_default();
        let key = match format["encoding"].as_str() {
            Some("base64") => STANDARD.encode(SECRET),
            Some("hex") => SECRET.bytes().map(|byte| format!("{byte:02x}")).collect(),
            _ => SECRET.to_owned(),
        };
        format!("{prefix}{key}\n")
    }

    /// The code of `kawal check`, and all that it told.
    fn check(&self) -> (Option<i32>, String) {
        let folder = Folder::new();
        run(&["check"], &self.write(&folder), &[], "")
    }

    /// The code of `kawal verify` at the time that the page names, and all that it told.
    fn verify(&self, request: &str) -> (Option<i32>, String) {
        let folder = Folder::new();
        let at = self.at.as_deref().map_or(Vec::new(), |at| vec!["--at", at]);
        run(
            &["verify"],
            &self.write(&folder),
            &[&at[..], &["-"]].concat(),
            request,
        )
    }
}

fn run(first: &[&str], file: &Path, last: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = command()
        .args(first)
        .arg("--config")
        .arg(file)
        .args(last)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that reads nothing may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().unwrap();
    let told = [done.stdout, done.stderr].concat();
    (
        done.status.code(),
        String::from_utf8_lossy(&told).into_owned(),
    )
}

fn page() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/schemes.md");
    fs::read_to_string(file).unwrap()
}
