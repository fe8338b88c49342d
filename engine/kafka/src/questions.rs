//! Requests to a cluster, each over a connection of its own.

use std::fmt;
use std::ops::ControlFlow::{self, Break, Continue};
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::MetadataRequest;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponse;
use parking_lot::Mutex;
use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaRespErr};
use tokio::time::{Instant, sleep, timeout_at};
use volley_api::{ConfigMap, Error, Result};

use crate::broker_error;
use crate::group::{Backoff, CoordinatorKind, coordinator_is_not_ready, coordinator_of, coordinator_of_kind};
use crate::outage::Asking;
use crate::wire::{Address, Connection, ConnectionSettings, block_on};

const TIMED_OUT: &str = "org.apache.kafka.common.errors.TimeoutException";

/// The broker's answer, or its error.
pub(crate) type Answer<T> = std::result::Result<T, Code>;

/// The coordinator's answer, or the error why it cannot answer yet.
pub(crate) type CoordinatorAnswer<T> = std::result::Result<T, ResponseError>;

/// The result of one attempt: the answer, or the reason to try again.
type Asked<T> = ControlFlow<T, String>;

/// The broker that handles a request.
#[derive(Clone, Copy)]
pub(crate) enum Whom<'a> {
    Anybody,
    Controller,
    CoordinatorOf(&'a str),
    /// The coordinator of a transactional id.
    TransactionCoordinatorOf(&'a str),
}

/// Sends requests. Blocks the calling thread.
pub(crate) struct Questions {
    settings: ConnectionSettings,
    timeout: Duration,
}

impl fmt::Debug for Questions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Questions").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl Questions {
    /// For the cluster of `properties`; waits up to `timeout` for an answer.
    ///
    /// # Errors
    /// `Config`, naming the key whose value is wrong.
    pub(crate) fn new(properties: &ConfigMap, timeout: Duration) -> Result<Self> {
        Ok(Self { settings: ConnectionSettings::read(properties)?, timeout })
    }

    /// Time limit of one request to one broker.
    pub(crate) fn within(&self) -> Duration {
        self.settings.request_timeout
    }

    /// Time limit for an answer, including all attempts.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The cluster's metadata with some topics, or with all. Never creates topics.
    pub(crate) async fn metadata(
        &self,
        connection: &mut Connection,
        topics: Option<Vec<MetadataRequestTopic>>,
    ) -> Result<MetadataResponse> {
        let request = |_| MetadataRequest::default().with_topics(topics).with_allow_auto_topic_creation(false);
        connection.call(self.within(), request).await
    }

    /// Sends a request, and retries until a broker answers. Meanwhile the reason for a delay is logged; in the end it
    /// is the error's source.
    ///
    /// # Errors
    /// `Retriable` when no broker answers in time, `Config` when the cluster refuses the client.
    pub(crate) fn ask<T: Send>(
        &self,
        action: &str,
        whom: Whom<'_>,
        question: impl AsyncFn(&mut Connection) -> Result<Answer<T>> + Send + Sync,
    ) -> Result<Answer<T>> {
        block_on(|| self.answer(action, whom, self.timeout, &question))
    }

    /// Sends a request to the coordinator of a group, and retries until the coordinator is ready.
    ///
    /// # Errors
    /// `Retriable` when there is no answer in time; other errors are those of the request.
    pub(crate) fn ask_coordinator<T: Send>(
        &self,
        group: &str,
        question: impl AsyncFn(&mut Connection) -> Result<CoordinatorAnswer<T>> + Send + Sync,
    ) -> Result<T> {
        let action = format!("ask the coordinator of group {group}");
        let attempt = async |server: &Address| {
            let connection = Connection::open(server, &self.settings).await?;
            let answer = match self.coordinator(connection, group).await? {
                Ok(mut connection) => question(&mut connection).await?,
                Err(error) => Err(error),
            };
            Ok(answer.map_or_else(|error| Continue(format!("the broker says {error:?}")), Break))
        };
        block_on(|| self.ask_until_answered(&action, self.timeout, &attempt))
    }

    /// As [`Questions::ask`], for async callers.
    ///
    /// # Cancellation
    /// The broker may have handled the request.
    pub(crate) async fn answer<T>(
        &self,
        action: &str,
        whom: Whom<'_>,
        timeout: Duration,
        question: &impl AsyncFn(&mut Connection) -> Result<Answer<T>>,
    ) -> Result<Answer<T>> {
        let attempt = async |server: &Address| {
            let answer = match self.connect(server, whom).await? {
                Ok(mut connection) => question(&mut connection).await?,
                Err(code) => Err(code),
            };
            Ok(match answer {
                Err(code) if is_moving(code) => Continue(format!("the broker says {code}")),
                answer => Break(answer),
            })
        };
        self.ask_until_answered(action, timeout, &attempt).await
    }

    /// Tries one server after the other. Meanwhile the reason for a delay is logged; in the end it is the error's
    /// source.
    async fn ask_until_answered<T>(
        &self,
        action: &str,
        timeout: Duration,
        attempt: &impl AsyncFn(&Address) -> Result<Asked<T>>,
    ) -> Result<T> {
        let servers: Vec<String> = self.settings.bootstrap_servers.iter().map(ToString::to_string).collect();
        let asking = Asking {
            client: self.settings.client_id.as_str(),
            servers: servers.join(","),
            action,
            last_failure: Mutex::new("no broker has answered".to_owned()),
        };
        asking.told_while(self.ask_in_turn(&asking, timeout, attempt)).await
    }

    async fn ask_in_turn<T>(
        &self,
        asking: &Asking<'_>,
        timeout: Duration,
        attempt: &impl AsyncFn(&Address) -> Result<Asked<T>>,
    ) -> Result<T> {
        let deadline = Instant::now() + timeout;
        let mut retry = Backoff::new(self.settings.retry_backoff, self.settings.retry_backoff_max);
        for server in self.settings.bootstrap_servers.iter().cycle() {
            match timeout_at(deadline, attempt(server)).await {
                Ok(Ok(Break(answer))) => return Ok(answer),
                Ok(Ok(Continue(reason))) => asking.failed(reason),
                Ok(Err(error)) if error.is_retriable() => asking.failed(format!("{error:#}")),
                Ok(Err(error)) => return Err(error),
                Err(_) => break,
            }
            let pause = retry.next();
            if Instant::now() + pause >= deadline {
                break;
            }
            sleep(pause).await;
        }
        let Asking { action, servers, .. } = asking;
        Err(Error::retriable(format!("could not {action}: no answer of kafka at {servers} within {timeout:?}"))
            .with_exception(TIMED_OUT)
            .with_source(asking.last_failure.lock().clone()))
    }

    async fn connect(&self, server: &Address, whom: Whom<'_>) -> Result<Answer<Connection>> {
        let mut connection = Connection::open(server, &self.settings).await?;
        let address = match whom {
            Whom::Anybody => return Ok(Ok(connection)),
            Whom::Controller => {
                let metadata = self.metadata(&mut connection, Some(Vec::new())).await?;
                let controller = metadata.brokers.iter().find(|broker| broker.node_id == metadata.controller_id);
                controller.and_then(|broker| Address::new(&broker.host, broker.port))
            }
            Whom::CoordinatorOf(group) => {
                let connection = self.coordinator(connection, group).await?;
                return Ok(connection.map_err(|error| code_of(error.code())));
            }
            Whom::TransactionCoordinatorOf(id) => {
                let kind = CoordinatorKind::Transactions;
                match coordinator_of_kind(&mut connection, kind, id, self.within()).await? {
                    Ok(address) => Some(address),
                    Err(error) => return Ok(Err(code_of(error.code()))),
                }
            }
        };
        // A cluster that reports no controller forwards such requests itself.
        match address {
            Some(address) => self.moved_to(address, connection).await.map(Ok),
            None => Ok(Ok(connection)),
        }
    }

    /// A connection to the coordinator, which the broker of `connection` names.
    async fn coordinator(&self, mut connection: Connection, group: &str) -> Result<CoordinatorAnswer<Connection>> {
        match coordinator_of(&mut connection, group, self.within()).await? {
            Ok(address) => self.moved_to(address, connection).await.map(Ok),
            Err(error) => Ok(Err(error)),
        }
    }

    async fn moved_to(&self, address: Address, connection: Connection) -> Result<Connection> {
        match address == *connection.address() {
            true => Ok(connection),
            false => Connection::open(&address, &self.settings).await,
        }
    }
}

/// Converts an error code of an answer.
pub(crate) fn checked(code: i16) -> Answer<()> {
    if code == 0 { Ok(()) } else { Err(code_of(code)) }
}

/// The error of a request about a single item.
pub(crate) fn only(mut codes: impl Iterator<Item = i16>) -> Answer<()> {
    checked(codes.next().unwrap_or(-1))
}

/// librdkafka's form of an error code.
pub(crate) fn code_of(code: i16) -> Code {
    RDKafkaRespErr::try_from(i32::from(code)).map_or(Code::Unknown, Code::from)
}

/// The error, if the coordinator may be ready later.
pub(crate) fn not_ready(error: ResponseError) -> Option<ResponseError> {
    let has_moved = matches!(error, ResponseError::NotCoordinator);
    (has_moved || coordinator_is_not_ready(error)).then_some(error)
}

/// Whether to ask another broker, or the same one after a pause.
fn is_moving(code: Code) -> bool {
    matches!(code, Code::NotController | Code::ConcurrentTransactions)
        || broker_error::is_coordinator_moving(&broker_error::from_code("ask", code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_panics() {
        for code in i16::MIN..=i16::MAX {
            let _ = is_moving(code_of(code));
        }
        assert_eq!(code_of(3), Code::UnknownTopicOrPartition);
        assert!(only(std::iter::empty()).is_err());
    }
}
