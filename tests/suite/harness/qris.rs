//! The archived QRIS notification: parameters under a SHA-1 that covers four of them.

use jiff::Timestamp;
use sha1::{Digest, Sha1};

use super::Request;
use super::gateway::{PAN, QRIS_SECRET, jakarta, number};

/// An archived QRIS notification: parameters in wire order, `WORDS` added by `sign`.
#[derive(Clone, Debug)]
pub struct Qris {
    pub fields: Vec<(String, String)>,
    pub secret: String,
    pub target: String,
}

impl Qris {
    /// The documented example, dated now, with an invoice of its own.
    pub fn new() -> Self {
        let invoice = format!("{}{:06}", std::process::id(), number());
        let fields = [
            ("ACQUIRER", "DOKU"),
            ("CUSTOMERPAN", "9360050110001187249"),
            ("INVOICE", invoice.as_str()),
            ("TRANSACTIONID", "INVtestaccount07"),
            ("CONVENIENCEFEE", "C00000000"),
            ("TERMINALID", "A01"),
            ("ORIGIN", "INBOUND"),
            ("AMOUNT", "2000.00"),
            ("TXNDATE", &jakarta(Timestamp::now())),
            ("MERCHANTPAN", PAN),
            ("REFERENCEID", "17etne368279"),
            ("CUSTOMERNAME", "YURI PRAMANA"),
            ("TXNSTATUS", "S"),
            ("ISSUERNAME", "QRIS BCAD"),
            ("ISSUERID", "9360050110001187249"),
        ];
        Self {
            fields: fields.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec(),
            secret: QRIS_SECRET.to_owned(),
            target: "/payments/qris".to_owned(),
        }
    }

    /// Another value in the same place, or a further parameter.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        match self.fields.iter_mut().find(|(n, _)| n == name) {
            Some((_, old)) => *old = value.to_owned(),
            None => self.fields.push((name.to_owned(), value.to_owned())),
        }
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(n, _)| n != name);
        self
    }

    pub fn at(self, moment: Timestamp) -> Self {
        self.set("TXNDATE", &jakarta(moment))
    }

    pub fn target(mut self, target: &str) -> Self {
        self.target = target.to_owned();
        self
    }

    pub fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(n, _)| n == name);
        found.map_or("", |(_, value)| value)
    }

    /// The proof over the fields as they are now.
    pub fn words(&self) -> String {
        let mut hash = Sha1::new();
        for name in ["ISSUERID", "TXNDATE", "MERCHANTPAN", "INVOICE"] {
            hash.update(self.field(name));
        }
        hash.update(&self.secret);
        let bytes = hash.finalize();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The same with its proof as the last parameter.
    pub fn signed(self) -> Self {
        let words = self.words();
        self.set("WORDS", &words)
    }

    /// The parameters as they are, with no proof added.
    pub fn query(&self) -> String {
        let pairs: Vec<_> = self
            .fields
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
            .collect();
        pairs.join("&")
    }

    /// Parameters in the query, as they are.
    pub fn bare(&self) -> Request {
        Request::post(&format!("{}?{}", self.target, self.query()), "")
    }

    /// Signed, parameters in the query.
    pub fn sign(self) -> Request {
        self.signed().bare()
    }

    /// Signed, parameters in a form body.
    pub fn form(self) -> Request {
        let signed = self.signed();
        Request::post(&signed.target, signed.query())
            .header("Content-Type", "application/x-www-form-urlencoded")
    }
}

/// Percent-encoding as in a query, a space as `+`.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
