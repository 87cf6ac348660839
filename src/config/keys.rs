//! Clients and their keys.

use super::fault::{Faults, join};
use super::files::Reader;
use super::shape::ClientShape;
use crate::scheme::{AnswerForm, Scheme};
use crate::secret::{Client, KeyFormat, KeyKind, PublicKey, Reference, Secret};
use figment::value::Value;
use std::collections::BTreeSet;

/// What the clients of one gateway need.
pub(super) struct Keys<'a> {
    /// `None` where the gateway names none that is known.
    pub(super) scheme: Option<&'a Scheme>,
    /// Whether it has a token route.
    pub(super) issues: bool,
    /// Reads their files.
    pub(super) files: &'a Reader,
}

impl Keys<'_> {
    /// All clients of the gateway at `path`.
    pub(super) fn clients(
        &self,
        faults: &mut Faults,
        warnings: &mut Vec<String>,
        path: &str,
        declared: &[Value],
    ) -> Vec<Client> {
        if declared.is_empty() {
            faults.add(
                join(path, "clients"),
                "is empty; at least one client is required",
            );
        }
        let mut ids = BTreeSet::new();
        let mut sound: Vec<Client> = Vec::new();
        for (index, value) in declared.iter().enumerate() {
            let path = format!("{path}.clients[{index}]");
            let Some(shape) = faults.section::<ClientShape>(&path, value) else {
                continue;
            };
            self.check_id(faults, &path, &shape);
            // Where a scheme names no client, each stands for itself.
            let named = |scheme: &Scheme| scheme.needs_client_id().is_some();
            if self.scheme.is_none_or(named) && !ids.insert(shape.id.clone()) {
                faults.add(
                    join(&path, "id"),
                    "another client has this id already; put the secrets of both into one",
                );
            }
            sound.push(Client {
                secrets: self.secrets(faults, warnings, &path, &shape.secrets),
                public_keys: self.public_keys(faults, warnings, &path, &shape.public_keys),
                id: shape.id.map(Into::into),
            });
        }
        sound
    }

    fn check_id(&self, faults: &mut Faults, path: &str, shape: &ClientShape) {
        let at = join(path, "id");
        match (self.scheme.and_then(Scheme::needs_client_id), &shape.id) {
            (Some(true), None) => {
                faults.add(at, "missing: this scheme's notifications name their client");
            }
            (None, Some(_)) if self.scheme.is_some() => {
                faults.add(at, "this scheme names no client; leave it out");
            }
            (_, Some(id)) if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_graphic()) => {
                faults.add(at, "must be visible ASCII without spaces");
            }
            _ => {}
        }
    }

    fn secrets(
        &self,
        faults: &mut Faults,
        warnings: &mut Vec<String>,
        path: &str,
        references: &[String],
    ) -> Vec<Secret> {
        let at = join(path, "secrets");
        let demand = Demand {
            kind: KeyKind::Secret,
            lacking: "is empty; at least one secret is required",
            lacking_for_tokens: "is empty; the token route makes its tokens of a secret",
        };
        self.check_use(faults, warnings, &at, references, &demand);
        let mut loaded = Vec::new();
        for (index, text) in references.iter().enumerate() {
            let at = format!("{at}[{index}]");
            let plain = KeyFormat::default();
            let format = self.scheme.map_or(&plain, Scheme::key);
            let read = |bytes| Secret::read(bytes, format);
            let Some(secret) = self.load(faults, &at, text, read) else {
                continue;
            };
            if secret.is_weak() {
                let says = "shorter than 16 bytes, which is easy to guess";
                warnings.push(format!("{at}: {says}"));
            }
            loaded.push(secret);
        }
        loaded
    }

    fn public_keys(
        &self,
        faults: &mut Faults,
        warnings: &mut Vec<String>,
        path: &str,
        references: &[String],
    ) -> Vec<PublicKey> {
        let at = join(path, "public_keys");
        let demand = Demand {
            kind: KeyKind::PublicKey,
            lacking: "is empty; this scheme verifies with the gateway's public key",
            lacking_for_tokens: "is empty; requests at the token route are signed with the gateway's key",
        };
        self.check_use(faults, warnings, &at, references, &demand);
        let references = references.iter().enumerate();
        let loaded = references.filter_map(|(index, text)| {
            let parse = |bytes: Vec<u8>| match self.scheme.filter(|scheme| scheme.is_ed25519()) {
                Some(scheme) => PublicKey::parse_ed25519(&bytes, scheme.key()),
                None => PublicKey::parse(&bytes),
            };
            self.load(faults, &format!("{at}[{index}]"), text, parse)
        });
        loaded.collect()
    }

    /// Keys that are needed are there, and those that are there are needed.
    fn check_use(
        &self,
        faults: &mut Faults,
        warnings: &mut Vec<String>,
        at: &str,
        references: &[String],
        demand: &Demand,
    ) {
        let Some(scheme) = self.scheme else {
            return;
        };
        let verifies = scheme.key_kind() == demand.kind;
        match (references.is_empty(), verifies, self.issues) {
            (true, true, _) => faults.add(at, demand.lacking),
            (true, false, true) => faults.add(at, demand.lacking_for_tokens),
            (false, false, false) if scheme.answers() == AnswerForm::Snap => {
                let says = "of use to a token route only, and none names this gateway";
                warnings.push(format!("{at}: {says}"));
            }
            (false, false, false) => {
                let says = format!(
                    "scheme {} verifies without them; leave it out",
                    scheme.name()
                );
                faults.add(at, says);
            }
            (true, false, false) | (false, true, _) | (false, _, true) => {}
        }
    }

    fn load<K>(
        &self,
        faults: &mut Faults,
        at: &str,
        text: &str,
        parse: impl FnOnce(Vec<u8>) -> Result<K, String>,
    ) -> Option<K> {
        let reference = text.parse::<Reference>();
        faults.take(
            at,
            reference.and_then(|reference| self.files.load(&reference, parse)),
        )
    }
}

/// One kind of keys, and what is said where there are none.
struct Demand {
    kind: KeyKind,
    lacking: &'static str,
    lacking_for_tokens: &'static str,
}
