//! The places where a ledger may be kept, and stories that are the same in each of them.

use std::sync::OnceLock;

use super::{Config, Kawal, Redis, unique};

/// What a configuration can name as the place of its ledger.
pub trait Backend {
    fn configure(&self, config: Config) -> Config;
}

impl Config {
    /// With its ledger in this place.
    pub fn on(self, backend: &impl Backend) -> Self {
        backend.configure(self)
    }

    /// For whoever does not ask how long the store is waited for: a busy machine is no outage.
    pub fn patient_with_store(self) -> Self {
        self.set("replay.redis.timeout", "10s")
    }
}

impl Backend for Redis {
    fn configure(&self, config: Config) -> Config {
        config
            .set("replay.store", "redis")
            .set("replay.redis.url", self.url())
    }
}

/// A new and empty ledger of either kind, for each configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    Memory,
    /// In the server that all stories share, under a prefix that nobody else has.
    Redis,
}

impl Backend for Store {
    fn configure(&self, config: Config) -> Config {
        match self {
            Self::Memory => config,
            Self::Redis => config
                .on(shared())
                .set("replay.redis.prefix", unique("story"))
                .patient_with_store(),
        }
    }
}

/// One server for all stories: to start one for each would cost more than the stories do.
fn shared() -> &'static Redis {
    static SERVER: OnceLock<Redis> = OnceLock::new();
    SERVER.get_or_init(Redis::start)
}

impl Kawal {
    /// Several processes with the same configuration, and so with the same ledger.
    pub fn replicas<const N: usize>(config: &Config) -> [Self; N] {
        std::array::from_fn(|_| Self::start(config.clone()))
    }
}

/// Makes tests of these functions, each with a ledger in memory and with one in Redis.
macro_rules! on_every_store {
    ($($story:ident),+ $(,)?) => {
        mod memory {
            $(#[test]
            fn $story() {
                super::$story($crate::harness::Store::Memory);
            })+
        }

        mod redis {
            $(#[test]
            fn $story() {
                super::$story($crate::harness::Store::Redis);
            })+
        }
    };
}

pub(crate) use on_every_store;
