//! A producer that does as the test says.

use std::sync::Arc;
use std::time::Duration;

use volley_api::{Error, Result};
use volley_kafka::{Delivery as Delivered, Outgoing};

use crate::task::source::produce::outbox::ProducerFactory;
use crate::task::source::produce::record_producer::RecordProducer;
use crate::task::source::source_world::World;

/// A transaction of the fake producer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Transaction {
    /// The values in it; keys of records of offsets.
    pub(crate) sent: Vec<String>,
    pub(crate) end: Option<Ended>,
}

/// How a transaction has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Committed,
    Aborted,
}

/// What a producer says of a topic that is gone.
pub(crate) fn unknown_topic() -> Error {
    Error::retriable("told to know no topic")
        .with_exception("org.apache.kafka.common.errors.UnknownTopicOrPartitionException")
}

/// Takes messages and acknowledges them as the test says.
pub(crate) struct FakeProducer(Arc<World>);

impl FakeProducer {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        Self(Arc::clone(world))
    }

    /// Counts the producers that it makes.
    pub(crate) fn factory(world: &Arc<World>) -> ProducerFactory {
        let world = Arc::clone(world);
        Box::new(move || {
            world.change(|state| state.producers += 1);
            Ok(Box::new(Self::new(&world)) as Box<dyn RecordProducer>)
        })
    }
}

impl FakeProducer {
    fn end_transaction(&self, end: Ended) -> Result<()> {
        self.0.change(|state| {
            if end == Ended::Committed && state.fails_commits {
                return Err(Error::fatal("told to fail"));
            }
            match state.transactions.last_mut() {
                Some(transaction) if transaction.end.is_none() => transaction.end = Some(end),
                _ => return Err(Error::fatal("there is no transaction")),
            }
            Ok(())
        })
    }
}

impl RecordProducer for FakeProducer {
    fn try_send(&mut self, message: &Outgoing<'_>, token: u64) -> Result<bool> {
        let value = String::from_utf8(message.value.unwrap().to_vec()).unwrap();
        if value == "refused" {
            return Err(Error::data("too large"));
        }
        if value == "login" {
            return Err(Error::config("told to refuse the login")
                .with_exception("org.apache.kafka.common.errors.SaslAuthenticationException"));
        }
        let is_unknown = self.0.change(|state| {
            let left = state.unknown_topics;
            state.unknown_topics = left.saturating_sub(1);
            left > 0
        });
        if is_unknown {
            return Err(unknown_topic());
        }
        if value == "2" && self.0.change(|state| state.is_full) {
            return Ok(false);
        }
        self.0.change(|state| {
            if state.acknowledges_all {
                let offset = state.sent.len() as i64;
                state.deliveries.push(Delivered { token, result: Ok((0, offset)), returned: None });
            }
            state.timestamps.push(message.timestamp);
            if let Some(transaction) = state.transactions.last_mut().filter(|transaction| transaction.end.is_none()) {
                transaction.sent.push(value.clone());
            }
            state.sent.push((value, token));
        });
        Ok(true)
    }

    fn max_block(&self, _: &str) -> (Duration, Error) {
        let max_block = self.0.state.lock().unwrap().max_block;
        (max_block.unwrap_or(Duration::MAX), Error::fatal("told to stay full"))
    }

    fn deliveries(&mut self, max_wait: Duration) -> Vec<Delivered> {
        let deliveries = self.0.change(|state| {
            let later = std::mem::take(&mut state.later_deliveries);
            std::mem::replace(&mut state.deliveries, later)
        });
        if deliveries.is_empty() {
            std::thread::sleep(max_wait.min(Duration::from_millis(1)));
        }
        deliveries
    }

    fn flush(&mut self, _: Duration) {}

    fn begin_transaction(&mut self) -> Result<()> {
        self.0.change(|state| state.transactions.push(Transaction::default()));
        Ok(())
    }

    fn commit_transaction(&mut self, _: Duration) -> Result<()> {
        self.end_transaction(Ended::Committed)
    }

    fn abort_transaction(&mut self, _: Duration) -> Result<()> {
        self.end_transaction(Ended::Aborted)
    }

    fn fatal_failure(&self) -> Option<Error> {
        None
    }

    fn has_topic(&self, topic: &str, _: Duration) -> Result<bool> {
        Ok(!self.0.state.lock().unwrap().missing_topics.contains(topic))
    }
}
