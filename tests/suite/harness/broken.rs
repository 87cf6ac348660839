//! What Kawal was loaded from, broken in many ways while it runs.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::gateway::{BRN, BRN_SECRET};
use super::keys::key_text;
use super::snap::{RSA_PAYMENT, Snap};
use super::{App, Config, Kawal};

/// Kawal with secrets and public keys, and the words to break what it was loaded from.
pub struct Broken {
    pub app: App,
    pub kawal: Kawal,
    failures: usize,
}

impl Broken {
    pub fn new() -> Self {
        let app = App::start();
        let config = Config::snap(&app);
        let key = config.secret("own.pem", key_text("gateway-public.pem"));
        let clients = json!([{"id": BRN, "public_keys": [key]}]);
        let kawal = Kawal::start(config.set("gateways.doku-rsa.clients", clients));
        Self {
            app,
            kawal,
            failures: 0,
        }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.kawal.config.folder.path().join(name)
    }

    /// Takes away whatever stands there, of whatever kind.
    pub fn remove(&self, name: &str) {
        let file = self.file(name);
        let _ = fs::remove_file(&file).or_else(|_| fs::remove_dir(&file));
    }

    /// A hangup finds it broken: it says so with all of these words, once, and serves on.
    #[track_caller]
    pub fn is_told(&mut self, case: &str, words: &[&str]) -> Value {
        let before = self.errors();
        let line = self.kawal.hang_up_in_vain();
        self.failures += 1;
        assert_eq!(line["what"], "config", "{case}");
        assert_tells(case, &line, words);
        self.serves();
        assert_eq!(self.errors(), before + 1, "{case}: {}", self.kawal.output());
        assert_eq!(
            self.kawal.reload_count("config", "failure"),
            self.failures,
            "{case}"
        );
        line
    }

    /// The old keys and routes are in force, of every kind.
    #[track_caller]
    pub fn serves(&self) {
        self.kawal.serves(&self.app);
        self.kawal.wait_for_metric("kawal_reload_failed", 1.0);
        let by_rsa = Snap::new("{}").target(RSA_PAYMENT);
        assert_eq!(self.kawal.send(&by_rsa.sign_rsa()).status, 200);
        assert_eq!(
            self.kawal.send(&by_rsa.with_signature("Zm9yZ2Vk")).status,
            401
        );
    }

    fn errors(&self) -> usize {
        let lines = self.kawal.log();
        lines.iter().filter(|line| line["level"] == "error").count()
    }

    /// Everything as it was.
    #[track_caller]
    pub fn mend(&self) {
        self.remove("config.yaml");
        self.remove("brn");
        self.remove("own.pem");
        self.kawal.config.write();
        self.kawal.config.secret("brn", BRN_SECRET);
        self.kawal
            .config
            .secret("own.pem", key_text("gateway-public.pem"));
        self.kawal.hang_up();
        self.kawal.wait_for_metric("kawal_reload_failed", 0.0);
    }
}

/// The reason holds all of these words, each in a place of its own; of several with bars between them, one.
#[track_caller]
pub fn assert_tells(case: &str, line: &Value, words: &[&str]) {
    let why = line["why"].as_str().expect("why").to_lowercase();
    assert!(!why.contains('\n'), "{case}: {why}");
    let mut rest = why.clone();
    for word in words {
        let told = word
            .split('|')
            .map(str::to_lowercase)
            .find(|word| rest.contains(word));
        let told = told.unwrap_or_else(|| panic!("{case} does not tell of {word}: {why}"));
        rest = rest.replace(&told, "");
    }
}
