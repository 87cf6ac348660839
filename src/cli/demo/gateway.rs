//! The gateways of the demo: one for every built-in scheme, with keys made for the occasion.

use super::signer::Signer;
use crate::cli::http::{self, Answer};
use crate::cli::notification::{Body, Sender};
use crate::cli::sample::Sample;
use crate::scheme::{AnswerForm, Draft, Preset, Scheme};
use crate::secret::{Client, KeyEncoding, KeyKind, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// One sender.
pub(super) struct SampleGateway {
    pub(super) name: &'static str,
    scheme: Scheme,
    key: String,
    /// Signs what no shared secret signs, and requests for access tokens.
    signer: Option<Signer>,
    /// The access token that its notifications bear.
    token: Option<String>,
}

const CLIENT: &str = "BRN-0201-1690274481481";
/// Where an id is made of digits.
const MERCHANT: &str = "936008990000047435";

impl SampleGateway {
    pub(super) fn new(preset: Preset) -> Result<Self, String> {
        let scheme = preset.scheme()?;
        let signer = match scheme.key_kind() {
            KeyKind::PublicKey if scheme.is_ed25519() => Some(Signer::ed25519()?),
            KeyKind::PublicKey => Some(Signer::rsa()?),
            KeyKind::Secret if scheme.answers() == AnswerForm::Snap => Some(Signer::rsa()?),
            KeyKind::Secret => None,
        };
        Ok(Self {
            name: preset.name,
            key: throw_away_key(&scheme),
            scheme,
            signer,
            token: None,
        })
    }

    /// The files with its keys, by name.
    pub(super) fn keys(&self) -> Result<Vec<(String, String)>, String> {
        let mut keys = vec![(self.name.to_owned(), self.key.clone())];
        if let Some(signer) = &self.signer {
            keys.push((format!("{}-public", self.name), signer.public_key()?));
        }
        Ok(keys)
    }

    /// Its section in the configuration.
    pub(super) fn section(&self) -> String {
        let name = self.name;
        let id = match self.scheme.needs_client_id() {
            None => String::new(),
            Some(true) => format!("id: {CLIENT}, "),
            Some(false) => format!("id: '{MERCHANT}', "),
        };
        let secret = format!("secrets: ['file:{name}']");
        let public = format!("public_keys: ['file:{name}-public']");
        let keys = match (self.scheme.key_kind(), self.gives_tokens()) {
            (KeyKind::PublicKey, _) => public,
            (KeyKind::Secret, true) => format!("{secret}, {public}"),
            (KeyKind::Secret, false) => secret,
        };
        format!("  {name}: {{scheme: {name}, clients: [{{{id}{keys}}}]}}\n")
    }

    /// Its routes in the configuration.
    pub(super) fn routes(&self) -> String {
        let (name, path) = (self.name, self.path());
        let token = format!("  - {{path: {TOKEN_PATH}, token: {name}}}\n");
        let token = if self.gives_tokens() { &*token } else { "" };
        let more = match self.scheme.answers() {
            AnswerForm::Snap => ", service: va-payment, respond: gateway",
            AnswerForm::Plain if self.scheme.reads_query() => ", convert: json, respond: gateway",
            AnswerForm::Plain => "",
        };
        format!("{token}  - {{path: {path}, gateway: {name}{more}}}\n")
    }

    fn path(&self) -> String {
        match self.gives_tokens() {
            true => "/v1/transfer-va/payment".to_owned(),
            false => format!("/payments/{}", self.name),
        }
    }

    /// Whether it asks for access tokens.
    fn gives_tokens(&self) -> bool {
        self.scheme.answers() == AnswerForm::Snap && self.scheme.key_kind() == KeyKind::Secret
    }

    /// A request for an access token; `None` where the gateway asks for none.
    pub(super) fn token_request(&self, at: Timestamp) -> Option<Draft> {
        let signer = self.signer.as_ref().filter(|_| self.gives_tokens())?;
        let time = self.scheme.print_time(at)?;
        let signature = signer.sign(format!("{CLIENT}|{time}").as_bytes())?;
        let headers = [
            ("X-CLIENT-KEY", CLIENT.to_owned()),
            ("X-TIMESTAMP", time),
            ("X-SIGNATURE", STANDARD.encode(signature)),
            ("Content-Type", "application/json".to_owned()),
        ];
        Some(Draft {
            method: "POST".into(),
            target: TOKEN_PATH.into(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            body: "{\"grantType\":\"client_credentials\"}".into(),
        })
    }

    /// Takes the token out of the answer to such a request.
    pub(super) fn take_token(&mut self, answer: &str) {
        let answer: serde_json::Value = serde_json::from_str(answer).unwrap_or_default();
        let token = answer.get("accessToken").and_then(|token| token.as_str());
        self.token = token.map(str::to_owned);
    }

    /// Whether its notifications bear a signed time.
    pub(super) fn signs_a_time(&self) -> bool {
        self.scheme.freshness().is_some()
    }

    /// Whether one that is so late passes where it was never seen.
    pub(super) fn takes_late(&self, by: Duration) -> bool {
        self.scheme
            .freshness()
            .is_some_and(|limits| limits.late >= by)
    }

    /// A genuine notification, signed at `at`.
    pub(super) fn notification(&self, id: &str, at: Timestamp) -> Result<Draft, String> {
        self.signed_by(&self.key, self.signer.as_ref(), id, at)
    }

    /// The same by somebody who has not the gateway's key.
    pub(super) fn forgery(&self, id: &str, at: Timestamp) -> Result<Draft, String> {
        let stranger = match &self.signer {
            Some(Signer::Rsa(_)) => Some(Signer::rsa()?),
            Some(Signer::Ed25519(_)) => Some(Signer::ed25519()?),
            None => None,
        };
        self.signed_by(&throw_away_key(&self.scheme), stranger.as_ref(), id, at)
    }

    fn signed_by(
        &self,
        key: &str,
        signer: Option<&Signer>,
        id: &str,
        at: Timestamp,
    ) -> Result<Draft, String> {
        let client = Client {
            id: match self.scheme.needs_client_id() {
                None => None,
                Some(true) => Some(CLIENT.into()),
                Some(false) => Some(MERCHANT.into()),
            },
            secrets: vec![Secret::read(key.as_bytes().to_vec(), self.scheme.key())?],
            public_keys: Vec::new(),
        };
        let make = |message: &[u8]| signer.and_then(|signer| signer.sign(message));
        let by_key_pair = self.scheme.key_kind() == KeyKind::PublicKey;
        let sample = Sample::of_scheme(self.name).ok_or("a scheme has no sample")?;
        let sender = Sender {
            scheme: &self.scheme,
            token: self.token.as_deref(),
            client: &client,
            method: "POST",
            target: &self.path(),
            public_path: None,
            body: &Body::Sample(sample),
            signer: by_key_pair.then_some(&make),
        };
        sender.compose(id, at).map_err(|why| why.to_string())
    }
}

const TOKEN_PATH: &str = "/authorization/v1/access-token/b2b";

/// A key as the gateway would show it.
fn throw_away_key(scheme: &Scheme) -> String {
    let word = || RandomState::new().hash_one(0u8);
    let format = scheme.key();
    let text = match format.encoding {
        KeyEncoding::Text => format!("SK-{:016x}{:016x}", word(), word()),
        KeyEncoding::Hex => format!("{:016x}{:016x}", word(), word()),
        KeyEncoding::Base64 => {
            let bytes = [word(), word(), word()].map(u64::to_be_bytes).concat();
            STANDARD.encode(bytes)
        }
    };
    format!("{}{text}", format.prefix)
}

/// Sends a notification.
pub(super) async fn send(draft: &Draft, to: SocketAddr) -> io::Result<Answer> {
    let mut draft = draft.clone();
    draft.headers.push(("Connection".into(), "close".into()));
    http::send(&to.to_string(), &draft.bytes(&to.to_string())).await
}
