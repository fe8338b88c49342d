//! Connections to the brokers of a cluster, used one request after the other, and what a consumer asks over them.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use kafka_protocol::error::ParseResponseErrorCode;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;
use parking_lot::Mutex;
use volley_api::{Error, Result};

use super::attempts::Attempts;
use crate::broker_error;
use crate::group::{Backoff, coordinator_is_not_ready, coordinator_of, refusal};
use crate::questions::code_of;
use crate::wire::{Address, Api, Connection, ConnectionSettings};

/// Connections that are kept open for the next request.
const IDLE: usize = 8;

/// A cluster, as one consumer knows it.
pub(super) struct Cluster {
    settings: ConnectionSettings,
    /// `group.id`, for the coordinator; empty without one.
    group: String,
    /// Whether topics that are asked for may be created.
    creates_topics: bool,
    idle: Mutex<Vec<Connection>>,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// Beside the bootstrap servers.
    brokers: BTreeMap<i32, Address>,
    next: usize,
    coordinator: Option<Address>,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("group", &self.group).finish_non_exhaustive()
    }
}

impl Cluster {
    pub(super) fn new(settings: ConnectionSettings, group: String, creates_topics: bool) -> Self {
        Self { settings, group, creates_topics, idle: Mutex::default(), known: Mutex::default() }
    }

    pub(super) fn group(&self) -> &str {
        &self.group
    }

    /// The pauses between attempts.
    pub(super) fn pauses(&self) -> Backoff {
        Backoff::new(self.settings.retry_backoff, self.settings.retry_backoff_max)
    }

    /// Attempts of what `action` says, within a time limit.
    pub(super) fn attempts(&self, action: &'static str, within: Duration) -> Attempts {
        Attempts::new(action, within, self.pauses())
    }

    /// Sends a request to a broker, in no higher version than `most`.
    pub(super) async fn call<R: Api>(
        &self,
        address: &Address,
        most: i16,
        request: impl Fn(i16) -> R + Send + Sync,
    ) -> Result<R::Response> {
        loop {
            let used = self.take_idle(address);
            let is_used = used.is_some();
            let mut connection = match used {
                Some(connection) => connection,
                None => Connection::open(address, &self.settings).await?,
            };
            match connection.call_up_to(most, self.settings.request_timeout, &request).await {
                Ok(answer) => {
                    self.keep(connection);
                    return Ok(answer);
                }
                // the broker may have closed it meanwhile
                Err(error) if is_used && error.is_retriable() => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn take_idle(&self, address: &Address) -> Option<Connection> {
        let mut idle = self.idle.lock();
        let at = idle.iter().position(|connection| connection.address() == address)?;
        Some(idle.swap_remove(at))
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock();
        if !connection.is_broken() && idle.len() < IDLE {
            idle.push(connection);
        }
    }

    /// Asks one broker about some topics, or about all. The next call asks the next one if this one does not answer.
    pub(super) async fn metadata(&self, topics: Option<Vec<String>>) -> Result<MetadataResponse> {
        let server = self.server();
        let topic = |name: &String| {
            MetadataRequestTopic::default().with_name(Some(TopicName(StrBytes::from_string(name.clone()))))
        };
        let topics: Option<Vec<_>> = topics.map(|topics| topics.iter().map(topic).collect());
        let creates = self.creates_topics && topics.is_some();
        let request =
            |_| MetadataRequest::default().with_topics(topics.clone()).with_allow_auto_topic_creation(creates);
        let response = self.call(&server, i16::MAX, request).await.inspect_err(|_| self.ask_another())?;
        let brokers = response.brokers.iter();
        self.known.lock().brokers =
            brokers.filter_map(|broker| Some((broker.node_id.0, Address::new(&broker.host, broker.port)?))).collect();
        Ok(response)
    }

    /// Where a broker listens, as the last answer says.
    pub(super) fn address_of(&self, broker: i32) -> Option<Address> {
        self.known.lock().brokers.get(&broker).cloned()
    }

    /// The bootstrap servers first, then those that the cluster has named.
    fn server(&self) -> Address {
        let known = self.known.lock();
        let bootstrap = &self.settings.bootstrap_servers;
        let others = known.brokers.values().filter(|broker| !bootstrap.contains(broker));
        let servers: Vec<_> = bootstrap.iter().chain(others).collect();
        servers[known.next % servers.len()].clone()
    }

    fn ask_another(&self) {
        let mut known = self.known.lock();
        known.next = known.next.wrapping_add(1);
    }

    /// Where the coordinator of the group listens.
    ///
    /// # Errors
    /// `Retriable` while the cluster does not know it; `Config` when it refuses.
    pub(super) async fn coordinator(&self) -> Result<Address> {
        if let Some(address) = self.known.lock().coordinator.clone() {
            return Ok(address);
        }
        let server = self.server();
        let used = self.take_idle(&server);
        let outcome = async {
            let mut connection = match used {
                Some(connection) => connection,
                None => Connection::open(&server, &self.settings).await?,
            };
            let found = coordinator_of(&mut connection, &self.group, self.settings.request_timeout).await?;
            self.keep(connection);
            Ok::<_, Error>(found)
        };
        match outcome.await.inspect_err(|_| self.ask_another())? {
            Ok(address) => {
                self.known.lock().coordinator = Some(address.clone());
                Ok(address)
            }
            Err(error) if coordinator_is_not_ready(error) => {
                Err(broker_error::from_code("find the group coordinator", code_of(error.code())))
            }
            Err(error) => Err(refusal("find the coordinator of", &self.group, error)),
        }
    }

    /// Notes that the coordinator has moved, or does not answer.
    pub(super) fn forget_coordinator(&self) {
        self.known.lock().coordinator = None;
    }
}

/// The error of a code in an answer; `None` if it is none.
pub(super) fn error_in(code: i16, action: &str) -> Option<Error> {
    code.err().map(|error| broker_error::from_code(action, code_of(error.code())))
}
