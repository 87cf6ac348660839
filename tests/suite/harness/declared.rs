//! Schemes as users declare them, for gateways that are not built in.

/// https://www.cashfree.com/docs/payments/subscription/webhook-signature
pub const CASHFREE: &str = r#"
title: Cashfree
proof:
  kind: hmac
  hash: sha256
  at: header:x-webhook-signature
  encoding: base64
  messages: ["{header:x-webhook-timestamp}{body}"]
time: {at: header:x-webhook-timestamp, format: unix}
shapes: {header:x-webhook-timestamp: "[0-9]{10}"}
"#;

/// https://docs.maibmerchants.md/checkout/api-reference/examples/signature-key-verification
pub const MAIB: &str = r#"
proof:
  kind: hmac
  hash: sha256
  at: header:X-Signature
  prefix: sha256=
  encoding: base64
  messages: ["{body}.{header:X-Signature-Timestamp}"]
time: {at: header:X-Signature-Timestamp, format: unix-ms}
"#;

/// https://developer.ifortepay.id/snap/auth/payment-notify
pub const IFORTEPAY: &str = r#"
proof:
  kind: hmac
  hash: sha512
  at: header:X-SIGNATURE
  encoding: base64
  messages:
    - "https://merchant.example/cb:{header:X-VERSION}:{body|minify|sha256|hex}:{header:X-TIMESTAMP}"
time: {at: header:X-TIMESTAMP, format: rfc3339}
"#;

/// https://developer.phonepe.com/v1/reference/php-callback-verification
pub const PHONEPE: &str = r####"
proof:
  kind: digest
  hash: sha256
  at: header:X-VERIFY
  separator: "###"
  encoding: hex
  messages: ["{json:/response}{secret}"]
"####;

/// As Monetico seals a form: all other fields, sorted.
/// https://secure.gateway.monetico-retail.com/doc/en-EN/form-payment/quick-start-guide/computing-the-ipn-signature.html
pub const MONETICO: &str = r#"
proof:
  kind: hmac
  hash: sha256
  key: {encoding: hex}
  at: form:MAC
  encoding: upper-hex
  messages: ["{sorted:=*}"]
identity: "{sorted:=*}"
"#;

/// As Tegro seals a form, with the values alone.
pub const VALUES: &str = r#"
proof:
  kind: digest
  hash: sha512
  at: param:sign
  encoding: base64url
  messages: ["{sorted:|}|{secret}"]
"#;

/// https://docs.espay.id/?p=23341
pub const ESPAY: &str = r###"
proof:
  kind: digest
  hash: sha256
  at: form:signature
  encoding: hex
  messages: ["{(##{secret}##{form:rq_datetime}##{form:order_id}##PAYMENTREPORT##)|upper}"]
identity: "{form:order_id|upper}"
reference: form:order_id
shapes:
  form:rq_datetime: "[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
  form:order_id: "[0-9A-Za-z-]{1,32}"
acknowledgement: {status: 200, content_type: text/plain, body: "0,Success"}
"###;

/// https://docs.nicepay.co.id/en/nicepay-api-v2-notification-api-checkout
pub const NICEPAY: &str = r#"
proof:
  kind: digest
  hash: sha256
  at: form:merchantToken
  encoding: hex
  messages: ["{form:iMid}{form:tXid}{form:amt}{secret}"]
"#;

/// https://rajaongkir.com/docs/payment-api/getting-started/callback-handling
pub const KOMERCE: &str = r#"
proof: {kind: hmac, hash: sha256, at: "header:X-Callback-Api-Key", encoding: hex, messages: ["{body}"]}
"#;

/// https://developer.integrated.finance/docs/webhook-authentication
pub const INTEGRATED: &str = r#"
proof:
  kind: ed25519
  at: header:X-Webhook-Signature
  encoding: base64
  messages: ["{body|sha512|base64}|{header:X-Webhook-Event-Id}|{header:X-Webhook-Event-Timestamp}"]
time: {at: header:X-Webhook-Event-Timestamp, format: rfc3339}
identity: "{header:X-Webhook-Event-Id}"
shapes: {header:X-Webhook-Event-Id: "[0-9a-z-]{1,64}"}
"#;
