//! A Java source task, as the worker's.
//!
//! ```text
//!  poll ─ POLL ─► … ─ MESSAGES ─► batches, one for each topic, Kafka partition and source partition
//!  acknowledged: collected ─ ACKED ─► before the next POLL, and before COMMIT
//! ```

use std::sync::Arc;
use std::time::Duration;

use tracing::warn;
use volley_api::{
    AcknowledgedBatch, ConfigMap, Error, Polled, Result, SourceContext, SourceOffset, SourcePartition, SourceTask,
};

use super::acknowledgements::Acknowledgements;
use super::polled_messages::PolledMessages;
use crate::callback::Asker;
use crate::frames::{FrameError, Kind, Outgoing};
use crate::hosted_task::{HostedTask, NewTask, TaskError};
use crate::runtime::JavaRuntime;

/// A source task in a process.
#[derive(Debug)]
pub(crate) struct JavaSourceTask {
    task: HostedTask,
    context: SourceContext,
    /// `None` where the class does not want to know.
    acknowledgements: Option<Acknowledgements>,
    /// Of a poll that had given records before it failed: they go first.
    failure: Option<Error>,
}

impl JavaSourceTask {
    /// Makes and starts one.
    ///
    /// # Errors
    /// If there is no process for it, or the plug-in fails.
    pub(crate) fn start(java: &JavaRuntime, context: SourceContext, config: &ConfigMap) -> Result<Self> {
        let watched = context.clone();
        let new = NewTask {
            connector: &context.connector,
            task: context.task,
            config,
            own_chain: context.own_chain(),
            asker: Asker::Source { context: context.clone(), config: config.clone() },
            is_abandoned: Arc::new(move || watched.is_abandoned()),
        };
        let (task, made) = HostedTask::start(java, new)?;
        let wants = made["wants_acknowledgements"] == true;
        Ok(Self { task, context, acknowledgements: wants.then(Acknowledgements::default), failure: None })
    }

    /// Tells the task what it wants to know of its records.
    fn tell_acknowledged(&mut self) -> std::result::Result<(), TaskError> {
        let Some(acked) = self.acknowledgements.as_mut().and_then(Acknowledgements::take) else { return Ok(()) };
        match self.task.call_commit(acked) {
            Ok(_) => Ok(()),
            Err(TaskError::Java(error, _)) => {
                warn!(target: "volley_jvm", error = error.trace(), "acknowledgements failed in a Java task");
                Ok(())
            }
            Err(lost) => Err(lost),
        }
    }

    fn end_transaction(&self, end: &serde_json::Value) {
        let Some(transactions) = self.context.transactions() else { return };
        match end.as_str() {
            Some("commit") => transactions.commit(),
            Some("abort") => transactions.abort(),
            _ => {}
        }
    }
}

impl SourceTask for JavaSourceTask {
    fn poll(&mut self, _max_wait: Duration) -> Result<Polled> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        self.tell_acknowledged()?;
        let mut messages = PolledMessages::default();
        let outcome = self.task.call_with(Outgoing::new(Kind::Poll), |frame| match frame.kind {
            Kind::Messages => {
                messages.add(&frame.body).map_err(|error| FrameError::Body(Kind::Messages, error.to_string()))
            }
            kind => Err(FrameError::Unexpected(kind)),
        });
        let error = match outcome {
            Ok(done) => {
                self.end_transaction(&done["end"]);
                None
            }
            Err(TaskError::Java(error, _)) => Some(error),
            Err(TaskError::Lost(error)) => return Err(error),
        };
        let batches = messages
            .finish()
            .map_err(|error| Error::fatal("a Java task gave an offset that is none").with_source(error))?;
        match (batches.is_empty(), error) {
            (true, Some(error)) => return Err(error),
            (true, None) => return Ok(Polled::Idle),
            (false, error) => self.failure = error,
        }
        if let Some(acknowledgements) = &mut self.acknowledgements {
            batches.iter().for_each(|batch| acknowledgements.sent(batch));
        }
        Ok(Polled::Batches(batches.into_iter().map(|numbered| numbered.batch).collect()))
    }

    fn stop(&mut self) {
        self.task.stop();
    }

    fn wants_every_commit(&self) -> bool {
        true
    }

    fn commit(&mut self, _delivered: &[(SourcePartition, SourceOffset)]) -> Result<()> {
        self.tell_acknowledged()?;
        self.task.call_commit(Outgoing::new(Kind::Commit))?;
        Ok(())
    }

    fn wants_acknowledgements(&self) -> bool {
        self.acknowledgements.is_some()
    }

    fn acknowledged(&mut self, batch: &AcknowledgedBatch) -> Result<()> {
        if let Some(acknowledgements) = &mut self.acknowledgements {
            acknowledgements.acknowledged(batch);
        }
        Ok(())
    }
}
