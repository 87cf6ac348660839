//! What verification costs: `cargo bench --locked`. Bodies are as DOKU sends them, padded.
#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a bench that cannot set up has nothing to measure"
)]

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use kawal::freshness::Window;
use kawal::intake::{Head, Received, minify};
use kawal::scheme::{Preset, Scheme};
use kawal::secret::{Client, KeyRing, PublicKey, Secret};
use kawal::token::{Issuer, authorize};
use std::hint::black_box;

const SIZES: [(&str, usize); 3] = [("100 B", 100), ("1 KiB", 1024), ("64 KiB", 65_536)];
const TIME: &str = "2026-01-02T03:04:05Z";

/// A notification's JSON of about this many bytes.
fn body(size: usize) -> String {
    let start = r#"{"partnerServiceId":"   77777","customerNo":"0000000000001","trxId":"INV-1""#;
    let mut body = start.to_owned();
    for number in 0.. {
        if body.len() + 25 > size {
            break;
        }
        body.push_str(&format!(r#","detail{number:05}":"{number:07}""#));
    }
    body + "}"
}

struct Sender {
    ring: KeyRing,
    pair: RsaKeyPair,
}

impl Sender {
    fn new() -> Self {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        let key = STANDARD.encode(pair.public_key().as_der().unwrap().as_ref());
        let client = Client {
            id: Some("BRN-0001-1".into()),
            secrets: vec![Secret::new(b"SK-a-secret-for-the-bench".to_vec()).unwrap()],
            public_keys: vec![PublicKey::parse(key.as_bytes()).unwrap()],
        };
        Self {
            ring: KeyRing::new(vec![client]),
            pair,
        }
    }

    fn sign(&self, message: &str) -> String {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &random,
                message.as_bytes(),
                &mut signature,
            )
            .unwrap();
        STANDARD.encode(signature)
    }

    /// What DOKU would send: the head and the body.
    fn notification(&self, scheme: &Scheme, body: &str) -> (Head, Bytes) {
        let plain = format!(
            "POST /payments/notifications HTTP/1.1\r\nHost: merchant.example\r\n\
             User-Agent: Apache-HttpClient/4.5.13 (Java/11)\r\nContent-Type: application/json\r\n\
             Client-Id: BRN-0001-1\r\nRequest-Id: 479b663f-5c9d-400d-8e80-3e548a8f7639\r\n\
             Request-Timestamp: {TIME}\r\nX-PARTNER-ID: BRN-0001-1\r\nX-CLIENT-KEY: BRN-0001-1\r\n\
             X-TIMESTAMP: {TIME}\r\nX-EXTERNAL-ID: 418075533589\r\nAuthorization: Bearer {}\r\n\
             Content-Length: {}\r\n",
            "t".repeat(300),
            body.len()
        );
        let body = Bytes::from(body.to_owned());
        let head = |proof: &str| Head::parse(format!("{plain}{proof}\r\n").as_bytes()).unwrap();
        let received = Received::new(head(""), body.clone());
        let proof = match scheme.name() {
            "doku" => {
                let (_, client) = self.ring.find("BRN-0001-1").unwrap();
                format!(
                    "Signature: {}\r\n",
                    scheme.prove(&received, client, None).unwrap().unwrap()
                )
            }
            "snap" => {
                let (_, client) = self.ring.find("BRN-0001-1").unwrap();
                format!(
                    "X-SIGNATURE: {}\r\n",
                    scheme.prove(&received, client, None).unwrap().unwrap()
                )
            }
            "snap-asymmetric" => {
                let digest = received.minified_sha256();
                let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                let message = format!("POST:/payments/notifications:{digest}:{TIME}");
                format!("X-SIGNATURE: {}\r\n", self.sign(&message))
            }
            _ => format!(
                "X-SIGNATURE: {}\r\n",
                self.sign(&format!("BRN-0001-1|{TIME}"))
            ),
        };
        (head(&proof), body)
    }
}

fn verify(criterion: &mut Criterion) {
    let sender = Sender::new();
    for name in ["doku", "snap", "snap-asymmetric"] {
        let scheme = Preset::find(name).unwrap().scheme().unwrap();
        let mut group = criterion.benchmark_group(format!("verify/{name}"));
        for (label, size) in SIZES {
            let (head, body) = sender.notification(&scheme, &body(size));
            group.bench_function(label, |bench| {
                bench.iter_batched(
                    || Received::new(head.clone(), body.clone()),
                    // Dropped here, as it would be: memory that is kept costs more than the proof.
                    |received| {
                        let ring = &sender.ring;
                        drop(scheme.authenticate(received, "bench", ring, None).unwrap());
                    },
                    BatchSize::SmallInput,
                );
            });
        }
    }
}

/// A token request from its head to its token, and the check of that token on a notification.
fn token(criterion: &mut Criterion) {
    let sender = Sender::new();
    let issuer = Issuer::new("bench".into(), &sender.ring).unwrap();
    let scheme = issuer.request_scheme();
    let (head, body) = sender.notification(scheme, r#"{"grantType":"client_credentials"}"#);
    let now = TIME.parse().unwrap();
    let window = Window::new(scheme.freshness());
    let fresh = |head: &Head| {
        let received = Received::new(head.clone(), body.clone());
        let authentic = scheme
            .authenticate(received, "bench", &sender.ring, None)
            .unwrap();
        window.check(authentic, now).unwrap()
    };
    criterion.bench_function("token/issue", |bench| {
        bench.iter_batched(
            || issuer.read(fresh(&head)).unwrap(),
            |request| issuer.issue(&request, now).unwrap(),
            BatchSize::SmallInput,
        );
    });
    let token = issuer
        .issue(&issuer.read(fresh(&head)).unwrap(), now)
        .unwrap();
    let bearing = format!(
        "POST / HTTP/1.1\r\nHost: h\r\nX-CLIENT-KEY: BRN-0001-1\r\nX-TIMESTAMP: {TIME}\r\n\
         X-SIGNATURE: {}\r\nAuthorization: Bearer {token}\r\n\r\n",
        sender.sign(&format!("BRN-0001-1|{TIME}"))
    );
    let bearing = Head::parse(bearing.as_bytes()).unwrap();
    criterion.bench_function("token/check", |bench| {
        bench.iter_batched(
            || fresh(&bearing),
            |fresh| drop(authorize(fresh, Some(&issuer), now).unwrap()),
            BatchSize::SmallInput,
        );
    });
}

fn minification(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("minify");
    for (label, size) in SIZES {
        let compact = body(size);
        let value: serde_json::Value = serde_json::from_str(&compact).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        for (form, json) in [("compact", compact), ("pretty", pretty)] {
            group.throughput(Throughput::Bytes(json.len() as u64));
            group.bench_function(format!("{form} {label}"), |bench| {
                bench.iter(|| minify(black_box(json.as_bytes())).len());
            });
        }
    }
}

criterion_group!(judgement, verify, token, minification);
criterion_main!(judgement);
