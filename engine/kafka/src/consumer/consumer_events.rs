//! The events of a consumer besides messages: rebalances, errors, log lines.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientConfig, Statistics, TopicPartitionList};
use volley_api::TopicPartition;

use super::membership_log::{self, MembershipLog};
use crate::connection::{Connection, Granted};

/// The consumer type of this crate.
pub(crate) type NativeConsumer = BaseConsumer<ConsumerEvents>;

/// A rebalance that librdkafka waits for the fetcher to perform.
#[derive(Debug)]
pub(crate) enum Rebalance {
    /// Add these partitions (in the eager protocol: replace the assignment by them).
    Assign(Vec<TopicPartition>),
    /// Give up these partitions.
    Revoke {
        partitions: Vec<TopicPartition>,
        /// Another member may have them already.
        lost: bool,
    },
}

/// Takes the events of one consumer. Rebalances are only queued here. librdkafka holds the group until the assignment
/// call is made. So the fetcher performs them after its poll, where it can flush, commit and look up offsets.
#[derive(Debug)]
pub(crate) struct ConsumerEvents {
    pub(crate) connection: Arc<Connection>,
    pub(crate) membership: MembershipLog,
    lines: AtomicU64,
    carried_out: AtomicU64,
    rebalances: Mutex<VecDeque<Rebalance>>,
    closing: AtomicBool,
}

impl ConsumerEvents {
    pub(crate) fn new(connection: Arc<Connection>) -> Self {
        Self {
            connection,
            membership: MembershipLog::default(),
            lines: AtomicU64::new(0),
            carried_out: AtomicU64::new(0),
            rebalances: Mutex::default(),
            closing: AtomicBool::new(false),
        }
    }

    /// The next queued rebalance.
    pub(crate) fn next_rebalance(&self) -> Option<Rebalance> {
        self.rebalances.lock().pop_front()
    }

    /// Whether a rebalance is queued.
    pub(crate) fn has_rebalance(&self) -> bool {
        !self.rebalances.lock().is_empty()
    }

    /// Number of log lines taken. They come through the queue of the messages, one with each poll.
    pub(crate) fn lines(&self) -> u64 {
        self.lines.load(Ordering::Relaxed)
    }

    /// Number of rebalances performed at once.
    pub(crate) fn carried_out(&self) -> u64 {
        self.carried_out.load(Ordering::Relaxed)
    }

    /// From now on rebalances are performed at once, without telling the listener.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
    }
}

impl ClientContext for ConsumerEvents {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _config: Option<&str>) -> Granted {
        self.connection.oauth_token()
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.lines.fetch_add(1, Ordering::Relaxed);
        self.membership.read(facility, line);
        self.connection.log(level, facility, line);
    }

    fn stats(&self, _statistics: Statistics) {}

    fn stats_raw(&self, _statistics: &[u8]) {}

    fn error(&self, error: KafkaError, reason: &str) {
        self.connection.report(&error, reason);
    }
}

impl ConsumerContext for ConsumerEvents {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let partitions = partitions_of(list);
        let rebalance = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Rebalance::Assign(partitions),
            _ => Rebalance::Revoke { partitions, lost: consumer.assignment_lost() },
        };
        if self.closing.load(Ordering::Acquire) {
            carry_out_unannounced(consumer, &rebalance, &self.connection);
            self.carried_out.fetch_add(1, Ordering::Relaxed);
        } else {
            self.rebalances.lock().push_back(rebalance);
        }
    }
}

/// The same configuration, with the log lines that a [`MembershipLog`] reads.
pub(crate) fn with_membership_log(mut config: ClientConfig) -> ClientConfig {
    let asked = config.get("debug").filter(|asked| !asked.is_empty());
    let debug =
        asked.map_or_else(|| membership_log::DEBUG.to_owned(), |asked| format!("{asked},{}", membership_log::DEBUG));
    config.set("debug", debug).set_log_level(RDKafkaLogLevel::Debug);
    config
}

/// Performs a rebalance of a consumer that is being closed, without telling the listener.
pub(crate) fn carry_out_unannounced(consumer: &NativeConsumer, rebalance: &Rebalance, connection: &Connection) {
    let outcome = match rebalance {
        Rebalance::Assign(partitions) => assign(consumer, &list_of(partitions)),
        Rebalance::Revoke { partitions, .. } => unassign(consumer, partitions),
    };
    if let Err(error) = outcome {
        tracing::debug!(client = connection.client(), %error, "rebalance during close was not accepted");
    }
}

/// Whether the group's protocol adds partitions to the assignment, rather than replacing it.
pub(crate) fn adds_to_assignment(consumer: &NativeConsumer) -> bool {
    matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative)
}

/// Adds partitions, as the group's protocol requires.
///
/// What is replaced is given up in a step of its own. librdkafka would stop these partitions while it adds the new ones, and
/// ends the process if it is asked to stop one of them again before it has (confluentinc/librdkafka#5573).
pub(crate) fn assign(consumer: &NativeConsumer, list: &TopicPartitionList) -> KafkaResult<()> {
    if adds_to_assignment(consumer) {
        return consumer.incremental_assign(list);
    }
    if consumer.assignment()?.count() > 0 {
        consumer.unassign()?;
    }
    consumer.assign(list)
}

/// Gives up partitions, as the group's protocol requires.
pub(crate) fn unassign(consumer: &NativeConsumer, partitions: &[TopicPartition]) -> KafkaResult<()> {
    if adds_to_assignment(consumer) { consumer.incremental_unassign(&list_of(partitions)) } else { consumer.unassign() }
}

/// librdkafka's form of a list of partitions. A name that contains NUL is left out, since no topic can have it.
pub(crate) fn list_of<'a>(partitions: impl IntoIterator<Item = &'a TopicPartition>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions.into_iter().filter(|partition| !partition.topic.contains('\0')) {
        list.add_partition(&partition.topic, partition.partition);
    }
    list
}

fn partitions_of(list: &TopicPartitionList) -> Vec<TopicPartition> {
    list.elements().iter().map(|element| TopicPartition::new(element.topic(), element.partition())).collect()
}
