//! Schemes: the built-in ones, and those that the user declares.

use super::fault::{Faults, join, suggest};
use crate::scheme::{Declaration, Preset, Scheme};
use figment::value::Value;
use std::collections::BTreeMap;

/// What gateways can name.
pub(super) struct Schemes<'a> {
    declared: &'a BTreeMap<String, Value>,
}

impl<'a> Schemes<'a> {
    /// Checks every declared scheme, whether a gateway names it or not.
    pub(super) fn check(faults: &mut Faults, declared: &'a BTreeMap<String, Value>) -> Self {
        for (name, value) in declared {
            let path = join("schemes", name);
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if name.is_empty() || !name.chars().all(plain) {
                let says = "a scheme's name is made of letters, digits, dots, - and _";
                faults.add(&path, says);
            }
            if Preset::find(name).is_some() || Preset::TOKEN_REQUEST.name == name {
                let says = "a built-in scheme has this name; give yours another";
                faults.add(&path, says);
            }
            compile(faults, &path, (name, value));
        }
        Self { declared }
    }

    /// The scheme of this name.
    pub(super) fn take(&self, faults: &mut Faults, at: &str, name: &str) -> Option<Scheme> {
        if let Some(value) = self.declared.get(name) {
            // Its faults have been told already.
            return compile(&mut Faults::default(), "", (name, value));
        }
        if let Some(preset) = Preset::find(name) {
            return faults.take(at, preset.scheme());
        }
        let built_in = Preset::ALL.map(|preset| preset.name);
        let own = self.declared.keys().map(String::as_str);
        let names: Vec<&str> = built_in.into_iter().chain(own).collect();
        let hint = suggest(name, &names);
        let says = match hint.contains("did you mean") {
            true => format!(
                "unknown scheme `{name}`{hint} (built in: {})",
                built_in.join(", ")
            ),
            false => format!("unknown scheme `{name}`{hint}, or declare it in `schemes`"),
        };
        faults.add(at, says);
        None
    }

    /// Declared schemes that no gateway names.
    pub(super) fn unused(&self, used: &[&str]) -> Vec<String> {
        let idle = self
            .declared
            .keys()
            .filter(|name| !used.contains(&name.as_str()));
        idle.map(|name| format!("schemes.{name}: no gateway uses it"))
            .collect()
    }
}

fn compile(faults: &mut Faults, path: &str, (name, value): (&str, &Value)) -> Option<Scheme> {
    let declaration: Declaration = faults.section(path, value)?;
    match Scheme::compile(name, declaration) {
        Ok(scheme) => Some(scheme),
        Err(fault) => {
            faults.add(join(path, &fault.at), fault.says);
            None
        }
    }
}
