//! `kawal schemes`: the built-in declarations.

use super::{Exit, complain, say, table};
use crate::scheme::Preset;

pub(super) fn run(name: Option<&str>) -> Exit {
    match name {
        None => list(),
        Some(name) => match find(name) {
            Some(preset) => say(preset.yaml, Exit::Done),
            None => {
                let names = Preset::ALL.map(|preset| preset.name).join(", ");
                complain(&format!("no built-in scheme `{name}`; there are {names}"));
                Exit::No
            }
        },
    }
}

/// Also the one of token requests, which `check` names.
fn find(name: &str) -> Option<Preset> {
    let token = Some(Preset::TOKEN_REQUEST).filter(|preset| preset.name == name);
    Preset::find(name).or(token)
}

fn list() -> Exit {
    let mut rows = vec![
        ["SCHEME", "KIND", "COVERS", "CONFIDENCE", "TITLE"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for preset in Preset::ALL {
        match preset.scheme() {
            Ok(scheme) => rows.push(vec![
                scheme.name().to_owned(),
                scheme.kind().to_owned(),
                scheme.covers().to_string(),
                scheme.confidence().to_string(),
                scheme.title().to_owned(),
            ]),
            Err(why) => {
                complain(&format!("built-in scheme {}: {why}", preset.name));
                return Exit::Internal;
            }
        }
    }
    say(&table(&rows), Exit::Done)
}
