//! Notifications of every scheme that are the same on every run: what differs is their number alone.

use jiff::Timestamp;
use serde_json::json;

use super::declared::MAIB;
use super::gateway::PIVOT_KEY;
use super::hashes::{base64, hmac_sha256};
use super::snap::{B2B_PAYMENT, RSA_PAYMENT, jakarta_time};
use super::tokens::{b2b_jwt, b2b_key};
use super::{
    Config, Doku, KINDS, Key, Kind, Notice, Qris, Request, Snap, TokenRequest, pivot_with,
};

/// When all of them are signed.
pub const TIME: &str = "2026-01-02T03:04:05Z";
/// Any text of theirs that is as long as the number allows.
const DECLARED_SECRET: &str = "a-secret-of-a-declared-scheme";

/// A kind of notification.
pub struct Judged {
    pub name: String,
    /// So many are enough: signatures by asymmetric keys take the tests long to make, and are all alike.
    pub count: usize,
    /// The n-th of them.
    pub request: Box<dyn Fn(usize) -> Request>,
}

impl Config {
    /// With a gateway for each, in front of nothing.
    pub fn judged() -> Self {
        let config = Self::to("http://127.0.0.1:1").with_everybody();
        let secret = config.secret("declared", DECLARED_SECRET);
        config
            .declare("maib", MAIB)
            .gateway(
                "declared",
                json!({"scheme": "maib", "clients": [{"secrets": [secret]}]}),
            )
            .route(json!({"path": "/declared", "gateway": "declared"}))
    }
}

/// All of them. Bodies are as large as is said, else as their gateways' examples.
pub fn all() -> Vec<Judged> {
    let mut all = vec![
        judged("doku, 64 KiB", |n| doku(n, 65536)),
        judged("doku-qris, to JSON", |n| {
            let (invoice, at) = (format!("{n:010}"), time(0));
            Qris::new().set("INVOICE", &invoice).at(at).sign()
        }),
        slow("a request for a token", |n| {
            TokenRequest::new().at(&jakarta_time(time(n))).sign()
        }),
    ];
    for (size, called) in [(90, "90 B"), (1024, "1 KiB")] {
        let name = |scheme: &str| format!("{scheme}, {called}");
        all.extend([
            judged(name("doku"), move |n| doku(n, size)),
            judged(name("pivot"), move |n| pivot_with(PIVOT_KEY, body(n, size))),
            judged(name("snap"), move |n| snap(n, size).sign()),
            judged(name("snap under Kawal's token"), move |n| {
                let issued = time(0).as_second();
                let jwt = b2b_jwt().claim("iat", issued).claim("exp", issued + 900);
                let token = jwt.hs256(&b2b_key());
                snap(n, size).target(B2B_PAYMENT).token(&token).sign()
            }),
            slow(name("snap-asymmetric"), move |n| {
                snap(n, size).target(RSA_PAYMENT).sign_rsa()
            }),
            judged(name("a declared scheme"), move |n| declared(n, size)),
        ]);
    }
    all.extend(KINDS.iter().map(|kind| match (kind.keys)() {
        [Key::Ed25519(_) | Key::Rsa(..), ..] => slow(kind.scheme, move |n| hook(kind, n)),
        _ => judged(kind.scheme, move |n| hook(kind, n)),
    }));
    all
}

fn judged(name: impl Into<String>, request: impl Fn(usize) -> Request + 'static) -> Judged {
    Judged {
        name: name.into(),
        count: 200,
        request: Box::new(request),
    }
}

fn slow(name: impl Into<String>, request: impl Fn(usize) -> Request + 'static) -> Judged {
    Judged {
        count: 16,
        ..judged(name, request)
    }
}

/// So many seconds after [`TIME`].
fn time(seconds: usize) -> Timestamp {
    let start: Timestamp = TIME.parse().unwrap();
    Timestamp::from_second(start.as_second() + seconds as i64).unwrap()
}

/// JSON of this size, in bytes.
fn body(n: usize, size: usize) -> String {
    let mut body = format!(r#"{{"trxId":"INV-{n:06}","paidAmount":{{"value":"10001.00"}}"#);
    for member in 0.. {
        if body.len() + 25 > size {
            break;
        }
        body.push_str(&format!(r#","detail{member:05}":"{member:07}""#));
    }
    let room = size - body.len() - 1;
    body + &" ".repeat(room) + "}"
}

fn doku(n: usize, size: usize) -> Request {
    let id = format!("479b663f-5c9d-400d-8e80-{n:012}");
    Doku::new(body(n, size)).id(&id).at(TIME).sign()
}

fn snap(n: usize, size: usize) -> Snap {
    let id = format!("{n:012}");
    Snap::new(body(n, size))
        .external_id(&id)
        .at(&jakarta_time(time(0)))
}

fn hook(kind: &'static Kind, n: usize) -> Request {
    let id = format!("N{n:010}");
    let notice = Notice {
        at: time(0),
        body: kind.body.replace("@ID@", &id),
        id,
        ..Notice::new(kind)
    };
    notice.sign()
}

fn declared(n: usize, size: usize) -> Request {
    let (body, at) = (body(n, size), time(0).as_millisecond());
    let proof = hmac_sha256(
        DECLARED_SECRET.as_bytes(),
        format!("{body}.{at}").as_bytes(),
    );
    Request::post("/declared", body)
        .header("Content-Type", "application/json")
        .header("X-Signature-Timestamp", at.to_string())
        .header("X-Signature", format!("sha256={}", base64(&proof)))
}
