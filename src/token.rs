//! The merchant's side of SNAP BI's B2B access tokens: asked for with a signature, given as a JWT,
//! and demanded of every notification.
//!
//! A token is good wherever the client's secret is: its key is derived from that secret, so nothing
//! need be stored to know it again. It is worth nothing without the notification's own signature.
//!
//! Source: <https://developers.doku.com/accept-payments/direct-api/snap/integration-guide/get-token-api/b2b>

use crate::freshness::Fresh;
use crate::intake::Received;
use crate::rejection::{Grant, Rejection};
use crate::scheme::{Identity, Place, Preset, Scheme, Scope, Signed, bearer_token};
use crate::secret::{KeyRing, Secret};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hkdf;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroizing;

/// How long a token is good. Source: the page above, `expiresIn`.
pub const LIFETIME: Duration = Duration::from_secs(900);

/// A notification that bears the token its gateway has to bear, where it has to bear one.
#[derive(Debug)]
pub struct Authorized {
    received: Received,
    signed: Signed,
    unseen_since: Option<Timestamp>,
}

impl Authorized {
    /// As [`Fresh::unseen_since`].
    #[must_use]
    pub fn unseen_since(&self) -> Option<Timestamp> {
        self.unseen_since
    }

    pub(crate) fn into_parts(self) -> (Received, Signed) {
        (self.received, self.signed)
    }
}

/// Checks the token of a notification, where its gateway has an issuer. Otherwise the app issues
/// tokens, and they are its own affair.
///
/// It has to be good when the notification was signed: a retry that comes hours later, as it was
/// first sent, bears the token of that time. How old it may be is for [`crate::freshness`] to say.
///
/// # Errors
/// [`Rejection::BadToken`].
pub fn authorize(
    fresh: Fresh,
    issuer: Option<&Issuer>,
    now: Timestamp,
) -> Result<Authorized, Rejection> {
    if let Some(issuer) = issuer {
        let token = bearer_token(fresh.received())?.ok_or(Rejection::BadToken)?;
        let Signed { client, at, .. } = fresh.signed();
        let client = client.as_deref().ok_or(Rejection::BadToken)?;
        // A gateway's clock that is ahead takes nothing from its token.
        issuer.check(token, client, at.map_or(now, |at| at.min(now)))?;
    }
    let unseen_since = fresh.unseen_since();
    let (received, signed) = fresh.into_parts();
    Ok(Authorized {
        received,
        signed,
        unseen_since,
    })
}

/// A genuine and fresh request for a token.
#[derive(Debug)]
pub struct TokenRequest {
    client: Arc<str>,
    identity: [u8; 32],
}

impl TokenRequest {
    /// What makes two deliveries the same request: client and signed time.
    #[must_use]
    pub fn identity(&self) -> [u8; 32] {
        self.identity
    }

    /// What it is granted.
    #[must_use]
    pub fn grant(self, token: &str) -> Grant {
        Grant {
            client: self.client,
            token: token.into(),
        }
    }
}

/// Issues the tokens of one gateway, and knows them again.
pub struct Issuer {
    gateway: Arc<str>,
    request: Scheme,
    clients: HashMap<Arc<str>, Vec<TokenKey>>,
    validation: Validation,
}

/// What a token says.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    iat: i64,
    exp: i64,
    jti: String,
}

const ISSUER: &str = "kawal";

impl Issuer {
    /// An issuer for the clients of a gateway, each with an id and a secret at least.
    ///
    /// # Errors
    /// A sentence; a test holds that neither a secret nor the built-in scheme makes it necessary.
    pub fn new(gateway: Arc<str>, ring: &KeyRing) -> Result<Self, String> {
        let clients = ring.clients().iter().filter_map(|client| {
            let id = client.id.clone()?;
            let keys = client.secrets.iter();
            let keys: Result<_, _> = keys
                .map(|key| TokenKey::derive(key, &gateway, &id))
                .collect();
            Some(keys.map(|keys| (id, keys)))
        });
        let clients: Result<_, _> = clients.collect();
        Ok(Self {
            clients: clients.map_err(|_| "a client's secret makes no key for tokens")?,
            request: Preset::TOKEN_REQUEST.scheme()?,
            validation: signature_only(),
            gateway,
        })
    }

    /// How a request for a token is proven.
    #[must_use]
    pub fn request_scheme(&self) -> &Scheme {
        &self.request
    }

    /// Reads a proven request.
    ///
    /// # Errors
    /// [`Rejection::Malformed`] for another grant type than `client_credentials` (RFC 6749 §4.4).
    pub fn read(&self, fresh: Fresh) -> Result<TokenRequest, Rejection> {
        let place = Place::Json("/grantType".into());
        let grant_type = place.read(Scope::whole(fresh.received())).ok().flatten();
        if grant_type.as_deref() != Some("client_credentials") {
            return Err(Rejection::Malformed("a token request of another grantType"));
        }
        match fresh.into_parts().1 {
            Signed {
                client: Some(client),
                identity: Identity::Values(identity),
                ..
            } => Ok(TokenRequest { client, identity }),
            _ => Err(Rejection::UnknownClient),
        }
    }

    /// A token for a request, good for [`LIFETIME`] from now.
    ///
    /// # Errors
    /// [`Rejection::Internal`] where the client has no key to sign with.
    pub fn issue(&self, request: &TokenRequest, now: Timestamp) -> Result<String, Rejection> {
        self.sign(&request.client, request.identity, now)
    }

    /// A token as a client would have been given, for trying out a configuration whose keys are at hand.
    ///
    /// # Errors
    /// As [`Self::issue`].
    pub fn sample(&self, client: &str, now: Timestamp) -> Result<String, Rejection> {
        self.sign(client, [0; 32], now)
    }

    fn sign(&self, client: &str, request: [u8; 32], now: Timestamp) -> Result<String, Rejection> {
        let keys = self.keys(client).ok_or(Rejection::Internal)?;
        let key = keys.first().ok_or(Rejection::Internal)?;
        let iat = now.as_second();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: self.gateway.to_string(),
            sub: client.to_owned(),
            iat,
            exp: iat.saturating_add_unsigned(LIFETIME.as_secs()),
            jti: URL_SAFE_NO_PAD.encode(request),
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key.signs)
            .map_err(|_| Rejection::Internal)
    }

    /// Any key of the client is good enough: a token outlives the rotation of its secret.
    fn check(&self, token: &str, client: &str, at: Timestamp) -> Result<(), Rejection> {
        let ours = |claims: &Claims| {
            claims.iss == ISSUER
                && *claims.aud == *self.gateway
                && claims.sub == client
                && at.as_second() < claims.exp
        };
        let keys = self.keys(client).unwrap_or_default();
        let mut signed = keys.iter().filter_map(|key| {
            jsonwebtoken::decode::<Claims>(token, &key.verifies, &self.validation).ok()
        });
        match signed.next() {
            Some(token) if ours(&token.claims) => Ok(()),
            _ => Err(Rejection::BadToken),
        }
    }

    fn keys(&self, client: &str) -> Option<&[TokenKey]> {
        self.clients.get(client).map(Vec::as_slice)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({}, ..)", self.gateway)
    }
}

/// The library checks the algorithm, which is ours and never the token's, and the signature. The
/// claims are checked here, by the clock that everything is judged by.
fn signature_only() -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation
}

/// One secret's key for tokens.
struct TokenKey {
    signs: EncodingKey,
    verifies: DecodingKey,
}

/// 32 bytes.
struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

impl TokenKey {
    /// HKDF-SHA256 (RFC 5869), so that the key tells nothing of the secret, and is another one for
    /// every gateway and client.
    fn derive(secret: &Secret, gateway: &str, client: &str) -> Result<Self, Unspecified> {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"kawal snap b2b token 1");
        let (a, b) = (length(gateway), length(client));
        let info = [&a[..], gateway.as_bytes(), &b, client.as_bytes()];
        let mut key = Zeroizing::new([0; 32]);
        let pseudorandom = salt.extract(secret.bytes());
        pseudorandom.expand(&info, Length)?.fill(&mut *key)?;
        Ok(Self {
            signs: EncodingKey::from_secret(&*key),
            verifies: DecodingKey::from_secret(&*key),
        })
    }
}

fn length(text: &str) -> [u8; 8] {
    (text.len() as u64).to_be_bytes()
}

#[cfg(test)]
mod tests;
