//! One key of Kafka's clients: a line of the tables beside it.

use volley_api::{ConfigType, Importance};

/// A client that a connector has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::validation) enum Client {
    Producer,
    Consumer,
    Admin,
}

impl Client {
    /// Prefix of the keys with which a connector overrides those of the client.
    pub(in crate::validation) fn prefix(self) -> &'static str {
        match self {
            Self::Producer => "producer.override.",
            Self::Consumer => "consumer.override.",
            Self::Admin => "admin.override.",
        }
    }
}

pub(super) const ALL: &[Client] = &[Client::Producer, Client::Consumer, Client::Admin];
pub(super) const PRODUCER: &[Client] = &[Client::Producer];
pub(super) const CONSUMER: &[Client] = &[Client::Consumer];
pub(super) const ADMIN: &[Client] = &[Client::Admin];
pub(super) const PRODUCER_CONSUMER: &[Client] = &[Client::Producer, Client::Consumer];
pub(super) const PRODUCER_ADMIN: &[Client] = &[Client::Producer, Client::Admin];
pub(super) const CONSUMER_ADMIN: &[Client] = &[Client::Consumer, Client::Admin];

/// The default of a key.
#[derive(Clone, Copy, Debug)]
pub(super) enum ClientDefault {
    Required,
    Null,
    Is(&'static str),
}

/// A key of one or more clients.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientKey {
    pub(super) name: &'static str,
    pub(super) clients: &'static [Client],
    pub(super) config_type: ConfigType,
    pub(super) default: ClientDefault,
    pub(super) importance: Importance,
    pub(super) documentation: &'static str,
}

/// A line of the tables.
pub(super) const fn key(
    name: &'static str,
    clients: &'static [Client],
    config_type: ConfigType,
    default: ClientDefault,
    importance: Importance,
    documentation: &'static str,
) -> ClientKey {
    ClientKey { name, clients, config_type, default, importance, documentation }
}
