//! The usual mistakes, tried one after the other until one explains a proof that does not hold.

use super::{Capture, Chart, reformat};
use crate::intake::{Received, minify};
use crate::rejection::Rejection;
use crate::route::Route;
use crate::scheme::{Place, Preset, Scheme, Scope, Trial, visible};
use crate::secret::{Client, KeyKind, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A mistake, and what to do about it.
pub(super) struct Cause {
    /// Its word; `None` where it is told without one.
    pub(super) word: Option<&'static str>,
    pub(super) says: String,
}

/// A refused request, and all that it may be compared with.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) capture: &'a Capture,
    pub(super) received: &'a Received,
    pub(super) route: &'a Route,
    pub(super) scheme: &'a Scheme,
    pub(super) chart: Chart<'a>,
}

fn cause(word: &'static str, says: impl Into<String>) -> Option<Cause> {
    Some(Cause {
        word: Some(word),
        says: says.into(),
    })
}

impl Case<'_> {
    /// The first mistake that explains the refusal.
    pub(super) fn first_cause(&self, why: &Rejection) -> Option<Cause> {
        if self.scheme.given(self.received).is_none() {
            return self.wrong_scheme().or_else(|| self.no_proof());
        }
        let mistakes: [fn(&Self) -> Option<Cause>; 13] = [
            Self::held,
            Self::proof_prefix,
            Self::proof_encoding,
            Self::other_client,
            Self::secret,
            Self::trailing_slash,
            Self::query,
            Self::path,
            Self::body,
            Self::bearer,
            Self::time,
            Self::letter_case,
            Self::hash,
        ];
        let found = mistakes.iter().find_map(|mistake| mistake(self));
        found
            .or_else(|| self.wrong_scheme())
            .or_else(|| self.stranger(why))
    }

    /// With the keys of the client that is named, where there is one.
    fn trial(&self) -> Trial<'_> {
        let ring = &self.route.gateway.ring;
        let named = self.scheme.named_client(self.received);
        let named = named.and_then(|id| ring.find(&id));
        Trial {
            received: self.received,
            clients: named.map_or(ring.clients(), std::slice::from_ref),
            public_path: self.route.public_path.as_deref(),
        }
    }

    fn holds_with(&self, changed: &Capture) -> bool {
        let Ok(received) = changed.received() else {
            return false;
        };
        let received = &received;
        self.scheme.holds(Trial {
            received,
            ..self.trial()
        })
    }

    fn holds_at(&self, public_path: Option<&str>) -> bool {
        self.scheme.holds(Trial {
            public_path,
            ..self.trial()
        })
    }

    /// The proof holds, and something beside it does not.
    fn held(&self) -> Option<Cause> {
        if !self.scheme.holds(self.trial()) {
            return None;
        }
        if let Some(place) = self.scheme.misshapen(self.received) {
            let says =
                format!("the proof holds, but {place} has not the shape that the scheme demands");
            return cause("shape", says);
        }
        let named = self.scheme.named_client(self.received);
        if let Some(id) = named.filter(|id| self.route.gateway.ring.find(id).is_none()) {
            let says = format!(
                "no client has the id `{}`; the proof is made with the key of another one of this gateway",
                visible(id.as_bytes())
            );
            return cause("other-client", says);
        }
        let query = self.received.head().query();
        if query.is_some()
            || self
                .route
                .public_path
                .as_deref()
                .is_some_and(|path| path.contains('?'))
        {
            let says = "the proof holds for the path alone, and the query beside it is not signed: set \
                        public_path to the path with the very query that is registered at the gateway";
            return cause("query", says);
        }
        if let Some(place) = self.scheme.time_place() {
            let says = format!(
                "the proof holds, but the time at {place} is not written as the scheme declares"
            );
            return cause("time-format", says);
        }
        Some(Cause {
            word: None,
            says: "the proof holds for one of the gateway's clients, but not for the one that is named".into(),
        })
    }

    fn proof_prefix(&self) -> Option<Cause> {
        cause("proof-prefix", self.scheme.other_prefix(self.trial())?)
    }

    fn proof_encoding(&self) -> Option<Cause> {
        let found = self.scheme.other_encoding(self.trial())?;
        let (case, says) = (
            found.ends_with("-case hex"),
            format!("the proof is written as {found}"),
        );
        let declared = "; the scheme declares another encoding";
        let given = self.scheme.given_bare(self.received).unwrap_or_default();
        let expected = self.scheme.expectations(self.trial());
        let only_case = expected
            .iter()
            .filter_map(|expected| expected.proof.as_deref());
        let mut only_case = only_case.filter(|proof| proof.eq_ignore_ascii_case(&given));
        match case && only_case.next().is_some() {
            true => cause(
                "letter-case",
                format!("{says}; the scheme declares the other letter case"),
            ),
            false => cause("proof-encoding", format!("{says}{declared}")),
        }
    }

    /// Another configured client's key, or another gateway's.
    fn other_client(&self) -> Option<Cause> {
        let kind = self.scheme.key_kind();
        for gateway in self.chart.gateways {
            for client in gateway.ring.clients() {
                let keys = match kind {
                    KeyKind::Secret => client.secrets.len(),
                    KeyKind::PublicKey => client.public_keys.len(),
                };
                let made = keys > 0
                    && self.scheme.holds(Trial {
                        clients: std::slice::from_ref(client),
                        ..self.trial()
                    });
                // A message may hold the id: the key of one, and the id of another.
                let made = made || keys > 0 && self.holds_with_keys_of(client);
                if made {
                    let id = client.id.as_deref().map(|id| format!("client {id} of "));
                    let (id, name) = (id.unwrap_or_default(), &gateway.name);
                    return cause(
                        "other-client",
                        format!("the proof is made with a key of {id}gateway {name}"),
                    );
                }
            }
        }
        None
    }

    fn holds_with_keys_of(&self, other: &Client) -> bool {
        let own = self.route.gateway.ring.clients();
        let clients: Vec<Client> = own
            .iter()
            .map(|client| Client {
                id: client.id.clone(),
                ..other.clone()
            })
            .collect();
        self.scheme.holds(Trial {
            clients: &clients,
            ..self.trial()
        })
    }

    /// The right secret, read or copied wrongly.
    fn secret(&self) -> Option<Cause> {
        let blanks = "the key at the gateway has blanks or a line end around it, or ours has: compare them \
                      byte by byte";
        let text =
            "the key is written in an encoding: one side takes it as text, the other decodes it";
        let changes: [(&'static str, &str, Change); 9] = [
            ("secret-whitespace", blanks, |key| {
                Some([key, b"\n\n"].concat())
            }),
            ("secret-whitespace", blanks, |key| {
                Some([key, b"\r\n\n"].concat())
            }),
            ("secret-whitespace", blanks, |key| {
                Some([key, b" "].concat())
            }),
            ("secret-whitespace", blanks, |key| {
                Some([b" ", key].concat())
            }),
            ("secret-whitespace", blanks, |key| {
                Some(key.trim_ascii().to_vec())
            }),
            ("key-encoding", text, |key| {
                Some(STANDARD.encode(key).into_bytes())
            }),
            ("key-encoding", text, |key| Some(hex(key).into_bytes())),
            ("key-encoding", text, |key| {
                STANDARD.decode(key.trim_ascii()).ok()
            }),
            ("key-encoding", text, unhex),
        ];
        let found = changes
            .into_iter()
            .find(|(_, _, change)| self.holds_with_secrets(*change));
        let (word, says, _) = found.or_else(|| {
            let prefix = self.scheme.key().prefix.as_bytes();
            let prefixed = self.route.gateway.ring.clients().iter().any(|client| {
                let text =
                    |secret: &Secret| [prefix, STANDARD.encode(secret.bytes()).as_bytes()].concat();
                let secrets = client
                    .secrets
                    .iter()
                    .filter_map(|s| Secret::new(text(s)).ok());
                !prefix.is_empty() && self.holds_for(client, secrets.collect())
            });
            prefixed.then_some(("key-encoding", text, |_| None))
        })?;
        cause(word, says)
    }

    fn holds_with_secrets(&self, change: Change) -> bool {
        self.route.gateway.ring.clients().iter().any(|client| {
            let keys = client
                .secrets
                .iter()
                .filter_map(|secret| change(secret.bytes()));
            let secrets = keys.filter_map(|key| Secret::new(key).ok());
            self.holds_for(client, secrets.collect())
        })
    }

    fn holds_for(&self, client: &Client, secrets: Vec<Secret>) -> bool {
        let client = Client {
            secrets,
            ..client.clone()
        };
        self.scheme.holds(Trial {
            clients: std::slice::from_ref(&client),
            ..self.trial()
        })
    }

    fn trailing_slash(&self) -> Option<Cause> {
        let path = self.known_path();
        let other = match path.strip_suffix('/') {
            Some(shorter) => shorter.to_owned(),
            None => format!("{path}/"),
        };
        let says = format!(
            "the gateway signed {other}: register the other URL, or set public_path: {other}"
        );
        self.holds_at(Some(&other))
            .then(|| cause("trailing-slash", says))
            .flatten()
    }

    /// The path that the message holds.
    fn known_path(&self) -> String {
        let path = self.route.public_path.as_deref();
        let path = path.unwrap_or(self.capture.path());
        path.split('?').next().unwrap_or_default().to_owned()
    }

    /// Signed with the query where the scheme leaves it out, or without it.
    fn query(&self) -> Option<Cause> {
        let path = self.known_path();
        let (_, query) = self.capture.target().split_once('?')?;
        let whole = format!("{path}?{query}");
        let with = |message: Vec<u8>| replaced(message, &path, &whole);
        let without = |message: Vec<u8>| replaced(message, &whole, &path);
        let says = match (
            self.scheme.holds_for(self.trial(), &with),
            self.scheme.holds_for(self.trial(), &without),
        ) {
            (true, _) => "the gateway signed the path with its query, which the scheme leaves out",
            (_, true) => "the gateway signed the path without the query, which the scheme takes in",
            (false, false) => return None,
        };
        cause("query", says)
    }

    fn path(&self) -> Option<Cause> {
        if !self.scheme.covers_path() {
            return None;
        }
        let path = self.capture.path();
        if self.route.public_path.is_some() && self.holds_at(None) {
            let says = "the gateway signed the path as it came: leave public_path out";
            return cause("public-path", says);
        }
        let hinted = self.hinted_paths();
        if let Some(signed) = hinted.iter().find(|hint| self.holds_at(Some(hint))) {
            let says =
                format!("the gateway signed {signed}: set public_path: {signed} on this route");
            return cause("public-path", says);
        }
        let ends = path.match_indices('/').filter_map(|(at, _)| path.get(at..));
        let mut others: Vec<String> = ends.skip(1).map(str::to_owned).collect();
        others.extend(USUAL_PREFIXES.map(|prefix| format!("{prefix}{path}")));
        others.extend([path.to_ascii_lowercase(), path.to_ascii_uppercase()]);
        let signed = others
            .into_iter()
            .find(|other| self.holds_at(Some(other)))?;
        let says = format!("the gateway signed {signed}: set public_path: {signed} on this route");
        cause("path", says)
    }

    /// Paths that the request or the configuration names.
    fn hinted_paths(&self) -> Vec<String> {
        let path = self.capture.path();
        let whole = [
            "X-Original-URI",
            "X-Original-URL",
            "X-Forwarded-Uri",
            "X-Rewrite-URL",
            "X-Envoy-Original-Path",
            "X-Forwarded-Path",
        ];
        let whole = whole.iter().filter_map(|name| self.capture.header(name));
        let prefixes = ["X-Forwarded-Prefix", "X-Script-Name"];
        let prefixes = prefixes.iter().filter_map(|name| self.capture.header(name));
        let prefixed = prefixes.map(|prefix| format!("{}{path}", prefix.trim_end_matches('/')));
        let routes = self.chart.routes.iter().flat_map(|route| {
            let public = route.public_path.as_deref();
            [Some(&*route.path), public].into_iter().flatten()
        });
        let all = whole.chain(routes).map(str::to_owned).chain(prefixed);
        all.filter(|hint| hint.starts_with('/') && hint != path)
            .collect()
    }

    fn body(&self) -> Option<Cause> {
        let body = self.capture.body();
        let newlines = [
            Some([body, b"\n"].concat()),
            Some([body, b"\r\n"].concat()),
            body.strip_suffix(b"\n").map(<[u8]>::to_vec),
            body.strip_suffix(b"\r\n").map(<[u8]>::to_vec),
        ];
        let holds = |body: &Vec<u8>| self.holds_with(&self.capture.with_body(body.clone()));
        if newlines.iter().flatten().any(holds) {
            let says = "the body that was signed and the one that came differ by a line end: something on \
                        the way added or dropped one";
            return cause("body-newline", says);
        }
        let minified = minify(body).into_owned();
        if minified != body && holds(&minified) {
            let says = "the gateway signed the body without white space, and it came with some";
            return cause("body-minified", says);
        }
        let mut variants = reformat::variants(body).into_iter();
        let (how, _) = variants.find(|(_, body)| holds(body))?;
        cause(
            "body-reserialised",
            format!(
                "the gateway signed the same JSON written otherwise ({how}): something on the way wrote it anew"
            ),
        )
    }

    fn bearer(&self) -> Option<Cause> {
        let value = self.capture.header("authorization")?;
        let kept = format!("Bearer {value}");
        let says = "the gateway signed the whole of Authorization, not the token alone";
        self.holds_with(&self.capture.with_header("Authorization", &kept))
            .then(|| cause("bearer", says))
            .flatten()
    }

    /// The same moment, written otherwise.
    fn time(&self) -> Option<Cause> {
        let place = self.scheme.time_place()?;
        let header = match place {
            Place::Header(name) | Place::Entry(name, _) => name,
            Place::Query(_)
            | Place::Form(_)
            | Place::Param(_)
            | Place::Json(_)
            | Place::Item(_) => {
                return None;
            }
        };
        let sent = self.capture.header(header)?;
        let text = &*place.read(Scope::whole(self.received)).ok()??;
        let changed = |other: &str| self.capture.with_header(header, &sent.replace(text, other));
        let others = super::moment::otherwise(text);
        let other = others
            .into_iter()
            .find(|other| self.holds_with(&changed(other)))?;
        cause(
            "time-format",
            format!(
                "the gateway signed the time as `{other}`, and it came as `{}`",
                visible(text.as_bytes())
            ),
        )
    }

    fn letter_case(&self) -> Option<Cause> {
        let holds =
            |change: &dyn Fn(Vec<u8>) -> Vec<u8>| self.scheme.holds_for(self.trial(), change);
        let says = if holds(&|message| message.to_ascii_uppercase()) {
            "the gateway signed the message in upper case"
        } else if holds(&|message| message.to_ascii_lowercase()) {
            "the gateway signed the message in lower case"
        } else if holds(&|message| in_upper_case(message)) {
            "the gateway wrote the digest in the message in upper case"
        } else {
            return None;
        };
        cause("letter-case", says)
    }

    fn hash(&self) -> Option<Cause> {
        let hash = self.scheme.other_hash(self.trial())?;
        cause(
            "wrong-hash",
            format!("the proof is made with {hash}, another hash than the scheme declares"),
        )
    }

    fn wrong_scheme(&self) -> Option<Cause> {
        let built_in = Preset::ALL
            .into_iter()
            .filter_map(|preset| preset.scheme().ok());
        let token = Preset::TOKEN_REQUEST.scheme().ok();
        let others: Vec<Scheme> = built_in.chain(token).collect();
        let configured = self.chart.gateways.iter().map(|gateway| &gateway.scheme);
        let others = configured
            .chain(&others)
            .filter(|other| other.name() != self.scheme.name());
        let others: Vec<&Scheme> = others.collect();
        let holds = |other: &&&Scheme| other.holds(self.trial());
        if let Some(other) = others.iter().find(holds) {
            let says = format!(
                "the proof is one of scheme {}: give the gateway that scheme",
                other.name()
            );
            return cause("wrong-scheme", says);
        }
        if self.scheme.given(self.received).is_some() {
            return None;
        }
        let bears = |other: &&&Scheme| other.given(self.received).is_some();
        let other = others.iter().find(bears)?;
        cause(
            "wrong-scheme",
            format!(
                "there is nothing at {}; what stands at {} is a proof of scheme {}",
                self.scheme.proof_place(),
                other.proof_place(),
                other.name()
            ),
        )
    }

    fn no_proof(&self) -> Option<Cause> {
        let place = self.scheme.proof_place();
        Some(Cause {
            word: None,
            says: format!("no proof stands at {place}: look whether something on the way drops it"),
        })
    }

    /// Who is named, and not configured.
    fn stranger(&self, why: &Rejection) -> Option<Cause> {
        if *why != Rejection::UnknownClient {
            return None;
        }
        let named = self.scheme.named_client(self.received)?;
        let ids = self.route.gateway.ring.clients().iter();
        let ids: Vec<&str> = ids.filter_map(|client| client.id.as_deref()).collect();
        Some(Cause {
            word: None,
            says: format!(
                "the request names client `{}`; gateway {} has {}",
                visible(named.as_bytes()),
                self.route.gateway.name,
                ids.join(", ")
            ),
        })
    }
}

type Change = fn(&[u8]) -> Option<Vec<u8>>;

/// What ingresses take away from paths most often.
const USUAL_PREFIXES: [&str; 14] = [
    "/api",
    "/api/v1",
    "/v1",
    "/v1.0",
    "/v1.1",
    "/v2",
    "/payment",
    "/payments",
    "/webhook",
    "/webhooks",
    "/callback",
    "/notify",
    "/public",
    "/index.php",
];

fn replaced(message: Vec<u8>, from: &str, to: &str) -> Vec<u8> {
    match String::from_utf8(message) {
        Ok(text) => text.replacen(from, to, 1).into_bytes(),
        Err(error) => error.into_bytes(),
    }
}

/// Every hex digest in upper case.
fn in_upper_case(message: Vec<u8>) -> Vec<u8> {
    let is_hex = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    let mut changed = message;
    for run in changed.chunk_by_mut(|a, b| is_hex(a) == is_hex(b)) {
        if run.len() >= 32 {
            run.make_ascii_uppercase();
        }
    }
    changed
}

fn hex(key: &[u8]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(key: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(key).ok()?;
    let pairs = (0..text.len()).step_by(2).map(|at| text.get(at..at + 2));
    pairs
        .map(|pair| u8::from_str_radix(pair?, 16).ok())
        .collect()
}
