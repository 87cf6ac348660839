//! The gateways of the demo: they sign as DOKU and Pivot do, and send.

use super::app::read_message;
use crate::intake::{Head, Received};
use crate::scheme::{Preset, Scheme};
use crate::secret::{Client, Secret};
use bytes::Bytes;
use jiff::Timestamp;
use std::io;
use std::net::SocketAddr;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

/// One sender.
pub(super) struct SampleGateway {
    pub(super) name: &'static str,
    scheme: Scheme,
    client: Client,
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
        Ok(Self {
            name,
            scheme: preset.scheme()?,
            client,
        })
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
        let end = text.len() - self.body.len();
        let head = Bytes::copy_from_slice(text.as_bytes()).slice(..end);
        let head = Head::parse(head).map_err(|why| why.to_string())?;
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
