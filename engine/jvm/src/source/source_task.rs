//! A Java source task, as the worker's.
//!
//! ```text
//!  poll ─ POLL ─► … ─ MESSAGES ─► batches, one for each topic, Kafka partition and source partition
//!  poll (the answer has not ended) ─ MESSAGES ─► batches
//!  deliveries, on another thread and lane: acknowledged ─ ACKED ─►, committed ─ COMMIT ─►
//! ```

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use volley_api::{
    AcknowledgedBatch, ConfigMap, DeliveryListener, Error, Polled, Result, SourceContext, SourceOffset,
    SourcePartition, SourceTask,
};

use super::acknowledgements::Acknowledgements;
use super::polled_messages::PolledMessages;
use crate::callback::Asker;
use crate::frames::{FrameError, Kind, Outgoing};
use crate::hosted_task::{HostedTask, NewTask, SecondLane, TaskError};
use crate::lane::Answer;
use crate::runtime::JavaRuntime;

/// A source task in a process.
#[derive(Debug)]
pub(crate) struct JavaSourceTask {
    task: HostedTask,
    context: SourceContext,
    /// `None` where the class does not want to know.
    acknowledgements: Option<Arc<Mutex<Acknowledgements>>>,
    /// Whether the answer of a POLL has not ended.
    is_polling: bool,
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
            asker: Asker::Source(context.clone()),
            is_abandoned: Arc::new(move || watched.is_abandoned()),
        };
        let (task, made) = HostedTask::start(java, new)?;
        let wants = made["wants_acknowledgements"] == true;
        Ok(Self { task, context, acknowledgements: wants.then(Arc::default), is_polling: false, failure: None })
    }

    fn end_transaction(&self, end: &Value) {
        let Some(transactions) = self.context.transactions() else { return };
        match end.as_str() {
            Some("commit") => transactions.commit(),
            Some("abort") => transactions.abort(),
            _ => {}
        }
    }

    /// Whether what a POLL gives is kept together: it is in one transaction.
    fn is_exactly_once(&self) -> bool {
        self.context.own_chain().is_some_and(|chain| chain.exactly_once)
    }

    /// Receives what has arrived of the answer of a POLL: one frame at least, all of it where transactions end between polls.
    fn receive(&mut self, messages: &mut PolledMessages) -> std::result::Result<Received, TaskError> {
        loop {
            match self.task.receive()? {
                (Answer::Part(frame), has_more) => {
                    let added = match frame.kind {
                        Kind::Messages => messages
                            .add(&frame.body)
                            .map_err(|error| FrameError::Body(Kind::Messages, error.to_string())),
                        kind => Err(FrameError::Unexpected(kind)),
                    };
                    added.map_err(|error| self.task.broken(error))?;
                    if !has_more && !self.is_exactly_once() {
                        return Ok(Received::Part);
                    }
                }
                (Answer::Done(done), _) => return Ok(Received::All(done)),
            }
        }
    }
}

/// How far the answer of a POLL has come.
enum Received {
    /// The task is being polled, or has more to give.
    Part,
    /// It is at its end, which says this.
    All(Value),
}

impl SourceTask for JavaSourceTask {
    fn poll(&mut self, _max_wait: Duration) -> Result<Polled> {
        if let Some(error) = self.failure.take() {
            return Err(error);
        }
        if !self.is_polling {
            self.task.send(Outgoing::new(Kind::Poll))?;
            self.is_polling = true;
        }
        let mut messages = PolledMessages::default();
        let received = self.receive(&mut messages);
        self.is_polling = matches!(received, Ok(Received::Part));
        let mut asks_again = false;
        let error = match received {
            Ok(Received::Part) => None,
            Ok(Received::All(done)) => {
                asks_again = done["more"] == true;
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
            (true, None) if asks_again => return Ok(Polled::IdleFor(Duration::ZERO)),
            (true, None) => return Ok(Polled::Idle),
            (false, error) => self.failure = error,
        }
        if let Some(acknowledgements) = &self.acknowledgements {
            let mut acknowledgements = acknowledgements.lock();
            batches.iter().for_each(|batch| acknowledgements.sent(batch));
        }
        Ok(Polled::Batches(batches.into_iter().map(|numbered| numbered.batch).collect()))
    }

    fn is_polling(&self) -> bool {
        self.is_polling
    }

    fn stop(&mut self) {
        // polling has ended for another reason: what it would still give comes again
        while self.is_polling {
            self.is_polling = matches!(self.task.receive(), Ok((Answer::Part(_), _)));
        }
        self.task.stop();
    }

    fn delivery_listener(&mut self) -> Option<Box<dyn DeliveryListener>> {
        let lane = self.task.take_second_lane()?;
        Some(Box::new(JavaListener { lane, acknowledgements: self.acknowledgements.clone() }))
    }
}

/// Tells a Java task what became of its records.
struct JavaListener {
    lane: SecondLane,
    acknowledgements: Option<Arc<Mutex<Acknowledgements>>>,
}

impl DeliveryListener for JavaListener {
    fn wants_acknowledgements(&self) -> bool {
        self.acknowledgements.is_some()
    }

    fn acknowledged(&mut self, batches: &[AcknowledgedBatch]) -> Result<()> {
        let Some(acknowledgements) = &self.acknowledgements else { return Ok(()) };
        let acked = {
            let mut acknowledgements = acknowledgements.lock();
            batches.iter().for_each(|batch| acknowledgements.acknowledged(batch));
            acknowledgements.take()
        };
        if let Some(acked) = acked {
            self.lane.call(acked)?;
        }
        Ok(())
    }

    fn commit(&mut self, _delivered: &[(SourcePartition, SourceOffset)]) -> Result<()> {
        self.lane.call(Outgoing::new(Kind::Commit))?;
        Ok(())
    }
}
