//! A scheme as it is written: the language of the built-in files.

use super::proof::{Encoding, Hash};
use crate::secret::KeyFormat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How a gateway proves its notifications, as written in YAML.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// What it is called, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Public pages that say so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub source: Vec<String>,
    /// How sure it is that the gateway signs so.
    #[serde(default)]
    pub confidence: Confidence,
    /// Where the proof is and how it is made.
    pub proof: ProofDeclaration,
    /// Where the client's id stands; left out where the scheme names no client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientDeclaration>,
    /// The signed time; left out where none is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<TimeDeclaration>,
    /// A template of signed values; left out, the identity is the path, where that is covered, and the
    /// body; where the proof does not cover the body it is the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The place of a value by which people trace a notification. It is logged and never believed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Regular expressions that whole values must match before anything is made of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shapes: BTreeMap<String, String>,
    /// Default limits for the signed time; left out, 5 minutes either way, and 24 hours for late ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Freshness>,
    /// Default time for which a delivered notification stays known; left out, 25 hours where a time is
    /// signed, else 7 days.
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<String>")]
    pub remember: Option<Duration>,
    /// Events that are acknowledged without the app.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<TestDeclaration>,
    /// The form of answers that are not the app's.
    #[serde(default)]
    pub answers: AnswerForm,
    /// What the gateway takes for "received"; with `answers: snap`, the service decides.
    #[serde(default)]
    pub acknowledgement: Acknowledgement,
}

/// How sure it is that a gateway signs as a declaration says.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Read in the gateway's own documentation.
    Documented,
    /// Seen in public code of others only.
    Code,
    /// Not checked by anybody.
    #[default]
    Unchecked,
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Documented => "documented",
            Self::Code => "code",
            Self::Unchecked => "unchecked",
        })
    }
}

/// The form of answers that are not the app's.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AnswerForm {
    /// `{"error":"WORD"}`.
    #[default]
    Plain,
    /// SNAP BI: `responseCode` and `responseMessage`.
    Snap,
}

/// Where the proof is and how it is made.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProofDeclaration {
    /// `hmac`, `digest`, `rsa-sha256`, `ed25519` or `static`.
    pub kind: ProofKind,
    /// The hash of `hmac` and `digest`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hash: Option<Hash>,
    /// How the keys are written in their files.
    #[serde(default, skip_serializing_if = "KeyFormat::is_plain")]
    pub key: KeyFormat,
    /// A list in the body, as `json:/POINTER`, whose every item bears a proof of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub each: Option<String>,
    /// The place of the proof.
    pub at: String,
    /// What stands between several proofs; one that holds is enough.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub separator: String,
    /// Literal text before it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// How its bytes are written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) encoding: Option<Encoding>,
    /// The messages it may cover, as templates; one that matches is enough.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<String>,
}

/// The kinds of proof.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ProofKind {
    /// A keyed hash of the message.
    Hmac,
    /// A plain hash of a message that holds the secret.
    Digest,
    /// A signature of the message by the gateway's private key: PKCS#1 v1.5 with SHA-256.
    #[serde(rename = "rsa-sha256")]
    RsaSha256,
    /// A signature of the message by the gateway's private key: Ed25519.
    Ed25519,
    /// The secret itself.
    Static,
}

/// Where the client's id stands.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ClientDeclaration {
    /// Its place; left out where no notification names it, and only messages hold it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Whether a configured client may leave its id out, and then stands for any.
    #[serde(default)]
    pub optional: bool,
}

/// The signed time.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TimeDeclaration {
    /// Its place.
    pub at: String,
    /// `rfc3339`, `unix`, `unix-ms` or `yyyyMMddHHmmss`.
    pub format: String,
    /// The offset of `yyyyMMddHHmmss`, such as `+07:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// Limits for the signed time.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Freshness {
    /// Older ones are late.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub max_age: Duration,
    /// Further ahead is refused.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub max_skew: Duration,
    /// Late ones up to this age are admitted where the ledger proves them unseen.
    #[serde(with = "humantime_serde")]
    #[schemars(with = "String")]
    pub late: Duration,
}

/// Which events are tests.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TestDeclaration {
    /// The place of the event's name.
    pub at: String,
    /// A regular expression that the whole name matches.
    pub shape: String,
}

/// The answer by which a gateway knows that its notification was received.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, JsonSchema, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Acknowledgement {
    /// The status, 2xx.
    pub status: u16,
    /// `Content-Type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The body.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub body: String,
}

impl Default for Acknowledgement {
    fn default() -> Self {
        Self {
            status: 200,
            content_type: None,
            body: String::new(),
        }
    }
}
