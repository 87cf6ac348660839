//! A genuine notification of every gateway of the clinic's configuration, signed now.

use jiff::Timestamp;
use md5::{Digest, Md5};
use serde_json::json;

use super::clinic::{INNER, PUBLIC, Shop};
use super::hooks::*;
use super::keys::{OTHER, rsa_signature};
use super::snap::{RSA_PAYMENT, jakarta_time, sha256_hex};
use super::tokens::{b2b_jwt, b2b_key, bearing};
use super::{Doku, Qris, Request, Snap, TokenRequest, doku, pivot, snap, unique};

/// All of them, each with a body of its own.
pub fn genuine() -> Vec<(&'static str, Request)> {
    let mut all = of_doku();
    all.extend(of_webhooks());
    all.extend(of_indonesia());
    all
}

fn body() -> String {
    format!("{{\"n\":\"{}\"}}", unique("n"))
}

fn of_doku() -> Vec<(&'static str, Request)> {
    let public = Doku::new(body()).target(INNER).signing_target(PUBLIC);
    vec![
        ("doku", doku(body())),
        ("doku, chunked", doku(body()).chunked(7)),
        ("doku, behind an ingress", public.sign()),
        ("doku-qris", Qris::new().sign()),
        ("doku-qris, a form", Qris::new().form()),
        ("snap", snap(body())),
        (
            "snap, RSA",
            Snap::new(body()).target(RSA_PAYMENT).sign_rsa(),
        ),
        ("snap, a token request", TokenRequest::new().sign()),
        (
            "snap, a token of ours",
            bearing(&b2b_jwt().hs256(&b2b_key())).sign(),
        ),
    ]
}

fn of_webhooks() -> Vec<(&'static str, Request)> {
    let by_standard = |text: &str| v1(mac256(STANDARD_BYTES, text));
    let by_svix = |text: &str| v1(mac256(SVIX_BYTES, text));
    let by_stripe = |text: &str| hex(mac256(STRIPE_KEY, text));
    let paid = body();
    let by_github = format!("sha256={}", hex(mac256(GITHUB_KEY, &paid)));
    vec![
        (
            "standard-webhooks",
            standard("webhook", &seconds(), &body(), by_standard),
        ),
        ("svix", standard("svix", &seconds(), &body(), by_svix)),
        ("stripe", stripe(&seconds(), &stripe_event(), by_stripe)),
        ("github", github(paid.as_bytes(), &by_github)),
        ("adyen", adyen(|text| base64(mac256(ADYEN_BYTES, text)))),
        ("shop", Shop::new(body()).sign()),
    ]
}

fn of_indonesia() -> Vec<(&'static str, Request)> {
    let by_midtrans = |text: &str| hex(sha512(format!("{text}{MIDTRANS_KEY}")));
    let xendit = unsigned("xendit", body()).header("x-callback-token", XENDIT_TOKEN);
    vec![
        ("pivot", pivot(body())),
        ("xendit", xendit),
        ("midtrans", midtrans(by_midtrans)),
        (
            "tripay",
            over_body("tripay", "X-Callback-Signature", TRIPAY_KEY),
        ),
        (
            "razorpay",
            over_body("razorpay", "X-Razorpay-Signature", RAZORPAY_KEY),
        ),
        ("duitku", duitku()),
        ("faspay", faspay()),
        ("durianpay-snap", durianpay()),
        ("nicepay-snap", nicepay()),
    ]
}

fn over_body(gateway: &str, header: &str, key: &str) -> Request {
    let body = body();
    let proof = hex(mac256(key, &body));
    unsigned(gateway, body).header(header, proof)
}

fn duitku() -> Request {
    let order = unique("order");
    let proof = hex(Md5::digest(format!("{DUITKU_ID}10000{order}{DUITKU_KEY}")));
    let form = format!(
        "merchantCode={DUITKU_ID}&amount=10000&merchantOrderId={order}&resultCode=00&signature={proof}"
    );
    Request::post(&hook("duitku"), form).header("Content-Type", "application/x-www-form-urlencoded")
}

fn faspay() -> Request {
    let bill = unique("bill");
    let inner = hex(Md5::digest(format!(
        "{FASPAY_USER}{FASPAY_PASSWORD}{bill}2"
    )));
    let proof = hex(<sha1::Sha1 as Digest>::digest(inner));
    let body = json!({"trx_id": "9876530200000184", "bill_no": bill, "payment_status_code": "2",
        "signature": proof});
    unsigned("faspay", body.to_string())
}

fn durianpay() -> Request {
    let (body, time) = (body(), jakarta_time(Timestamp::now()));
    let text = format!(
        "POST:{}:{}:{time}",
        hook("durianpay-snap"),
        sha256_hex(body.as_bytes())
    );
    unsigned("durianpay-snap", body)
        .header("X-TIMESTAMP", &time)
        .header("X-SIGNATURE", rsa_signature(&OTHER, text.as_bytes()))
}

fn nicepay() -> Request {
    let time = jakarta_time(Timestamp::now());
    let proof = rsa_signature(&OTHER, format!("nicepay-client|{time}").as_bytes());
    unsigned("nicepay-snap", body())
        .header("X-CLIENT-KEY", "nicepay-client")
        .header("X-TIMESTAMP", &time)
        .header("X-SIGNATURE", proof)
}
