//! The right message under another key, or under the right one read wrongly.

use super::{Case, Cause, cause};
use crate::scheme::{Trial, hex};
use crate::secret::{Client, KeyKind, Secret, unhex};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

impl Case<'_> {
    /// Another configured client's key, or another gateway's.
    pub(super) fn other_client(&self) -> Option<Cause> {
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
    pub(super) fn secret(&self) -> Option<Cause> {
        let blanks = "the key at the gateway has blanks or a line end around it, or ours has: compare them \
                      byte by byte";
        let text =
            "the key is written in an encoding: one side takes it as text, the other decodes it";
        let changes: [(&'static str, &str, Change); 10] = [
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
            ("key-encoding", text, |key| {
                let prefix = key.iter().position(|byte| *byte == b'_')?;
                STANDARD.decode(key.get(prefix + 1..)?).ok()
            }),
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
}

type Change = fn(&[u8]) -> Option<Vec<u8>>;
