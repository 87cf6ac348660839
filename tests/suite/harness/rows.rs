//! One row for each of the other built-in schemes.

use super::Request;
use super::hashes::{md5_hex, sha1_hex, sha256_hex, sha512_hex};
use super::kinds::{Kind, body_kind, hook, hook_text, in_base64, in_json, json, rsa, whsec};
use super::notice::Key;
use super::snap::jakarta_time;

pub static KINDS: [Kind; 14] = [
    Kind {
        header: Some("webhook-signature"),
        mark: "v1,",
        signed: &["webhook-id", "webhook-timestamp"],
        timed: true,
        keys: whsec,
        text: hook_text,
        prove: in_base64,
        dress: |n, proof| hook(n, "webhook", proof),
        ..body_kind("standard-webhooks")
    },
    Kind {
        header: Some("webhook-signature"),
        mark: "v1a,",
        signed: &["webhook-id", "webhook-timestamp"],
        timed: true,
        keys: || [1, 2, 3].map(|seed| Key::Ed25519([seed; 32])),
        text: hook_text,
        prove: in_base64,
        dress: |n, proof| hook(n, "webhook", proof),
        ..body_kind("standard-webhooks-asymmetric")
    },
    Kind {
        header: Some("svix-signature"),
        mark: "v1,",
        signed: &["svix-id", "svix-timestamp"],
        timed: true,
        keys: whsec,
        text: hook_text,
        prove: in_base64,
        dress: |n, proof| hook(n, "svix", proof),
        ..body_kind("svix")
    },
    Kind {
        header: Some("Stripe-Signature"),
        mark: "v1=",
        timed: true,
        // Not decoded, whatever it looks like.
        keys: || ["new1", "old1", "else"].map(|key| Key::Text(format!("whsec_c3RyaXBl{key}"))),
        body: r#"{"id":"evt_@ID@","object":"event","data":{"object":{"amount":10001,"paid":true}}}"#,
        text: |n| format!("{}.{}", n.at.as_second(), n.body),
        dress: |n, proof| {
            let value = format!("t={},{proof}", n.at.as_second());
            json(n).header("Stripe-Signature", value)
        },
        ..body_kind("stripe")
    },
    Kind {
        header: Some("X-Hub-Signature-256"),
        mark: "sha256=",
        dress: |n, proof| {
            json(n)
                .header("X-GitHub-Event", "issues")
                .header("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
                .header("X-Hub-Signature-256", proof)
        },
        ..body_kind("github")
    },
    Kind {
        header: Some("X-Callback-Signature"),
        dress: |n, proof| {
            json(n)
                .header("X-Callback-Event", "payment_status")
                .header("X-Callback-Signature", proof)
        },
        ..body_kind("tripay")
    },
    Kind {
        header: Some("X-Razorpay-Signature"),
        dress: |n, proof| {
            json(n)
                .header("X-Razorpay-Event-Id", "evt_1")
                .header("X-Razorpay-Signature", proof)
        },
        ..body_kind("razorpay")
    },
    Kind {
        covers: "nothing",
        header: Some("x-callback-token"),
        text: |_| String::new(),
        prove: |n, _| n.key.file(),
        dress: |n, proof| json(n).header("x-callback-token", proof),
        ..body_kind("xendit")
    },
    Kind {
        covers: "fields:order_id,status_code,gross_amount",
        body: concat!(
            r#"{"transaction_status":"settlement","status_code":"200","signature_key":"@PROOF@","#,
            r#""order_id":"order-@ID@z","gross_amount":"10001.00","currency":"IDR"}"#
        ),
        text: |n| {
            let secret = n.key.file();
            let fields = ["/order_id", "/status_code", "/gross_amount"];
            fields.map(|name| n.field(name)).concat() + &secret
        },
        prove: |_, text| sha512_hex(text),
        dress: in_json,
        ..body_kind("midtrans")
    },
    Kind {
        covers: "fields:merchantCode,amount,merchantOrderId",
        client: Some("DXXXX"),
        body: concat!(
            "merchantCode=@CLIENT@&amount=10001&merchantOrderId=@ID@&resultCode=00",
            "&productDetail=Payment+for+Toko&signature=@PROOF@"
        ),
        text: |n| {
            let fields = ["amount", "merchantOrderId"].map(|name| n.field(name));
            n.client.clone() + &fields.concat() + &n.key.file()
        },
        prove: |_, text| md5_hex(text),
        dress: |n, proof| {
            let body = n.body.replace("@CLIENT@", &n.client);
            Request::post(&n.path, body.replace("@PROOF@", proof))
                .header("Content-Type", "application/x-www-form-urlencoded")
        },
        ..body_kind("duitku")
    },
    Kind {
        header: Some("X-SIGNATURE"),
        signed: &["X-TIMESTAMP"],
        timed: true,
        keys: rsa,
        text: |n| {
            let digest = sha256_hex(&n.body);
            format!("POST:{}:{digest}:{}", n.path, jakarta_time(n.at))
        },
        prove: in_base64,
        dress: |n, proof| {
            json(n)
                .header("X-TIMESTAMP", jakarta_time(n.at))
                .header("X-SIGNATURE", proof)
                .header("X-PARTNER-ID", "merchant-1")
                .header("X-EXTERNAL-ID", "9001")
        },
        ..body_kind("durianpay-snap")
    },
    Kind {
        covers: "fields:X-CLIENT-KEY,X-TIMESTAMP",
        header: Some("X-SIGNATURE"),
        signed: &["X-CLIENT-KEY", "X-TIMESTAMP"],
        client: Some("IONPAYTEST"),
        timed: true,
        keys: rsa,
        text: |n| format!("{}|{}", n.client, jakarta_time(n.at)),
        prove: in_base64,
        dress: |n, proof| {
            json(n)
                .header("X-CLIENT-KEY", &n.client)
                .header("X-TIMESTAMP", jakarta_time(n.at))
                .header("X-SIGNATURE", proof)
        },
        ..body_kind("nicepay-snap")
    },
    Kind {
        covers: "fields:bill_no,payment_status_code",
        client: Some("bot31234"),
        body: concat!(
            r#"{"request":"Payment Notification","trx_id":"3183540500001172","bill_no":"@ID@z","#,
            r#""payment_status_code":"2","payment_total":"10001","signature":"@PROOF@"}"#
        ),
        text: |n| {
            let fields = ["/bill_no", "/payment_status_code"].map(|name| n.field(name));
            n.client.clone() + &n.key.file() + &fields.concat()
        },
        prove: |_, text| sha1_hex(&md5_hex(text)),
        dress: in_json,
        ..body_kind("faspay")
    },
    Kind {
        covers: concat!(
            "fields:pspReference,originalReference,merchantAccountCode,merchantReference,",
            "value,currency,eventCode,success"
        ),
        keys: || ["A1", "b2", "C3"].map(|pair| Key::Hex(pair.repeat(32))),
        body: concat!(
            r#"{"live":"false","notificationItems":[{"NotificationRequestItem":{"additionalData":"#,
            r#"{"hmacSignature":"@PROOF@"},"amount":{"currency":"IDR","value":10001},"#,
            r#""eventCode":"AUTHORISATION","eventDate":"2026-01-01T00:00:00+02:00","#,
            r#""merchantAccountCode":"TestMerchant","merchantReference":"order:1","#,
            r#""originalReference":"ORIG1","pspReference":"@ID@","reason":"0","success":"true"}}]}"#
        ),
        text: |n| {
            let names = [
                "pspReference",
                "originalReference",
                "merchantAccountCode",
                "merchantReference",
                "amount/value",
                "amount/currency",
                "eventCode",
                "success",
            ];
            let at = |name| format!("/notificationItems/0/NotificationRequestItem/{name}");
            names.map(|name| n.field(&at(name))).join(":")
        },
        prove: in_base64,
        dress: in_json,
        ..body_kind("adyen")
    },
];
