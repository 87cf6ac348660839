//! The clients of a gateway with their keys.

use super::{PublicKey, Secret};
use sha2::{Digest as _, Sha256};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use zeroize::Zeroizing;

/// One merchant identity at a gateway, with its keys, newest first.
#[derive(Clone, Debug)]
pub struct Client {
    /// `None` matches whatever id the sender names.
    pub id: Option<Arc<str>>,
    /// What both sides know; at least one where the scheme verifies with them.
    pub secrets: Vec<Secret>,
    /// What only the gateway can sign for; at least one where the scheme verifies with them.
    pub public_keys: Vec<PublicKey>,
}

/// What notifications are verified with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Keys that both sides know.
    Secret,
    /// Keys whose private half the gateway has.
    PublicKey,
}

impl Client {
    fn fingerprints(&self, kind: KeyKind) -> Vec<[u8; 32]> {
        let of_secret = |secret: &Secret| Sha256::digest(secret.kin()).into();
        let of_public_key = |key: &PublicKey| Sha256::digest(key.bytes()).into();
        match kind {
            KeyKind::Secret => self.secrets.iter().map(of_secret).collect(),
            KeyKind::PublicKey => self.public_keys.iter().map(of_public_key).collect(),
        }
    }
}

/// The clients of one gateway, and a decoy that makes unknown ones cost as much as known ones.
#[derive(Clone, Debug)]
pub struct KeyRing {
    clients: Vec<Client>,
    /// Where the client with an id stands.
    places: HashMap<Arc<str>, usize>,
    /// Where the first client without one stands.
    nameless: Option<usize>,
    secret_kin: Vec<usize>,
    public_key_kin: Vec<usize>,
    decoy: Client,
}

impl KeyRing {
    /// A ring of these clients.
    #[must_use]
    pub fn new(clients: Vec<Client>) -> Self {
        let most = clients.iter().map(|c| c.secrets.len()).max().unwrap_or(1);
        let nobody = Secret::of(Zeroizing::new(vec![0; 32]));
        // Public keys of somebody: whatever they verify, the client stays unknown.
        let somebody = clients.iter().max_by_key(|client| client.public_keys.len());
        let decoy = Client {
            id: None,
            secrets: vec![nobody; most],
            public_keys: somebody.map_or_else(Vec::new, |client| client.public_keys.clone()),
        };
        // Of those with one id, which a configuration never has, the first.
        let places = clients.iter().enumerate().rev();
        let places = places.filter_map(|(place, client)| Some((client.id.clone()?, place)));
        Self {
            places: places.collect(),
            nameless: clients.iter().position(|client| client.id.is_none()),
            secret_kin: kin(&clients, KeyKind::Secret),
            public_key_kin: kin(&clients, KeyKind::PublicKey),
            clients,
            decoy,
        }
    }

    /// The client whose id stands for all that a key of this one proves: the first of those who have
    /// such a key in common with it, directly or through others. Mostly the client itself.
    #[must_use]
    pub fn proven(&self, client: &Client, by: KeyKind) -> Option<&Client> {
        let at = match &client.id {
            Some(id) => *self.places.get(id)?,
            None => self.nameless?,
        };
        self.clients.get(*self.kin(by).get(at)?)
    }

    /// The clients whose id is not told by what a key of theirs proves, each with the one that is; and every
    /// client where one of them has no id, since what it signs may name any.
    pub fn stand_ins(&self) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
        let id = |at: usize| self.clients.get(at).and_then(|client| client.id.as_deref());
        let kins = [&self.secret_kin, &self.public_key_kin];
        let all = kins.into_iter().flat_map(|kin| kin.iter().enumerate());
        let is_open = self.clients.iter().any(|client| client.id.is_none());
        let others = all.filter(move |(at, first)| is_open || at != *first);
        others.map(move |(at, first)| (id(at), id(*first)))
    }

    /// Whether two clients have such a key in common.
    #[must_use]
    pub fn shares(&self, kind: KeyKind) -> bool {
        let mut kin = self.kin(kind).iter().enumerate();
        kin.any(|(at, first)| at != *first)
    }

    /// Whether a client here has such a key in common with one of another gateway.
    #[must_use]
    pub fn shares_with(&self, other: &Self, kind: KeyKind) -> bool {
        let keys = |ring: &Self| -> HashSet<[u8; 32]> {
            let clients = ring.clients.iter();
            clients
                .flat_map(|client| client.fingerprints(kind))
                .collect()
        };
        !keys(self).is_disjoint(&keys(other))
    }

    fn kin(&self, by: KeyKind) -> &[usize] {
        match by {
            KeyKind::Secret => &self.secret_kin,
            KeyKind::PublicKey => &self.public_key_kin,
        }
    }

    /// All clients.
    #[must_use]
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// The client with this id, else the one without an id, and its place.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<(usize, &Client)> {
        let place = self.places.get(id).copied().or(self.nameless)?;
        Some((place, self.clients.get(place)?))
    }

    /// Verifies nothing; stands in where no client is found.
    #[must_use]
    pub fn decoy(&self) -> &Client {
        &self.decoy
    }
}

/// For each client, the place of the first that has a key in common with it: each place is lowered to
/// that of whoever shares a key, until nothing changes.
fn kin(clients: &[Client], by: KeyKind) -> Vec<usize> {
    let keys = clients.iter().map(|client| client.fingerprints(by));
    let keys: Vec<_> = keys.collect();
    let mut kin: Vec<usize> = (0..clients.len()).collect();
    let mut holders: HashMap<[u8; 32], usize> = HashMap::new();
    loop {
        let mut changed = false;
        for (keys, place) in keys.iter().zip(&mut kin) {
            for key in keys {
                let first = holders.entry(*key).or_insert(*place);
                let lower = (*first).min(*place);
                changed |= lower != *first || lower != *place;
                (*first, *place) = (lower, lower);
            }
        }
        if !changed {
            return kin;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_is_found_by_its_id_else_the_first_without_one() {
        let client = |id: Option<&str>| Client {
            id: id.map(Into::into),
            secrets: Vec::new(),
            public_keys: Vec::new(),
        };
        let named = [Some("A"), Some("B")];
        let with_open = [Some("A"), None, Some("B"), None];
        for (ids, id, place) in [
            (&named[..], "A", Some(0)),
            (&named, "B", Some(1)),
            (&named, "a", None),
            (&with_open, "A", Some(0)),
            (&with_open, "B", Some(2)),
            (&with_open, "C", Some(1)),
            (&[], "A", None),
        ] {
            let ring = KeyRing::new(ids.iter().map(|id| client(*id)).collect());
            let found = ring.find(id);
            assert_eq!(found.map(|(place, _)| place), place, "{id} of {ids:?}");
            let right = place.and_then(|place| ids[place]);
            assert_eq!(found.and_then(|(_, client)| client.id.as_deref()), right);
        }
    }

    #[test]
    fn clients_with_a_key_in_common_are_proven_as_one() {
        let client = |id: &str, keys: &[&str]| Client {
            id: Some(id.into()),
            secrets: keys
                .iter()
                .map(|key| Secret::new(format!("{key}-secret-key").into()).unwrap())
                .collect(),
            public_keys: Vec::new(),
        };
        let ring = KeyRing::new(vec![
            client("A", &["1"]),
            client("B", &["2"]),
            client("C", &["3", "4"]),
            client("D", &["4", "1"]),
            client("E", &["5"]),
        ]);
        let proven = |client| ring.proven(client, KeyKind::Secret);
        let proven: Vec<_> = ring.clients().iter().map(proven).collect();
        assert!(ring.shares(KeyKind::Secret) && !ring.shares(KeyKind::PublicKey));
        let ids: Vec<_> = proven
            .iter()
            .map(|c| c.unwrap().id.as_deref().unwrap())
            .collect();
        assert_eq!(ids, ["A", "B", "A", "A", "E"]);
    }
}
