//! From a path to its policy, and the order of judgement.

mod gateway;
mod normalise;
mod routes;

pub use gateway::Gateway;
pub use routes::{Found, Policy, Routes};

use crate::answer::{Form, Respond, Service};
use crate::clock::Moment;
use crate::convert::{Convert, Message, Payload};
use crate::forward::{Mode, Observed, Proven};
use crate::intake::{Head, Received};
use crate::ledger::{Admitted, Basis, Key, Ledger, Terms};
use crate::rejection::{Grant, Rejection};
use crate::scheme::{Acknowledgement, ProvenBy};
use crate::token::{self, TokenRequest};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// One path and its policy.
#[derive(Debug)]
pub struct Route {
    /// The path, exactly.
    pub path: Arc<str>,
    /// The methods it takes.
    pub methods: Vec<Box<str>>,
    /// Who sends what comes here.
    pub gateway: Arc<Gateway>,
    /// What comes here.
    pub purpose: Purpose,
    /// The SNAP BI service, where answers have its form.
    pub service: Option<Service>,
    /// The path as registered at the gateway, where an ingress rewrites it.
    pub public_path: Option<Box<str>>,
    /// Whether the app gets JSON.
    pub convert: Convert,
    /// Who answers.
    pub respond: Respond,
    /// What becomes of a delivered notification that comes again.
    pub duplicate: Duplicate,
    /// The largest body, in bytes.
    pub body_limit: u64,
    /// The whole exchange with the app.
    pub upstream_timeout: Duration,
    /// What keys and contents of its notifications are made by.
    pub basis: Basis,
}

/// What comes to a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Notifications, for the app.
    Notify,
    /// Requests for an access token, which Kawal answers itself.
    Token,
}

/// What becomes of a delivered notification that comes again.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Duplicate {
    /// It gets the stored answer.
    #[default]
    Acknowledge,
    /// It is forwarded again: an inquiry, whose answer is never an old one.
    Forward,
    /// It gets 409.
    Reject,
}

/// What is known of a notification so far, for the log.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The configured id of its client.
    pub client: Option<Arc<str>>,
    /// Its key in the ledger.
    pub key: Option<Key>,
    /// Whose key proves it.
    pub by: Option<ProvenBy>,
    /// When it was signed.
    pub at: Option<Timestamp>,
    /// What people trace it by; not proven.
    pub reference: Option<Box<str>>,
}

/// Added to the deadline of the app's answer, so that a lease outlives every exchange.
const LEASE_MARGIN: Duration = Duration::from_secs(15);
/// A body of an observed gateway may be so large, in bytes.
const OBSERVED_BODY: u64 = 16 * 1024 * 1024;
/// Added to `remember`, so that no entry leaves while its bytes are still on their way.
const REMEMBER_MARGIN: Duration = Duration::from_secs(60);

/// A request whose proof and time hold.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it is moved once, and nearly all are notifications"
)]
pub enum Verified {
    /// For the app.
    Notification(Payload),
    /// For a token.
    TokenRequest(TokenRequest),
}

impl Route {
    /// What can be refused before the body is read; `sender` is the address it comes from.
    ///
    /// # Errors
    /// [`Rejection::Method`] or [`Rejection::Forbidden`].
    pub fn accept(&self, head: &Head, sender: Option<IpAddr>) -> Result<(), Rejection> {
        if !self.methods.iter().any(|method| **method == *head.method()) {
            return Err(Rejection::Method(self.methods.join(", ").into()));
        }
        let allowed = &self.gateway.allow_from;
        if allowed.is_empty()
            || sender.is_some_and(|sender| allowed.iter().any(|net| net.contains(&sender)))
        {
            return Ok(());
        }
        Err(Rejection::Forbidden)
    }

    /// The whole judgement, in order. Each step consumes what the step before proved.
    ///
    /// # Errors
    /// The first reason not to forward. `known` is filled as far as the judgement came.
    pub async fn admit(
        &self,
        received: Received,
        ledger: &Arc<Ledger>,
        now: Moment,
        known: &mut Known,
    ) -> Result<Admitted, Rejection> {
        let verified = self.verify(received, now.wall, known)?;
        self.claim(verified, ledger, now).await
    }

    /// The part of it that needs no memory: proof, time, token, form.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub fn verify(
        &self,
        received: Received,
        now: Timestamp,
        known: &mut Known,
    ) -> Result<Verified, Rejection> {
        if self.purpose == Purpose::Token {
            let request = self.verify_token_request(received, now, known)?;
            return Ok(Verified::TokenRequest(request));
        }
        let gateway = &self.gateway;
        known.reference = gateway.scheme.reference(&received);
        let public_path = self.public_path.as_deref();
        let authentic =
            gateway
                .scheme
                .authenticate(received, &gateway.name, &gateway.ring, public_path)?;
        let signed = authentic.signed();
        (known.client, known.at) = (signed.client.clone(), signed.at);
        known.by = Some(signed.by);
        let test = signed.test;
        let window = match self.duplicate {
            Duplicate::Acknowledge | Duplicate::Reject => gateway.window,
            // An inquiry that nobody waits for any more tells the customer's details to a replayer.
            Duplicate::Forward => gateway.window.without_late(),
        };
        let fresh = window.check(authentic, now)?;
        let authorized = token::authorize(fresh, gateway.issuer.as_ref(), now)?;
        if test {
            return Err(Rejection::Test);
        }
        let payload = Payload::prepare(authorized, self.convert)?;
        known.key = Some(Ledger::key(&payload));
        Ok(Verified::Notification(payload))
    }

    /// The rest of it: of all copies one passes.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub async fn claim(
        &self,
        verified: Verified,
        ledger: &Arc<Ledger>,
        now: Moment,
    ) -> Result<Admitted, Rejection> {
        let payload = match verified {
            Verified::Notification(payload) => payload,
            Verified::TokenRequest(request) => {
                let granted = self.grant(request, ledger, now).await?;
                return Err(Rejection::Granted(granted));
            }
        };
        let claimed = ledger.claim(payload, self.terms(), now.steady).await;
        if self.duplicate == Duplicate::Reject && matches!(claimed, Err(Rejection::Repeat(_))) {
            return Err(Rejection::Duplicate);
        }
        claimed
    }

    /// What the app gets of a request that was refused, where its gateway is observed only.
    #[must_use]
    pub fn observe(
        &self,
        received: impl FnOnce() -> Received,
        why: &Rejection,
        known: &Known,
    ) -> Option<Observed> {
        let gateway = &self.gateway;
        if gateway.mode == Mode::Enforce {
            return None;
        }
        let received = received();
        let (head, body) = (received.head().clone(), received.body().clone());
        // What cannot be converted goes on as it came.
        let message = Message::convert(received, self.convert)
            .or_else(|_| Message::convert(Received::new(head, body), Convert::None));
        let proven = Proven {
            client: known.client.as_deref(),
            key: known.key,
        };
        let secret = gateway.scheme.secret_header();
        let secret = secret.as_deref();
        Observed::new(&message.ok()?, why, &gateway.name, secret, &proven)
    }

    /// The largest body that is read. A larger one than its limit allows is read in observe mode only, since it
    /// is forwarded there all the same.
    #[must_use]
    pub fn readable(&self) -> u64 {
        match self.gateway.mode {
            Mode::Enforce => self.body_limit,
            Mode::Observe => self.body_limit.max(OBSERVED_BODY),
        }
    }

    fn verify_token_request(
        &self,
        received: Received,
        now: Timestamp,
        known: &mut Known,
    ) -> Result<TokenRequest, Rejection> {
        let gateway = &self.gateway;
        let issuer = gateway.issuer.as_ref().ok_or(Rejection::Internal)?;
        let scheme = issuer.request_scheme();
        let authentic = scheme.authenticate(received, &gateway.name, &gateway.ring, None)?;
        let signed = authentic.signed();
        (known.client, known.at) = (signed.client.clone(), signed.at);
        known.by = Some(signed.by);
        let window = gateway.window.without_late();
        let fresh = window.check(authentic, now)?;
        let request = issuer.read(fresh)?;
        known.key = Some(Ledger::token_key(&request));
        Ok(request)
    }

    async fn grant(
        &self,
        request: TokenRequest,
        ledger: &Arc<Ledger>,
        now: Moment,
    ) -> Result<Grant, Rejection> {
        let issuer = self.gateway.issuer.as_ref().ok_or(Rejection::Internal)?;
        let window = self.gateway.window.without_late();
        // No repeat is given a token that has ended.
        let remember = (window.span() + REMEMBER_MARGIN).min(token::LIFETIME);
        // A repeat is granted the same token, since a token is made of its request and this time.
        let at = ledger.granted(&request, now, remember).await?;
        let token = issuer.issue(&request, at)?;
        Ok(request.grant(&token))
    }

    /// The form of answers that are not the app's.
    #[must_use]
    pub fn form(&self, now: Timestamp) -> Form {
        match self.service {
            None => Form::Plain,
            Some(service) => Form::Snap { service, at: now },
        }
    }

    /// What repeats are answered where the answer itself is not kept: a service's repeats have its form.
    #[must_use]
    pub fn stand_in(&self, body: &[u8], key: Key) -> Option<Acknowledgement> {
        let service = self.service.filter(|service| !service.is_functional())?;
        Respond::Snap(service).acknowledgement(body, key)
    }

    /// An entry outlives both its lease and the time for which its bytes are fresh.
    fn terms(&self) -> Terms {
        let lease = self.upstream_timeout + LEASE_MARGIN;
        let again = self.duplicate == Duplicate::Forward;
        let remember = match again {
            false => self.gateway.remember,
            // It is never late, and only its attempts are counted.
            true => self.gateway.window.without_late().span(),
        };
        Terms {
            lease,
            remember: remember.max(lease) + REMEMBER_MARGIN,
            again,
            basis: self.basis,
        }
    }
}
