//! Transactions of a producer with a `transactional.id` (KIP-98).
//!
//! ```text
//!  init_transactions ─► begin ─► send … ─► flush ─► commit ─┬─► begin …
//!                                             └──► abort ───┘
//! ```
//!
//! A producer that takes over an id fences all others with it: nothing that they do afterwards has an effect. After an error
//! that is not `Retriable` the producer is of no use but for an abort.

use std::time::Duration;

use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::producer::Producer as _;
use rdkafka::types::RDKafkaErrorCode as Code;
use volley_api::{Error, ErrorKind, Result};

use super::Producer;
use crate::broker_error;

impl Producer {
    /// Takes over the `transactional.id`: an open transaction of an earlier producer is aborted, and one that is being committed is
    /// waited for. Called once, before anything else.
    ///
    /// # Errors
    /// `Retriable` when that takes longer than `timeout`: call it again. `Config` when the broker refuses.
    pub fn init_transactions(&mut self, timeout: Duration) -> Result<()> {
        let outcome = self.native.init_transactions(timeout);
        self.transaction_outcome("take over the transactional id", outcome)
    }

    /// Begins a transaction, without asking the broker.
    ///
    /// # Errors
    /// `Fatal` when the producer was fenced.
    pub fn begin_transaction(&mut self) -> Result<()> {
        let outcome = self.native.begin_transaction();
        self.transaction_outcome("begin a transaction", outcome)
    }

    /// Commits the transaction. All its messages MUST have been acknowledged.
    ///
    /// # Errors
    /// `Retriable` when that takes longer than `timeout`: call it again. Otherwise the transaction was not committed, or that is not
    /// known.
    pub fn commit_transaction(&mut self, timeout: Duration) -> Result<()> {
        let outcome = self.native.commit_transaction(timeout);
        self.transaction_outcome("commit a transaction", outcome)
    }

    /// Aborts the transaction. Messages that are not sent yet are dropped; [`Producer::deliveries`] reports them as failed.
    ///
    /// # Errors
    /// `Retriable` when that takes longer than `timeout`: call it again.
    pub fn abort_transaction(&mut self, timeout: Duration) -> Result<()> {
        let outcome = self.native.abort_transaction(timeout);
        self.transaction_outcome("abort a transaction", outcome)
    }

    /// Why the producer is of no use any more; `None` if it is.
    pub fn fatal_failure(&self) -> Option<Error> {
        let (code, reason) = self.native.client().fatal_error()?;
        let error = Error::fatal(format!("the producer has failed for good: {reason}"));
        Some(match broker_error::is_fencing_code(code) {
            true => error.with_exception(broker_error::PRODUCER_FENCED),
            false => error,
        })
    }

    fn transaction_outcome(&self, action: &str, outcome: KafkaResult<()>) -> Result<()> {
        let Err(error) = outcome else {
            self.connection.mark_up();
            return Ok(());
        };
        self.connection.check()?;
        let failure = transaction_error(action, &error);
        // the code of a transaction's error hides what has ended the producer
        Err(match self.native.client().fatal_error() {
            Some((code, reason)) if broker_error::is_fencing_code(code) => {
                failure.with_exception(broker_error::PRODUCER_FENCED).with_source(reason)
            }
            Some((_, reason)) => failure.with_source(reason),
            None => failure,
        })
    }
}

fn transaction_error(action: &str, error: &KafkaError) -> Error {
    let KafkaError::Transaction(failure) = error else { return broker_error::from_client(action, error) };
    let code: Code = failure.code();
    let kind = match code {
        code if broker_error::is_refusal(code) => ErrorKind::Config,
        _ if failure.is_retriable() => ErrorKind::Retriable,
        _ => ErrorKind::Fatal,
    };
    let error = Error::new(kind, format!("could not {action}: {}", failure.string()));
    match broker_error::exception_of(code) {
        Some(class) => error.with_exception(class),
        None => error,
    }
}
