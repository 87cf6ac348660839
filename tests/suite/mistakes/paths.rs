//! A path, a query or a token that is not the one that was signed.

use super::*;
use crate::harness::clinic::{INNER, MIXED, PUBLIC, Shop};
use crate::harness::snap::APP_TOKEN;

pub fn rows() -> Vec<Mistake> {
    let signing = |name, target: &'static str| doku_but(name, |d| d.signing_target(target));
    let snap_signing = |name, target: &'static str| snap_but(name, |s| s.signing_target(target));
    let mixed = Doku::new(PAID).target(MIXED);
    let in_small_letters = sent_and_signed("in small letters", mixed, |d| {
        d.signing_target(&MIXED.to_lowercase())
    });
    let elsewhere = [
        signing("without its first part", "/notifications"),
        in_small_letters,
        signing("with a part more", "/api/payments/notifications"),
        snap_signing("without the version", "/transfer-va/payment"),
        snap_signing("all in capitals", "/V1/TRANSFER-VA/PAYMENT"),
    ];
    let inner = Doku::new(PAID).target(INNER).signing_target(PUBLIC);
    let public = sent_and_signed("the path behind the ingress", inner, |d| {
        d.signing_target(INNER)
    });
    let slashes = [
        signing("a slash more", "/payments/notifications/"),
        snap_signing("a slash more, for SNAP", "/v1/transfer-va/payment/"),
    ];
    let bearer = snap_but("the word before the token", |s| {
        let whole = format!("Bearer {APP_TOKEN}");
        s.token(&whole).authorization(&whole)
    });
    let queries = [
        shop("the query was left out", "?order=7", ""),
        shop("a query was signed that did not come", "", "?order=7"),
    ];
    let mut all = because("path", elsewhere);
    all.extend(because("public-path", [public]));
    all.extend(because("trailing-slash", slashes));
    all.extend(because("bearer", [bearer]));
    let [left_out, _unknowable] = queries;
    all.extend(because("query", [left_out]));
    all
}

fn shop(name: &'static str, sent: &str, signed: &str) -> Mistake {
    let mut sent_shop = Shop::new(PAID);
    let mut signed_shop = sent_shop.clone();
    sent_shop.target.push_str(sent);
    signed_shop.target.push_str(signed);
    let proof = format!("sig={}", base64url(signed_shop.mac()));
    row(name, sent_shop.under(&proof), sent_shop.mac())
}
