//! The built-in schemes: files in the language that users write.

use super::{Declaration, Scheme};

/// A built-in scheme, as text.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Its declaration, as YAML.
    pub yaml: &'static str,
}

impl Preset {
    /// All built-in schemes, by name.
    pub const ALL: [Self; 5] = [
        Self {
            name: "doku",
            yaml: include_str!("preset/doku.yaml"),
        },
        Self {
            name: "doku-qris",
            yaml: include_str!("preset/doku-qris.yaml"),
        },
        Self {
            name: "pivot",
            yaml: include_str!("preset/pivot.yaml"),
        },
        Self {
            name: "snap",
            yaml: include_str!("preset/snap.yaml"),
        },
        Self {
            name: "snap-asymmetric",
            yaml: include_str!("preset/snap-asymmetric.yaml"),
        },
    ];

    /// The scheme of requests for an access token, which no notification is proven by.
    pub const TOKEN_REQUEST: Self = Self {
        name: "snap-token",
        yaml: include_str!("preset/snap-token.yaml"),
    };

    /// The built-in scheme of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|preset| preset.name == name)
    }

    /// Compiles it.
    ///
    /// # Errors
    /// A sentence that names the fault; a test holds that no built-in file has one.
    pub fn scheme(self) -> Result<Scheme, String> {
        let declaration: Declaration =
            serde_yaml::from_str(self.yaml).map_err(|error| error.to_string())?;
        Scheme::compile(self.name, declaration).map_err(|fault| fault.to_string())
    }
}
