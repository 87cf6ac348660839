//! The gateways of the demo: they sign as DOKU and Pivot do, and send.

use super::app::read_message;
use super::signer::Signer;
use crate::intake::{Head, Received};
use crate::scheme::{AnswerForm, Preset, Scheme};
use crate::secret::{Client, Secret};
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use std::io;
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// One sender.
pub(super) struct SampleGateway {
    pub(super) name: &'static str,
    scheme: Scheme,
    client: Client,
    /// Signs requests for access tokens, where the scheme has them.
    signer: Option<Signer>,
    /// The access token that its notifications bear.
    token: String,
}

/// A notification, ready to send.
#[derive(Clone, Debug)]
pub(super) struct Notification {
    pub(super) target: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl SampleGateway {
    pub(super) fn new(name: &'static str, id: Option<&str>, key: &str) -> Result<Self, String> {
        let preset = Preset::find(name).ok_or("a built-in scheme is gone")?;
        let secrets = vec![Secret::new(key.as_bytes().to_vec())?];
        let client = Client {
            id: id.map(Into::into),
            secrets,
            public_keys: Vec::new(),
        };
        let scheme = preset.scheme()?;
        let has_tokens = scheme.answers() == AnswerForm::Snap;
        Ok(Self {
            name,
            scheme,
            client,
            signer: has_tokens.then(Signer::new).transpose()?,
            token: String::new(),
        })
    }

    /// The public half of what it signs token requests with.
    pub(super) fn public_key(&self) -> Option<&str> {
        self.signer.as_ref().map(Signer::public_key)
    }

    /// A request for an access token; `None` where the scheme has none.
    pub(super) fn token_request(&self, at: Timestamp) -> Option<Result<Notification, String>> {
        let signer = self.signer.as_ref()?;
        let id = self.client.id.as_deref().unwrap_or_default();
        let time = self.scheme.print_time(at).unwrap_or_default();
        let signature = signer.sign(&format!("{id}|{time}"));
        Some(signature.map(|signature| Notification {
            target: "/authorization/v1/access-token/b2b".into(),
            headers: vec![
                ("X-CLIENT-KEY", id.into()),
                ("X-TIMESTAMP", time),
                ("X-SIGNATURE", signature),
            ],
            body: "{\"grantType\":\"client_credentials\"}".into(),
        }))
    }

    /// Takes the token out of the answer to such a request.
    pub(super) fn take_token(&mut self, answer: &str) {
        let answer: Value = serde_json::from_str(answer).unwrap_or_default();
        let token = answer.get("accessToken").and_then(Value::as_str);
        self.token = token.unwrap_or_default().to_owned();
    }

    /// Its throw-away key.
    pub(super) fn key(&self) -> &[u8] {
        self.client
            .secrets
            .first()
            .map(Secret::bytes)
            .unwrap_or_default()
    }

    /// Whether its notifications bear a signed time.
    pub(super) fn signs_a_time(&self) -> bool {
        self.scheme.freshness().is_some()
    }

    /// A genuine notification of payment `number`, signed at `at`.
    pub(super) fn notification(&self, number: u32, at: Timestamp) -> Result<Notification, String> {
        let time = self.scheme.print_time(at).unwrap_or_default();
        let id = self.client.id.as_deref().unwrap_or_default();
        let mut notification = match self.name {
            "doku" => doku(number, id, &time),
            "doku-qris" => qris(number, id, &time),
            "snap" => snap(number, id, &time, &self.token),
            _ => pivot(number),
        };
        let plain = notification.received()?;
        let proof = self
            .scheme
            .prove(&plain, &self.client, None)
            .map_err(|why| why.to_string())?;
        match self.name {
            "doku" => notification.headers.push(("Signature", proof)),
            "doku-qris" => notification.target.push_str(&format!("&WORDS={proof}")),
            "snap" => notification.headers.push(("X-SIGNATURE", proof)),
            _ => notification.headers.push(("X-API-Key", proof)),
        }
        Ok(notification)
    }
}

fn doku(number: u32, id: &str, time: &str) -> Notification {
    Notification {
        target: "/payments/notifications".into(),
        headers: vec![
            ("Client-Id", id.into()),
            (
                "Request-Id",
                format!("479b663f-5c9d-400d-8e80-{number:012}"),
            ),
            ("Request-Timestamp", time.into()),
        ],
        body: format!(
            "{{\"order\":{{\"invoice_number\":\"INV-{number}\",\"amount\":150000}},\
             \"transaction\":{{\"status\":\"SUCCESS\"}}}}"
        ),
    }
}

fn qris(number: u32, id: &str, time: &str) -> Notification {
    Notification {
        target: format!(
            "/payments/qris?ACQUIRER=DOKU&INVOICE={number}&TRANSACTIONID=INV-{number}&AMOUNT=2000.00\
             &TXNDATE={time}&MERCHANTPAN={id}&CUSTOMERNAME=YURI+PRAMANA&TXNSTATUS=S\
             &ISSUERID=9360050110001187249"
        ),
        headers: Vec::new(),
        body: String::new(),
    }
}

fn snap(number: u32, id: &str, time: &str, token: &str) -> Notification {
    Notification {
        target: "/v1/transfer-va/payment".into(),
        headers: vec![
            ("X-PARTNER-ID", id.into()),
            ("X-EXTERNAL-ID", format!("{number:09}")),
            ("X-TIMESTAMP", time.into()),
            ("CHANNEL-ID", "VA004".into()),
            ("Authorization", format!("Bearer {token}")),
        ],
        body: format!(
            "{{\"partnerServiceId\":\"   77777\",\"customerNo\":\"{number:013}\",\"trxId\":\"INV-{number}\",\
             \"paymentRequestId\":\"{number}\",\"paidAmount\":{{\"value\":\"150000.00\",\"currency\":\"IDR\"}}}}"
        ),
    }
}

fn pivot(number: u32) -> Notification {
    Notification {
        target: "/payments/pivot".into(),
        headers: Vec::new(),
        body: format!(
            "{{\"event\":\"PAYMENT.PAID\",\"data\":{{\"id\":\"p_{number}\",\"amount\":{{\"value\":10001}}}}}}"
        ),
    }
}

impl Notification {
    /// The same with one byte of what it says changed.
    pub(super) fn forged(mut self) -> Self {
        self.body = self.body.replace("150000", "990000");
        self.target = self.target.replace("TXNDATE=2", "TXNDATE=1");
        for (name, value) in &mut self.headers {
            if *name == "X-API-Key" {
                value.push('x');
            }
        }
        self
    }

    fn bytes(&self, host: &str) -> String {
        let headers: String = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        format!(
            "POST {} HTTP/1.1\r\nHost: {host}\r\n{headers}Content-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{}",
            self.target,
            self.body.len(),
            self.body
        )
    }

    fn received(&self) -> Result<Received, String> {
        let text = self.bytes("localhost");
        let head = text.strip_suffix(&*self.body).unwrap_or(&text);
        let head = Head::parse(head.as_bytes()).map_err(|why| why.to_string())?;
        Ok(Received::new(head, Bytes::from(self.body.clone())))
    }

    /// Sends it; the status and body of the answer.
    pub(super) async fn send(&self, to: SocketAddr) -> io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(to).await?;
        stream
            .write_all(self.bytes(&to.to_string()).as_bytes())
            .await?;
        let answer = read_message(&mut stream).await?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|word| word.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("not an HTTP answer"))?;
        Ok((status, body.to_owned()))
    }

    /// The same as a curl command.
    pub(super) fn curl(&self, to: SocketAddr) -> String {
        let headers: String = self
            .headers
            .iter()
            .map(|(name, value)| format!(" -H '{name}: {value}'"))
            .collect();
        format!(
            "curl -i 'http://{to}{}'{headers} -d '{}'",
            self.target, self.body
        )
    }
}
