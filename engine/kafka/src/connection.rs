//! What a client knows of its connection to the cluster: up or down, and refused for good.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;
use tracing::{debug, info, warn};
use volley_api::{Error, Result};

use crate::broker_error;

/// Shared by a client and the callbacks of its threads. Reports each change between reachable and unreachable once.
#[derive(Debug)]
pub(crate) struct Connection {
    client: String,
    servers: String,
    down: AtomicBool,
    last_failure: Mutex<String>,
    refusal: Mutex<Option<(Code, String)>>,
}

impl Connection {
    pub(crate) fn new(client: impl Into<String>, servers: impl Into<String>) -> Self {
        Self {
            client: client.into(),
            servers: servers.into(),
            down: AtomicBool::new(false),
            last_failure: Mutex::default(),
            refusal: Mutex::default(),
        }
    }

    /// The name of the client in the logs.
    pub(crate) fn client(&self) -> &str {
        &self.client
    }

    /// Takes an error event of librdkafka.
    pub(crate) fn report(&self, error: &KafkaError, reason: &str) {
        let Some(code) = error.rdkafka_error_code() else { return };
        match code {
            code if broker_error::is_authentication(code) => {
                warn!(client = self.client, servers = self.servers, reason, "kafka refuses the client");
                *self.refusal.lock() = Some((code, reason.to_owned()));
            }
            Code::PartitionEOF => {}
            Code::AllBrokersDown => self.mark_down(reason),
            Code::BrokerTransportFailure | Code::Resolve | Code::OperationTimedOut | Code::SSL => {
                debug!(client = self.client, reason, "broker connection failed");
                reason.clone_into(&mut self.last_failure.lock());
                if code == Code::SSL {
                    self.mark_down(reason);
                }
            }
            _ => debug!(client = self.client, %error, reason, "kafka client error"),
        }
    }

    fn mark_down(&self, reason: &str) {
        // That all brokers are down says less than why the last one is.
        let mut last_failure = self.last_failure.lock();
        if last_failure.is_empty() {
            reason.clone_into(&mut last_failure);
        }
        let reason = last_failure.as_str();
        if !self.down.swap(true, Ordering::Relaxed) {
            warn!(client = self.client, servers = self.servers, reason, "kafka cannot be reached, retrying");
        }
    }

    /// Whether the cluster is known to be out of reach, or to refuse the client.
    pub(crate) fn is_broken(&self) -> bool {
        self.down.load(Ordering::Relaxed) || self.refusal.lock().is_some()
    }

    /// Notes that the cluster has answered.
    pub(crate) fn mark_up(&self) {
        if self.down.load(Ordering::Relaxed) && self.down.swap(false, Ordering::Relaxed) {
            info!(client = self.client, servers = self.servers, "kafka can be reached again");
        }
    }

    /// Fails if the cluster has refused this client.
    pub(crate) fn check(&self) -> Result<()> {
        match &*self.refusal.lock() {
            None => Ok(()),
            Some((code, reason)) => {
                Err(broker_error::from_code(&format!("log in to kafka at {}", self.servers), *code)
                    .with_source(reason.clone()))
            }
        }
    }

    /// The outcome of a request: a refusal counts more than the time-out that it led to.
    pub(crate) fn outcome<T>(&self, action: &str, result: rdkafka::error::KafkaResult<T>) -> Result<T> {
        match result {
            Ok(answer) => {
                self.mark_up();
                Ok(answer)
            }
            Err(error) => {
                self.check()?;
                Err(self.explain(broker_error::from_client(action, &error)))
            }
        }
    }

    fn explain(&self, error: Error) -> Error {
        if error.is_retriable() && self.down.load(Ordering::Relaxed) {
            let reason = self.last_failure.lock().clone();
            return error.with_source(format!("kafka cannot be reached at {}: {reason}", self.servers));
        }
        error
    }

    /// Takes a log line of librdkafka. Failures of connections come as events too, which count them; their lines are for
    /// debugging.
    pub(crate) fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        let client = self.client.as_str();
        match level {
            _ if matches!(facility, "FAIL" | "ERROR" | "BRKMAIN") => {
                debug!(target: "librdkafka", client, facility, "{line}");
            }
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => warn!(target: "librdkafka", client, facility, "{line}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                debug!(target: "librdkafka", client, facility, "{line}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_reported_by_every_later_call_with_its_reason() {
        let connection = Connection::new("c", "a:1");
        assert!(connection.check().is_ok());
        connection.report(&KafkaError::Global(Code::Authentication), "invalid credentials");
        let error = connection.outcome::<()>("commit", Err(KafkaError::ConsumerCommit(Code::OperationTimedOut)));
        let trace = error.map_err(|error| error.trace());
        assert!(trace.is_err_and(|trace| trace.contains("a:1") && trace.contains("invalid credentials")));
    }
}
