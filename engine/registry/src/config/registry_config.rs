//! The settings of a client of registries, parsed.

use std::time::Duration;

use volley_api::{Config, ConfigMap, Result, Side};

use super::apicurio_config::ArtifactSettings;
use super::connection::Connection;
use super::keys::{self, registry_config_def};
use crate::{Framing, Naming, SubjectNameStrategy};

/// Which schema data is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriterSchema {
    /// Its own, registered if need be.
    Registered,
    /// Its own, which must be there.
    LookedUp,
    /// The newest of the subject; if strict, it must be compatible with that of the data.
    Latest {
        /// `latest.compatibility.strict`
        strict: bool,
    },
    /// One with a fixed id; if strict, it must be compatible with that of the data.
    Fixed {
        /// `use.schema.id`
        id: i32,
        /// `id.compatibility.strict`
        strict: bool,
    },
}

/// The settings of a client of registries. `Debug` shows no secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistryConfig {
    /// Which schema data is written with.
    pub writer_schema: WriterSchema,
    /// `key.subject.name.strategy`
    pub key_subject: Naming,
    /// `value.subject.name.strategy`
    pub value_subject: Naming,
    /// How messages name their schemas.
    pub framing: Framing,
    pub(crate) client: ClientSettings,
}

/// What clients must have in common to be one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClientSettings {
    pub(crate) connection: Connection,
    pub(crate) dialect: Dialect,
    /// `max.schemas.per.subject`
    pub(crate) schemas_per_subject: usize,
    /// `latest.cache.size`
    pub(crate) latest_size: usize,
    /// `latest.cache.ttl.sec`; `None`: as long as there is room.
    pub(crate) latest_life: Option<Duration>,
}

/// Which registry it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Dialect {
    /// One with Confluent's interface.
    Confluent {
        /// `normalize.schemas`
        normalize: bool,
    },
    /// Apicurio's.
    Apicurio(ArtifactSettings),
}

impl RegistryConfig {
    /// Reads the settings of a converter, without its prefix.
    ///
    /// # Errors
    /// `Config`, naming the key, for the first one that is wrong.
    pub fn parse(properties: &ConfigMap) -> Result<Self> {
        let config = registry_config_def().parse(properties)?;
        Ok(Self {
            writer_schema: writer_schema(&config),
            key_subject: strategy(&config, keys::KEY_SUBJECT),
            value_subject: strategy(&config, keys::VALUE_SUBJECT),
            framing: Framing::Confluent,
            client: ClientSettings {
                connection: Connection::read(&config, properties)?,
                dialect: Dialect::Confluent { normalize: config.boolean(keys::NORMALIZE) },
                schemas_per_subject: size(&config, keys::MAX_SCHEMAS),
                latest_size: size(&config, keys::LATEST_SIZE),
                latest_life: config
                    .long(keys::LATEST_TTL)
                    .and_then(|secs| u64::try_from(secs).ok())
                    .map(Duration::from_secs),
            },
        })
    }

    /// How subjects of this side are named.
    pub fn subject_name(&self, side: Side) -> &Naming {
        match side {
            Side::Key => &self.key_subject,
            Side::Value => &self.value_subject,
        }
    }
}

/// As in Java, a schema that may be registered comes before one that is named.
fn writer_schema(config: &Config) -> WriterSchema {
    let id = config.long(keys::USE_ID).and_then(|id| i32::try_from(id).ok()).filter(|id| *id >= 0);
    match id {
        _ if config.boolean(keys::AUTO_REGISTER) => WriterSchema::Registered,
        Some(id) => WriterSchema::Fixed { id, strict: config.boolean(keys::ID_STRICT) },
        None if config.boolean(keys::USE_LATEST) => {
            WriterSchema::Latest { strict: config.boolean(keys::LATEST_STRICT) }
        }
        None => WriterSchema::LookedUp,
    }
}

fn strategy(config: &Config, key: &str) -> Naming {
    let strategy = config.string(key).and_then(SubjectNameStrategy::of_class);
    Naming::Confluent(strategy.unwrap_or(SubjectNameStrategy::TopicName))
}

fn size(config: &Config, key: &str) -> usize {
    config.long(key).and_then(|size| usize::try_from(size).ok()).unwrap_or(1)
}
