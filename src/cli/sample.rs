//! Sample notifications, as gateways send them but for ids and names.

use sha2::{Digest as _, Sha256};

/// One sample.
#[derive(Clone, Copy)]
pub(super) struct Sample {
    pub(super) name: &'static str,
    /// The schemes whose gateways send such notifications.
    schemes: &'static [&'static str],
    kind: Kind,
    text: &'static str,
}

/// How a sample is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A JSON body.
    Json,
    /// A form body.
    Form,
    /// Query parameters without a body.
    Query,
}

/// What is new in every notification.
pub(super) struct New<'a> {
    pub(super) id: &'a str,
    pub(super) client: &'a str,
    /// The signed time, as the scheme writes it.
    pub(super) time: &'a str,
}

const SNAP: &[&str] = &["snap", "snap-asymmetric", "durianpay-snap", "nicepay-snap"];
const WEBHOOKS: &[&str] = &["standard-webhooks", "standard-webhooks-asymmetric", "svix"];

/// All samples; the first for a scheme is its own.
const ALL: [Sample; 19] = [
    json("va-bca", &["doku"], include_str!("sample/va-bca.json")),
    json(
        "credit-card",
        &["doku"],
        include_str!("sample/credit-card.json"),
    ),
    json(
        "qris-json",
        &["doku"],
        include_str!("sample/qris-json.json"),
    ),
    sample(
        "qris",
        &["doku-qris"],
        Kind::Query,
        include_str!("sample/qris.query"),
    ),
    json("snap-va", SNAP, include_str!("sample/snap-va.json")),
    json("snap-debit", SNAP, include_str!("sample/snap-debit.json")),
    json(
        "pivot-paid",
        &["pivot"],
        include_str!("sample/pivot-paid.json"),
    ),
    json(
        "pivot-payout",
        &["pivot"],
        include_str!("sample/pivot-payout.json"),
    ),
    json("adyen", &["adyen"], include_str!("sample/adyen.json")),
    sample(
        "duitku",
        &["duitku"],
        Kind::Form,
        include_str!("sample/duitku.form"),
    ),
    json("faspay", &["faspay"], include_str!("sample/faspay.json")),
    json("github", &["github"], include_str!("sample/github.json")),
    json(
        "midtrans",
        &["midtrans"],
        include_str!("sample/midtrans.json"),
    ),
    json(
        "razorpay",
        &["razorpay"],
        include_str!("sample/razorpay.json"),
    ),
    json(
        "standard-webhooks",
        WEBHOOKS,
        include_str!("sample/standard-webhooks.json"),
    ),
    json("stripe", &["stripe"], include_str!("sample/stripe.json")),
    json(
        "svix",
        &["svix"],
        include_str!("sample/standard-webhooks.json"),
    ),
    json("tripay", &["tripay"], include_str!("sample/tripay.json")),
    json("xendit", &["xendit"], include_str!("sample/xendit.json")),
];

const fn json(name: &'static str, schemes: &'static [&'static str], text: &'static str) -> Sample {
    sample(name, schemes, Kind::Json, text)
}

const fn sample(
    name: &'static str,
    schemes: &'static [&'static str],
    kind: Kind,
    text: &'static str,
) -> Sample {
    Sample {
        name,
        schemes,
        kind,
        text,
    }
}

impl Sample {
    /// The sample of this name.
    pub(super) fn find(name: &str) -> Option<Self> {
        ALL.into_iter().find(|sample| sample.name == name)
    }

    /// What a gateway of this scheme sends.
    pub(super) fn of_scheme(scheme: &str) -> Option<Self> {
        ALL.into_iter()
            .find(|sample| sample.schemes.contains(&scheme))
    }

    /// The names of all.
    pub(super) fn names() -> String {
        ALL.map(|sample| sample.name).join(", ")
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The text of a new notification; the same for the same id.
    pub(super) fn fill(&self, new: &New<'_>) -> String {
        let digest = Sha256::digest(new.id);
        let first = digest.iter().take(8);
        let number = first.fold(0, |number, byte| number << 8 | u64::from(*byte)) % 10_u64.pow(16);
        self.text
            .replace("$ID", new.id)
            .replace("$NUMBER", &format!("1{number:016}"))
            .replace("$CLIENT", new.client)
            .replace("$TIME", new.time)
    }
}
