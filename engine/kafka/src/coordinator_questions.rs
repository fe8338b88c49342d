//! Questions to the coordinator of a group that one is no member of, over connections that last for one question.

use std::fmt;
use std::time::Duration;

use kafka_protocol::error::ResponseError;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout_at};
use volley_api::{ConfigMap, Error, Result};

use crate::group::{Backoff, coordinator_is_not_ready, coordinator_of};
use crate::outage::Asking;
use crate::wire::{Connection, ConnectionSettings, block_on};

const TIMED_OUT: &str = "org.apache.kafka.common.errors.TimeoutException";

/// What a coordinator answers: the answer, or why it cannot answer yet.
pub(crate) type Answer<T> = std::result::Result<T, ResponseError>;

/// Asks coordinators. Blocks the calling thread.
pub(crate) struct CoordinatorQuestions {
    settings: ConnectionSettings,
    timeout: Duration,
}

impl fmt::Debug for CoordinatorQuestions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CoordinatorQuestions").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl CoordinatorQuestions {
    /// For the cluster that `properties` name; an answer is waited for up to `timeout`.
    ///
    /// # Errors
    /// `Config`, naming the key whose value is wrong.
    pub(crate) fn new(properties: &ConfigMap, timeout: Duration) -> Result<Self> {
        Ok(Self { settings: ConnectionSettings::read(properties)?, timeout })
    }

    /// How long one request may take.
    pub(crate) fn request_timeout(&self) -> Duration {
        self.settings.request_timeout
    }

    /// Puts a question to the coordinator, again and again until it is ready to answer.
    ///
    /// # Errors
    /// `Retriable` when there is no answer in time; others as the question has them.
    pub(crate) fn ask<T: Send>(
        &self,
        group: &str,
        question: impl AsyncFn(&mut Connection) -> Result<Answer<T>> + Send,
    ) -> Result<T> {
        block_on(|| self.ask_and_tell(group, question))
    }

    /// Why the coordinator is not ready is in the log meanwhile, and the error's cause in the end.
    async fn ask_and_tell<T>(
        &self,
        group: &str,
        question: impl AsyncFn(&mut Connection) -> Result<Answer<T>>,
    ) -> Result<T> {
        let action = format!("ask the coordinator of group {group}");
        let servers: Vec<String> = self.settings.bootstrap_servers.iter().map(ToString::to_string).collect();
        let asking = Asking {
            client: self.settings.client_id.as_str(),
            servers: servers.join(","),
            action: &action,
            last_failure: Mutex::new("no broker has answered".to_owned()),
        };
        asking.told_while(self.ask_until_answered(group, &asking, question)).await
    }

    async fn ask_until_answered<T>(
        &self,
        group: &str,
        asking: &Asking<'_>,
        question: impl AsyncFn(&mut Connection) -> Result<Answer<T>>,
    ) -> Result<T> {
        let deadline = Instant::now() + self.timeout;
        let mut retry = Backoff::new(self.settings.retry_backoff, self.settings.retry_backoff_max);
        for server in self.settings.bootstrap_servers.iter().cycle() {
            let attempt = async {
                let mut connection = Connection::open(server, &self.settings).await?;
                let found = coordinator_of(&mut connection, group, self.settings.request_timeout).await?;
                match found {
                    Ok(address) if address == *connection.address() => question(&mut connection).await,
                    Ok(address) => question(&mut Connection::open(&address, &self.settings).await?).await,
                    Err(error) => Ok(Err(error)),
                }
            };
            match timeout_at(deadline, attempt).await {
                Ok(Ok(Ok(answer))) => return Ok(answer),
                Ok(Ok(Err(error))) => asking.failed(format!("the broker says {error:?}")),
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
        Err(Error::retriable(format!("the coordinator of group {group} did not answer within {:?}", self.timeout))
            .with_exception(TIMED_OUT)
            .with_source(asking.last_failure.lock().clone()))
    }
}

/// The error, if the coordinator may be ready later.
pub(crate) fn not_ready(error: ResponseError) -> Option<ResponseError> {
    let has_moved = matches!(error, ResponseError::NotCoordinator);
    (has_moved || coordinator_is_not_ready(error)).then_some(error)
}
