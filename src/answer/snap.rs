//! Answers in the form of SNAP BI, the national standard of payment APIs in Indonesia.
//!
//! Source: <https://developers.doku.com/get-started-with-doku-api/response-code/http-status-and-case-code>

use super::JSON;
use crate::ledger::Key;
use crate::rejection::Grant;
use crate::scheme::Acknowledgement;
use crate::token::LIFETIME;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a SNAP BI route serves.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// Notifications of direct debits, e-wallet payments and their refunds.
    DebitNotify,
    /// Notifications of QR payments.
    QrNotify,
    /// Requests for an access token.
    #[serde(skip)]
    Token,
    /// Inquiries of virtual accounts.
    VaInquiry,
    /// Notifications of virtual account payments.
    VaPayment,
}

impl Service {
    /// The two digits in the middle of a response code.
    fn code(self) -> &'static str {
        match self {
            Self::VaInquiry => "24",
            Self::VaPayment => "25",
            Self::QrNotify => "52",
            Self::DebitNotify => "56",
            Self::Token => "73",
        }
    }

    /// Status, service, case.
    fn response_code(self, status: u16) -> String {
        // 403/00 is for what has run out, 01 for what is not allowed; elsewhere 00 is the general case.
        let case = if status == 403 { "01" } else { "00" };
        format!("{status}{}{case}", self.code())
    }

    /// Whether the app's answer says more than "received".
    #[must_use]
    pub fn is_functional(self) -> bool {
        self == Self::VaInquiry
    }

    fn body(self, status: u16, message: &'static str, more: impl Serialize) -> String {
        let body = Body {
            response_code: self.response_code(status),
            response_message: message,
            more,
        };
        // Strings and raw JSON under plain names cannot fail to be written.
        serde_json::to_string(&body).unwrap_or_default()
    }
}

/// A body: the code, its meaning, and what else the service answers.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<T> {
    response_code: String,
    response_message: &'static str,
    #[serde(flatten)]
    more: T,
}

/// Nothing else.
#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Token<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
    additional_info: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Approval {
    approval_code: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Echo<'a> {
    #[serde(borrow)]
    virtual_account_data: VirtualAccount<'a>,
}

/// What a payment says of its virtual account, each value as it stands.
#[derive(Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct VirtualAccount<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    partner_service_id: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    customer_no: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    virtual_account_no: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    virtual_account_name: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    trx_id: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    payment_request_id: Option<&'a RawValue>,
}

/// The body of a refusal. It tells no more than its status.
pub(super) fn refusal(service: Service, status: u16) -> String {
    service.body(status, message(status), Nothing {})
}

/// The body that gives a token.
pub(super) fn token(grant: &Grant) -> String {
    let token = Token {
        access_token: &grant.token,
        token_type: "Bearer",
        expires_in: LIFETIME.as_secs(),
        additional_info: "",
    };
    Service::Token.body(200, SUCCESS, token)
}

/// What a gateway takes for "received", made from the notification that it acknowledges.
pub(super) fn acknowledgement(service: Service, body: &[u8], key: Key) -> Acknowledgement {
    let body = match service {
        Service::VaPayment => {
            // A body that names one of them twice, or is no object, has nothing to echo.
            let object = Some(body).filter(|body| body.trim_ascii_start().starts_with(b"{"));
            let read = object.and_then(|object| serde_json::from_slice(object).ok());
            let virtual_account_data = read.unwrap_or_default();
            service.body(
                200,
                SUCCESS,
                Echo {
                    virtual_account_data,
                },
            )
        }
        Service::DebitNotify => {
            let approval_code = approval_code(key);
            service.body(200, SUCCESS, Approval { approval_code })
        }
        Service::QrNotify | Service::Token | Service::VaInquiry => {
            service.body(200, SUCCESS, Nothing {})
        }
    };
    Acknowledgement {
        status: 200,
        content_type: Some(JSON.to_owned()),
        body,
    }
}

/// Twelve digits, the same for every copy of a notification. The documents demand a code and do not
/// say of what, so it names what `X-Kawal-Notification-Id` names.
fn approval_code(key: Key) -> String {
    format!("{:012}", key.number() % 1_000_000_000_000)
}

const SUCCESS: &str = "Successful";

/// Source: RFC 9110 §15.
fn message(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        417 => "Expectation Failed",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Refused",
    }
}
