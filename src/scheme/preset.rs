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
    pub const ALL: [Self; 19] = [
        Self::new("adyen", include_str!("preset/adyen.yaml")),
        Self::new("doku", include_str!("preset/doku.yaml")),
        Self::new("doku-qris", include_str!("preset/doku-qris.yaml")),
        Self::new("duitku", include_str!("preset/duitku.yaml")),
        Self::new("durianpay-snap", include_str!("preset/durianpay-snap.yaml")),
        Self::new("faspay", include_str!("preset/faspay.yaml")),
        Self::new("github", include_str!("preset/github.yaml")),
        Self::new("midtrans", include_str!("preset/midtrans.yaml")),
        Self::new("nicepay-snap", include_str!("preset/nicepay-snap.yaml")),
        Self::new("pivot", include_str!("preset/pivot.yaml")),
        Self::new("razorpay", include_str!("preset/razorpay.yaml")),
        Self::new("snap", include_str!("preset/snap.yaml")),
        Self::new(
            "snap-asymmetric",
            include_str!("preset/snap-asymmetric.yaml"),
        ),
        Self::new(
            "standard-webhooks",
            include_str!("preset/standard-webhooks.yaml"),
        ),
        Self::new(
            "standard-webhooks-asymmetric",
            include_str!("preset/standard-webhooks-asymmetric.yaml"),
        ),
        Self::new("stripe", include_str!("preset/stripe.yaml")),
        Self::new("svix", include_str!("preset/svix.yaml")),
        Self::new("tripay", include_str!("preset/tripay.yaml")),
        Self::new("xendit", include_str!("preset/xendit.yaml")),
    ];

    /// The scheme of requests for an access token, which no notification is proven by.
    pub const TOKEN_REQUEST: Self = Self::new("snap-token", include_str!("preset/snap-token.yaml"));

    const fn new(name: &'static str, yaml: &'static str) -> Self {
        Self { name, yaml }
    }

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
