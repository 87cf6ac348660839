//! A configuration file of the fixtures, beside the secrets and keys that it names.

use std::fs;

use crate::cli::run;
use crate::harness::config::Folder;
use crate::harness::kawal::command;
use crate::harness::keys::{hook_keys, key_files, key_text};
use crate::harness::*;

/// No output may show any of these.
const SECRETS: [&str; 5] = [
    "canary-in-a-file-0123456789abcdef",
    "canary-in-the-environment-0123456789",
    "s3cr3",
    "SK-bare-secret-value-6f1d",
    "MCowBQYDK2VwAyEAcanarycanarycanary",
];

/// A file in a folder with the secrets that it names.
pub struct Fixture {
    pub name: String,
    pub text: String,
    pub folder: Folder,
}

impl Fixture {
    /// Fills in the folder and lays the secrets beside the file.
    pub fn new(name: &str, text: &str) -> Self {
        let folder = Folder::new();
        let [key, _, five, _, public] = SECRETS;
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{public}\n-----END PUBLIC KEY-----\n");
        // Named for no fault: the name is part of the error, and must not be what satisfies the test.
        let files = [
            ("key", key),
            ("blank", ""),
            ("five", five),
            ("public", &pem),
        ];
        for (name, content) in files {
            fs::write(folder.path().join(name), format!("{content}\n")).unwrap();
        }
        for (name, content) in key_files().into_iter().chain(hook_keys()) {
            fs::write(folder.path().join(name), content).unwrap();
        }
        let text = text.replace("@DIR@", folder.path().to_str().unwrap());
        let fixture = Self {
            name: name.to_owned(),
            text,
            folder,
        };
        fs::write(fixture.file(), &fixture.text).unwrap();
        fixture
    }

    pub fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("given.yaml")
    }

    /// Runs a command on it, and looks for secrets in all that it prints.
    pub fn run(&self, words: &[&str], env: &[(&str, &str)]) -> Exit {
        let exit = run(command()
            .args(words)
            .arg("--config")
            .arg(self.file())
            .env("TEST_SECRET", SECRETS[1])
            .env("TEST_PUBLIC_KEY", key_text("other-public.pem"))
            .env_remove("ABSENT_SECRET")
            .envs(env.iter().copied())
            .current_dir(self.folder.path()));
        for secret in SECRETS {
            let shown = exit.stdout.contains(secret) || exit.stderr.contains(secret);
            assert!(!shown, "{} shows {secret}", self.name);
        }
        for (name, secret) in hook_keys().iter().filter(|(name, _)| *name != "edwards") {
            let shown = (exit.stdout.clone() + &exit.stderr).contains(secret.trim());
            assert!(!shown, "{} shows {name}", self.name);
        }
        let private = key_text("gateway-private.pem");
        for line in private.lines().filter(|line| !line.starts_with('-')) {
            let shown = exit.stdout.contains(line) || exit.stderr.contains(line);
            assert!(!shown, "{} shows a private key", self.name);
        }
        exit
    }

    /// Compares with the first lines of the file. Each tells one fault: `# KEY.PATH | words | other words`, where
    /// any of the words will do, `&` joins those that belong together, and `-` is a fault without a key.
    pub fn judge(&self, exit: &Exit) -> Vec<String> {
        let mut failures = Vec::new();
        if exit.code != Some(78) {
            failures.push(format!("exit code {:?}", exit.code));
        }
        let file = self.file().display().to_string();
        let folder = self.folder.path().to_str().unwrap();
        for line in exit.stderr.lines() {
            if !line.starts_with("kawal: ") || !line.contains(&file) {
                failures.push(format!("a line of another kind: {line}"));
            }
        }
        let faults: Vec<_> = self
            .text
            .lines()
            .map_while(|l| l.strip_prefix("# "))
            .collect();
        assert!(!faults.is_empty(), "{} does not tell its fault", self.name);
        for fault in &faults {
            let (key, words) = fault.split_once(" | ").unwrap();
            let key = key.trim_start_matches('-');
            let told = |line: &str| {
                let line = line.replace(folder, "");
                let rest = line.replacen(key, "", 1).to_lowercase();
                let any = |words: &str| words.split(" & ").all(|word| rest.contains(word));
                line.contains(key) && words.to_lowercase().split(" | ").any(any)
            };
            if !exit.stderr.lines().any(told) {
                failures.push(format!("not told: {fault}"));
            }
        }
        // A file that is no configuration at all may be short of several things.
        let several = faults.iter().any(|fault| fault.starts_with('-'));
        if !several && exit.stderr.lines().count() != faults.len() {
            failures.push(format!("{} lines expected", faults.len()));
        }
        failures
    }
}

pub fn fixtures(kind: &str, at_least: usize) -> Vec<Fixture> {
    let folder = tests_folder().join("config").join(kind);
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            Fixture::new(name, &fs::read_to_string(&path).unwrap())
        })
        .collect();
    assert!(found.len() >= at_least, "the table is thinner than it was");
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found
}
