//! Requests of every fate, each of which carries words that nobody may ever read again.

use std::time::Duration;

use super::canary::Needles;
use super::gateway::{BRN, unique};
use super::hashes::hmac_sha256;
use super::snap::{DEBIT, INQUIRY, PAYMENT, QR};
use super::tokens::{access_token, b2b_jwt, b2b_key, bearing};
use super::{
    App, Doku, KINDS, Notice, Plain, Qris, Reply, Request, Snap, TokenRequest, ago, ahead, pivot,
    pivot_with,
};

pub const BODY: &str = "canary-body-Xq81vB";
pub const QUERY: &str = "canary-query-Lw27hD";
pub const HEADER: &str = "canary-header-Tz53kN";
pub const ANSWER: &str = "canary-answer-Rj64mF";
pub const FORGED: &str = "canary-forged-Hs92pC";
pub const STRANGER: &str = "canary-stranger-secret-Vy35";

const WORDS: [&str; 6] = [BODY, QUERY, HEADER, ANSWER, FORGED, STRANGER];

/// Sends tainted requests, and gathers what must not be shown of each.
pub struct Taint<'a> {
    kawal: &'a Plain,
    pub needles: Needles,
    /// How often something was answered.
    pub answered: usize,
}

impl<'a> Taint<'a> {
    pub fn new(kawal: &'a Plain) -> Self {
        let mut needles = Needles::default();
        for word in WORDS {
            needles.add(word);
        }
        Self {
            kawal,
            needles,
            answered: 0,
        }
    }

    /// Sends it with a canary in a header of each kind.
    pub fn send(&mut self, request: Request) {
        for name in ["Signature", "X-SIGNATURE"] {
            if let Some(value) = super::wire::find(&request.headers, name) {
                self.proof(value.trim_start_matches("HMACSHA256="));
            }
        }
        let tainted = request
            .header("X-Note", HEADER)
            .header("X-Forwarded-For", format!("{HEADER}, [{HEADER}]:1"))
            .header("Cookie", format!("session={HEADER}"))
            .header("User-Agent", HEADER);
        let answer = self.kawal.send_raw(&tainted.bytes());
        self.answered += usize::from(answer.is_some());
    }

    pub fn proof(&mut self, proof: &str) {
        match proof.contains("canary") {
            // The key itself: what it begins with may be a word like any other.
            true => self.needles.add(proof),
            false => self.needles.add_proof(proof),
        }
    }

    /// Genuine ones, copies of them, and whatever else is signed right.
    pub fn genuine(&mut self) {
        let signed = doku();
        for _ in 0..2 {
            self.send(signed.sign());
        }
        let mut conflicting = signed.clone();
        conflicting.body.push(b' ');
        self.send(conflicting.sign());
        self.send(pivot(format!("{BODY} {}", unique("p"))));
        let qris = Qris::new().set("CUSTOMERNAME", BODY);
        self.proof(&qris.words());
        for request in [qris.clone().sign(), qris.clone().form()] {
            self.send(request);
        }
        self.send(qris.clone().signed().set("AMOUNT", "1.00").bare());
        for path in [PAYMENT, INQUIRY, DEBIT, QR] {
            self.send(snap().target(&format!("{path}?token={QUERY}")).sign());
        }
        for kind in &KINDS {
            let notice = Notice::new(kind);
            self.proof(longest_word(&notice.proof()));
            let signed = notice.sign();
            self.send(signed.clone());
            self.send(signed);
        }
    }

    /// Every reason for a 401 and what else the judgement refuses.
    pub fn refused(&mut self) {
        let minutes = |n: u64| Duration::from_secs(n * 60);
        let genuine = doku().sign();
        let forged = genuine.clone().replace("Signature", FORGED);
        self.send(forged);
        let like = format!("HMACSHA256={FORGED}");
        self.send(genuine.clone().replace("Signature", like));
        self.send(genuine.clone().without("Signature"));
        self.send(genuine.clone().double_after("Signature", FORGED));
        self.send(genuine.clone().body(format!("{BODY}!")));
        self.send(doku().client(STRANGER, STRANGER).sign());
        self.send(doku().client(BRN, STRANGER).sign());
        self.send(doku().at(&ago(minutes(3000))).sign());
        self.send(doku().at(&ago(minutes(60))).sign());
        self.send(doku().at(&ahead(minutes(60))).sign());
        self.send(doku().at(HEADER).sign());
        self.send(genuine.clone().method("PUT"));
        self.send(genuine.clone().header("Expect", HEADER));
        self.send(genuine.clone().body(vec![b'x'; 1 << 21]).chunked(65_536));
        self.send(pivot_with(FORGED, BODY));
        self.send(pivot(BODY).without("X-API-Key"));
        self.send(Qris::new().set("WORDS", FORGED).bare());
        let twice = Qris::new().signed().query() + &format!("&AMOUNT={QUERY}&CUSTOMERNAME=%ff");
        self.send(Request::post(&format!("/payments/qris?{twice}"), BODY));
        for kind in &KINDS {
            let notice = Notice::new(kind);
            self.send(notice.bearing(FORGED));
            let [_, _, stranger] = (kind.keys)();
            let foreign = Notice::new(kind).key(stranger);
            self.proof(longest_word(&foreign.proof()));
            self.send(foreign.sign());
        }
        self.send(snap().with_signature(FORGED));
        self.send(snap().without_token().sign());
        self.send(snap().authorization(FORGED).sign());
    }

    /// Access tokens, granted and not, right and wrong.
    pub fn tokens(&mut self) {
        let request = TokenRequest::new().sign();
        self.proof(&request.value("X-SIGNATURE"));
        let answer = self.kawal.send(&request);
        let token = access_token(&answer);
        self.needles.add(&token);
        for part in token.split('.').skip(1) {
            self.proof(part);
        }
        let key = b2b_key();
        self.proof(&super::hashes::hex(&key));
        self.proof(&super::hashes::base64(&key));
        self.send(request.clone());
        self.send(TokenRequest::new().with_signature(FORGED));
        self.send(TokenRequest::new().body(BODY).sign());
        self.send(bearing(&token).sign());
        let stranger = b2b_jwt().hs256(&hmac_sha256(STRANGER.as_bytes(), b"key"));
        let ended = b2b_jwt().claim("exp", 1_700_000_000).hs256(&key);
        for bad in [stranger, ended, FORGED.to_owned()] {
            self.needles.add(&bad);
            self.send(bearing(&bad).sign());
        }
    }

    /// What the app does wrong, and what it says.
    pub fn scenes(&mut self) {
        for scene in SCENES {
            self.send(doku().sign().header("X-Scene", scene));
            let target = format!("/elsewhere/{scene}?token={QUERY}");
            self.send(Request::post(&target, BODY).header("X-Scene", scene));
        }
    }
}

const SCENES: [&str; 6] = ["ok", "refuse", "hangup", "garbage", "headers", "broken"];

/// An app that plays the scene which a request names, and says canaries in all of them.
pub fn app() -> App {
    let app = App::start();
    app.answer_with(|request| {
        let told = Reply::ok()
            .header("X-Answer", ANSWER)
            .header("Set-Cookie", &format!("session={ANSWER}"))
            .body(format!("{{\"note\":\"{ANSWER}\"}}"));
        let head = format!("HTTP/1.1 200 {ANSWER}\r\nX-Answer {ANSWER}\0\r\n\r\n{ANSWER}");
        match request.header("X-Scene").as_deref() {
            Some("refuse") => Reply::new(500).body(ANSWER),
            Some("hangup") => Reply::hangup(),
            Some("garbage") => Reply::raw(format!("{ANSWER} {ANSWER}\r\n{ANSWER}\r\n\r\n")),
            Some("headers") => Reply::raw(head),
            Some("broken") => told.broken_after(4),
            _ => told,
        }
    });
    app
}

fn doku() -> Doku {
    Doku::new(format!("{{\"name\":\"{BODY}\"}}"))
        .target(&format!("/payments/notifications?token={QUERY}"))
}

fn snap() -> Snap {
    Snap::new(format!(
        "{{\"name\":\"{BODY}\",\"id\":\"{}\"}}",
        unique("s")
    ))
}

/// The proof itself, without what says how it was made.
fn longest_word(proof: &str) -> &str {
    let words = proof.split(|c: char| !c.is_ascii_alphanumeric() && !"+/=_-".contains(c));
    words.max_by_key(|word| word.len()).unwrap()
}
